"""The kernel's data: a set of tables, and the slots of its counters.

The kernel is a few jitted functions that take `core`, a pointer to the addresses of the tables (jit_tables.py). What
each operation passes through is compiled into one function (`inlined`); rare code is separate (`part`), so that it
takes neither registers nor cache from the rest. Python calls only functions with explicit signatures, whose first
argument is the result of `Rows.core`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np

from coinone.base.primitives import jit_tables
from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.jit_tables import ADDRESSES, TableSet, TableType
from coinone.rules.exchange.rows.tables import (
    ACCOUNT,
    FILL,
    GLOBALS,
    MARKET,
    OP,
    ORDER,
    POSITION,
    RESULT,
    TIER,
    UPDATE,
)

LEVEL = np.dtype(
    [
        ("key", np.int64),
        ("size", np.int64),
        ("head", np.int32),
        ("tail", np.int32),
        ("count", np.int32),  # 0: the level is free
        ("ladder", np.int32),
    ]
)
"""A price at which orders rest: their queue, oldest first, with its sums."""

LINK = np.dtype(
    [
        ("next", np.int32),
        ("prev", np.int32),
        ("level", np.int32),
        ("account", np.int32),  # whose the order is; -1: the slot is free
        ("older", np.int32),
        ("own_next", np.int32),
        ("own_prev", np.int32),
        ("place", np.int32),
    ]
)
"""The links of an order.

Its neighbours in the queue, the level, the next order in its place of the oid table, its neighbours among the account's
own orders (-1: none), and its place in the heap of a full side (book/values.py). Separate from the order's row, because
a neighbour's link is changed far more often than its row is read.
"""

# Slots of `counters`.
EPOCH, NOW, MARKETS = 0, 1, 2
FREE_ORDERS, FREE_LEVELS, LIVE_ORDERS = 3, 4, 5
RESULTS, FILLS, UPDATES = 6, 7, 8
SAVED_ACCOUNTS, SAVED_POSITIONS, SAVED_ORDERS, SAVED_MARKETS, SAVED_GLOBALS = 9, 10, 11, 12, 13
STALE = 14  # number of markets in `stale`: those whose status is REDUCE_ONLY
KEY_0, KEY_1 = 15, 16  # the halves of the index key: see book/indexes.py
LEVELS_MAX, SIDE_MAX = 17, 18  # maximum prices and orders of a side: tests make them small
SHORT = 19  # whether a buffer was too short for what was written
COUNTERS = 20


class KernelArrays(NamedTuple):
    """Tables, book (book/book.py), journal (journal.py), input and output of one segment."""

    counters: Any
    accounts: Any
    positions: Any
    holders: Any
    holder_counts: Any
    orders: Any
    markets: Any
    stale: Any
    tiers: Any
    globals: Any
    ladder_keys: Any
    ladder_levels: Any
    ladder_firsts: Any
    ladder_counts: Any
    ladder_orders: Any
    value_keys: Any
    value_slots: Any
    value_counts: Any
    levels: Any
    free_orders: Any
    free_levels: Any
    oids: Any
    oid_shifts: Any
    cloid_slots: Any
    links: Any
    hints: Any
    blank: Any
    account_keys: Any
    account_images: Any
    position_keys: Any
    position_images: Any
    order_keys: Any
    order_images: Any
    market_keys: Any
    market_images: Any
    globals_images: Any
    ops: Any
    results: Any
    fills: Any
    updates: Any


_i8, _i4 = np.int64, np.int32

_TYPES = KernelArrays(
    counters=TableType(_i8),
    accounts=TableType(ACCOUNT),
    positions=TableType(POSITION, 2),
    holders=TableType(_i4, 2),
    holder_counts=TableType(_i8),
    orders=TableType(ORDER),
    markets=TableType(MARKET),
    stale=TableType(_i4),
    tiers=TableType(TIER, 2),
    globals=TableType(GLOBALS),
    ladder_keys=TableType(_i8, 2),
    ladder_levels=TableType(_i4, 2),
    ladder_firsts=TableType(_i8),
    ladder_counts=TableType(_i8),
    ladder_orders=TableType(_i8),
    value_keys=TableType(_i8, 2),
    value_slots=TableType(_i4, 2),
    value_counts=TableType(_i8),
    levels=TableType(LEVEL),
    free_orders=TableType(_i4),
    free_levels=TableType(_i4),
    oids=TableType(_i4),
    oid_shifts=TableType(_i4),
    cloid_slots=TableType(_i4),
    links=TableType(LINK),
    hints=TableType(_i4),
    blank=TableType(ORDER),
    account_keys=TableType(_i8),
    account_images=TableType(ACCOUNT),
    position_keys=TableType(_i8),
    position_images=TableType(POSITION),
    order_keys=TableType(_i8),
    order_images=TableType(ORDER),
    market_keys=TableType(_i8),
    market_images=TableType(MARKET),
    globals_images=TableType(GLOBALS),
    ops=TableType(OP),
    results=TableType(RESULT),
    fills=TableType(FILL),
    updates=TableType(UPDATE),
)

attach = jit_tables.attach(TableSet(_TYPES))
"""Make `core` from the addresses passed to a jitted function."""

CORE: Any = ADDRESSES
"""The numba type of those addresses, in the signatures of functions that Python calls."""

NUMBERS: Any = types.Array(types.int64, 1, "C")
NUMBER_ROWS: Any = types.Array(types.int64, 2, "C")
"""The numba types of integer arrays among their other arguments, of one and two dimensions."""

i64 = cast("Callable[[Any], int]", np.int64)
"""Widen a row's small field, so that every part of the kernel is compiled for one type only."""

inlined = njit(forceinline=True, cache=False, error_model="numpy", _nrt=False)
"""A part of the kernel, compiled into its caller."""

part = njit(cache=False, error_model="numpy", _nrt=False)
"""A part of the kernel that is rarely needed, or long: compiled once, and called."""


@inlined
def next_place(core: Any, counter: int, buffer: Any) -> int:
    """Count the next row of a buffer and return its place.

    There is room for it (capacity.py); if there were none, the last place is returned rather than memory behind the
    buffer.
    """
    n = i64(core.counters[counter])
    core.counters[counter] = n + 1
    if n >= buffer.shape[0]:
        core.counters[SHORT] = 1
        return i64(buffer.shape[0] - 1)
    return n


@inlined
def next_row(core: Any, counter: int, buffer: Any) -> Any:
    """The row at `next_place`."""
    return buffer[next_place(core, counter, buffer)]
