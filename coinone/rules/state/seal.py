"""Sealing: compute a block's state root from the changes of its batches.

The state root is Ethereum's: a secure trie from keccak(address) to [nonce, balance, storage root, code hash],
and under each account a secure trie from keccak(slot) to its value. Sealing reads the database as the last
block left it plus one frozen layer, writes nothing, and yields often, so that batches can run meanwhile.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import StorageError
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.limits import SEAL_KEYS_PER_STEP
from coinone.rules.state.account import EMPTY_ACCOUNT, Account
from coinone.rules.state.database import Changes, Database, Table
from coinone.rules.state.layers import Layer, SlotKey, flat_changes
from coinone.rules.state.nodes import EMPTY_ROOT, nibbles
from coinone.rules.state.steps import finished
from coinone.rules.state.trie import Load, Trie, Writes

_ACCOUNT_PREFIX = b"a"
_STORAGE_PREFIX = b"s"  # then keccak(address), then the path


@dataclass(frozen=True, slots=True)
class Sealed:
    root: Hash32
    changes: Changes  # flat and trie rows, to be written atomically


@dataclass(frozen=True, slots=True)
class TrieAccount:
    """An account with its storage root, as encoded in its trie leaf."""

    account: Account
    storage_root: Hash32

    def encode(self) -> bytes:
        account = self.account
        return rlp.encode([account.nonce, account.balance, self.storage_root, account.code_hash])


def decode_trie_account(leaf: bytes) -> TrieAccount:
    nonce, balance, storage_root, code_hash = rlp.decode_list(rlp.decode(leaf), 4)
    account = Account(rlp.decode_int(nonce), rlp.decode_int(balance), rlp.decode_bytes(code_hash, 32))
    return TrieAccount(account, rlp.decode_bytes(storage_root, 32))


def state_root(database: Database) -> Hash32:
    """The state root stored in the database."""
    return Trie(account_rows(database)).root()


def seal(database: Database, layer: Layer) -> Sealed:
    """Seal synchronously, without yielding."""
    return finished(seal_steps(database, layer))


def seal_steps(database: Database, layer: Layer) -> Generator[None, None, Sealed]:
    """Seal `layer` on top of `database`, yielding every few milliseconds.

    The database must not change before the last step; nothing else is shared with running batches.
    """
    rows: Writes = {}
    leaves: list[tuple[bytes, bytes]] = []
    accounts = Trie(account_rows(database))
    slots_by_address = _by_address(layer.storage)
    for address in sorted({**layer.accounts, **slots_by_address}):
        path = nibbles(keccak256(address))
        leaf = accounts.get(path)
        before = TrieAccount(EMPTY_ACCOUNT, EMPTY_ROOT) if leaf is None else decode_trie_account(leaf)
        storage_root = before.storage_root
        if address in slots_by_address:
            slots = slots_by_address[address]
            storage_root = yield from _seal_storage(database, address, storage_root, slots, rows)
        account = layer.accounts.get(address, before.account)
        if account is None:
            assert storage_root == EMPTY_ROOT, "a removed account has no storage"
            accounts.delete(path)
        else:
            leaves.append((path, TrieAccount(account, storage_root).encode()))
        yield
    yield from _update_steps(accounts, leaves)
    root, account_writes = yield from accounts.commit_steps()
    rows.update((_ACCOUNT_PREFIX + path, row) for path, row in account_writes.items())
    return Sealed(root, {**flat_changes(layer), Table.TRIE: rows})


def _seal_storage(
    database: Database, address: Address, root_before: Hash32, slots: Mapping[Hash32, int], rows: Writes
) -> Generator[None, None, Hash32]:
    trie = Trie(storage_rows(database, address))
    if trie.root() != root_before:
        raise StorageError(f"storage trie of 0x{address.hex()} does not match its account")
    leaves: list[tuple[bytes, bytes]] = []
    for count, (slot, value) in enumerate(slots.items(), 1):
        path = nibbles(keccak256(slot))
        if value:
            leaves.append((path, rlp.encode(rlp.encode_int(value))))
        else:
            trie.delete(path)
        if count % SEAL_KEYS_PER_STEP == 0:
            yield
    yield from _update_steps(trie, leaves)
    root, writes = yield from trie.commit_steps()
    prefix = _STORAGE_PREFIX + keccak256(address)
    rows.update((prefix + path, row) for path, row in writes.items())
    return root


def _update_steps(trie: Trie, leaves: list[tuple[bytes, bytes]]) -> Generator[None, None, None]:
    leaves.sort()  # so that neighbours share nodes
    for start in range(0, len(leaves), SEAL_KEYS_PER_STEP):
        trie.update(leaves[start : start + SEAL_KEYS_PER_STEP])
        yield


def account_rows(database: Database) -> Load:
    return lambda path: database.get(Table.TRIE, _ACCOUNT_PREFIX + path)


def storage_rows(database: Database, address: Address) -> Load:
    prefix = _STORAGE_PREFIX + keccak256(address)
    return lambda path: database.get(Table.TRIE, prefix + path)


def _by_address(storage: Mapping[SlotKey, int]) -> dict[Address, dict[Hash32, int]]:
    grouped: dict[Address, dict[Hash32, int]] = {}
    for key, value in storage.items():
        grouped.setdefault(key[:20], {})[key[20:]] = value
    return grouped
