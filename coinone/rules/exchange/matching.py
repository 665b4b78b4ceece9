"""Kernel, chapter two: a taker against the book, best price first, oldest order first.

At each meeting, in this order: an order of the same account is cancelled, not traded with (self-trade
prevention); a reduce-only maker, and one that holds a stale market, is clipped to its position, and cancelled if
nothing is left to reduce; in a stale market the taker stops at a maker whose position its order would not reduce (to
cancel it would let one lot sweep a whole side away); a maker whose maintenance margin the fill would break is
cancelled; the taker stops if it has used up its slack (see placing.py).
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.fixed128 import muldiv_down_jit, muldiv_up_jit
from coinone.rules.exchange.cancelling import remove_order
from coinone.rules.exchange.core import FILLS, MARKETS, NOW, STALE, i64, inlined, prefetch
from coinone.rules.exchange.indexes import home_of
from coinone.rules.exchange.journal import save_account, save_order, save_position
from coinone.rules.exchange.ladders import ladder_of
from coinone.rules.exchange.margin_rules import maintenance_margin, update_margins, worst_size
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.tables import FEE_SCALE, MarketStatus

_FILLED = int(Status.FILLED)
_SELF_TRADE, _REPLACED = int(Status.SELF_TRADE_CANCELED), int(Status.REPLACED)
_REDUCE_ONLY, _RESTRICTED = int(Status.REDUCE_ONLY_CANCELED), int(Status.RESTRICTED_CANCELED)
_MARGIN = int(Status.MARGIN_CANCELED)
_MARKET_REDUCE_ONLY = int(MarketStatus.REDUCE_ONLY)
_SMALL = 1 << 31  # sizes whose product fits int64
_SMALL_NOTIONAL = 1 << 45  # times two rates of FEE_RATE_MAX it fits int64


@inlined
def match(core: Any, i: int, old: int, oid: int, size: int, slack: int) -> tuple[int, int, int, int]:
    """Fill op `i` as far as it goes; returns what is left of `size` and `slack`, the notional traded, and why
    it stopped early. The taker's running margins are the caller's care. `old` is the slot of the order it replaces.
    """
    op = core.ops[i]
    market = i64(op.market)
    taker = i64(op.account)
    direction = 1 - 2 * op.side
    terms = core.markets[market]
    ladder = ladder_of(market, 1 - op.side)
    limit = op.px * -direction  # as a key of the other side's ladder: keys from here on up are matched
    notional = i64(0)
    stopped = 0
    while size > 0 and core.ladder_counts[ladder] > 0:
        best = core.ladder_counts[ladder] - 1
        if core.ladder_keys[ladder, best] < limit:
            break
        level = core.levels[core.ladder_levels[ladder, best]]
        slot = i64(level.head)
        _look_ahead(core, slot, market)
        order = core.orders[slot]
        maker = i64(order.account)
        held = core.positions[maker, market]
        filled = min(size, order.sz)
        px = order.px
        reason = 0
        maintenance = 0
        if maker == taker:
            reason = _REPLACED if slot == old else _SELF_TRADE
        else:
            if order.reduce_only != 0 or holds_stale(core, maker):
                filled = min(filled, direction * held.size)
            if terms.status == _MARKET_REDUCE_ONLY and order.reduce_only == 0:
                filled = min(filled, direction * held.size)
                if filled <= 0:
                    stopped = _RESTRICTED
                    break
            if filled <= 0:
                reason = _REDUCE_ONLY
            else:
                maintenance = maintenance_margin(core, market, held.size - direction * filled)
                if _breaks_maintenance(core, maker, market, -direction * filled, px, maintenance):
                    reason = _MARGIN
        if reason == 0:
            slack -= max(direction * (px - terms.mark), 0) * filled
            if slack < 0:
                stopped = _MARGIN
                break
            save_order(core, slot)
            order.sz -= filled
            level.size -= filled
            size -= filled
            notional += filled * px
            _trade(core, i, oid, slot, filled, maintenance)
            if order.sz > 0:
                continue
            reason = _FILLED
        remove_order(core, slot, i, reason)
    return size, slack, notional, stopped


@inlined
def holds_stale(core: Any, account: int) -> bool:
    """Has the account a position in a market without an oracle price? Then it may only cancel and reduce."""
    if core.counters[STALE] > 0:
        for market in range(core.counters[MARKETS]):
            if (
                core.markets[market].status == _MARKET_REDUCE_ONLY
                and core.positions[account, market].size != 0
            ):
                return True
    return False


@inlined
def _look_ahead(core: Any, slot: int, market: int) -> None:
    """Have the memory of the next maker on its way, and the order after it."""
    after = i64(core.links[slot].next)
    if after >= 0:
        link = core.links[after]
        prefetch(core.accounts, i64(link.account))
        prefetch(core.positions, link.account * core.positions.shape[1] + market)
        prefetch(core.oids, home_of(core, core.orders[after].oid))
        if link.next >= 0:
            prefetch(core.orders, i64(link.next))
            prefetch(core.links, i64(link.next))


@inlined
def _breaks_maintenance(core: Any, account: int, market: int, change: int, px: int, maintenance: int) -> bool:
    """Would a change of size at `px` leave less than the maintenance margin, and less room than before or a debt?"""
    holder = core.accounts[account]
    gain = change * (core.markets[market].mark - px)
    more = maintenance - core.positions[account, market].maintenance_margin
    room = holder.cash + holder.position_value - holder.maintenance_margin
    debt = gain < 0 and holder.cash + holder.position_value + gain < 0
    return bool(room + gain - more < 0 and (gain - more < 0 or debt))


@inlined
def _trade(core: Any, i: int, oid: int, slot: int, size: int, maintenance: int) -> None:
    """Both sides of one fill, its fees and its row."""
    op = core.ops[i]
    order = core.orders[slot]
    market = i64(op.market)
    taker, maker = i64(op.account), i64(order.account)
    direction = 1 - 2 * op.side
    notional = size * order.px
    whole = core.globals[0]
    row = core.fills[core.counters[FILLS]]
    core.counters[FILLS] += 1
    row.tid = whole.next_tid
    whole.next_tid += 1
    row.taker_start = core.positions[taker, market].size
    row.maker_start = core.positions[maker, market].size

    row.maker_fee = fee(notional, core.accounts[maker].maker_rate)
    row.maker_builder_fee = _pay_builder(core, order.builder, order.builder_fee, notional)
    charge = row.maker_fee + row.maker_builder_fee
    reduce_only = order.reduce_only
    worst = worst_size(core, maker, market)
    row.maker_pnl = _change_position(core, maker, market, -direction * size, order.px, charge, reduce_only)
    update_margins(core, maker, market, maintenance, worst)
    core.accounts[maker].maker_volume += notional

    if op.liquidation != 0:
        row.taker_fee = fee(notional, op.liquidation_fee)
        whole.insurance += row.taker_fee
    else:
        row.taker_fee = fee(notional, core.accounts[taker].taker_rate)
        whole.fees += row.taker_fee
    whole.fees += row.maker_fee
    row.taker_builder_fee = _pay_builder(core, op.builder, op.builder_fee, notional)
    charge = row.taker_fee + row.taker_builder_fee
    row.taker_pnl = _change_position(core, taker, market, direction * size, order.px, charge, op.reduce_only)
    core.accounts[taker].taker_volume += notional

    terms = core.markets[market]
    terms.last_px = order.px
    terms.last_ms = core.counters[NOW]
    terms.volume += notional
    terms.base_volume += size
    row.px = order.px
    row.sz = size
    row.taker_oid = oid
    row.maker_oid = order.oid
    row.op = i
    row.market = market
    row.taker = taker
    row.maker = maker
    row.side = op.side
    row.liquidation = op.liquidation
    row.taker_has_cloid = op.has_cloid
    row.taker_cloid_hi = op.cloid_hi
    row.taker_cloid_lo = op.cloid_lo
    row.maker_has_cloid = order.has_cloid
    row.maker_cloid_hi = order.cloid_hi
    row.maker_cloid_lo = order.cloid_lo


@inlined
def fee(notional: int, rate: int) -> int:
    """ceil(notional * rate / FEE_SCALE): payers round up, so a rebate (a negative rate) rounds down."""
    if notional < _SMALL_NOTIONAL:
        return -((-notional * rate) // FEE_SCALE)
    return muldiv_up_jit(notional, rate, FEE_SCALE)


@inlined
def _pay_builder(core: Any, builder: int, rate: int, notional: int) -> int:
    """The builder's share on top of the fee, straight to its account."""
    if rate <= 0:
        return 0
    share = fee(notional, rate)
    save_account(core, builder)
    core.accounts[builder].cash += share
    return share


@inlined
def _change_position(
    core: Any, account: int, market: int, change: int, px: int, charge: int, reduce_only: int
) -> int:
    """One side of a fill: cash, size, entry, reserved orders; returns the profit that was closed."""
    save_account(core, account)
    save_position(core, account, market)
    holder = core.accounts[account]
    held = core.positions[account, market]
    terms = core.markets[market]
    before = held.size
    after = before + change
    holder.cash -= change * px + charge
    holder.position_value += change * terms.mark
    if reduce_only == 0:
        held.bid_size -= max(change, 0)
        held.ask_size += min(change, 0)
    terms.open_interest += max(after, 0) - max(before, 0)
    held.size = after
    held.funding_change = 0
    if after != 0 and (before == 0 or (before > 0) != (after > 0)):
        held.opened_ms = core.counters[NOW]
        held.funding_open = 0
    if before == 0 or (before > 0) == (change > 0):
        held.entry_notional += abs(change) * px
        return 0
    closed = min(abs(change), abs(before))
    cost = _share(held.entry_notional, closed, abs(before))
    held.entry_notional += (abs(change) - closed) * px - cost
    value = closed * px
    return i64(value - cost if before > 0 else cost - value)


@inlined
def _share(cost: int, part: int, whole: int) -> int:
    """floor(cost * part / whole): the cost of a part of a position."""
    if whole < _SMALL:
        return cost // whole * part + cost % whole * part // whole
    return muldiv_down_jit(cost, part, whole)
