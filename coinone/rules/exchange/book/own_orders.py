"""Own orders: linked lists of each account's resting orders of a market (jitted).

One list per side, and one of the reduce-only orders. With them an account's orders are found without reading others':
to cancel all, or one side when a maker cannot bear a fill, or the reduce-only ones that exceed a smaller position
(reducing.py). The heads are in the position's row. The list of a side begins with the newest; the reduce-only ones,
which are all of one side and at most `REDUCE_ONLY_ORDERS_MAX`, come worst price first, and of one price the youngest
first.
"""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.book.ladders import key_of
from coinone.rules.exchange.rows.arrays import i64, inlined, part


@inlined
def first_own(core: Any, account: int, market: int, side: int) -> int:
    """Slot of the account's newest resting order of the side that is not reduce-only, or -1."""
    held = core.positions[account, market]
    return i64(held.first_ask if side != 0 else held.first_bid) - 1


@inlined
def first_reducing(core: Any, account: int, market: int) -> int:
    """Slot of the account's reduce-only order that is removed first, or -1."""
    return i64(core.positions[account, market].first_reduce) - 1


@inlined
def _set_first(core: Any, slot: int, first: int) -> None:
    """Set the head of the list that the order in `slot` belongs to."""
    order = core.orders[slot]
    held = core.positions[order.account, order.market]
    if order.reduce_only != 0:
        held.first_reduce = first + 1
    elif order.side != 0:
        held.first_ask = first + 1
    else:
        held.first_bid = first + 1


@inlined
def add_own(core: Any, slot: int) -> None:
    order = core.orders[slot]
    before = i64(-1)
    if order.reduce_only != 0:
        core.positions[order.account, order.market].reduce_size += order.sz
        after = first_reducing(core, order.account, order.market)
        key = key_of(order.side, order.px)
        while after >= 0 and key_of(order.side, core.orders[after].px) < key:
            before = after
            after = i64(core.links[after].own_next)
    else:
        after = first_own(core, order.account, order.market, order.side)
    link = core.links[slot]
    link.own_next = after
    link.own_prev = before
    if after >= 0:
        core.links[after].own_prev = slot
    if before >= 0:
        core.links[before].own_next = slot
    else:
        _set_first(core, slot, slot)


@inlined
def drop_own(core: Any, slot: int) -> None:
    """Remove an order from its account's list; its row must still be there."""
    order = core.orders[slot]
    link = core.links[slot]
    if order.reduce_only != 0:
        core.positions[order.account, order.market].reduce_size -= order.sz
    if link.own_next >= 0:
        core.links[link.own_next].own_prev = link.own_prev
    if link.own_prev >= 0:
        core.links[link.own_prev].own_next = link.own_next
    else:
        _set_first(core, slot, i64(link.own_next))


@inlined
def owns_at_level(core: Any, account: int, level: int, old: int, most: int) -> bool:
    """Whether the account has at least `most` orders at that level, not counting the one in slot `old`.

    If the level's queue is shorter than that, the answer is immediate; else the account's own orders of the side are
    counted, whose number is bounded.
    """
    return bool(level >= 0 and core.levels[level].count >= most and _owns_at(core, account, level, old, most))


@part
def _owns_at(core: Any, account: int, level: int, old: int, most: int) -> bool:
    ladder = i64(core.levels[level].ladder)
    found = _count_at(core, first_own(core, account, ladder >> 1, ladder & 1), level, old, most)
    found += _count_at(core, first_reducing(core, account, ladder >> 1), level, old, most)
    return bool(found >= most)


@inlined
def _count_at(core: Any, slot: int, level: int, old: int, most: int) -> int:
    found = 0
    while slot >= 0 and found < most:
        if core.links[slot].level == level and slot != old:
            found += 1
        slot = i64(core.links[slot].own_next)
    return found
