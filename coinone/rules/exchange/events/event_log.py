"""A batch's events in order. Trades remain rows of the kernel and become events (events.py) when they are read.

Most events of a batch are never read one by one: most accounts have no subscriber, and the history and the figures of a
market are made from columns. So the rows are kept, with all they need without the exchange: addresses instead of
account slots, hashes instead of operations.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.events.columns import addresses_of, cloids_of
from coinone.rules.exchange.events.events import Event, Fill, FillSide, MarketUpdate
from coinone.rules.exchange.events.orders import OrderUpdate, update_columns
from coinone.rules.exchange.rows.tables import Array, Side

ALL = slice(None)
_KINDS = ("trade", "liquidation")


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
        """`addresses` are the current ones of all slots.

        Operation n belongs to the transaction `hashes[k]` with starts[k] <= n < starts[k + 1].
        """
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
    def fill_events(self) -> tuple[Fill, ...]:
        return self.fill_events_at(ALL)

    @cached_property
    def update_events(self) -> tuple[OrderUpdate, ...]:
        return tuple(map(OrderUpdate, *self.update_columns().values()))

    def fill_events_at(self, places: Any) -> tuple[Fill, ...]:
        """The fills at these places only: any NumPy index."""
        return tuple(map(Fill, *self.fill_columns(FillSide, places).values()))

    def fill_columns(self, side: Callable[..., Any], places: Any = ALL) -> dict[str, Iterable[Any]]:
        """The fields of a Fill in their order, each with its values for all fills.

        `side` makes the object for a party from the fields of a FillSide.
        """
        rows = self.fills[places]
        return {
            "seq": repeat(self.seq),
            "time_ms": repeat(self.time_ms),
            "tid": rows["tid"].tolist(),
            "market": rows["market"].tolist(),
            "px": rows["px"].tolist(),
            "sz": rows["sz"].tolist(),
            "taker_is_buy": (rows["side"] == Side.BUY).tolist(),
            "taker": map(side, *_side_columns(rows, "taker", self.takers[places])),
            "maker": map(side, *_side_columns(rows, "maker", self.makers[places])),
            "tx_hash": [self._hashes[bisect_right(self._starts, op) - 1] for op in rows["op"].tolist()],
            "kind": [_KINDS[forced] for forced in rows["liquidation"].tolist()],
        }

    def update_columns(self, places: Any = ALL) -> dict[str, Iterable[Any]]:
        """The fields of an OrderUpdate in their order, each with its values for all updates."""
        return update_columns(self.seq, self.time_ms, self.owners[places], self.updates[places])

    def parties(self) -> dict[Address, None]:
        """The accounts that traded or whose orders changed."""
        parts = (self.takers, self.makers, self.owners)
        return dict.fromkeys(account for part in parts for account in addresses_of(part))


class EventLog:
    """The events of a batch, in the order in which they happened."""

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

    def parties(self) -> dict[Address, None]:
        """The accounts that events concern."""
        found: dict[Address, None] = {}
        for part in self.parts:
            found.update(part.parties() if isinstance(part, Trades) else dict.fromkeys(parties_of(part)))
        return found

    def markets(self) -> list[int]:
        """The markets of all events, in rising order."""
        found: dict[int, None] = {}
        for part in self.parts:
            if isinstance(part, Trades):
                named = np.concatenate([part.fills["market"], part.updates["market"]])
                found.update(dict.fromkeys(np.unique(named).tolist()))
            else:
                found[getattr(part, "market", -1)] = None
        return sorted(market for market in found if market >= 0)


def parties_of(event: Event) -> tuple[Address, ...]:
    """The accounts that an event concerns; of a fill, the taker first."""
    if isinstance(event, Fill):
        return event.taker.account, event.maker.account
    return () if isinstance(event, MarketUpdate) else (event.account,)


def _side_columns(rows: Array, who: str, addresses: Array) -> list[list[Any]]:
    """The columns of a FillSide's fields in their order."""
    oid, start, pnl, fee, builder_fee = (
        rows[f"{who}_{name}"] for name in ("oid", "start", "pnl", "fee", "builder_fee")
    )
    numbers = [column.tolist() for column in (start, pnl, fee + builder_fee, builder_fee)]
    return [addresses_of(addresses), oid.tolist(), cloids_of(rows, f"{who}_"), *numbers]
