"""The current state of accounts, storage and code, with undo.

Every value that was read or written is in one dictionary of current values, so a read is one lookup however many
batches are pending. A write records the value it replaces in a journal; `revert` applies the journal backwards. At the
end of a batch the journal yields the changed keys and their old values: the frozen `Layer`, which `pop` undoes.

Three lifetimes nest: a call frame (`snapshot`, `revert`), a transaction (`begin_transaction`,
`end_transaction`), a batch (`freeze`, `push`, `pop`, `committed`).
"""

from typing import Any

from coinone.base.crypto.keccak import EMPTY_HASH, keccak256
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.limits import STATE_CACHE_ACCOUNTS_MAX, STATE_CACHE_CODES_MAX, STATE_CACHE_SLOTS_MAX
from coinone.rules.state.account import EMPTY_ACCOUNT, Account, decode_account, storage_key
from coinone.rules.state.database import Database, Table
from coinone.rules.state.layers import Layer, SlotKey

_MISSING: Any = object()  # marks a key that the dictionary did not have; never a value


class _Slots(dict[Hash32, int]):
    """The known slots of one account, with its address for the walk over the journal.

    Slots are keyed by their 32 bytes, whose hash nobody can predict: integers that collide (modulo 2^61 - 1) are
    easily found, and a contract chooses its slots.
    """

    __slots__ = ("address",)

    def __init__(self, address: Address) -> None:
        self.address = address


class State:
    def __init__(self, database: Database, layers: list[Layer] | None = None) -> None:
        self._database = database
        self._layers: list[Layer] = []
        self._accounts: dict[Address, Account | None] = {}
        self._storage: dict[Address, _Slots] = {}
        self._slots_known = 0
        self._code: dict[Hash32, bytes] = {EMPTY_HASH: b""}
        self._journal: list[tuple[dict[Any, Any], Any, Any]] = []
        self._clear_transaction()
        for layer in layers or []:
            self.push(layer)

    # Reading

    def account(self, address: Address) -> Account | None:
        account = self._accounts.get(address, _MISSING)
        if account is _MISSING:
            row = self._database.get(Table.ACCOUNT, address)
            account = self._accounts[address] = None if row is None else decode_account(row)
        return account  # type: ignore[no-any-return]

    def balance(self, address: Address) -> int:
        account = self.account(address)
        return 0 if account is None else account.balance

    def nonce(self, address: Address) -> int:
        account = self.account(address)
        return 0 if account is None else account.nonce

    def code_hash(self, address: Address) -> Hash32:
        """The hash of the account's code; that of the empty string if there is no code or no account."""
        account = self.account(address)
        return EMPTY_HASH if account is None else account.code_hash

    def code(self, address: Address) -> bytes:
        return self.code_by_hash(self.code_hash(address))

    def code_by_hash(self, code_hash: Hash32) -> bytes:
        code = self._code.get(code_hash)
        if code is None:
            code = self._database.get(Table.CODE, code_hash)
            assert code is not None, "the code of an account is stored"
            self._code[code_hash] = code
        return code

    def storage(self, address: Address, slot: int) -> int:
        return self.word(address, slot.to_bytes(32, "big"))

    def word(self, address: Address, slot: Hash32) -> int:
        """`storage`, for a slot given as its 32 bytes."""
        slots = self._storage.get(address)
        if slots is None:
            slots = self._storage[address] = _Slots(address)
        value = slots.get(slot)
        if value is None:
            row = self._database.get(Table.STORAGE, address + slot)
            value = slots[slot] = 0 if row is None else int.from_bytes(row, "big")
            self._slots_known += 1
        return value

    def original_storage(self, address: Address, slot: int) -> int:
        """The slot's value when the transaction began: what SSTORE's price depends on."""
        return self.original_word(address, slot.to_bytes(32, "big"))

    def original_word(self, address: Address, slot: Hash32) -> int:
        """`original_storage`, for a slot given as its 32 bytes."""
        if address in self._created:
            return 0
        original = self._original.get(address + slot)
        return self.word(address, slot) if original is None else original

    def word_and_original(self, address: Address, slot: Hash32) -> tuple[int, int]:
        """Current and original value, for an engine that caches them until the message ends."""
        slots = self._storage.get(address)
        value = None if slots is None else slots.get(slot)
        if value is None:
            value = self.word(address, slot)
        if self._original or self._created:
            return value, self.original_word(address, slot)
        return value, value

    def known(self) -> tuple[dict[Any, Any], ...]:
        """The dictionaries of current values, for an engine that reads them in place while a message runs.

        Accounts; slots by account, then by slot; `SlotKey`s with the values that this transaction replaced; accounts
        that it created. A missing key means nothing.
        """
        return self._accounts, self._storage, self._original, self._created

    def transient(self, address: Address, slot: int) -> int:
        return self._transient.get(storage_key(address, slot), 0)

    def exists(self, address: Address) -> bool:
        return self.account(address) is not None

    def is_empty(self, address: Address) -> bool:
        """EIP-161: no nonce, no balance, no code; an absent account is empty."""
        account = self.account(address)
        return account is None or account.is_empty

    def has_storage(self, address: Address) -> bool:
        """Whether any slot is set, so that a creation at this address fails (EIP-7610)."""
        known: dict[Hash32, int] = self._storage.get(address) or {}
        if any(known.values()):
            return True
        rows = self._database.scan(Table.STORAGE, address)
        return any(key[20:] not in known for key, _ in rows)

    def created_in_transaction(self, address: Address) -> bool:
        return address in self._created

    # Writing

    def set_account(self, address: Address, account: Account | None) -> None:
        self._put(self._accounts, address, self.account(address), account)
        self._put_new(self._touched, address)

    def set_balance(self, address: Address, balance: int) -> None:
        assert balance >= 0, "negative balance"
        account = self.account(address) or EMPTY_ACCOUNT
        self.set_account(address, Account(account.nonce, balance, account.code_hash))

    def set_nonce(self, address: Address, nonce: int) -> None:
        account = self.account(address) or EMPTY_ACCOUNT
        self.set_account(address, Account(nonce, account.balance, account.code_hash))

    def set_code(self, address: Address, code: bytes) -> None:
        code_hash = keccak256(code) if code else EMPTY_HASH
        self._put_new(self._code, code_hash, code)
        account = self.account(address) or EMPTY_ACCOUNT
        self.set_account(address, Account(account.nonce, account.balance, code_hash))

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        self.set_word(address, slot.to_bytes(32, "big"), value)

    def set_word(self, address: Address, slot: Hash32, value: int) -> None:
        """`set_storage`, for a slot given as its 32 bytes."""
        slots = self._storage.get(address)
        before = None if slots is None else slots.get(slot)
        if before is None:
            before = self.word(address, slot)
        if value == before:
            return
        slots = self._storage[address]
        self._original.setdefault(address + slot, before)
        self._journal.append((slots, slot, before))
        slots[slot] = value

    def set_transient(self, address: Address, slot: int, value: int) -> None:
        key = storage_key(address, slot)
        self._put(self._transient, key, self._transient.get(key, _MISSING), value)

    def touch(self, address: Address) -> None:
        """Mark for EIP-161: if the account is empty when the transaction ends, it is removed."""
        self._put_new(self._touched, address)

    def create_account(self, address: Address) -> None:
        """Start a contract: nonce 1, no code, no storage; the address keeps its balance."""
        self._wipe(address)
        self._put_new(self._created, address)
        self.set_account(address, Account(1, self.balance(address), EMPTY_HASH))

    def destroy(self, address: Address) -> None:
        """SELFDESTRUCT of an account created in this transaction (EIP-6780): gone when it ends."""
        self._put_new(self._destroyed, address)

    # Frames

    def snapshot(self) -> int:
        return len(self._journal)

    def revert(self, snapshot: int) -> None:
        """Undo everything written since `snapshot`."""
        journal = self._journal
        assert 0 <= snapshot <= len(journal), "the snapshot is of this batch"
        while len(journal) > snapshot:
            container, key, before = journal.pop()
            if before is _MISSING:
                container.pop(key, None)
            else:
                container[key] = before

    # Transactions

    def begin_transaction(self) -> None:
        self._clear_transaction()

    def end_transaction(self) -> None:
        """Apply destructions, remove touched empty accounts, and clear per-transaction state."""
        for address in self._destroyed:
            self._wipe(address)
            self._put(self._accounts, address, self.account(address), None)
        for address in self._touched:
            account = self.account(address)
            if account is not None and account.is_empty:
                self._wipe(address)
                self._put(self._accounts, address, account, None)
        self._clear_transaction()

    def _clear_transaction(self) -> None:
        # New dictionaries, not cleared ones: the journal may still undo writes into the old ones.
        self._original: dict[SlotKey, int] = {}
        self._transient: dict[SlotKey, int] = {}
        self._created: dict[Address, None] = {}
        self._destroyed: dict[Address, None] = {}
        self._touched: dict[Address, None] = {}

    # Batches

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The pending layers, lowest (oldest) first."""
        return tuple(self._layers)

    def freeze(self) -> Layer:
        """End the batch: its changes become the newest layer, which is returned."""
        layer = self._journal_as_layer()
        self._journal.clear()
        self._clear_transaction()
        self._layers.append(layer)
        self._bound_cache()
        return layer

    def push(self, layer: Layer) -> None:
        """Add a layer on top: one that was popped, or made elsewhere from the same state."""
        assert not self._journal, "no batch is open"
        self._apply(layer.accounts, layer.storage)
        self._code.update(layer.code)
        self._layers.append(layer)

    def pop(self) -> Layer:
        """Undo the newest layer and return it."""
        assert not self._journal, "no batch is open"
        layer = self._layers.pop()
        self._apply(layer.accounts_before, layer.storage_before)
        for code_hash in layer.code:
            self._code.pop(code_hash, None)
        for lower in self._layers:
            self._code.update(lower.code)
        return layer

    def committed(self, count: int) -> None:
        """Drop the lowest `count` layers, which are on disk now; current values are unchanged."""
        assert count <= len(self._layers), "only existing layers are committed"
        del self._layers[:count]

    def forget(self) -> None:
        """Drop all cached values, since the database changed: a committed block was undone."""
        assert not self._journal and not self._layers, "nothing is pending"
        self._drop_caches()

    # Helpers

    def _put(self, container: dict[Any, Any], key: Any, before: Any, after: Any) -> None:
        self._journal.append((container, key, before))
        container[key] = after

    def _put_new(self, container: dict[Any, Any], key: Any, value: Any = None) -> None:
        if key not in container:
            self._put(container, key, _MISSING, value)

    def _wipe(self, address: Address) -> None:
        """Set every slot to zero. Slots on disk exist here only if a creation was allowed despite them."""
        for key, _ in self._database.scan(Table.STORAGE, address):
            self.word(address, key[20:])
        for slot, value in list(self._storage.get(address, {}).items()):
            if value:
                self.set_word(address, slot, 0)

    def _journal_as_layer(self) -> Layer:
        accounts_before: dict[Address, Account | None] = {}
        storage_before: dict[SlotKey, int] = {}
        code: dict[Hash32, bytes] = {}
        for container, key, before in self._journal:
            if container is self._accounts:
                accounts_before.setdefault(key, before)
            elif type(container) is _Slots:
                storage_before.setdefault(container.address + key, before)
            elif container is self._code:
                code[key] = self._code[key]
        for address in [a for a, before in accounts_before.items() if before == self._accounts[a]]:
            del accounts_before[address]
        values = {key: self._storage[key[:20]][key[20:]] for key in storage_before}
        storage = {key: value for key, value in values.items() if value != storage_before[key]}
        storage_before = {key: storage_before[key] for key in storage}
        accounts = {address: self._accounts[address] for address in accounts_before}
        return Layer(accounts, storage, code, accounts_before, storage_before)

    def _apply(self, accounts: Any, storage: Any) -> None:
        self._accounts.update(accounts)
        for key, value in storage.items():
            address = key[:20]
            slots = self._storage.get(address)
            if slots is None:
                slots = self._storage[address] = _Slots(address)
            slots[key[20:]] = value

    def _bound_cache(self) -> None:
        full = (
            len(self._accounts) > STATE_CACHE_ACCOUNTS_MAX
            or self._slots_known > STATE_CACHE_SLOTS_MAX
            or len(self._code) > STATE_CACHE_CODES_MAX
        )
        if full:
            self._drop_caches()

    def _drop_caches(self) -> None:
        """Drop values that can be read again; those of pending layers stay."""
        self._accounts = {}
        self._storage = {}
        self._slots_known = 0
        self._code = {EMPTY_HASH: b""}
        for layer in self._layers:
            self._apply(layer.accounts, layer.storage)
            self._code.update(layer.code)
