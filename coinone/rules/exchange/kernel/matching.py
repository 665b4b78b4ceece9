"""Kernel, part two: matching a taker against the book, best price first, oldest order first.

At each meeting, in this order: an order of the same account is cancelled, not traded with (self-trade prevention); one
of a locked account, whose money is the fund's, is cancelled at a price worse than the mark or with a builder's fee; a
reduce-only maker, and one that is locked or holds a stale market, is clipped to its position, and cancelled if nothing
is left to reduce; in a stale market the taker stops at a maker whose position its order would not reduce (cancelling it
would let one lot sweep a whole side); beyond the band round the mark, a maker at its own loss is cancelled and a taker
at its own loss stops, unless it is liquidated; a maker that may not make the fill (fill_check.py) loses all its orders
of that side; a taker that may not, stops. A stopped order never rests. A check never makes a fill smaller.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.fixed128 import muldiv_down_jit, muldiv_up_jit
from coinone.base.primitives.jit_tables import prefetch
from coinone.base.primitives.parameters import VOLUME_MAX
from coinone.rules.exchange.book.indexes import home_of
from coinone.rules.exchange.book.ladders import ladder_of, take_from
from coinone.rules.exchange.kernel.cancelling import dismiss, remove_order, remove_risk, remove_side
from coinone.rules.exchange.kernel.reducing import trim
from coinone.rules.exchange.margin.fill_check import (
    beyond_band,
    costs_the_fund,
    equity_after,
    may_fill,
    room,
    worth,
)
from coinone.rules.exchange.margin.funding import book_funding
from coinone.rules.exchange.margin.sums import maintenance_margin, update_margins, worst_size
from coinone.rules.exchange.rows.arrays import FILLS, MARKETS, NOW, STALE, i64, inlined, next_row, part
from coinone.rules.exchange.rows.journal import save_account, save_order, save_position
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED, FEE_SCALE, STALE_PART, MarketStatus

_FILLED = int(Status.FILLED)
_SELF_TRADE, _REPLACED = int(Status.SELF_TRADE_CANCELED), int(Status.REPLACED)
_REDUCE_ONLY, _RESTRICTED = int(Status.REDUCE_ONLY_CANCELED), int(Status.RESTRICTED_CANCELED)
_LIQUIDATED = int(Status.LIQUIDATED_CANCELED)
_MARGIN, _BAND = int(Status.MARGIN_CANCELED), int(Status.BAND_CANCELED)
_MARKET_REDUCE_ONLY = int(MarketStatus.REDUCE_ONLY)
_SMALL = 1 << 31  # sizes whose product fits in int64
_SMALL_NOTIONAL = 1 << 45  # times two rates of FEE_RATE_MAX it fits in int64


@inlined
def match(
    core: Any, i: int, old: int, oid: int, size: int, slack: int, reducing: bool
) -> tuple[int, int, int, int, int]:
    """Fill op `i` as far as possible against the book; `old` is the slot of the order it replaces.

    Returns what is left of `size` and `slack`, the exchange's fees, the notional traded and why it stopped early. A
    taker that opens has slack to lose; the running margins of one that reduces are updated with each fill, those of
    others by the caller.
    """
    op = core.ops[i]
    market = i64(op.market)
    taker = i64(op.account)
    direction = 1 - 2 * op.side
    ladder = ladder_of(market, 1 - op.side)
    limit = op.px * -direction  # as a key of the other side's ladder: keys from here upwards are matched
    paid = notional = i64(0)
    stopped = 0
    while size > 0 and core.ladder_counts[ladder] > 0:
        best = core.ladder_counts[ladder] - 1
        if core.ladder_keys[ladder, best] < limit:
            break
        slot = i64(core.levels[core.ladder_levels[ladder, best]].head)
        _look_ahead(core, slot, market)
        order = core.orders[slot]
        maker = i64(order.account)
        px = order.px
        filled, reason, stops = _meet(core, i, old, slot, size)
        if stops:
            stopped = reason
            break
        if reason != 0:
            dismiss(core, slot, i, reason)
            continue
        value = filled * px
        maker_fee, maker_share = charges(
            core, value, core.accounts[maker].maker_rate, order.builder, order.builder_fee
        )
        maintenance = maintenance_margin(
            core, market, core.positions[maker, market].size - direction * filled
        )
        if not may_fill(core, maker, market, -direction * filled, px, maker_fee + maker_share, maintenance):
            remove_side(core, maker, market, 1 - op.side, i, _MARGIN)
            continue
        taker_fee, taker_share = _taker_charges(core, i, value, direction * filled, px)
        charge = taker_fee + taker_share
        fits, slack, required = _may_take(core, i, direction * filled, px, charge, slack, reducing)
        if not fits:
            stopped = _MARGIN
            break
        size -= filled
        notional += value
        paid += taker_fee
        save_order(core, slot)
        take_from(core, slot, filled)
        had, equity = room(core, maker), worth(core, maker)
        trade(core, i, oid, slot, filled, px, maintenance, maker_fee, maker_share, taker_fee, taker_share)
        if reducing:
            update_margins(core, taker, market, required, -1)
        _leave_maker(core, i, slot, had, equity, maker_fee)
    return size, slack, paid, notional, stopped


@inlined
def _may_take(
    core: Any, i: int, change: int, px: int, charge: int, slack: int, reducing: bool
) -> tuple[bool, int, int]:
    """Whether the taker may make this fill; the rest of its slack and, if it reduces, its maintenance margin after it.

    A liquidation's order may as long as some equity is left.
    """
    op = core.ops[i]
    taker, market = i64(op.account), i64(op.market)
    if not reducing:
        loss = max((px - core.markets[market].mark) * (1 - 2 * op.side), 0) * abs(change)
        left = slack - loss - charge
        return bool(left >= 0), left, i64(0)
    required = maintenance_margin(core, market, core.positions[taker, market].size + change)
    if op.liquidation != 0:
        return bool(equity_after(core, taker, market, change, px, charge) >= 0), slack, required
    return bool(may_fill(core, taker, market, change, px, charge, required)), slack, required


@inlined
def _leave_maker(core: Any, i: int, slot: int, had: int, equity: int, burnt: int) -> None:
    """After a fill: trim the maker's reduce-only orders to its position, and remove what it cannot bear any more."""
    order = core.orders[slot]
    maker = i64(order.account)
    trim(core, maker, i64(order.market), i)
    if order.sz == 0:
        remove_order(core, slot, i, _FILLED)
    if overextended(core, maker, had, equity, burnt):
        remove_risk(core, maker, i, _MARGIN)


@inlined
def _meet(core: Any, i: int, old: int, slot: int, size: int) -> tuple[int, int, bool]:
    """How much of `size` the maker can take by its terms; if none, why it is cancelled or the taker stops."""
    op = core.ops[i]
    order = core.orders[slot]
    maker = i64(order.account)
    if maker == op.account:
        return i64(0), _REPLACED if slot == old else _SELF_TRADE, False
    market = i64(op.market)
    if costs_the_fund(core, slot):
        return i64(0), _LIQUIDATED, False
    locked = core.accounts[maker].flags & ACCOUNT_LOCKED != 0
    filled = min(size, order.sz)
    reducible = (1 - 2 * op.side) * core.positions[maker, market].size
    stale = core.markets[market].status == _MARKET_REDUCE_ONLY
    if stale and order.reduce_only == 0 and reducible <= 0:
        return i64(0), _RESTRICTED, True
    if order.reduce_only != 0 or stale or locked or holds_stale(core, maker, 0):
        filled = min(filled, reducible)
        if filled <= 0:
            return i64(0), _REDUCE_ONLY, False
    if beyond_band(core, market, order.px):
        loses = (1 - 2 * op.side) * (order.px - core.markets[market].mark) > 0  # the taker, else the maker
        if not loses or op.liquidation == 0:
            return i64(0), _BAND, loses
    return filled, 0, False


@inlined
def charges(core: Any, notional: int, rate: int, builder: int, builder_rate: int) -> tuple[int, int]:
    """The exchange's fee and the builder's share for one side; a locked builder earns nothing."""
    share = i64(0)
    if builder_rate > 0 and core.accounts[builder].flags & ACCOUNT_LOCKED == 0:
        share = fee(notional, builder_rate)
    return fee(notional, rate), share


@inlined
def _taker_charges(core: Any, i: int, notional: int, change: int, px: int) -> tuple[int, int]:
    """`charges` for the taker. A liquidation's fee is at most what the fill leaves of its share of the equity."""
    op = core.ops[i]
    account = i64(op.account)
    if op.liquidation == 0:
        return charges(core, notional, core.accounts[account].taker_rate, i64(op.builder), op.builder_fee)
    return _liquidation_fee(core, i, notional, change, px), i64(0)


@part
def _liquidation_fee(core: Any, i: int, notional: int, change: int, px: int) -> int:
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    holder = core.accounts[account]
    held = core.positions[account, market]
    before = worth(core, account)
    after = equity_after(core, account, market, change, px, 0)
    left = holder.maintenance_margin - held.maintenance_margin
    left += maintenance_margin(core, market, held.size + change)
    spare = after
    if holder.maintenance_margin > 0 and before > 0:
        spare -= muldiv_up_jit(before, i64(left), i64(holder.maintenance_margin))
    return i64(min(fee(notional, op.liquidation_fee), max(i64(spare), 0)))


@inlined
def overextended(core: Any, account: int, had: int, equity: int, burnt: int) -> bool:
    """Whether fills that cost more than the exchange's fees (`burnt`) left the account short of its initial margin.

    Then its orders that add risk have no margin: quotes that no taker could hit, while another account has the money.
    `had` and `equity` are its room (margin/fill_check.py) and its equity before. A fill at no loss may raise the
    initial margin too, where a reduce-only order leaves others that open more: no account has gained by it.
    """
    has = room(core, account)
    return bool(has < 0 and has + burnt < had and worth(core, account) + burnt < equity)


@inlined
def list_stale(core: Any) -> None:
    """List the markets without an oracle price, for `holds_stale`; within a segment the list does not change."""
    count = 0
    for market in range(core.counters[MARKETS]):
        if core.markets[market].status == _MARKET_REDUCE_ONLY:
            core.stale[count] = market
            count += 1
    core.counters[STALE] = count


@inlined
def holds_stale(core: Any, account: int, spent: int) -> bool:
    """Whether the account's positions in markets without an oracle price are worth more than a tenth of its room.

    They count at their last mark, against the room (fill_check.py) less what was `spent` of it. Their value is unknown,
    so the account may only cancel and reduce. Below a tenth it may continue to trade: otherwise an attacker who can
    silence a thin market sells each maker ten quote of it first, and all other markets are without makers.
    """
    value = i64(0)
    for n in range(core.counters[STALE]):
        market = core.stale[n]
        value += abs(core.positions[account, market].size) * core.markets[market].mark
    return bool(value > 0 and value > (room(core, account) - spent) // STALE_PART)


@inlined
def _look_ahead(core: Any, slot: int, market: int) -> None:
    """Prefetch the next maker, and the order after it."""
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
def trade(
    core: Any,
    i: int,
    oid: int,
    slot: int,
    size: int,
    px: int,
    maintenance: int,
    maker_fee: int,
    maker_share: int,
    taker_fee: int,
    taker_share: int,
) -> None:
    """Book both sides of one fill at `px`, with the fees of exchange and builder, and write its row."""
    op = core.ops[i]
    order = core.orders[slot]
    market = i64(op.market)
    taker, maker = i64(op.account), i64(order.account)
    direction = 1 - 2 * op.side
    notional = size * px
    whole = core.globals[0]
    row = next_row(core, FILLS, core.fills)
    row.tid = whole.next_tid
    whole.next_tid += 1
    row.taker_start = core.positions[taker, market].size
    row.maker_start = core.positions[maker, market].size

    row.maker_fee = maker_fee
    row.maker_builder_fee = maker_share
    _pay_builder(core, i64(order.builder), maker_share)
    charge = maker_fee + maker_share
    reduce_only = order.reduce_only
    worst = worst_size(core, maker, market)
    row.maker_pnl = change_position(core, maker, market, -direction * size, px, charge, reduce_only)
    update_margins(core, maker, market, maintenance, worst)
    core.accounts[maker].maker_volume = _grown(core.accounts[maker].maker_volume, notional)

    whole.fees += maker_fee
    if op.liquidation != 0:
        whole.insurance += taker_fee
    else:
        whole.fees += taker_fee
    row.taker_fee = taker_fee
    row.taker_builder_fee = taker_share
    _pay_builder(core, i64(op.builder), taker_share)
    charge = taker_fee + taker_share
    row.taker_pnl = change_position(core, taker, market, direction * size, px, charge, op.reduce_only)
    core.accounts[taker].taker_volume = _grown(core.accounts[taker].taker_volume, notional)

    terms = core.markets[market]
    terms.last_px = px
    terms.last_ms = core.counters[NOW]
    terms.volume = _grown(terms.volume, notional)
    terms.base_volume = _grown(terms.base_volume, size)
    _name_fill(row, op, order, i)
    row.px = px
    row.sz = size
    row.taker_oid = oid


@inlined
def _name_fill(row: Any, op: Any, order: Any, i: int) -> None:
    """Write into a row of FILL who traded by which orders."""
    row.maker_oid = order.oid
    row.op = i
    row.market = op.market
    row.taker = op.account
    row.maker = order.account
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
    """The fee ceil(notional * rate / FEE_SCALE): payers round up, so a rebate (a negative rate) rounds down."""
    if notional < _SMALL_NOTIONAL:
        return -((-notional * rate) // FEE_SCALE)
    return muldiv_up_jit(notional, rate, FEE_SCALE)


@inlined
def _grown(volume: int, more: int) -> int:
    """Add to a lifetime volume, which stops at VOLUME_MAX rather than wrap."""
    return i64(min(volume + more, VOLUME_MAX))


@inlined
def _pay_builder(core: Any, builder: int, share: int) -> None:
    """Pay the builder's share, which is on top of the fee, to the builder's account."""
    if share > 0:
        save_account(core, builder)
        core.accounts[builder].cash += share


@inlined
def change_position(
    core: Any, account: int, market: int, change: int, px: int, charge: int, reduce_only: int
) -> int:
    """Book one side of a fill: cash, size, entry, reserved orders; return the profit that was closed."""
    save_account(core, account)
    save_position(core, account, market)
    book_funding(core, account, market)
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
    """The cost of a part of a position, floor(cost * part / whole)."""
    if whole < _SMALL:
        return cost // whole * part + cost % whole * part // whole
    return muldiv_down_jit(cost, part, whole)
