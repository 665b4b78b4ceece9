"""Ladders: per market and side the prices at which orders rest, sorted, each with its queue (jitted).

A ladder's key is the price for bids and minus the price for asks, ascending: the best price is always the last entry,
where most insertions and removals happen, so little memory is moved. Its entries are those from `ladder_firsts` up to
`ladder_counts`: the worst price is added or removed without moving the others, which a full side needs (full_side.py).
An empty ladder begins at 0 again, so that `ladder_counts` is 0 if and only if nothing rests. Most orders join an
existing price, and `hints` is a cache of levels: a hint is used only if its level has that ladder and key, so it never
has to be invalidated.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.jit_tables import move
from coinone.rules.exchange.book.values import drop_value, lower_value, put_value
from coinone.rules.exchange.rows.arrays import FREE_LEVELS, i64, inlined

GOLDEN = -7046029254386353131  # 2^64 / golden ratio as int64: spreads consecutive numbers


@inlined
def ladder_of(market: int, side: int) -> int:
    return 2 * market + side


@inlined
def key_of(side: int, px: int) -> int:
    return px * (1 - 2 * side)


@inlined
def hint_of(core: Any, ladder: int, key: int) -> int:
    """The place in `hints` of this price's level."""
    return i64((((key ^ (ladder << 48)) * GOLDEN) >> 40) & (core.hints.shape[0] - 1))


@inlined
def hinted_level(core: Any, ladder: int, key: int) -> int:
    """The level of a price if it is cached, else -1."""
    level = i64(core.hints[hint_of(core, ladder, key)])
    known = core.levels[level]
    if known.key == key and known.ladder == ladder and known.count > 0:
        return level
    return i64(-1)


@inlined
def _search(core: Any, ladder: int, key: int) -> int:
    """Place of the first entry >= key, searched from the best price downwards in growing steps."""
    keys = core.ladder_keys[ladder]
    before = core.ladder_firsts[ladder] - 1
    high: int = core.ladder_counts[ladder]
    step = 1
    while high - step > before and keys[high - step] >= key:
        high -= step
        step *= 2
    low = max(high - step, before)
    while high - low > 1:
        middle = (low + high) >> 1
        if keys[middle] >= key:
            high = middle
        else:
            low = middle
    return high


@inlined
def level_of(core: Any, ladder: int, key: int) -> int:
    """The level of a price at which orders rest, else -1."""
    level = hinted_level(core, ladder, key)
    if level < 0:
        place = _search(core, ladder, key)
        if place < core.ladder_counts[ladder] and core.ladder_keys[ladder, place] == key:
            level = i64(core.ladder_levels[ladder, place])
            core.hints[hint_of(core, ladder, key)] = level
    return level


@inlined
def _find_or_add_level(core: Any, ladder: int, key: int) -> int:
    """The level of a price, new if needed; its side must have room for one more."""
    place = _search(core, ladder, key)
    if place < core.ladder_counts[ladder] and core.ladder_keys[ladder, place] == key:
        return i64(core.ladder_levels[ladder, place])
    place = _open_place(core, ladder, place)
    free = core.counters[FREE_LEVELS] - 1
    core.counters[FREE_LEVELS] = free
    level = i64(core.free_levels[free])
    core.ladder_keys[ladder, place] = key
    core.ladder_levels[ladder, place] = level
    fresh = core.levels[level]
    fresh.key = key
    fresh.ladder = ladder
    fresh.size = 0
    fresh.count = 0
    fresh.head = -1
    fresh.tail = -1
    return level


@inlined
def _open_place(core: Any, ladder: int, place: int) -> int:
    """Move entries to make space for a new one before that at `place`; return the new one's place."""
    first, count = core.ladder_firsts[ladder], core.ladder_counts[ladder]
    if count == core.ladder_keys.shape[1]:  # the end of the memory: move to its beginning, rarely
        move(core.ladder_keys[ladder], 0, first, count - first)
        move(core.ladder_levels[ladder], 0, first, count - first)
        count -= first
        place -= first
        first = i64(0)
        core.ladder_firsts[ladder] = first
        core.ladder_counts[ladder] = count
    if place == first and first > 0:
        core.ladder_firsts[ladder] = first - 1
        return place - 1
    move(core.ladder_keys[ladder], place + 1, place, count - place)
    move(core.ladder_levels[ladder], place + 1, place, count - place)
    core.ladder_counts[ladder] = count + 1
    return place


@inlined
def _drop_level(core: Any, level: int) -> None:
    """Remove a price at which nothing rests any more from its ladder."""
    ladder = i64(core.levels[level].ladder)
    first, last = core.ladder_firsts[ladder], core.ladder_counts[ladder] - 1
    place = _search(core, ladder, core.levels[level].key)
    if place == first:
        core.ladder_firsts[ladder] = first + 1
    else:
        move(core.ladder_keys[ladder], place, place + 1, last - place)
        move(core.ladder_levels[ladder], place, place + 1, last - place)
        core.ladder_counts[ladder] = last
    if core.ladder_firsts[ladder] == core.ladder_counts[ladder]:
        core.ladder_firsts[ladder] = 0
        core.ladder_counts[ladder] = 0
    core.free_levels[core.counters[FREE_LEVELS]] = level
    core.counters[FREE_LEVELS] += 1


@inlined
def stands_alone_at_best(core: Any, ladder: int, slot: int) -> bool:
    """Whether the best price would be another one without this order."""
    best = core.ladder_counts[ladder] - 1
    level = core.links[slot].level
    return bool(best >= 0 and core.ladder_levels[ladder, best] == level and core.levels[level].count == 1)


@inlined
def enqueue(core: Any, slot: int) -> None:
    """Append an order to the queue at its price; its side must have room (kernel/full_side.py)."""
    order = core.orders[slot]
    ladder = ladder_of(order.market, order.side)
    key = key_of(order.side, order.px)
    level = hinted_level(core, ladder, key)
    if level < 0:
        level = _find_or_add_level(core, ladder, key)
        core.hints[hint_of(core, ladder, key)] = level
    queue = core.levels[level]
    link = core.links[slot]
    link.level = level
    link.next = -1
    link.prev = queue.tail
    if queue.tail >= 0:
        core.links[queue.tail].next = slot
    else:
        queue.head = slot
    queue.tail = slot
    queue.size += order.sz
    queue.count += 1
    core.ladder_orders[ladder] += 1
    if core.value_counts[ladder] > 0:
        put_value(core, ladder, slot)


@inlined
def dequeue(core: Any, slot: int) -> None:
    """Remove an order from its queue, and the price from the ladder if it was the last one."""
    link = core.links[slot]
    level = i64(link.level)
    queue = core.levels[level]
    ladder = i64(queue.ladder)
    if link.prev >= 0:
        core.links[link.prev].next = link.next
    else:
        queue.head = link.next
    if link.next >= 0:
        core.links[link.next].prev = link.prev
    else:
        queue.tail = link.prev
    queue.size -= core.orders[slot].sz
    queue.count -= 1
    core.ladder_orders[ladder] -= 1
    if core.value_counts[ladder] > 0:
        drop_value(core, ladder, slot)
    if queue.count == 0:
        _drop_level(core, level)


@inlined
def take_from(core: Any, slot: int, size: int) -> None:
    """Reduce a resting order in place; the caller must release its reserved margin."""
    order = core.orders[slot]
    queue = core.levels[core.links[slot].level]
    order.sz -= size
    queue.size -= size
    if order.reduce_only != 0:
        core.positions[order.account, order.market].reduce_size -= size
    if core.value_counts[queue.ladder] > 0:
        lower_value(core, i64(queue.ladder), slot)
