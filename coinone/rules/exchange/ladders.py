"""Ladders: per market and side the prices at which orders rest, sorted, each with its queue (jitted).

A ladder's key is the price for bids and minus the price for asks, ascending: the best price is always the
last entry, where most insertions and removals happen, so the memory moved is small. Most orders join a
price that exists, and `hints` remembers where it is: a cache that is believed only if the level it names
has that ladder and key, so nothing needs to keep it right.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.limits import PRICE_LEVELS_MAX
from coinone.rules.exchange.core import FREE_LEVELS, i64, inlined, move

GOLDEN = -7046029254386353131  # 2^64 / golden ratio as int64: spreads consecutive numbers


@inlined
def ladder_of(market: int, side: int) -> int:
    return 2 * market + side


@inlined
def key_of(side: int, px: int) -> int:
    return px * (1 - 2 * side)


@inlined
def hint_of(core: Any, ladder: int, key: int) -> int:
    """The place in `hints` that may know the level of this price."""
    return i64((((key ^ (ladder << 48)) * GOLDEN) >> 40) & (core.hints.shape[0] - 1))


@inlined
def hinted_level(core: Any, ladder: int, key: int) -> int:
    """The level of a price if it is remembered, else -1."""
    level = i64(core.hints[hint_of(core, ladder, key)])
    known = core.levels[level]
    if known.key == key and known.ladder == ladder and known.count > 0:
        return level
    return i64(-1)


@inlined
def _search(core: Any, ladder: int, key: int) -> int:
    """Place of the first entry >= key, looked for from the best price downwards in growing steps."""
    keys = core.ladder_keys[ladder]
    high: int = core.ladder_counts[ladder]
    step = 1
    while high - step >= 0 and keys[high - step] >= key:
        high -= step
        step *= 2
    low = max(high - step, -1)
    while high - low > 1:
        middle = (low + high) >> 1
        if keys[middle] >= key:
            high = middle
        else:
            low = middle
    return high


@inlined
def _find_or_add_level(core: Any, ladder: int, key: int) -> int:
    """The level of a price, new if need be; -1 if the ladder is full."""
    count = core.ladder_counts[ladder]
    place = _search(core, ladder, key)
    if place < count and core.ladder_keys[ladder, place] == key:
        return i64(core.ladder_levels[ladder, place])
    if count >= PRICE_LEVELS_MAX:
        return i64(-1)
    free = core.counters[FREE_LEVELS] - 1
    core.counters[FREE_LEVELS] = free
    level = i64(core.free_levels[free])
    move(core.ladder_keys[ladder], place + 1, place, count - place)
    move(core.ladder_levels[ladder], place + 1, place, count - place)
    core.ladder_keys[ladder, place] = key
    core.ladder_levels[ladder, place] = level
    core.ladder_counts[ladder] = count + 1
    fresh = core.levels[level]
    fresh.key = key
    fresh.ladder = ladder
    fresh.size = 0
    fresh.count = 0
    fresh.head = -1
    fresh.tail = -1
    return level


@inlined
def has_room(core: Any, ladder: int, key: int) -> bool:
    """Is the price there, or may one more be?"""
    count = core.ladder_counts[ladder]
    if count < PRICE_LEVELS_MAX:
        return True
    place = _search(core, ladder, key)
    return bool(place < count and core.ladder_keys[ladder, place] == key)


@inlined
def stands_alone_at_best(core: Any, ladder: int, slot: int) -> bool:
    """Would the best price be another one without this order?"""
    best = core.ladder_counts[ladder] - 1
    level = core.links[slot].level
    return bool(best >= 0 and core.ladder_levels[ladder, best] == level and core.levels[level].count == 1)


@inlined
def enqueue(core: Any, slot: int) -> bool:
    """Put an order at the end of the queue at its price; False if the ladder is full."""
    order = core.orders[slot]
    ladder = ladder_of(order.market, order.side)
    key = key_of(order.side, order.px)
    level = hinted_level(core, ladder, key)
    if level < 0:
        level = _find_or_add_level(core, ladder, key)
        if level < 0:
            return False
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
    return True


@inlined
def dequeue(core: Any, slot: int) -> None:
    """Take an order out of its queue, and the price out of the ladder if it was the last one."""
    link = core.links[slot]
    level = i64(link.level)
    queue = core.levels[level]
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
    if queue.count == 0:
        ladder = i64(queue.ladder)
        last = core.ladder_counts[ladder] - 1
        place = _search(core, ladder, queue.key)
        move(core.ladder_keys[ladder], place, place + 1, last - place)
        move(core.ladder_levels[ladder], place, place + 1, last - place)
        core.ladder_counts[ladder] = last
        core.free_levels[core.counters[FREE_LEVELS]] = level
        core.counters[FREE_LEVELS] += 1
