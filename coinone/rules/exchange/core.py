"""What the kernel works on: one tuple of arrays, and the slots of its counters.

The kernel is a few jitted functions that LLVM melts into one (`forceinline`): a call with some thirty
arrays as arguments would cost as much as the work. Only `kernel.run` and the rebuilding of the book are
entered from Python, with explicit signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils
from numba.extending import intrinsic

from coinone.base.primitives.jit import njit
from coinone.rules.exchange.tables import (
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
"""A price at which orders rest: their queue, oldest first, and what they add up to."""

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
"""Where an order hangs: its neighbours in the queue, the level, the next order in its place of the oid table, its
neighbours among the account's own orders (-1: none), and its place in the heap of a full side (values.py).

Apart from the order's row, because a neighbour's link is changed far more often than its row is read."""

# Slots of `counters`.
EPOCH, NOW, MARKETS = 0, 1, 2
FREE_ORDERS, FREE_LEVELS, LIVE_ORDERS = 3, 4, 5
RESULTS, FILLS, UPDATES = 6, 7, 8
SAVED_ACCOUNTS, SAVED_POSITIONS, SAVED_ORDERS, SAVED_MARKETS, SAVED_GLOBALS = 9, 10, 11, 12, 13
STALE = 14  # markets whose status is REDUCE_ONLY
KEY_0, KEY_1 = 15, 16  # the halves of the index key: see indexes.py
LEVELS_MAX, SIDE_MAX = 17, 18  # most prices and orders of a side: tests make them small
COUNTERS = 19


class Core(NamedTuple):
    """Tables, book (book.py), journal (journal.py), input and output of one segment."""

    counters: Any
    accounts: Any
    positions: Any
    holders: Any
    holder_counts: Any
    orders: Any
    markets: Any
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


def _array(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(from_dtype(np.dtype(dtype)), dimensions, "C")


_i8, _i4 = np.int64, np.int32

CORE: Any = types.NamedTuple(  # type: ignore[no-untyped-call]
    (
        _array(_i8),
        _array(ACCOUNT),
        _array(POSITION, 2),
        _array(_i4, 2),
        _array(_i8),
        _array(ORDER),
        _array(MARKET),
        _array(TIER, 2),
        _array(GLOBALS),
        _array(_i8, 2),
        _array(_i4, 2),
        _array(_i8),
        _array(_i8),
        _array(_i8),
        _array(_i8, 2),
        _array(_i4, 2),
        _array(_i8),
        _array(LEVEL),
        _array(_i4),
        _array(_i4),
        _array(_i4),
        _array(_i4),
        _array(_i4),
        _array(LINK),
        _array(_i4),
        _array(ORDER),
        _array(_i8),
        _array(ACCOUNT),
        _array(_i8),
        _array(POSITION),
        _array(_i8),
        _array(ORDER),
        _array(_i8),
        _array(MARKET),
        _array(GLOBALS),
        _array(OP),
        _array(RESULT),
        _array(FILL),
        _array(UPDATE),
    ),
    Core,
)
"""The numba type of `Core`, field by field."""

i64 = cast("Callable[[Any], int]", np.int64)
"""Widens a row's small field, so that every part of the kernel is compiled for one type only."""

_LINE = 64  # bytes that memory moves at once


@cast("Any", intrinsic)
def prefetch(_context: Any, array: Any, _index: Any) -> Any:
    """Ask for the memory of `array[index]` ahead of its use; a hint, without effect on any result.

    A row of two lines may begin in the midst of one and reach into a third, whose fields are the least used.
    """
    signature = types.void(array, types.int64)

    size = array.dtype.size if isinstance(array.dtype, types.Record) else array.dtype.bitwidth // 8

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, number, word = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)
        view = context.make_array(array)(context, builder, arguments[0])
        row = builder.ptrtoint(view.data, word)
        row = builder.add(row, builder.mul(arguments[1], word(size)))
        hint = cast("Any", cgutils.get_or_insert_function)(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, number, number, number]), "llvm.prefetch.p0"
        )
        for line in range(0, size, _LINE):
            address = builder.inttoptr(builder.add(row, word(line)), byte)
            builder.call(hint, [address, number(1), number(3), number(1)])
        return context.get_dummy_value()

    return signature, generate


@cast("Any", intrinsic)
def move(_context: Any, array: Any, _to: Any, _first: Any, _count: Any) -> Any:
    """`array[to : to + count] = array[first : first + count]` of a contiguous row, which may overlap."""
    signature = types.void(array, types.int64, types.int64, types.int64)
    size = array.dtype.bitwidth // 8

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(array)(context, builder, arguments[0])
        to, first = (builder.gep(view.data, [place]) for place in arguments[1:3])
        cast("Any", cgutils.raw_memmove)(builder, to, first, arguments[3], size)
        return context.get_dummy_value()

    return signature, generate


inlined = njit(forceinline=True, cache=False, error_model="numpy", _nrt=False)
"""A part of the kernel, compiled into its caller."""
