"""The order book as a whole: adding an order to ladder and indexes, removing it, and reading from Python.

All of it can be rebuilt from the order rows, whose oid is their time priority; nothing of it is journalled.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from coinone.base.crypto.siphash import Key, siphash
from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.parameters import PRICE_LEVELS_MAX
from coinone.rules.exchange.book.indexes import OID_SHIFTS, RUN_BITS, add_cloid, add_oid, drop_cloid, drop_oid
from coinone.rules.exchange.book.ladders import dequeue, enqueue
from coinone.rules.exchange.book.own_orders import add_own, drop_own
from coinone.rules.exchange.rows.arrays import (
    CORE,
    FREE_LEVELS,
    FREE_ORDERS,
    LEVEL,
    LINK,
    LIVE_ORDERS,
    NUMBERS,
    SIDE_MAX,
    attach,
    inlined,
)
from coinone.rules.exchange.rows.store import RowStore
from coinone.rules.exchange.rows.tables import ORDER, Array
from coinone.rules.limits import LADDER_SPARE

LADDER_MAX = PRICE_LEVELS_MAX + LADDER_SPARE

_I32_MAX = 2**31 - 1
_HINTS = 1 << 14  # 64 KB: more prices than are active at a time


@inlined
def link(core: Any, slot: int) -> None:
    """Add an order row to the book and the indexes; its side must have room (kernel/full_side.py)."""
    enqueue(core, slot)
    order = core.orders[slot]
    add_oid(core, order.oid, slot)
    core.links[slot].account = order.account
    add_own(core, slot)
    if order.has_cloid != 0:
        add_cloid(core, slot)
    core.counters[LIVE_ORDERS] += 1


@inlined
def unlink(core: Any, slot: int) -> None:
    """Remove an order from book and indexes, blank its row (except its epoch) and free the slot."""
    order = core.orders[slot]
    dequeue(core, slot)
    drop_oid(core, order.oid, slot)
    core.links[slot].account = -1
    drop_own(core, slot)
    if order.has_cloid != 0:
        drop_cloid(core, slot)
    epoch = order.epoch
    core.orders[slot] = core.blank[0]
    order.epoch = epoch
    core.free_orders[core.counters[FREE_ORDERS]] = slot
    core.counters[FREE_ORDERS] += 1
    core.counters[LIVE_ORDERS] -= 1


@njit(types.void(CORE, NUMBERS), error_model="numpy", _nrt=False)
def _rebuild(words: Any, by_age: Any) -> None:
    """Rebuild all from the order rows; `by_age` are the live slots by oid, the other arrays clear and large enough."""
    core = attach(words)
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
        order = core.orders[by_age[i]]
        held = core.positions[order.account, order.market]
        held.first_bid = 0
        held.first_ask = 0
        held.first_reduce = 0
        held.reduce_size = 0
    for i in range(by_age.shape[0]):
        link(core, by_age[i])


class Book:
    """The arrays of ladders, levels and indexes, which grow between kernel calls."""

    def __init__(self, key: Key) -> None:
        self.ladder_keys: Array = np.zeros((0, 256), np.int64)
        self.ladder_levels: Array = np.zeros((0, 256), np.int32)
        self.ladder_firsts: Array = np.zeros(0, np.int64)
        self.ladder_counts: Array = np.zeros(0, np.int64)
        self.ladder_orders: Array = np.zeros(0, np.int64)
        self.value_keys: Array = np.zeros((0, 0), np.int64)
        self.value_slots: Array = np.zeros((0, 0), np.int32)
        self.value_counts: Array = np.zeros(0, np.int64)
        self.levels: Array = np.zeros(0, LEVEL)
        self.free_orders: Array = np.zeros(0, np.int32)
        self.free_levels: Array = np.zeros(0, np.int32)
        self.oids: Array = np.zeros(0, np.int32)
        shifts = [siphash(*key, n, 0, 0) & _I32_MAX for n in range(OID_SHIFTS)]
        self.oid_shifts: Array = np.array(shifts, np.int32)
        self.cloid_slots: Array = np.zeros(0, np.int32)
        self.links: Array = np.zeros(0, LINK)
        self.hints: Array = np.zeros(_HINTS, np.int32)
        self.blank: Array = np.zeros(1, ORDER)

    def fits(self, store: RowStore, new: int) -> bool:
        """Whether there is room for `new` more orders and levels without growing."""
        counters = store.counters
        return bool(
            len(self.free_orders) == len(store.orders)
            and len(self.ladder_counts) == 2 * len(store.markets)
            and counters[FREE_ORDERS] >= new
            and counters[FREE_LEVELS] >= new
            and 2 * (counters[LIVE_ORDERS] + new) <= len(self.oids)
            and min(int(self.ladder_counts.max()) + new, LADDER_MAX) <= self.ladder_keys.shape[1]
            and self.heap_needed(store, new) <= self.value_slots.shape[1]
        )

    def heap_needed(self, store: RowStore, new: int) -> int:
        """The capacity that a side's heap by value must have, 0 if none can be needed."""
        most = int(store.counters[SIDE_MAX])
        fullest = int(self.ladder_orders.max()) if len(self.ladder_orders) else 0
        return most if fullest + new >= most else 0

    def resize(self, store: RowStore, live: int, new: int, depth: int) -> None:
        """Allocate for `live` + `new` orders and ladders of `depth` + `new` prices; `rebuild` must follow."""
        orders = live + new
        places = 1 << (2 * orders - 1).bit_length()
        prices = min(2 * (depth + new), LADDER_MAX)
        ladders = 2 * len(store.markets)
        heap = max(self.heap_needed(store, new), self.value_slots.shape[1])
        self.ladder_keys = np.zeros((ladders, prices), np.int64)
        self.ladder_levels = np.zeros((ladders, prices), np.int32)
        self.ladder_firsts = np.zeros(ladders, np.int64)
        self.ladder_counts = np.zeros(ladders, np.int64)
        self.ladder_orders = np.zeros(ladders, np.int64)
        self.value_keys = np.zeros((ladders, heap), np.int64)  # touched only where a side is full
        self.value_slots = np.zeros((ladders, heap), np.int32)
        self.value_counts = np.zeros(ladders, np.int64)
        self.levels = np.zeros(2 * orders, LEVEL)
        self.free_levels = np.zeros(2 * orders, np.int32)
        self.free_orders = np.zeros(len(store.orders), np.int32)
        self.oids = np.zeros(places, np.int32)
        self.cloid_slots = np.zeros(places, np.int32)
        self.links = np.zeros(len(store.orders), LINK)

    def rebuild(self, orders: Array, core: Array) -> None:
        """Rebuild ladders, queues and indexes from the order rows alone; there must be room."""
        for array in (
            self.ladder_firsts,
            self.ladder_counts,
            self.ladder_orders,
            self.value_counts,
            self.hints,
        ):
            array[:] = 0
        self.oids[:] = -1
        self.cloid_slots[:] = -1
        self.links["account"] = -1
        live = np.flatnonzero(orders["oid"])
        by_age = live[np.argsort(orders["oid"][live])]
        _rebuild(core, np.ascontiguousarray(by_age, np.int64))

    def side_levels(
        self, market: int, side: int, depth: int = PRICE_LEVELS_MAX
    ) -> list[tuple[int, int, int]]:
        """The levels of a side as (price, size, number of orders), best first."""
        ladder = 2 * market + int(side)
        count = int(self.ladder_counts[ladder])
        first = max(count - depth, int(self.ladder_firsts[ladder]))
        levels = self.levels[self.ladder_levels[ladder, first:count][::-1]]
        return [(abs(key), size, orders) for key, size, _, _, orders, _ in levels.tolist()]

    def best(self, market: int, side: int) -> int | None:
        """The best price of a side, if anything rests there."""
        ladder = 2 * market + int(side)
        count = int(self.ladder_counts[ladder])
        return abs(int(self.ladder_keys[ladder, count - 1])) if count else None

    def queue(self, market: int, side: int) -> Iterator[int]:
        """Slots of all orders of a side in the order in which they would be matched."""
        ladder = 2 * market + int(side)
        for place in range(int(self.ladder_counts[ladder]) - 1, int(self.ladder_firsts[ladder]) - 1, -1):
            slot = int(self.levels[self.ladder_levels[ladder, place]]["head"])
            while slot >= 0:
                yield slot
                slot = int(self.links[slot]["next"])

    def slots_of(self, store: RowStore, account: int, market: int | None = None) -> list[int]:
        """Slots of an account's resting orders, in one market or in all, oldest first; reads no other orders."""
        markets = slice(store.market_count) if market is None else slice(market, market + 1)
        held = store.positions[account, markets]
        slots: list[int] = []
        following = self.links["own_next"]
        heads = [held[name].tolist() for name in ("first_bid", "first_ask", "first_reduce")]
        for first in chain.from_iterable(heads):
            slot = first - 1
            while slot >= 0:
                slots.append(slot)
                slot = following.item(slot)
        return sorted(slots, key=store.orders["oid"].item)

    def find(self, store: RowStore, oid: int) -> int | None:
        """Slot of a resting order by oid; None if there is none."""
        slot = int(self.oids[self.home_of(oid)])
        while slot >= 0 and store.orders[slot]["oid"] != oid:
            slot = int(self.links[slot]["older"])
        return slot if slot >= 0 else None

    def home_of(self, oid: int) -> int:
        """The home place of an oid, as in indexes.home_of."""
        shift = int(self.oid_shifts[(oid >> RUN_BITS) % OID_SHIFTS])
        return (oid + shift) & (len(self.oids) - 1)

    def find_cloid(self, store: RowStore, account: int, high: int, low: int) -> int | None:
        """Slot of an account's resting order by client id."""
        for slot in self.slots_of(store, account):
            order = store.orders[slot]
            if order["has_cloid"] and order["cloid_lo"] == low and order["cloid_hi"] == high:
                return slot
        return None
