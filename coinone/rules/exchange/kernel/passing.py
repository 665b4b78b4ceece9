"""Kernel: resting orders that cross each other trade after the batch's takers.

On other venues the order that rests first keeps out post-only orders that would cross it. Here makers cancel and
requote in the same batch, cancels first, so a stranger's ask for 12 quote far below all others would bar the bids of
all makers: sellers and liquidations would then meet only the stranger's own bid. So nothing keeps a post-only order
from the takers of its batch: it rests over all that it crosses (crossing.py), and takers may trade with either.

What still crosses at the end of the batch meets. An order that came before this batch removes the newer one, whose
owner chose post-only so as not to take, if it is more than a 16th of it (with what that has traded already). Otherwise
the two trade at the price of the order with the lower oid, the older one, which is better for the newer one; if both
are of one account, the older is removed.

The order that trades at a price worse than the midpoint of what rested at the end of the last batch (uncrossing.py) is
the taker and pays taker fees, the other pays maker fees; at the midpoint itself the newer one is the taker. If age
alone decided, an account that takes from makers, who requote in each batch, would use post-only and a large size to
come first, and have them pay its fee; if the mark decided, which follows slowly, makers would pay it wherever the
market runs ahead of it.
"""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.book.ladders import ladder_of, take_from
from coinone.rules.exchange.kernel.cancelling import dismiss, remove_order, remove_risk, remove_side
from coinone.rules.exchange.kernel.matching import charges, holds_stale, overextended, trade
from coinone.rules.exchange.kernel.reducing import trim
from coinone.rules.exchange.margin.fill_check import beyond_band, costs_the_fund, may_fill, room, worth
from coinone.rules.exchange.margin.sums import maintenance_margin, update_margins, worst_size
from coinone.rules.exchange.rows.arrays import NOW, i64, inlined, part
from coinone.rules.exchange.rows.journal import save_globals, save_market, save_order
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED

SMALL_PART = 16  # a 16th of a post-only order is too little to remove it
_FILLED, _CANCELED = int(Status.FILLED), int(Status.CANCELED)
_MARGIN, _BAND = int(Status.MARGIN_CANCELED), int(Status.BAND_CANCELED)
_SELF_TRADE, _BAD_ALO = int(Status.SELF_TRADE_CANCELED), int(Status.BAD_ALO)
_REDUCE_ONLY, _LIQUIDATED = int(Status.REDUCE_ONLY_CANCELED), int(Status.LIQUIDATED_CANCELED)


@part
def meet(core: Any, i: int, result: Any) -> int:
    """Trade the best bid with the best ask in op `i`'s market, the oldest of a price first, until they do not cross."""
    op = core.ops[i]
    bids, asks = ladder_of(i64(op.market), 0), ladder_of(i64(op.market), 1)
    while core.ladder_counts[bids] > 0 and core.ladder_counts[asks] > 0:
        bid, ask = core.ladder_counts[bids] - 1, core.ladder_counts[asks] - 1
        if core.ladder_keys[bids, bid] < -core.ladder_keys[asks, ask]:
            break
        slot = i64(core.levels[core.ladder_levels[bids, bid]].head)
        newer = i64(core.levels[core.ladder_levels[asks, ask]].head)
        if core.orders[slot].oid > core.orders[newer].oid:
            slot, newer = newer, slot
        _repeat(op, core.orders[slot])
        offered, wanted = _lots(core, slot), _lots(core, newer)
        size = i64(min(offered, wanted))
        older_takes = (1 - 2 * op.side) * (2 * op.px - op.middle) > 0
        if size <= 0:
            gone = slot if offered <= 0 else newer
            dismiss(core, gone, i, _LIQUIDATED if costs_the_fund(core, gone) else _REDUCE_ONLY)
        elif beyond_band(core, i64(op.market), i64(op.px)):
            # The account that loses by the fill: the price is the older order's.
            gains = (1 - 2 * op.side) * (core.markets[i64(op.market)].mark - op.px) > 0
            dismiss(core, newer if gains else slot, i, _BAND)
        elif _removes(core, slot, newer, wanted):
            dismiss(core, newer, i, _BAD_ALO)
        elif core.orders[slot].account == core.orders[newer].account:
            dismiss(core, slot, i, _SELF_TRADE)
        elif _may_trade(core, i, newer, not older_takes, size) and _may_trade(
            core, i, slot, older_takes, size
        ):
            _trade(core, i, slot, newer, older_takes, size)
            result.filled_sz += size
            result.filled_notional += size * op.px
    return _CANCELED


@inlined
def _repeat(op: Any, order: Any) -> None:
    """Copy the order's terms into the op, since the taker's side of a fill and its row are made from an op."""
    op.account = order.account
    op.oid = order.oid
    op.px = order.px
    op.side = order.side
    op.reduce_only = order.reduce_only
    op.builder = order.builder
    op.builder_fee = order.builder_fee
    op.has_cloid = order.has_cloid
    op.cloid_hi = order.cloid_hi
    op.cloid_lo = order.cloid_lo


@inlined
def _lots(core: Any, slot: int) -> int:
    """Lots of a resting order that may trade by its terms.

    None if it would cost a locked account; at most the position if it is reduce-only, or its owner is locked or holds a
    stale market.
    """
    order = core.orders[slot]
    account, market = i64(order.account), i64(order.market)
    if costs_the_fund(core, slot):
        return i64(0)
    locked = core.accounts[account].flags & ACCOUNT_LOCKED != 0
    if order.reduce_only == 0 and not locked and not holds_stale(core, account, 0):
        return i64(order.sz)
    return i64(min(order.sz, max((2 * order.side - 1) * core.positions[account, market].size, 0)))


@inlined
def _removes(core: Any, slot: int, newer: int, wanted: int) -> bool:
    """Whether the older order in `slot` removes the newer: it was there before the batch, and is not small.

    What the newer one has traded counts as well, or it would take any number of small ones; so does of the rest what it
    may trade, the lots `wanted`.
    """
    order, other = core.orders[slot], core.orders[newer]
    traded = other.orig_sz - other.sz
    whole = wanted + traded
    return bool(order.time_ms < core.counters[NOW] and order.sz + traded > whole // SMALL_PART)


@inlined
def _charges(core: Any, slot: int, takes: bool, size: int, px: int) -> tuple[int, int]:
    """The exchange's fee and the builder's share for this fill of an order, at taker or maker rates."""
    order = core.orders[slot]
    holder = core.accounts[i64(order.account)]
    rate = holder.taker_rate if takes else holder.maker_rate
    return charges(core, size * px, rate, i64(order.builder), order.builder_fee)


@part
def _may_trade(core: Any, i: int, slot: int, takes: bool, size: int) -> bool:
    """Whether the order's owner may make this fill at op `i`'s price; if not, its orders of that side are removed."""
    order, px = core.orders[slot], i64(core.ops[i].px)
    account, market = i64(order.account), i64(order.market)
    change = (1 - 2 * order.side) * size
    fee, share = _charges(core, slot, takes, size, px)
    maintenance = maintenance_margin(core, market, core.positions[account, market].size + change)
    if may_fill(core, account, market, change, px, fee + share, maintenance):
        return True
    remove_side(core, account, market, i64(order.side), i, _MARGIN)
    return False


@part
def _trade(core: Any, i: int, slot: int, newer: int, older_takes: bool, size: int) -> None:
    """Book one fill between two resting orders, at the price of the older one in `slot`."""
    op, made = core.ops[i], core.orders[newer]
    market, account, maker = i64(op.market), i64(op.account), i64(made.account)
    direction, px = 1 - 2 * op.side, i64(op.px)
    maker_fee, maker_share = _charges(core, newer, not older_takes, size, px)
    fee, share = _charges(core, slot, older_takes, size, px)
    left = maintenance_margin(core, market, core.positions[maker, market].size - direction * size)
    own_left = maintenance_margin(core, market, core.positions[account, market].size + direction * size)
    worst = worst_size(core, account, market)
    had, equity = room(core, maker), worth(core, maker)
    own_had, own_equity = room(core, account), worth(core, account)
    save_globals(core)
    save_market(core, market)
    save_order(core, newer)
    save_order(core, slot)
    take_from(core, newer, size)
    take_from(core, slot, size)
    trade(core, i, i64(op.oid), newer, size, px, left, maker_fee, maker_share, fee, share)
    update_margins(core, account, market, own_left, worst)
    trim(core, maker, market, i)
    trim(core, account, market, i)
    _end(core, i, newer)
    _end(core, i, slot)
    if overextended(core, maker, had, equity, maker_fee):
        remove_risk(core, maker, i, _MARGIN)
    if overextended(core, account, own_had, own_equity, fee):
        remove_risk(core, account, i, _MARGIN)


@inlined
def _end(core: Any, i: int, slot: int) -> None:
    if core.orders[slot].oid != 0 and core.orders[slot].sz == 0:
        remove_order(core, slot, i, _FILLED)
