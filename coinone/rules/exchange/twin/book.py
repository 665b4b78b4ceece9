"""The twin's objects and its order book: prices in a sorted list, a queue at each."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import NamedTuple

row = tuple.__new__
"""Make a NamedTuple from its fields in order, in half the time that its own constructor takes."""


@dataclass(slots=True)
class Op:
    """An operation; fields as in tables.OP. Not a tuple: its fields are read far more often than it is made."""

    px: int
    sz: int
    cloid_hi: int
    cloid_lo: int
    oid: int
    target_hi: int
    target_lo: int
    middle: int
    account: int
    builder: int
    builder_fee: int
    liquidation_fee: int
    market: int
    reason: int
    kind: int
    side: int
    tif: int
    reduce_only: int
    has_cloid: int
    liquidation: int
    passes: int = 0


class Result(NamedTuple):
    """The result of an operation; fields as in tables.RESULT."""

    oid: int
    filled_sz: int
    filled_notional: int
    resting_sz: int
    bid: int
    ask: int
    status: int


class TwinFill(NamedTuple):
    """A trade; fields as in tables.FILL."""

    tid: int
    px: int
    sz: int
    taker_oid: int
    maker_oid: int
    taker_start: int
    maker_start: int
    taker_fee: int
    maker_fee: int
    taker_builder_fee: int
    maker_builder_fee: int
    taker_pnl: int
    maker_pnl: int
    taker_cloid_hi: int
    taker_cloid_lo: int
    maker_cloid_hi: int
    maker_cloid_lo: int
    op: int
    market: int
    taker: int
    maker: int
    side: int
    liquidation: int
    taker_has_cloid: int
    maker_has_cloid: int


class TwinUpdate(NamedTuple):
    """The new state of an order; fields as in tables.UPDATE."""

    oid: int
    px: int
    sz: int
    orig_sz: int
    cloid_hi: int
    cloid_lo: int
    time_ms: int
    op: int
    account: int
    market: int
    status: int
    side: int
    tif: int
    reduce_only: int
    has_cloid: int


@dataclass(slots=True)
class Position:
    size: int = 0
    entry_notional: int = 0
    bids: int = 0  # open orders that are not reduce-only
    asks: int = 0
    leverage: int = 0
    opened_ms: int = 0
    funding_all: int = 0
    funding_open: int = 0
    funding_change: int = 0
    funding_ms: int = 0
    initial_margin: int = 0  # its part of the owner's sums
    maintenance_margin: int = 0
    reducing: list[TwinOrder] = field(default_factory=list, compare=False)  # resting reduce-only orders


@dataclass(slots=True)
class TwinAccount:
    cash: int
    taker_rate: int
    maker_rate: int
    positions: list[Position]
    locked: bool = False
    order_count: int = 0
    taker_volume: int = 0
    maker_volume: int = 0
    position_value: int = 0  # sums over the markets
    initial_margin: int = 0
    maintenance_margin: int = 0


@dataclass(slots=True)
class Ladder:
    """One side of a market: `keys` ascending to the best price, and the orders of each key by age.

    A key is the price of bids, and minus the price of asks.
    """

    sign: int
    keys: list[int] = field(default_factory=list)
    count: int = 0  # orders
    queues: dict[int, dict[int, TwinOrder]] = field(default_factory=dict)

    def add(self, order: TwinOrder) -> None:
        key = self.sign * order.op.px
        queue = self.queues.get(key)
        if queue is None:
            insort(self.keys, key)
            queue = self.queues[key] = {}
        queue[order.oid] = order
        self.count += 1

    def remove(self, order: TwinOrder) -> None:
        key = self.sign * order.op.px
        queue = self.queues[key]
        del queue[order.oid]
        self.count -= 1
        if not queue:
            del self.queues[key]
            del self.keys[bisect_left(self.keys, key)]

    def only_best(self, order: TwinOrder) -> bool:
        """Whether this order is the only one at the best price."""
        return bool(self.keys) and list(self.queues[self.keys[-1]]) == [order.oid]

    def best(self) -> int:
        """The best price, or 0."""
        return self.sign * self.keys[-1] if self.keys else 0


@dataclass(slots=True)
class TwinMarket:
    """Parameters as in tables.MARKET; `bounds` are the least notionals of `tiers`: (max leverage, deduction)."""

    mark: int
    below: int
    above: int
    max_px: int
    max_sz: int
    max_open_interest: int
    min_notional: int
    tick: int
    lot: int
    px_unit: int
    band_bps: int
    sig_figs: int
    max_leverage: int
    first_leverage: int
    status: int
    funding_ms: int
    funding_long: int
    funding_short: int
    unbooked: int
    bounds: list[int]
    tiers: list[tuple[int, int]]
    open_interest: int = 0
    last_px: int = 0
    last_ms: int = 0
    volume: int = 0
    base_volume: int = 0
    order_count: int = 0
    sides: tuple[Ladder, Ladder] = field(default_factory=lambda: (Ladder(1), Ladder(-1)))


@dataclass(slots=True)
class TwinOrder:
    """An order with references to its owner, the owner's position in its market, and the market."""

    oid: int
    op: Op
    owner: TwinAccount
    held: Position
    market: TwinMarket
    size: int
    left: int
    time_ms: int
    notional: int = 0  # traded as a taker
    paid: int = 0  # the exchange's fees for it
    replaces: TwinOrder | None = None  # by a modify
