"""Kernel, part three: removing an order from the book and releasing what it had reserved."""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.jit import njit, types
from coinone.rules.exchange.book.book import unlink
from coinone.rules.exchange.book.indexes import find_cloid, find_oid
from coinone.rules.exchange.book.own_orders import first_own, first_reducing
from coinone.rules.exchange.margin.sums import update_margins, worst_size
from coinone.rules.exchange.rows.arrays import CORE, MARKETS, UPDATES, attach, i64, inlined, next_row, part
from coinone.rules.exchange.rows.journal import save_account, save_market, save_order, save_position
from coinone.rules.exchange.rows.tables import OpKind

_CANCEL_CLOID = int(OpKind.CANCEL_CLOID)
_MODIFY_CLOID = int(OpKind.MODIFY_CLOID)


@inlined
def find_target(core: Any, i: int) -> int:
    """Slot of the order that a cancel or modify names, or -1: it must be the account's own, in that market."""
    op = core.ops[i]
    account = i64(op.account)
    if op.kind == _CANCEL_CLOID or op.kind == _MODIFY_CLOID:
        slot = find_cloid(core, account, op.target_hi, op.target_lo)
    else:
        slot = find_oid(core, op.oid)
    if slot >= 0 and (core.orders[slot].account != account or core.orders[slot].market != op.market):
        return i64(-1)
    return slot


@njit(types.boolean(CORE), error_model="numpy", _nrt=False)
def finds_all(words: Any) -> bool:
    """Whether each of the core's operations, all cancels or modifies, finds the order that it names."""
    core = attach(words)
    found = True
    for i in range(core.ops.shape[0]):
        found &= find_target(core, i) >= 0
    return found


@inlined
def remove_order(core: Any, slot: int, i: int, status: int) -> None:
    """Remove a resting order for the reason `status`, FILLED included; op `i` caused it."""
    order = core.orders[slot]
    account, market = i64(order.account), i64(order.market)
    save_account(core, account)
    save_order(core, slot)
    save_market(core, market)
    report_order(core, slot, i, status)
    release(core, account, market, order.side, order.sz, order.reduce_only)
    core.accounts[account].order_count -= 1
    core.markets[market].order_count -= 1
    unlink(core, slot)


@part
def dismiss(core: Any, slot: int, i: int, status: int) -> None:
    """`remove_order` for an op that is not about this order; a separate function because it is rare and long."""
    remove_order(core, slot, i, status)


@part
def remove_side(core: Any, account: int, market: int, side: int, i: int, status: int) -> None:
    """Remove all the account's resting orders of one side of a market, the newest first and reduce-only ones last.

    The work is that of removing them, which each order paid for on entry.
    """
    slot = first_own(core, account, market, side)
    while slot >= 0:
        remove_order(core, slot, i, status)
        slot = first_own(core, account, market, side)
    slot = first_reducing(core, account, market)
    while slot >= 0 and core.orders[slot].side == side:
        remove_order(core, slot, i, status)
        slot = first_reducing(core, account, market)


@part
def remove_risk(core: Any, account: int, i: int, status: int) -> None:
    """Remove all the account's resting orders that are not reduce-only, market by market, the newest first."""
    for market in range(core.counters[MARKETS]):
        for side in range(2):
            slot = first_own(core, account, i64(market), side)
            while slot >= 0:
                remove_order(core, slot, i, status)
                slot = first_own(core, account, i64(market), side)


@inlined
def release(core: Any, account: int, market: int, side: int, size: int, reduce_only: int) -> None:
    """Release the margin reserved for `size` of an order that will not trade."""
    if size > 0 and reduce_only == 0:
        save_position(core, account, market)
        held = core.positions[account, market]
        before = worst_size(core, account, market)
        held.bid_size -= size * (1 - side)
        held.ask_size -= size * side
        update_margins(core, account, market, held.maintenance_margin, before)


@inlined
def report_order(core: Any, slot: int, i: int, status: int) -> None:
    """Append a row to the updates: the new state of a resting order."""
    order = core.orders[slot]
    row = next_row(core, UPDATES, core.updates)
    row.oid = order.oid
    row.px = order.px
    row.sz = order.sz
    row.orig_sz = order.orig_sz
    row.cloid_hi = order.cloid_hi
    row.cloid_lo = order.cloid_lo
    row.time_ms = order.time_ms
    row.op = i
    row.account = order.account
    row.market = order.market
    row.status = status
    row.side = order.side
    row.tif = order.tif
    row.reduce_only = order.reduce_only
    row.has_cloid = order.has_cloid
