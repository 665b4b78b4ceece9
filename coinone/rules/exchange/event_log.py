"""A batch's events in order. Trades stay the kernel's rows, and become events (events.py) when somebody reads them.

Most of what a batch does is never read as an event: nobody watches those accounts, and the history and the
figures of a market are made of columns. So the rows are kept, with all they need to be told apart from the
exchange: addresses in the place of account slots, hashes in the place of operations.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.events import Event, Fill, FillSide, OrderUpdate
from coinone.rules.exchange.status import API_NAME
from coinone.rules.exchange.tables import Side
from coinone.rules.exchange.wire.operations import joined

Array = NDArray[Any]

TIF_NAMES = ("Gtc", "Ioc", "Alo")
KINDS = ("trade", "liquidation")
STATUS_NAMES = {int(status): name for status, name in API_NAME.items()}


class Trades:
    """The fills of one segment, then its order updates."""

    def __init__(
        self,
        seq: int,
        time_ms: int,
        fills: Array,
        updates: Array,
        addresses: Array,
        starts: Sequence[int],
        hashes: Sequence[Hash32],
    ) -> None:
        """`addresses` are those of all slots now; operation n belongs to the transaction `hashes[k]` with
        starts[k] <= n < starts[k + 1]."""
        self.seq = seq
        self.time_ms = time_ms
        self.fills = fills  # FILL
        self.updates = updates  # UPDATE
        self.takers = addresses[fills["taker"]]
        self.makers = addresses[fills["maker"]]
        self.owners = addresses[updates["account"]]
        self._starts = starts
        self._hashes = hashes

    def __iter__(self) -> Iterator[Event]:
        yield from self.fill_events
        yield from self.update_events

    def __len__(self) -> int:
        return len(self.fills) + len(self.updates)

    @cached_property
    def hashes(self) -> list[Hash32]:
        """The transaction of each fill's taker."""
        return [self._hashes[bisect_right(self._starts, op) - 1] for op in self.fills["op"].tolist()]

    @cached_property
    def fill_events(self) -> tuple[Fill, ...]:
        names = ("tid", "market", "px", "sz", "side", "liquidation")
        rows = zip(
            *columns(self.fills, *names), self.hashes, self._sides("taker"), self._sides("maker"), strict=True
        )
        return tuple([
            Fill(self.seq, self.time_ms, tid, market, px, sz, side == Side.BUY, taker, maker, tx_hash, KINDS[forced])
            for tid, market, px, sz, side, forced, tx_hash, taker, maker in rows
        ])  # fmt: skip

    @cached_property
    def update_events(self) -> tuple[OrderUpdate, ...]:
        rows = self.updates
        names = ("oid", "market", "side", "px", "sz", "orig_sz", "tif", "reduce_only", "time_ms", "status")
        told = zip(addresses_of(self.owners), cloids_of(rows), *columns(rows, *names), strict=True)
        return tuple([
            OrderUpdate(
                self.seq, self.time_ms, account, oid, cloid, market, side == Side.BUY, px, sz, orig_sz,
                TIF_NAMES[tif], bool(reduce_only), placed_ms, STATUS_NAMES[status],
            )
            for account, cloid, oid, market, side, px, sz, orig_sz, tif, reduce_only, placed_ms, status in told
        ])  # fmt: skip

    def _sides(self, who: str) -> Iterator[FillSide]:
        accounts = addresses_of(self.takers if who == "taker" else self.makers)
        names = [f"{who}_{name}" for name in ("oid", "start", "pnl", "fee", "builder_fee")]
        told = zip(accounts, cloids_of(self.fills, f"{who}_"), *columns(self.fills, *names), strict=True)
        for account, cloid, oid, start, pnl, fee, builder_fee in told:
            yield FillSide(account, oid, cloid, start, pnl, fee + builder_fee, builder_fee)


class EventLog:
    """What a batch did, in the order in which it happened."""

    def __init__(self, parts: Iterable[Event | Trades] = ()) -> None:
        self.parts: list[Event | Trades] = list(parts)

    def append(self, part: Event | Trades) -> None:
        self.parts.append(part)

    def __iter__(self) -> Iterator[Event]:
        for part in self.parts:
            if isinstance(part, Trades):
                yield from part
            else:
                yield part

    def __len__(self) -> int:
        return sum(len(part) if isinstance(part, Trades) else 1 for part in self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventLog) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def fills(self) -> Iterator[Fill]:
        for part in self.parts:
            if isinstance(part, Trades):
                yield from part.fill_events
            elif isinstance(part, Fill):
                yield part

    def markets(self) -> list[int]:
        """The markets that an event names, rising."""
        found: dict[int, None] = {}
        for part in self.parts:
            if isinstance(part, Trades):
                named = np.concatenate([part.fills["market"], part.updates["market"]])
                found.update(dict.fromkeys(np.unique(named).tolist()))
            else:
                found[getattr(part, "market", -1)] = None
        return sorted(market for market in found if market >= 0)


def columns(rows: Array, *names: str) -> list[list[int]]:
    """Columns as Python integers; going through rows instead takes several times as long."""
    return [rows[name].tolist() for name in names]


def addresses_of(rows: Array) -> list[Address]:
    found: list[Address] = rows.view("V20").ravel().tolist()
    return found


def cloids_of(rows: Array, prefix: str = "") -> list[int]:
    """Client order ids, 0 = none."""
    names = [prefix + name for name in ("has_cloid", "cloid_hi", "cloid_lo")]
    return [
        joined(high, low) if given else 0 for given, high, low in zip(*columns(rows, *names), strict=True)
    ]
