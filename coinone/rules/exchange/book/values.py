"""Orders of a full side by value, the least first (jitted): a binary heap.

A side holds at most `SIDE_ORDERS_MAX` orders. When it is full, the one of least value is removed first (full_side.py):
price times what is left of the size; of two alike, the younger. Ordinary books never come near, so a side has no heap
until it is full for the first time; it is then built in one pass, and dropped when the side is half empty, so that at
least that many orders pay for the next one. `value_counts` is 0 for a side without a heap.
"""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.rows.arrays import SIDE_MAX, i64, inlined, part


@inlined
def _value(core: Any, slot: int) -> int:
    return i64(core.orders[slot].px * core.orders[slot].sz)


@inlined
def _less(core: Any, ladder: int, one: int, other: int) -> bool:
    """Whether the order at place `one` is removed before that at `other`."""
    values = core.value_keys[ladder]
    if values[one] != values[other]:
        return bool(values[one] < values[other])
    slots = core.value_slots[ladder]
    return bool(core.orders[slots[one]].oid > core.orders[slots[other]].oid)


@inlined
def _swap(core: Any, ladder: int, one: int, other: int) -> None:
    values, slots = core.value_keys[ladder], core.value_slots[ladder]
    value, slot = values[one], slots[one]
    values[one], slots[one] = values[other], slots[other]
    values[other], slots[other] = value, slot
    core.links[slots[one]].place = one
    core.links[slots[other]].place = other


@inlined
def _rise(core: Any, ladder: int, place: int) -> None:
    while place > 0 and _less(core, ladder, place, (place - 1) >> 1):
        _swap(core, ladder, place, (place - 1) >> 1)
        place = (place - 1) >> 1


@inlined
def _sink(core: Any, ladder: int, place: int) -> None:
    count = core.value_counts[ladder]
    while True:
        least = 2 * place + 1
        if least >= count:
            return
        if least + 1 < count and _less(core, ladder, least + 1, least):
            least += 1
        if not _less(core, ladder, least, place):
            return
        _swap(core, ladder, place, least)
        place = least


@inlined
def _append(core: Any, ladder: int, slot: int) -> int:
    place = core.value_counts[ladder]
    core.value_keys[ladder, place] = _value(core, slot)
    core.value_slots[ladder, place] = slot
    core.links[slot].place = place
    core.value_counts[ladder] = place + 1
    return i64(place)


@part
def put_value(core: Any, ladder: int, slot: int) -> None:
    _rise(core, ladder, _append(core, ladder, slot))


@part
def lower_value(core: Any, ladder: int, slot: int) -> None:
    """Update the place of an order that has become smaller."""
    place = i64(core.links[slot].place)
    core.value_keys[ladder, place] = _value(core, slot)
    _rise(core, ladder, place)


@part
def drop_value(core: Any, ladder: int, slot: int) -> None:
    place = i64(core.links[slot].place)
    last = core.value_counts[ladder] - 1
    _swap(core, ladder, place, last)
    core.value_counts[ladder] = last
    if place < last:
        _rise(core, ladder, place)
        _sink(core, ladder, place)
    if 2 * last < core.counters[SIDE_MAX]:
        core.value_counts[ladder] = 0


@part
def least_value(core: Any, ladder: int) -> int:
    """Slot of the order that is removed first; builds the heap if there is none."""
    if core.value_counts[ladder] == 0:
        for n in range(core.ladder_firsts[ladder], core.ladder_counts[ladder]):
            slot = i64(core.levels[core.ladder_levels[ladder, n]].head)
            while slot >= 0:
                _append(core, ladder, slot)
                slot = i64(core.links[slot].next)
        for place in range((core.value_counts[ladder] >> 1) - 1, -1, -1):
            _sink(core, ladder, place)
    return i64(core.value_slots[ladder, 0])
