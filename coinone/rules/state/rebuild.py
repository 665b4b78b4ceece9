"""Trie roots computed from all values, without stored nodes.

`rebuilt_state_root` is the slow reference for sealing; `ordered_root` is the root of a block's transactions or
receipts (each under the RLP of its index).
"""

from collections.abc import Generator, Sequence

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.types import Hash32
from coinone.rules.state.account import decode_account
from coinone.rules.state.database import Database, Table
from coinone.rules.state.nodes import nibbles
from coinone.rules.state.seal import TrieAccount
from coinone.rules.state.steps import finished
from coinone.rules.state.trie import Trie

ORDERED_KEYS_PER_STEP = 256  # about 2 ms


def rebuilt_state_root(database: Database) -> Hash32:
    accounts = _empty_trie()
    for address, row in database.scan(Table.ACCOUNT):
        storage = _empty_trie()
        for key, value in database.scan(Table.STORAGE, address):
            storage.set(nibbles(keccak256(key[20:])), rlp.encode(value))
        leaf = TrieAccount(decode_account(row), storage.commit()[0])
        accounts.set(nibbles(keccak256(address)), leaf.encode())
    return accounts.commit()[0]


def ordered_root(values: Sequence[bytes]) -> Hash32:
    return finished(ordered_root_steps(values))


def ordered_root_steps(values: Sequence[bytes]) -> Generator[None, None, Hash32]:
    """`ordered_root` in short steps."""
    trie = _empty_trie()
    for start in range(0, len(values), ORDERED_KEYS_PER_STEP):
        part = enumerate(values[start : start + ORDERED_KEYS_PER_STEP], start)
        trie.update((nibbles(rlp.encode(index)), value) for index, value in part)
        yield
    root, _ = yield from trie.commit_steps()
    return root


def _empty_trie() -> Trie:
    return Trie(lambda path: None)
