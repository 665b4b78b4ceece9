"""The order book: per market and side a sorted ladder of prices, each with a first-in-first-out queue of
orders.

A ladder's key is the price for bids and minus the price for asks, ascending: the best price is always the
last entry, where most insertions and removals happen, so the memory moved is small. Orders are found by
oid, and by (account, cloid), through open-addressing tables, and by account through a narrow column of
owners, since reading one field of every wide row costs twenty times as much. All of it can be rebuilt from
the order rows, whose oid is their time priority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from coinone.base.primitives.jit import njit
from coinone.base.primitives.limits import PRICE_LEVELS_MAX
from coinone.rules.exchange.core import (
    CORE,
    FREE_LEVELS,
    FREE_ORDERS,
    INDEX,
    LEVEL,
    LIVE_ORDERS,
    i64,
    inlined,
)

if TYPE_CHECKING:
    from coinone.rules.exchange.rows import Array, Rows

_GOLDEN = -7046029254386353131  # 2^64 / golden ratio as int64: spreads consecutive oids


@inlined
def ladder_of(market: int, side: int) -> int:
    return 2 * market + side


@inlined
def key_of(side: int, px: int) -> int:
    return px * (1 - 2 * side)


@inlined
def search(core: Any, ladder: int, key: int) -> int:
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
def enqueue(core: Any, slot: int) -> bool:
    """Put an order at the end of the queue at its price; False if the ladder is full."""
    order = core.orders[slot]
    ladder = ladder_of(order.market, order.side)
    key = key_of(order.side, order.px)
    count = core.ladder_counts[ladder]
    place = search(core, ladder, key)
    if place < count and core.ladder_keys[ladder, place] == key:
        level = i64(core.ladder_levels[ladder, place])
    else:
        if count >= PRICE_LEVELS_MAX:
            return False
        free = core.counters[FREE_LEVELS] - 1
        core.counters[FREE_LEVELS] = free
        level = i64(core.free_levels[free])
        for i in range(count, place, -1):
            core.ladder_keys[ladder, i] = core.ladder_keys[ladder, i - 1]
            core.ladder_levels[ladder, i] = core.ladder_levels[ladder, i - 1]
        core.ladder_keys[ladder, place] = key
        core.ladder_levels[ladder, place] = level
        core.ladder_counts[ladder] = count + 1
        fresh = core.levels[level]
        fresh.px = order.px
        fresh.size = 0
        fresh.count = 0
        fresh.head = -1
        fresh.tail = -1
    queue = core.levels[level]
    order.level = level
    order.next = -1
    order.prev = queue.tail
    if queue.tail >= 0:
        core.orders[queue.tail].next = slot
    else:
        queue.head = slot
    queue.tail = slot
    queue.size += order.sz
    queue.count += 1
    return True


@inlined
def dequeue(core: Any, slot: int) -> None:
    """Take an order out of its queue, and the price out of the ladder if it was the last one."""
    order = core.orders[slot]
    level = order.level
    queue = core.levels[level]
    if order.prev >= 0:
        core.orders[order.prev].next = order.next
    else:
        queue.head = order.next
    if order.next >= 0:
        core.orders[order.next].prev = order.prev
    else:
        queue.tail = order.prev
    queue.size -= order.sz
    queue.count -= 1
    if queue.count == 0:
        ladder = ladder_of(order.market, order.side)
        last = core.ladder_counts[ladder] - 1
        for i in range(search(core, ladder, key_of(order.side, order.px)), last):
            core.ladder_keys[ladder, i] = core.ladder_keys[ladder, i + 1]
            core.ladder_levels[ladder, i] = core.ladder_levels[ladder, i + 1]
        core.ladder_counts[ladder] = last
        core.free_levels[core.counters[FREE_LEVELS]] = level
        core.counters[FREE_LEVELS] += 1


@inlined
def home_of(core: Any, oid: int) -> int:
    return i64(((oid * _GOLDEN) >> 32) & (core.oids.shape[0] - 1))


@inlined
def find_oid(core: Any, oid: int) -> int:
    """Slot of a resting order, or -1."""
    place = home_of(core, oid)
    while core.oids[place].oid != 0:
        if core.oids[place].oid == oid:
            return i64(core.oids[place].slot)
        place = (place + 1) & (core.oids.shape[0] - 1)
    return i64(-1)


@inlined
def add_oid(core: Any, oid: int, slot: int) -> None:
    place = home_of(core, oid)
    while core.oids[place].oid != 0:
        place = (place + 1) & (core.oids.shape[0] - 1)
    core.oids[place].oid = oid
    core.oids[place].slot = slot


@inlined
def drop_oid(core: Any, oid: int) -> None:
    """Remove, and close the gap so that every probe still meets its key (backward shift)."""
    mask = core.oids.shape[0] - 1
    gap = home_of(core, oid)
    while core.oids[gap].oid != oid:
        gap = (gap + 1) & mask
    place = (gap + 1) & mask
    while core.oids[place].oid != 0:
        if ((place - home_of(core, core.oids[place].oid)) & mask) >= ((place - gap) & mask):
            core.oids[gap] = core.oids[place]
            gap = place
        place = (place + 1) & mask
    core.oids[gap].oid = 0


@inlined
def _cloid_home(core: Any, slot: int) -> int:
    order = core.orders[slot]
    return _cloid_hash(core, order.account, order.cloid_hi, order.cloid_lo)


@inlined
def _cloid_hash(core: Any, account: int, high: int, low: int) -> int:
    mixed = ((high * _GOLDEN) ^ low ^ (account << 17)) * _GOLDEN
    return i64((mixed >> 32) & (core.cloid_slots.shape[0] - 1))


@inlined
def find_cloid(core: Any, account: int, high: int, low: int) -> int:
    """Slot of the account's resting order with this client id, or -1."""
    place = _cloid_hash(core, account, high, low)
    while core.cloid_slots[place] >= 0:
        slot = i64(core.cloid_slots[place])
        order = core.orders[slot]
        if order.cloid_lo == low and order.cloid_hi == high and order.account == account:
            return slot
        place = (place + 1) & (core.cloid_slots.shape[0] - 1)
    return i64(-1)


@inlined
def add_cloid(core: Any, slot: int) -> None:
    place = _cloid_home(core, slot)
    while core.cloid_slots[place] >= 0:
        place = (place + 1) & (core.cloid_slots.shape[0] - 1)
    core.cloid_slots[place] = slot


@inlined
def drop_cloid(core: Any, slot: int) -> None:
    """Remove by backward shift, as `drop_oid`; the order's row must still be there."""
    mask = core.cloid_slots.shape[0] - 1
    gap = _cloid_home(core, slot)
    while core.cloid_slots[gap] != slot:
        gap = (gap + 1) & mask
    place = (gap + 1) & mask
    while core.cloid_slots[place] >= 0:
        home = _cloid_home(core, i64(core.cloid_slots[place]))
        if ((place - home) & mask) >= ((place - gap) & mask):
            core.cloid_slots[gap] = core.cloid_slots[place]
            gap = place
        place = (place + 1) & mask
    core.cloid_slots[gap] = -1


@inlined
def link(core: Any, slot: int) -> bool:
    """Make an order row part of the book and the indexes; False if its ladder is full."""
    if not enqueue(core, slot):
        return False
    order = core.orders[slot]
    add_oid(core, order.oid, slot)
    core.owners[slot] = order.account
    if order.has_cloid != 0:
        add_cloid(core, slot)
    core.counters[LIVE_ORDERS] += 1
    return True


@inlined
def unlink(core: Any, slot: int) -> None:
    """Take an order out of book and indexes, blank its row and free the slot."""
    order = core.orders[slot]
    dequeue(core, slot)
    drop_oid(core, order.oid)
    core.owners[slot] = -1
    if order.has_cloid != 0:
        drop_cloid(core, slot)
    order.oid = 0
    order.sz = 0
    core.free_orders[core.counters[FREE_ORDERS]] = slot
    core.counters[FREE_ORDERS] += 1
    core.counters[LIVE_ORDERS] -= 1


@njit(types.void(CORE, types.Array(types.int64, 1, "C")), error_model="numpy", _nrt=False)
def _rebuild(core: Any, by_age: Any) -> None:
    """Everything from the order rows; `by_age` are the live slots by oid, the other arrays large enough."""
    core.ladder_counts[:] = 0
    for place in range(core.oids.shape[0]):
        core.oids[place].oid = 0
    core.cloid_slots[:] = -1
    core.owners[:] = -1
    core.counters[LIVE_ORDERS] = 0
    levels = core.levels.shape[0]
    for i in range(levels):
        core.free_levels[i] = levels - 1 - i
    core.counters[FREE_LEVELS] = levels
    free = 0
    for slot in range(core.orders.shape[0] - 1, -1, -1):
        if core.orders[slot].oid == 0:
            core.free_orders[free] = slot
            free += 1
    core.counters[FREE_ORDERS] = free
    for i in range(by_age.shape[0]):
        link(core, by_age[i])


class Book:
    """The arrays of ladders, levels and indexes, with room made between kernel calls."""

    def __init__(self) -> None:
        self.ladder_keys: Array = np.zeros((0, 256), np.int64)
        self.ladder_levels: Array = np.zeros((0, 256), np.int32)
        self.ladder_counts: Array = np.zeros(0, np.int64)
        self.levels: Array = np.zeros(0, LEVEL)
        self.free_orders: Array = np.zeros(0, np.int32)
        self.free_levels: Array = np.zeros(0, np.int32)
        self.oids: Array = np.zeros(0, INDEX)
        self.cloid_slots: Array = np.zeros(0, np.int32)
        self.owners: Array = np.zeros(0, np.int32)

    def fits(self, rows: Rows, new: int) -> bool:
        """Is there room for `new` more orders and levels without growing?"""
        counters = rows.journal.counters
        return bool(
            len(self.free_orders) == len(rows.orders)
            and len(self.ladder_counts) == 2 * len(rows.markets)
            and counters[FREE_ORDERS] >= new
            and counters[FREE_LEVELS] >= new
            and 2 * (counters[LIVE_ORDERS] + new) <= len(self.oids)
            and min(int(self.ladder_counts.max()) + new, PRICE_LEVELS_MAX) <= self.ladder_keys.shape[1]
        )

    def resize(self, rows: Rows, live: int, new: int, depth: int) -> None:
        """Allocate for `live` + `new` orders and ladders of `depth` + `new` prices; `rebuild` must follow."""
        orders = live + new
        places = 1 << (2 * orders - 1).bit_length()
        prices = min(2 * (depth + new), PRICE_LEVELS_MAX)
        ladders = 2 * len(rows.markets)
        self.ladder_keys = np.zeros((ladders, prices), np.int64)
        self.ladder_levels = np.zeros((ladders, prices), np.int32)
        self.ladder_counts = np.zeros(ladders, np.int64)
        self.levels = np.zeros(2 * orders, LEVEL)
        self.free_levels = np.zeros(2 * orders, np.int32)
        self.free_orders = np.zeros(len(rows.orders), np.int32)
        self.oids = np.zeros(places, INDEX)
        self.cloid_slots = np.zeros(places, np.int32)
        self.owners = np.zeros(len(rows.orders), np.int32)

    def rebuild(self, rows: Rows) -> None:
        """Ladders, queues and indexes from the order rows alone."""
        live = np.flatnonzero(rows.orders["oid"])
        by_age = live[np.argsort(rows.orders["oid"][live])]
        _rebuild(rows.core(), np.ascontiguousarray(by_age, np.int64))

    def side_levels(
        self, market: int, side: int, depth: int = PRICE_LEVELS_MAX
    ) -> list[tuple[int, int, int]]:
        """(price, size, number of orders), best first."""
        ladder = 2 * market + int(side)
        count = int(self.ladder_counts[ladder])
        first = max(count - depth, 0)
        levels = self.levels[self.ladder_levels[ladder, first:count][::-1]]
        return [(int(px), int(size), int(orders)) for px, size, _, _, orders in levels.tolist()]

    def best(self, market: int, side: int) -> int | None:
        """The best price of a side, if anything rests there."""
        ladder = 2 * market + int(side)
        count = int(self.ladder_counts[ladder])
        return abs(int(self.ladder_keys[ladder, count - 1])) if count else None

    def queue(self, rows: Rows, market: int, side: int) -> list[int]:
        """Slots of all orders of a side in the order in which they would be matched."""
        slots: list[int] = []
        ladder = 2 * market + int(side)
        for place in range(int(self.ladder_counts[ladder]) - 1, -1, -1):
            slot = int(self.levels[self.ladder_levels[ladder, place]]["head"])
            while slot >= 0:
                slots.append(slot)
                slot = int(rows.orders[slot]["next"])
        return slots

    def slots_of(self, rows: Rows, account: int) -> list[int]:
        """Slots of an account's resting orders, oldest first: one pass over four bytes a slot."""
        slots = np.flatnonzero(self.owners == account)
        oldest_first: list[int] = slots[np.argsort(rows.orders["oid"][slots])].tolist()
        return oldest_first

    def find(self, rows: Rows, oid: int) -> int | None:
        """Slot of a resting order."""
        mask = len(self.oids) - 1
        place = (((oid * _GOLDEN) % 2**64) >> 32) & mask
        while self.oids[place]["oid"] != 0:
            if self.oids[place]["oid"] == oid:
                return int(self.oids[place]["slot"])
            place = (place + 1) & mask
        return None

    def find_cloid(self, rows: Rows, account: int, high: int, low: int) -> int | None:
        """Slot of an account's resting order by client id."""
        own = np.flatnonzero(self.owners == account)
        orders = rows.orders[own]
        slots = own[(orders["cloid_lo"] == low) & (orders["cloid_hi"] == high) & (orders["has_cloid"] != 0)]
        return int(slots[0]) if len(slots) else None
