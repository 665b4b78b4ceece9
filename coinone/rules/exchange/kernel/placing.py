"""Kernel, part one: placing a new order, from the checks on entry to its rest in the book.

Initial margin on entry: the account's equity must cover its initial margin with this order reserved. The excess is the
order's *slack*: what it may still lose by trading, or resting, at prices worse than the mark, and by fees. An order
that can only reduce the position (reduce-only, or opposite to it and, with the open orders of its side, no larger)
needs no margin: each of its fills is checked when it happens (margin/fill_check.py), and what would rest must be a fill
that its owner could bear now.

A modify places its new order as if the old one were gone. The old one is removed when the new one trades or rests; if
that is refused, the old one stays as it is, with its place in the queue.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.parameters import OPEN_ORDERS_MAX, OWN_ORDERS_AT_PRICE_MAX
from coinone.rules.exchange.book.book import link
from coinone.rules.exchange.book.indexes import find_cloid
from coinone.rules.exchange.book.ladders import key_of, ladder_of, level_of
from coinone.rules.exchange.book.own_orders import owns_at_level
from coinone.rules.exchange.kernel.cancelling import dismiss, release, remove_risk, report_order
from coinone.rules.exchange.kernel.crossing import clear_beyond_band, rests_over, would_cross
from coinone.rules.exchange.kernel.full_side import has_room, least_notional, make_room
from coinone.rules.exchange.kernel.matching import fee, holds_stale, match, overextended
from coinone.rules.exchange.kernel.reducing import reducible, reducing_room, too_many_reducing, trim
from coinone.rules.exchange.margin.fill_check import may_fill, worth
from coinone.rules.exchange.margin.holders import keep_holder
from coinone.rules.exchange.margin.sums import initial_margin, maintenance_margin, update_margins
from coinone.rules.exchange.rows.arrays import FREE_ORDERS, NOW, UPDATES, i64, inlined, next_row, part
from coinone.rules.exchange.rows.journal import (
    save_account,
    save_blank_order,
    save_globals,
    save_market,
    save_position,
)
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED, MarketStatus, Tif

_OPEN, _FILLED, _REPLACED = int(Status.OPEN), int(Status.FILLED), int(Status.REPLACED)
_IOC_CANCELED, _MARGIN_CANCELED = int(Status.IOC_CANCELED), int(Status.MARGIN_CANCELED)
_ONLY_REDUCE = int(Status.ONLY_REDUCE)
_MIN_NOTIONAL, _OUT_OF_BAND = int(Status.MIN_NOTIONAL), int(Status.OUT_OF_BAND)
_REDUCE_ONLY, _MARGIN, _BAD_ALO = int(Status.REDUCE_ONLY), int(Status.MARGIN), int(Status.BAD_ALO)
_BAND_CANCELED, _LIQUIDATING = int(Status.BAND_CANCELED), int(Status.LIQUIDATING)
_SOLVENT = int(Status.SOLVENT)
_IOC_NO_MATCH, _MAX_POSITION = int(Status.IOC_NO_MATCH), int(Status.MAX_POSITION)
_OPEN_INTEREST_CAP, _TOO_MANY = int(Status.OPEN_INTEREST_CAP), int(Status.TOO_MANY_ORDERS)
_DUPLICATE_CLOID, _BOOK_FULL = int(Status.DUPLICATE_CLOID), int(Status.BOOK_FULL)
_AGED_PRICE, _HOLDS_STALE = int(Status.AGED_PRICE), int(Status.HOLDS_STALE)
_TOO_MANY_AT_PRICE, _TOO_MANY_REDUCING = int(Status.TOO_MANY_AT_PRICE), int(Status.TOO_MANY_REDUCING)
_CROWDED, _REDUCE_ONLY_CANCELED = int(Status.CROWDED), int(Status.REDUCE_ONLY_CANCELED)
_RESTRICTED_CANCELED = int(Status.RESTRICTED_CANCELED)
_MARKET_AGED = int(MarketStatus.AGED)
_IOC, _ALO = int(Tif.IOC), int(Tif.ALO)


@part
def place(core: Any, i: int, old: int, result: Any) -> int:
    """Place op `i`, whose terms are valid, replacing the order in slot `old` (-1: none); fill in its result."""
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    holder = core.accounts[account]
    held = core.positions[account, market]
    direction = 1 - 2 * op.side
    most = -direction * held.size  # what can be reduced
    bids, asks = held.bid_size, held.ask_size
    if old >= 0 and core.orders[old].reduce_only == 0:
        bids -= core.orders[old].sz * (1 - core.orders[old].side)
        asks -= core.orders[old].sz * core.orders[old].side
    reserved = bids + (asks - bids) * op.side  # of its side; a branch would be mispredicted half of the time
    size = op.sz
    status = _check_liquidation(core, i)
    if status != 0:
        return status
    if op.reduce_only != 0:
        if most <= 0:
            return _REDUCE_ONLY
        size = min(size, most)
    reducing = op.reduce_only != 0 or reserved + size <= most
    if not reducing:
        status = _check_risk(core, account, market, reserved + size + max(-most, 0))
    if status == 0:
        status = _check_count(core, i, old)
    if status != 0:
        return status
    other = ladder_of(market, 1 - op.side)
    if op.tif == _ALO:
        clear_beyond_band(core, i, other)
    crosses = would_cross(core, i, other, old)
    if op.tif == _ALO and crosses:
        if not rests_over(core, i):
            _quote(core, market, result)
            return _BAD_ALO
        crosses = False
    if op.tif == _IOC and not crosses:
        return _IOC_NO_MATCH
    if op.reduce_only != 0 and op.liquidation == 0:
        status = _check_reducing(core, i, old, size, crosses)
        if status != 0:
            return status
        if not crosses:
            size = min(size, reducing_room(core, account, market, op.side, old))

    initial = i64(held.initial_margin)
    if op.reduce_only == 0:
        bids += size * (1 - op.side)
        asks += size * op.side
    if op.reduce_only == 0 or old >= 0:
        initial = initial_margin(core, market, held.size, bids, asks, held.leverage)
    needed = holder.initial_margin - held.initial_margin + initial
    slack = i64(holder.cash + holder.position_value - needed)
    if not reducing and (slack < 0 if crosses else _falls_short(core, i, size, slack)):
        return _MARGIN

    _reserve(core, i, size, initial, needed)
    return _enter(core, i, old, size, slack, reducing, crosses, result)


@inlined
def _reserve(core: Any, i: int, size: int, initial: int, needed: int) -> None:
    """Save what the order may change and, unless it is reduce-only, reserve margin for `size` of it.

    `initial` is the initial margin of its market, `needed` that of the whole account.
    """
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    save_globals(core)
    save_market(core, market)
    save_account(core, account)
    if op.reduce_only == 0:
        save_position(core, account, market)
        held = core.positions[account, market]
        held.bid_size += size * (1 - op.side)
        held.ask_size += size * op.side
        held.initial_margin = initial
        core.accounts[account].initial_margin = needed
        keep_holder(core, account, market)


@inlined
def _check_liquidation(core: Any, i: int) -> int:
    """Allow only liquidation orders for a locked account, and none for one that can carry its positions."""
    op = core.ops[i]
    holder = core.accounts[i64(op.account)]
    if holder.flags & ACCOUNT_LOCKED != 0:
        return _LIQUIDATING if op.liquidation == 0 else 0
    if op.liquidation != 0 and holder.cash + holder.position_value >= holder.maintenance_margin:
        return _SOLVENT
    return 0


@inlined
def _falls_short(core: Any, i: int, size: int, slack: int) -> bool:
    """Whether `slack` is less than what `size` of the order may cost at rest: the loss against the mark, and the
    fees."""
    op = core.ops[i]
    market, value = i64(op.market), op.px * size
    left = slack - max((1 - 2 * op.side) * (op.px - core.markets[market].mark), 0) * size
    if left >= value:  # no fee exceeds the value
        return False
    return bool(left < max(fee(value, core.accounts[i64(op.account)].maker_rate + op.builder_fee), 0))


@part
def _may_rest(core: Any, i: int, size: int) -> bool:
    """Whether the owner could bear `size` of a reducing order, now, at its own price; otherwise no taker could hit
    it."""
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    change = (1 - 2 * op.side) * size
    charge = max(fee(op.px * size, core.accounts[account].maker_rate + op.builder_fee), 0)
    required = maintenance_margin(core, market, core.positions[account, market].size + change)
    return bool(may_fill(core, account, market, change, op.px, charge, required))


@inlined
def _check_risk(core: Any, account: int, market: int, position: int) -> int:
    """Check that the account may take new risk, up to a position of this size; 0 if it may.

    What reduces counts as well: the position may be closed by a reduce-only order first.
    """
    terms = core.markets[market]
    if terms.status != 0:
        return _AGED_PRICE if terms.status == _MARKET_AGED else _ONLY_REDUCE
    if holds_stale(core, account, 0):
        return _HOLDS_STALE
    if position > terms.max_sz:
        return _MAX_POSITION
    if terms.max_open_interest > 0 and terms.open_interest >= terms.max_open_interest:
        return _OPEN_INTEREST_CAP
    return 0


@part
def _check_reducing(core: Any, i: int, old: int, size: int, crosses: bool) -> int:
    """Check that this reduce-only order of `size` may enter: the whole position or the minimum, and room for it."""
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    if not crosses:
        size = min(size, reducing_room(core, account, market, op.side, old))
        if size <= 0:
            return _REDUCE_ONLY
    whole = size == reducible(core, account, market, op.side)
    if not whole and op.px * size < core.markets[market].min_notional:
        return _MIN_NOTIONAL
    return _TOO_MANY_REDUCING if op.tif != _IOC and too_many_reducing(core, account, market, old) else 0


@inlined
def _check_count(core: Any, i: int, old: int) -> int:
    """Check that the account may have one more order, by this cloid, once that in slot `old` is gone; 0 if it may."""
    op = core.ops[i]
    account = i64(op.account)
    if op.tif != _IOC and core.accounts[account].order_count - i64(old >= 0) >= OPEN_ORDERS_MAX:
        return _TOO_MANY
    if op.tif != _IOC and core.accounts[account].order_count >= OWN_ORDERS_AT_PRICE_MAX:
        level = level_of(core, ladder_of(op.market, op.side), key_of(op.side, op.px))
        if owns_at_level(core, account, level, old, OWN_ORDERS_AT_PRICE_MAX):
            return _TOO_MANY_AT_PRICE
    if op.has_cloid != 0:
        same = find_cloid(core, account, op.cloid_hi, op.cloid_lo)
        if same >= 0 and same != old:
            return _DUPLICATE_CLOID
    return 0


@part
def _quote(core: Any, market: int, result: Any) -> None:
    """Report the best prices to the owner of a refused post-only order."""
    bids, asks = ladder_of(market, 0), ladder_of(market, 1)
    if core.ladder_counts[bids] > 0:
        result.bid = core.ladder_keys[bids, core.ladder_counts[bids] - 1]
    if core.ladder_counts[asks] > 0:
        result.ask = -core.ladder_keys[asks, core.ladder_counts[asks] - 1]


@inlined
def _enter(
    core: Any, i: int, old: int, size: int, slack: int, reducing: bool, crosses: bool, result: Any
) -> int:
    """Match the order, decide on the rest and on the order replaced, and return the status.

    The running margins of an account that trades or replaces are updated once, at the end: nothing reads them before.
    """
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    oid = core.globals[0].next_oid
    core.globals[0].next_oid = oid + 1
    left = size
    paid = notional = i64(0)
    stopped = 0
    had, equity = slack, worth(core, account)  # the slack does not count the order in slot `old`
    if crosses:
        left, slack, paid, notional, stopped = match(core, i, old, oid, size, slack, reducing)
    filled = size - left
    if filled > 0:
        _replace(core, i, old)  # first, for its margin is not the new order's
    extended = (
        filled > 0 and reducing and op.liquidation == 0 and overextended(core, account, had, equity, paid)
    )
    if extended:
        remove_risk(core, account, i, _MARGIN_CANCELED)
    status = stopped
    if left == 0:
        status = _FILLED
    elif stopped == 0:
        short = crosses and not reducing and op.tif != _IOC and _falls_short(core, i, left, slack)
        status = _check_rest(core, i, left, reducing, extended or short)
    if filled > 0:
        trim(core, account, market, i)
    if status == _OPEN and op.reduce_only != 0:
        free = reducing_room(core, account, market, op.side, old)
        if free < left and (free == 0 or op.px * free < core.markets[market].min_notional):
            status = _REDUCE_ONLY_CANCELED
        else:
            left = min(left, free)
    if status == _OPEN:
        _replace(core, i, old)
        make_room(core, ladder_of(market, op.side), key_of(op.side, op.px), i)
        _rest(core, i, oid, filled + left, left)
    if status != _OPEN:
        _release(core, i, left)
    if crosses or old >= 0:
        held = core.positions[account, market]
        update_margins(core, account, market, maintenance_margin(core, market, held.size), -1)
    result.filled_sz = filled
    result.filled_notional = notional
    if status == _OPEN:
        result.oid = oid
        result.resting_sz = left
        return _OPEN
    if filled == 0:
        return _rejection(status)
    result.oid = oid
    _report_taker(core, i, oid, size, left, status)
    return _FILLED


@inlined
def _check_rest(core: Any, i: int, left: int, reducing: bool, short: bool) -> int:
    """Check that `left` of the order may rest: OPEN, or why it may not. `short`: its owner lacks the margin for it."""
    op = core.ops[i]
    if op.tif == _IOC:
        return _IOC_CANCELED
    if short or (reducing and not _may_rest(core, i, left)):
        return _MARGIN_CANCELED
    ladder = ladder_of(i64(op.market), op.side)
    if op.px * left < least_notional(core, i64(op.market), ladder):
        return _CROWDED
    return _OPEN if has_room(core, ladder, key_of(op.side, op.px)) else _BOOK_FULL


@inlined
def _replace(core: Any, i: int, old: int) -> None:
    """Remove the order in slot `old`, replaced by op `i`, if there is one and it still rests."""
    if old >= 0 and core.orders[old].oid != 0:
        dismiss(core, old, i, _REPLACED)


@inlined
def _release(core: Any, i: int, left: int) -> None:
    """Release what op `i` had reserved for `left`."""
    op = core.ops[i]
    if left > 0:
        release(core, i64(op.account), i64(op.market), op.side, left, op.reduce_only)


@inlined
def _rejection(status: int) -> int:
    """The refusal that is returned for an order that ended without a trade."""
    if status == _MARGIN_CANCELED:
        return _MARGIN
    if status == _BAND_CANCELED:
        return _OUT_OF_BAND
    if status in (_IOC_CANCELED, _RESTRICTED_CANCELED):
        return _IOC_NO_MATCH
    return _REDUCE_ONLY if status == _REDUCE_ONLY_CANCELED else status


@inlined
def _rest(core: Any, i: int, oid: int, size: int, left: int) -> None:
    op = core.ops[i]
    slot = i64(core.free_orders[core.counters[FREE_ORDERS] - 1])
    save_blank_order(core, slot)
    order = core.orders[slot]
    order.oid = oid
    order.px = op.px
    order.sz = left
    order.orig_sz = size
    order.cloid_hi = op.cloid_hi
    order.cloid_lo = op.cloid_lo
    order.time_ms = core.counters[NOW]
    order.account = op.account
    order.builder = op.builder
    order.builder_fee = op.builder_fee
    order.market = op.market
    order.side = op.side
    order.tif = op.tif
    order.reduce_only = op.reduce_only
    order.has_cloid = op.has_cloid
    link(core, slot)
    core.counters[FREE_ORDERS] -= 1
    core.accounts[i64(op.account)].order_count += 1
    core.markets[i64(op.market)].order_count += 1
    report_order(core, slot, i, _OPEN)


@inlined
def _report_taker(core: Any, i: int, oid: int, size: int, left: int, status: int) -> None:
    """Append an update for an order that traded and ended without having rested."""
    op = core.ops[i]
    row = next_row(core, UPDATES, core.updates)
    row.oid = oid
    row.px = op.px
    row.sz = left
    row.orig_sz = size
    row.cloid_hi = op.cloid_hi
    row.cloid_lo = op.cloid_lo
    row.time_ms = core.counters[NOW]
    row.op = i
    row.account = op.account
    row.market = op.market
    row.status = status
    row.side = op.side
    row.tif = op.tif
    row.reduce_only = op.reduce_only
    row.has_cloid = op.has_cloid
