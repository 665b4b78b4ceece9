"""Logs of contracts, as in receipts."""

from typing import NamedTuple

from coinone.base.primitives.records import record
from coinone.base.primitives.types import Address, Hash32


@record
class Log(NamedTuple):
    """One event of a contract."""

    address: Address
    topics: tuple[Hash32, ...]
    data: bytes
