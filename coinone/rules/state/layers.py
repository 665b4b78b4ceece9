"""A layer: the contract state that one batch changed, with the values before.

Pending state is a stack of layers over the last block on disk. A layer is immutable once `State.freeze` has
made it, so a block can be sealed from layers while later batches run above them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.state.account import Account, encode_account, encode_slot
from coinone.rules.state.database import Changes, Table

SlotKey: TypeAlias = bytes  # address and slot as bytes, whose hash collisions nobody can construct


@dataclass(frozen=True, slots=True)
class Layer:
    """Values after a batch and the values before it, without those that are equal."""

    accounts: Mapping[Address, Account | None] = field(default_factory=dict)
    storage: Mapping[SlotKey, int] = field(default_factory=dict)
    code: Mapping[Hash32, bytes] = field(default_factory=dict)
    accounts_before: Mapping[Address, Account | None] = field(default_factory=dict)
    storage_before: Mapping[SlotKey, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.accounts or self.storage or self.code)


def merge(layers: Sequence[Layer]) -> Layer:
    """Merge layers, lowest first: keep the last value after and the first value before."""
    accounts: dict[Address, Account | None] = {}
    storage: dict[SlotKey, int] = {}
    code: dict[Hash32, bytes] = {}
    accounts_before: dict[Address, Account | None] = {}
    storage_before: dict[SlotKey, int] = {}
    for layer in layers:
        accounts.update(layer.accounts)
        storage.update(layer.storage)
        code.update(layer.code)
        for address, account in layer.accounts_before.items():
            accounts_before.setdefault(address, account)
        for key, value in layer.storage_before.items():
            storage_before.setdefault(key, value)
    return Layer(
        {key: value for key, value in accounts.items() if value != accounts_before[key]},
        {key: value for key, value in storage.items() if value != storage_before[key]},
        code,
        {key: value for key, value in accounts_before.items() if value != accounts[key]},
        {key: value for key, value in storage_before.items() if value != storage[key]},
    )


def flat_changes(layer: Layer) -> Changes:
    """The rows of the flat tables that a layer changes."""
    return {
        Table.ACCOUNT: {
            address: None if account is None else encode_account(account)
            for address, account in layer.accounts.items()
        },
        Table.STORAGE: {key: encode_slot(value) for key, value in layer.storage.items()},
        Table.CODE: dict(layer.code),
    }
