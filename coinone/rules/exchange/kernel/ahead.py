"""Prefetching: memory that coming operations will touch is requested before they need it (jitted).

Hints only, without effect on any result. What an op touches lies in tables far larger than the nearest cache, at places
given by its fields: its account and position directly, an order that it cancels after a look-up in the index of oids,
the price it joins after a look-up of the hints. All of this is requested for every kind: a needless hint costs less
than a mispredicted branch.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.jit_tables import prefetch
from coinone.rules.exchange.book.indexes import home_of
from coinone.rules.exchange.book.ladders import hint_of, key_of, ladder_of
from coinone.rules.exchange.rows.arrays import FREE_ORDERS, MARKETS, i64, inlined
from coinone.rules.exchange.rows.tables import OpKind

_PLACE = int(OpKind.PLACE)
_FAR, _NEAR, _NEXT = 8, 5, 2


@inlined
def look_ahead(core: Any, i: int) -> None:
    last = core.ops.shape[0] - 1
    _far(core, min(i + _FAR, last))
    _near(core, min(i + _NEAR, last))
    _next(core, min(i + _NEXT, last))


@inlined
def _far(core: Any, i: int) -> None:
    """Prefetch what the op names itself, and the row that a new order will take."""
    op = core.ops[i]
    prefetch(core.accounts, i64(op.account))
    prefetch(core.positions, op.account * core.positions.shape[1] + op.market)
    prefetch(core.oids, home_of(core, op.oid))
    prefetch(core.hints, hint_of(core, ladder_of(op.market, op.side), key_of(op.side, op.px)))
    prefetch(core.orders, i64(core.free_orders[max(core.counters[FREE_ORDERS] - _FAR, 0)]))


@inlined
def _near(core: Any, i: int) -> None:
    """Prefetch the order that is most likely cancelled, and the level to be joined."""
    op = core.ops[i]
    slot = max(i64(core.oids[home_of(core, op.oid)]), 0)
    prefetch(core.orders, slot)
    prefetch(core.links, slot)
    level = core.hints[hint_of(core, ladder_of(op.market, op.side), key_of(op.side, op.px))]
    prefetch(core.levels, i64(level))


@inlined
def _next(core: Any, i: int) -> None:
    """Prefetch the first order that a crossing one will meet."""
    op = core.ops[i]
    if op.kind == _PLACE and op.market >= 0 and op.market < core.counters[MARKETS]:
        ladder = ladder_of(op.market, 1 - op.side)
        best = core.ladder_counts[ladder] - 1
        if best >= 0 and core.ladder_keys[ladder, best] >= key_of(1 - op.side, op.px):
            head = i64(core.levels[core.ladder_levels[ladder, best]].head)
            maker = i64(core.links[head].account)
            prefetch(core.orders, head)
            prefetch(core.accounts, maker)
            prefetch(core.positions, maker * core.positions.shape[1] + op.market)
