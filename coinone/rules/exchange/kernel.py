"""The kernel: a whole segment of operations in one call (D4).

Chapters: placing.py, matching.py, cancelling.py; margin.py, journal.py and book.py are what they stand on.
It never raises: each operation gets a status. Room for everything it may write is made here, before.
twin.py says the same in plain Python and is the specification to read first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from coinone.base.primitives.jit import njit
from coinone.rules.exchange.book import find_oid, home_of, key_of, ladder_of
from coinone.rules.exchange.cancelling import find_target, release, remove_order, report_order
from coinone.rules.exchange.core import (
    CORE,
    FILLS,
    FREE_ORDERS,
    MARKETS,
    NOW,
    UPDATES,
    i64,
    inlined,
    prefetch,
)
from coinone.rules.exchange.journal import save_account, save_market, save_order
from coinone.rules.exchange.placing import check_terms, place
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.tables import FILL, RESULT, UPDATE, OpKind, Tif, copied

if TYPE_CHECKING:
    from coinone.rules.exchange.rows import Array, Rows

_PLACE, _CANCEL, _CANCEL_CLOID = int(OpKind.PLACE), int(OpKind.CANCEL), int(OpKind.CANCEL_CLOID)
_OPEN, _CANCELED, _REPLACED = int(Status.OPEN), int(Status.CANCELED), int(Status.REPLACED)
_NOT_FOUND, _MODIFY_NOT_FOUND = int(Status.NOT_FOUND), int(Status.MODIFY_NOT_FOUND)
_IOC = int(Tif.IOC)


@inlined
def _only_smaller(core: Any, slot: int, i: int) -> bool:
    """Does the modify only make the order smaller? Then it keeps its place and its oid."""
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


@inlined
def _shrink(core: Any, slot: int, i: int) -> None:
    op = core.ops[i]
    order = core.orders[slot]
    account, market = i64(order.account), i64(order.market)
    save_account(core, account)
    save_order(core, slot)
    release(core, account, market, order.side, order.sz - op.sz, order.reduce_only)
    core.levels[order.level].size -= order.sz - op.sz
    order.sz = op.sz
    order.orig_sz = op.sz
    report_order(core, slot, i, _OPEN)
    core.results[i].oid = order.oid
    core.results[i].resting_sz = op.sz


@inlined
def _look_ahead(core: Any, i: int) -> None:
    """Have the memory of coming ops on its way: their accounts and positions, the orders they cancel."""
    last = core.ops.shape[0] - 1
    op = core.ops[min(i + 8, last)]
    prefetch(core.accounts, i64(op.account))
    prefetch(core.positions, op.account * core.positions.shape[1] + op.market)
    if op.kind == _CANCEL:
        prefetch(core.oids, home_of(core, op.oid))
    prefetch(core.oids, home_of(core, core.globals[0].next_oid + 6))
    prefetch(core.orders, i64(core.free_orders[max(core.counters[FREE_ORDERS] - 6, 0)]))
    op = core.ops[min(i + 5, last)]
    if op.kind == _CANCEL:
        slot = find_oid(core, op.oid)
        if slot >= 0:
            prefetch(core.orders, slot)
    op = core.ops[min(i + 2, last)]
    if op.kind == _CANCEL:
        slot = find_oid(core, op.oid)
        if slot >= 0:
            prefetch(core.orders, i64(core.orders[slot].prev))
            prefetch(core.orders, i64(core.orders[slot].next))
    elif op.market >= 0 and op.market < core.counters[MARKETS]:
        ladder = ladder_of(op.market, 1 - op.side)
        best = core.ladder_counts[ladder] - 1
        if best >= 0 and core.ladder_keys[ladder, best] >= key_of(1 - op.side, op.px):
            order = core.orders[core.levels[core.ladder_levels[ladder, best]].head]
            prefetch(core.accounts, i64(order.account))
            prefetch(core.positions, order.account * core.positions.shape[1] + op.market)


@njit(types.void(CORE), error_model="numpy", _nrt=False)
def run(core: Any) -> None:
    """Each op in turn: a cancel takes away, a modify shrinks in place or takes away and places."""
    for i in range(core.ops.shape[0]):
        _look_ahead(core, i)
        op = core.ops[i]
        slot = i64(-1)
        reason = 0
        status = 0
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
                _shrink(core, slot, i)
                status = _OPEN
            else:
                reason = _REPLACED
        if reason != 0:
            save_market(core, i64(op.market))
            remove_order(core, slot, i, reason)
        if status == 0:
            first = core.counters[FILLS]
            status = place(core, i)
            notional = i64(0)
            for n in range(first, core.counters[FILLS]):
                notional += core.fills[n].px * core.fills[n].sz
            core.results[i].filled_notional = notional
        core.results[i].status = status


@dataclass(frozen=True)
class Segment:
    """What a segment did: one RESULT per op, FILL and UPDATE rows in the order in which they happened."""

    results: Array
    fills: Array
    updates: Array


def run_segment(rows: Rows, ops: Array, now: int) -> Segment:
    """Execute `ops` in order at batch time `now`. Their account slots must be valid; all else is checked."""
    count = len(ops)
    if count == 0:
        return Segment(np.zeros(0, RESULT), np.zeros(0, FILL), np.zeros(0, UPDATE))
    rows.reserve_orders(count)
    most_makers = rows.live_orders + count  # each can be removed once
    rows.journal.reserve(4 * count + 3 * most_makers)
    rows.journal.reserve_output(most_makers + count, most_makers + 2 * count)
    results, fills, updates = np.zeros(count, RESULT), rows.journal.fills, rows.journal.updates
    counters = rows.journal.counters
    counters[NOW] = now
    counters[FILLS] = counters[UPDATES] = 0
    run(rows.core(np.ascontiguousarray(ops), (results, fills, updates)))
    return Segment(results, copied(fills[: counters[FILLS]]), copied(updates[: counters[UPDATES]]))
