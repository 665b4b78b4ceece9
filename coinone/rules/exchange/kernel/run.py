"""The kernel: run a whole segment of operations in one call (D4).

Parts: placing.py, matching.py, cancelling.py; they are built on sums.py, journal.py and book.py (with ladders.py and
book/indexes.py). It never raises: each operation gets a status. There is room for everything it may write before it
begins (capacity.py). The twin's run.py has the same rules in plain Python and is the specification to read first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from coinone.base.primitives.jit import njit, types
from coinone.rules.exchange.book.ladders import ladder_of, take_from
from coinone.rules.exchange.kernel.ahead import look_ahead
from coinone.rules.exchange.kernel.cancelling import find_target, release, remove_order, report_order
from coinone.rules.exchange.kernel.capacity import (
    assert_held,
    fills_made,
    has_capacity,
    rows_touched,
    updates_made,
)
from coinone.rules.exchange.kernel.full_side import least_notional
from coinone.rules.exchange.kernel.matching import list_stale
from coinone.rules.exchange.kernel.passing import meet
from coinone.rules.exchange.kernel.placing import place
from coinone.rules.exchange.kernel.reducing import trim
from coinone.rules.exchange.kernel.terms import check_terms
from coinone.rules.exchange.rows.arrays import (
    CORE,
    FILLS,
    MARKETS,
    NOW,
    RESULTS,
    UPDATES,
    attach,
    i64,
    inlined,
    part,
)
from coinone.rules.exchange.rows.journal import save_account, save_order
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import Array, OpKind
from coinone.rules.exchange.state.rows import Rows

_PLACE, _CANCEL, _CANCEL_CLOID = int(OpKind.PLACE), int(OpKind.CANCEL), int(OpKind.CANCEL_CLOID)
_TRIM, _MEET, _BAD_MARKET = int(OpKind.TRIM), int(OpKind.MEET), int(Status.BAD_MARKET)
_OPEN, _CANCELED, _MIN_NOTIONAL = int(Status.OPEN), int(Status.CANCELED), int(Status.MIN_NOTIONAL)
_CROWDED = int(Status.CROWDED)
_NOT_FOUND, _MODIFY_NOT_FOUND = int(Status.NOT_FOUND), int(Status.MODIFY_NOT_FOUND)


@inlined
def _only_smaller(core: Any, slot: int, i: int) -> bool:
    """Whether the modify only makes the order smaller, in which case it keeps its place and its oid."""
    op = core.ops[i]
    order = core.orders[slot]
    return bool(
        op.px == order.px
        and op.side == order.side
        and op.tif == order.tif
        and op.reduce_only == order.reduce_only
        and op.builder_fee == order.builder_fee
        and op.has_cloid == order.has_cloid
        and (op.has_cloid == 0 or (op.cloid_hi == order.cloid_hi and op.cloid_lo == order.cloid_lo))
        and op.sz < order.sz
    )


@part
def _shrink(core: Any, slot: int, i: int, result: Any) -> int:
    op = core.ops[i]
    order = core.orders[slot]
    if op.reduce_only != 0 and op.px * op.sz < core.markets[i64(order.market)].min_notional:
        return _MIN_NOTIONAL
    account, market = i64(order.account), i64(order.market)
    if op.px * op.sz < least_notional(core, market, ladder_of(market, op.side)):
        return _CROWDED
    save_account(core, account)
    save_order(core, slot)
    release(core, account, market, order.side, order.sz - op.sz, order.reduce_only)
    order.orig_sz -= order.sz - op.sz  # the traded part still counts
    take_from(core, slot, order.sz - op.sz)
    report_order(core, slot, i, _OPEN)
    result.oid = order.oid
    result.resting_sz = op.sz
    return _OPEN


@njit(types.boolean(CORE), error_model="numpy", _nrt=False)
def run(words: Any) -> bool:
    """Run the operations in order: cancels remove; modifies shrink in place or replace the old order.

    False, with nothing done, if there is not enough room.
    """
    core = attach(words)
    if not has_capacity(core, core.ops.shape[0]):
        return False
    list_stale(core)
    first = core.counters[RESULTS]
    for i in range(core.ops.shape[0]):
        look_ahead(core, i)
        op = core.ops[i]
        result = core.results[first + i]
        result.oid = 0
        result.filled_sz = 0
        result.filled_notional = 0
        result.resting_sz = 0
        result.bid = 0
        result.ask = 0
        slot = old = i64(-1)
        reason = 0
        status = 0
        if op.kind == _TRIM:
            result.status = _BAD_MARKET
            if op.market >= 0 and op.market < core.counters[MARKETS]:
                trim(core, i64(op.account), i64(op.market), i)
                result.status = _CANCELED
            continue
        if op.kind == _MEET:
            result.status = meet(core, i, result)
            continue
        placing = op.kind != _CANCEL and op.kind != _CANCEL_CLOID
        if placing:
            status = check_terms(core, i)
        if status == 0 and op.kind != _PLACE:
            slot = find_target(core, i)
            if slot < 0:
                status = _MODIFY_NOT_FOUND if placing else _NOT_FOUND
            elif not placing:
                reason = i64(op.reason) if op.reason != 0 else _CANCELED
                status = _CANCELED
            elif _only_smaller(core, slot, i):
                status = _shrink(core, slot, i, result)
            else:
                old = slot
        if reason != 0:
            remove_order(core, slot, i, reason)
        if status == 0:
            status = place(core, i, old, result)
        result.status = status
    core.counters[RESULTS] = first + core.ops.shape[0]
    return True


class SegmentOutput(NamedTuple):
    """The output of a segment: one RESULT per op, FILL and UPDATE rows in the order in which they happened.

    Views of buffers that are overwritten after the epoch (rows/output.py): copy what must last longer.
    """

    results: Array
    fills: Array
    updates: Array


def run_segment(rows: Rows, ops: Array, now: int) -> SegmentOutput:
    """Execute `ops` in order at batch time `now`. Their account slots must be valid; all else is checked."""
    output, counters = rows.output, rows.counters
    ops = np.ascontiguousarray(ops)
    counters[NOW] = now
    first, fills, updates = counters[RESULTS : UPDATES + 1].tolist()
    if not run(rows.core(ops)):
        _make_room(rows, len(ops))
        first, fills, updates = counters[RESULTS : UPDATES + 1].tolist()  # a larger output begins at 0
        ran = run(rows.core(ops))
        assert ran
    assert_held(rows)
    return SegmentOutput(
        output.results[first : first + len(ops)],
        output.fills[fills : counters[FILLS]],
        output.updates[updates : counters[UPDATES]],
    )


def _make_room(rows: Rows, count: int) -> None:
    """Make room for all that `count` operations may write (capacity.py)."""
    live = rows.live_orders
    rows.reserve_orders(count)
    rows.journal.reserve(rows_touched(live, count))
    rows.output.reserve(count, fills_made(live, count), updates_made(live, count))
