"""Kernel: how a full side of a book makes room for a better price (docs/protocol/matching.md, "Room in a book").

The numbers of prices and of orders of a side are limited. A price better than the worst always enters: if it is one
price too many, the worst price is removed with all its orders; if it is one order too many, the order of the least
value is removed. A price that is not better than the worst of a full side is refused. Each removed order was entered
once, so the cost of making room is paid for. And the fuller a side is, the more an order must be worth to rest on it:
with small orders the depth of a side can neither be filled nor displaced cheaply.
"""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.book.ladders import level_of
from coinone.rules.exchange.book.values import least_value
from coinone.rules.exchange.kernel.cancelling import remove_order
from coinone.rules.exchange.rows.arrays import LEVELS_MAX, SIDE_MAX, i64, inlined, part
from coinone.rules.exchange.rows.status import Status

_DISPLACED = int(Status.DISPLACED)


@inlined
def least_notional(core: Any, market: int, ladder: int) -> int:
    """The least notional of an order that rests on that side, beyond the market's minimum; 0 while half is free."""
    orders, most = core.ladder_orders[ladder], core.counters[SIDE_MAX]
    least = core.markets[market].min_notional
    if 8 * orders > 7 * most:
        return i64(100 * least)
    return i64(10 * least) if 2 * orders > most else i64(0)


@inlined
def has_room(core: Any, ladder: int, key: int) -> bool:
    """Whether one more order may rest at this price, perhaps by displacing others."""
    first, count = core.ladder_firsts[ladder], core.ladder_counts[ladder]
    crowded = core.ladder_orders[ladder] >= core.counters[SIDE_MAX]
    if not crowded and count - first < core.counters[LEVELS_MAX]:
        return True
    worst = core.ladder_keys[ladder, first]
    return bool(key > worst or (key == worst and not crowded))


@inlined
def make_room(core: Any, ladder: int, key: int, i: int) -> None:
    """Displace what is needed for one more order at this price, for which `has_room`."""
    full = core.ladder_counts[ladder] - core.ladder_firsts[ladder] >= core.counters[LEVELS_MAX]
    if full or core.ladder_orders[ladder] >= core.counters[SIDE_MAX]:
        _displace(core, ladder, key, i)


@part
def _displace(core: Any, ladder: int, key: int, i: int) -> None:
    first, count = core.ladder_firsts[ladder], core.ladder_counts[ladder]
    if count - first >= core.counters[LEVELS_MAX] and level_of(core, ladder, key) < 0:
        level = i64(core.ladder_levels[ladder, first])
        for _ in range(core.levels[level].count):
            remove_order(core, i64(core.levels[level].head), i, _DISPLACED)
    if core.ladder_orders[ladder] >= core.counters[SIDE_MAX]:
        remove_order(core, least_value(core, ladder), i, _DISPLACED)
