"""State and block overrides of eth_call and related methods: "what if this account held that".

The names and rules are geth's, which ignores fields that it does not know. Replacing an account's whole storage must
not iterate over the existing one, which may be millions of slots: the call's database is overlaid with one that has
none for that account.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.api.ethereum.json.errors import SERVER_ERROR, RpcError, invalid_params
from coinone.interfaces.api.ethereum.json.hexes import read_address, read_bytes, read_hash, read_quantity
from coinone.interfaces.api.ethereum.json.params import object_of, storage_slot
from coinone.interfaces.api.limits import OVERRIDES_MAX
from coinone.rules.chain.ethereum.execution import Precompiles
from coinone.rules.state.account import EMPTY_ACCOUNT, Account
from coinone.rules.state.database import Database, Table
from coinone.rules.state.layers import Layer
from coinone.rules.state.state import State
from coinone.rules.vm import BlockEnv

Slots = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class AccountOverride:
    """One account's overrides; None leaves the value unchanged."""

    balance: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    state: Slots | None = None  # the whole storage
    diff: Slots = ()  # single slots
    precompile_to: Address | None = None  # the address to which this address's precompiled contract moves


@dataclass(frozen=True, slots=True)
class Overrides:
    """All overrides of a call. `block` holds fields of BlockEnv by name."""

    accounts: tuple[tuple[Address, AccountOverride], ...] = ()
    block: tuple[tuple[str, Any], ...] = ()


NONE = Overrides()


# Read overrides

_BLOCK_FIELDS = {
    "number": "number",
    "time": "timestamp",
    "gasLimit": "gas_limit",
    "feeRecipient": "coinbase",
    "coinbase": "coinbase",
    "prevRandao": "prevrandao",
    "random": "prevrandao",
    "baseFeePerGas": "base_fee",
    "baseFee": "base_fee",
    "blobBaseFee": "blob_base_fee",
}
_REFUSED_OF_BLOCK = ("beaconRoot", "withdrawals")  # they belong to whole blocks: eth_simulateV1


def read_overrides(accounts: Any, block: Any = None) -> Overrides:
    """Read the third and fourth parameter of eth_call. Raises RpcError, DecodeError."""
    if accounts is None and block is None:
        return NONE
    return Overrides(read_accounts(accounts), read_block(block))


def read_accounts(value: Any) -> tuple[tuple[Address, AccountOverride], ...]:
    given = object_of(value, "state overrides")
    if len(given) > OVERRIDES_MAX:
        raise invalid_params(f"too many state overrides (most {OVERRIDES_MAX})")
    accounts = tuple((read_address(name), _read_account(item)) for name, item in given.items())
    if len(dict(accounts)) != len(accounts):
        raise invalid_params("an account is overridden twice")
    return accounts


def _read_account(value: Any) -> AccountOverride:
    given = object_of(value, "account override")
    if given.get("state") is not None and given.get("stateDiff") is not None:
        raise invalid_params("an account override has both 'state' and 'stateDiff'")
    code, moved = given.get("code"), given.get("movePrecompileToAddress")
    return AccountOverride(
        balance=_quantity(given.get("balance")),
        nonce=_quantity(given.get("nonce"), U64_MAX),
        code=None if code is None else read_bytes(code),
        state=None if given.get("state") is None else _slots(given["state"]),
        diff=_slots(given.get("stateDiff")),
        precompile_to=None if moved is None else read_address(moved),
    )


def _slots(value: Any) -> Slots:
    given = object_of(value, "storage override")
    if len(given) > OVERRIDES_MAX:
        raise invalid_params(f"too many slots in an override (most {OVERRIDES_MAX})")
    return tuple((storage_slot(slot), int.from_bytes(read_hash(word), "big")) for slot, word in given.items())


def read_block(value: Any) -> tuple[tuple[str, Any], ...]:
    """Read fields of BlockEnv by name. Unknown fields are ignored, as in geth; known ones that are not supported are
    refused by name."""
    given = object_of(value, "block overrides")
    for name in _REFUSED_OF_BLOCK:
        if given.get(name) is not None:
            raise RpcError(SERVER_ERROR, f'block override "{name}" is not supported for this RPC method')
    return tuple(
        (field, _block_value(field, given[name]))
        for name, field in _BLOCK_FIELDS.items()
        if given.get(name) is not None
    )


def _block_value(field: str, value: Any) -> int | Address | Hash32:
    if field == "coinbase":
        return read_address(value)
    if field == "prevrandao":
        return read_hash(value)
    return read_quantity(value, U64_MAX if field in ("number", "timestamp", "gas_limit") else 2**256 - 1)


def _quantity(value: Any, most: int = 2**256 - 1) -> int | None:
    return None if value is None else read_quantity(value, most)


# Apply overrides


class _Wiped:
    """A database in which some accounts have no storage."""

    def __init__(self, database: Database, wiped: frozenset[Address]) -> None:
        self._database = database
        self._wiped = wiped

    def get(self, table: Enum, key: bytes) -> bytes | None:
        if table is Table.STORAGE and key[:20] in self._wiped:
            return None
        return self._database.get(table, key)

    def scan(self, table: Enum, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        for key, row in self._database.scan(table, prefix):
            if not (table is Table.STORAGE and key[:20] in self._wiped):
                yield key, row


def state_with(database: Database, layers: tuple[Layer, ...], overrides: Overrides) -> State:
    """A separate state for a call: the database overlaid with `layers`, with the overrides applied."""
    wiped = frozenset(address for address, wanted in overrides.accounts if wanted.state is not None)
    state = State(_Wiped(database, wiped) if wiped else database, list(layers))
    for layer in layers:
        for key in layer.storage:
            if key[:20] in wiped:
                state.set_storage(key[:20], int.from_bytes(key[20:], "big"), 0)
    for address, wanted in overrides.accounts:
        override(state, address, wanted)
    state.begin_transaction()
    return state


def override(state: State, address: Address, wanted: AccountOverride) -> None:
    """Override an account; a storage to be replaced must have been cleared already."""
    account = state.account(address) or EMPTY_ACCOUNT
    balance = account.balance if wanted.balance is None else wanted.balance
    nonce = account.nonce if wanted.nonce is None else wanted.nonce
    state.set_account(address, Account(nonce, balance, account.code_hash))
    if wanted.code is not None:
        state.set_code(address, wanted.code)
    for slot, value in (*(wanted.state or ()), *wanted.diff):
        state.set_storage(address, slot, value)


def env_with(env: BlockEnv, overrides: Overrides) -> BlockEnv:
    return replace(env, **dict(overrides.block)) if overrides.block else env


def precompiles_with(table: Precompiles, overrides: Overrides) -> Precompiles:
    """The precompiled contracts under overrides: an overridden address runs as the given account; its precompiled
    contract may move elsewhere.

    Raises InvalidInput if an address to be moved has no precompiled contract, or the destination is overridden.
    """
    changed: Mapping[Address, AccountOverride] = dict(overrides.accounts)
    moved = [(a, wanted.precompile_to) for a, wanted in changed.items() if wanted.precompile_to is not None]
    for address, place in moved:
        if address not in table:
            raise InvalidInput(f"account 0x{address.hex()} is not a precompile")
        if place in changed:
            raise InvalidInput(f"account 0x{place.hex()} is already overridden")
    rest = {address: contract for address, contract in table.items() if address not in changed}
    return {**rest, **{place: table[address] for address, place in moved}}
