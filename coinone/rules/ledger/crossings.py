"""Crossings between contracts and the exchange, from one batch to a later one."""

from dataclasses import dataclass

from coinone.base.primitives.records import record
from coinone.base.primitives.types import U256, Address, Hash32


@record
@dataclass(frozen=True, slots=True)
class Deposit:
    """Quote tokens that arrived at the system address in the last EVM segment."""

    address: Address
    amount: U256
    tx_hash: Hash32 = bytes(32)


@record
@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Quote tokens to be released to `address` in the next EVM segment."""

    address: Address
    amount: U256
    tx_hash: Hash32


@record
@dataclass(frozen=True, slots=True)
class CoreAction:
    """A RawAction log of the CoreWriter contract: `sender` acts as itself, `data` is version, id, fields."""

    sender: Address
    data: bytes
