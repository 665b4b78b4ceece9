"""Orders, cancels and modifies as immutable values, and the kernel's operations for them.

Prices and sizes are scaled to integers by 10^8, whatever market they name. Ticks, lots, margin and existence are
checked when the operations are executed.
"""

from dataclasses import dataclass

from coinone.base.primitives.types import Address
from coinone.rules.exchange.rows.tables import Tif

WIRE_DECIMALS = 8  # prices and sizes are sent with at most 8 decimals


@dataclass(frozen=True, slots=True)
class TriggerSpec:
    px: int
    is_market: bool
    tpsl: str  # "tp" | "sl"


@dataclass(frozen=True, slots=True)
class OrderSpec:
    asset: int
    is_buy: bool
    px: int  # 1e-8
    sz: int  # 1e-8
    reduce_only: bool
    tif: Tif
    trigger: TriggerSpec | None
    cloid: int  # 0 = none


@dataclass(frozen=True, slots=True)
class Builder:
    address: Address
    fee: int  # tenths of a basis point


@dataclass(frozen=True, slots=True)
class PlaceOrders:
    orders: tuple[OrderSpec, ...]
    grouping: str
    builder: Builder | None


@dataclass(frozen=True, slots=True)
class OrderRef:
    """Reference to a resting order by order id or, when `oid` is 0, by the client's own id."""

    asset: int  # -1 if the action does not name it
    oid: int
    cloid: int


@dataclass(frozen=True, slots=True)
class Cancel:
    targets: tuple[OrderRef, ...]
    by_cloid: bool


@dataclass(frozen=True, slots=True)
class Modify:
    target: OrderRef
    order: OrderSpec


@dataclass(frozen=True, slots=True)
class BatchModify:
    modifies: tuple[Modify, ...]
    single: bool  # sent as `modify`


Trade = PlaceOrders | Cancel | BatchModify
"""Actions with operations on the book, as the full decoder reads them."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """An order with a trigger: its place among the operations."""

    place: int
    trigger: TriggerSpec


@dataclass(frozen=True, slots=True)
class Operations:
    """A trade as the kernel reads it: rows of OP (rows/tables.py), back to back, prices and sizes still in 1e-8.

    The most common actions are decoded directly to this (fast_decode.py); operations.py makes it from any trade.
    """

    rows: bytes
    count: int
    post_only: bool  # whether all orders are
    builder: Builder | None = None
    grouping: str = "na"  # of all its orders: "na" | "normalTpsl" | "positionTpsl"
    conditional: tuple[Conditional, ...] = ()
