"""The kernel's twin: the same rules in plain Python, written to be read; property tests compare the two.

Files: meeting.py, how orders trade; passing.py, which post-only ones rest over others, and how they trade; resting.py,
resting orders; terms.py, the arithmetic; book.py, the objects.

It shares no code with the kernel except names of statuses and limits. An account's sums (TwinAccount in book.py) change
with the terms of a position; terms.sums adds them up from scratch, and tests compare these too.
"""

from __future__ import annotations

from collections.abc import Iterable

from coinone.base.primitives.parameters import (
    OPEN_ORDERS_MAX,
    OWN_ORDERS_AT_PRICE_MAX,
    REDUCE_ONLY_ORDERS_MAX,
)
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import MarketStatus, OpKind, Tif
from coinone.rules.exchange.twin.book import (
    Op,
    Result,
    TwinAccount,
    TwinFill,
    TwinMarket,
    TwinOrder,
    TwinUpdate,
    row,
)
from coinone.rules.exchange.twin.meeting import FILLED
from coinone.rules.exchange.twin.passing import PLACE, Passing, rests_over
from coinone.rules.exchange.twin.resting import OPEN
from coinone.rules.exchange.twin.terms import (
    BUY,
    SELL,
    adverse,
    beyond_band,
    check_terms,
    holds_stale,
    initial_margin,
    maintenance_margin,
    may_rest,
    only_smaller,
    reserve,
    resting_need,
    room,
    stale_markets,
    sums,
    update,
    update_initial,
    worth,
)

# Plain integers: these are compared millions of times.
AGED = int(MarketStatus.AGED)
IOC, ALO = int(Tif.IOC), int(Tif.ALO)
TRIM, MEET = int(OpKind.TRIM), int(OpKind.MEET)
_CANCELS = (int(OpKind.CANCEL), int(OpKind.CANCEL_CLOID))
CANCELED = int(Status.CANCELED)


class Twin(Passing):
    """Markets, accounts and books; `run` executes a segment and returns results, fills and updates."""

    def __init__(self, markets: list[TwinMarket], accounts: list[TwinAccount]) -> None:
        super().__init__(markets, accounts)
        self.next_oid = 1
        for account in accounts:
            account.position_value, account.initial_margin, account.maintenance_margin = sums(
                markets, account
            )
            for market, held in zip(markets, account.positions, strict=True):
                held.initial_margin = initial_margin(market, held)
                held.maintenance_margin = maintenance_margin(market, held.size)

    def run(self, ops: Iterable[Op], now: int) -> tuple[list[Result], list[TwinFill], list[TwinUpdate]]:
        self.now = now
        self.stale = stale_markets(self.markets)
        self.fills = []
        self.updates = []
        return [self._execute(i, op) for i, op in enumerate(ops)], self.fills, self.updates

    def set_mark(self, index: int, mark: int) -> None:
        """Set a new mark and revalue every position in the market."""
        market = self.markets[index]
        for account in self.accounts:
            held = account.positions[index]
            account.position_value += held.size * (mark - market.mark)
        market.mark = mark
        self.set_distance(index, market.below, market.above)

    def set_distance(self, index: int, below: int, above: int) -> None:
        """Set a new distance and update the margins of every position in the market."""
        market = self.markets[index]
        market.below, market.above = below, above
        for account in self.accounts:
            held = account.positions[index]
            update(account, held, market, maintenance_margin(market, held.size))

    def _execute(self, i: int, op: Op) -> Result:
        """Execute one operation: cancels remove; modifies shrink in place or replace the old order."""
        if op.kind == TRIM:
            if not 0 <= op.market < len(self.markets):
                return _refused(Status.BAD_MARKET)
            self.trim(i, self.accounts[op.account].positions[op.market])
            return _refused(CANCELED)
        if op.kind == MEET:
            return self.meet(i, self.markets[op.market], op.middle)
        cancels = op.kind in _CANCELS
        wrong = not cancels and check_terms(self.markets, op)
        if wrong:
            return _refused(wrong)
        if op.kind != PLACE:
            target = self.target(op)
            if target is None:
                return _refused(Status.NOT_FOUND if cancels else Status.MODIFY_NOT_FOUND)
            if cancels:
                self.remove(i, target, op.reason or CANCELED)
                return _refused(CANCELED)
            if only_smaller(target, op):
                if op.reduce_only and op.px * op.sz < target.market.min_notional:
                    return _refused(Status.MIN_NOTIONAL)
                if op.px * op.sz < self.least_notional(target.market, target.market.sides[op.side]):
                    return _refused(Status.CROWDED)
                reserve(target, op.sz - target.left)
                update_initial(target.owner, target.held, target.market)
                target.size -= target.left - op.sz
                target.left = op.sz
                self.report(i, target, OPEN)
                return row(Result, (target.oid, 0, 0, op.sz, 0, 0, OPEN))
            return self._modify(i, op, target)
        return self._place(i, op, None)

    def _modify(self, i: int, op: Op, old: TwinOrder) -> Result:
        """Place as if the old order were gone; it is removed if the new one trades or rests, and stays if not."""
        reserve(old, -old.left)
        result = self._place(i, op, old)
        if old.oid in self.orders:
            reserve(old, old.left)
            update_initial(old.owner, old.held, old.market)
        return result

    def _place(self, i: int, op: Op, old: TwinOrder | None) -> Result:
        market, account = self.markets[op.market], self.accounts[op.account]
        held = account.positions[op.market]
        buys = op.side == BUY
        reducible = -held.size if buys else held.size
        reserved = held.bids if buys else held.asks
        size = op.sz
        wrong = _check_liquidation(op, account)
        if wrong:
            return _refused(wrong)
        if op.reduce_only:
            if reducible <= 0:
                return _refused(Status.REDUCE_ONLY)
            size = min(size, reducible)
        reducing = op.reduce_only != 0 or reserved + size <= reducible
        if not reducing:
            wrong = self._check_risk(account, market, reserved + size + max(-reducible, 0))
        wrong = wrong or self._check_count(op, account, market, old)
        if wrong:
            return _refused(wrong)
        other = market.sides[1 - op.side]
        if op.tif == ALO:
            self._clear_beyond_band(i, op, market)
        best = len(other.keys) - (2 if old and other.only_best(old) else 1)
        crosses = best >= 0 and other.keys[best] >= other.sign * op.px
        if op.tif == ALO and rests_over(op, market):
            crosses = False
        if crosses and op.tif == ALO:
            bid, ask = market.sides[BUY].best(), market.sides[SELL].best()
            return row(Result, (0, 0, 0, 0, bid, ask, Status.BAD_ALO))
        if op.tif == IOC and not crosses:
            return _refused(Status.IOC_NO_MATCH)
        if op.reduce_only and not op.liquidation:
            others = self.reducing(held, old)
            if not crosses:
                size = min(size, reducible - sum(other.left for other in others))
            wrong = self._check_reducing(op, size, reducible, len(others) + 1)
            if wrong:
                return _refused(wrong)
        order = TwinOrder(0, op, account, held, market, size, size, self.now, replaces=old)
        reserve(order, size)
        update_initial(account, held, market)
        slack = None if reducing else account.cash + account.position_value - account.initial_margin
        if slack is not None and slack < (0 if crosses else resting_need(order, size)):
            reserve(order, -size)
            update_initial(account, held, market)
            return _refused(Status.MARGIN)
        order.oid, self.next_oid = self.next_oid, self.next_oid + 1
        if crosses:
            return self._trade_and_rest(i, order, slack)
        return self._rest(i, order, slack)

    def _check_risk(self, account: TwinAccount, market: TwinMarket, position: int) -> int:
        """Check that the account may take new risk, up to a position of this size; 0 if it may."""
        if market.status:
            return Status.AGED_PRICE if market.status == AGED else Status.ONLY_REDUCE
        if holds_stale(self.stale, account):
            return Status.HOLDS_STALE
        if position > market.max_sz:
            return Status.MAX_POSITION
        if market.max_open_interest and market.open_interest >= market.max_open_interest:
            return Status.OPEN_INTEREST_CAP
        return 0

    def _check_count(self, op: Op, account: TwinAccount, market: TwinMarket, old: TwinOrder | None) -> int:
        """Check that the account may have one more order, by this cloid, once `old` is gone; 0 if it may."""
        if op.tif != IOC and account.order_count - (old is not None) >= OPEN_ORDERS_MAX:
            return Status.TOO_MANY_ORDERS
        if op.tif != IOC and self._stacks(op, account, market, old):
            return Status.TOO_MANY_AT_PRICE
        if op.has_cloid and self.cloids.get((op.account, op.cloid_hi, op.cloid_lo), old) is not old:
            return Status.DUPLICATE_CLOID
        return 0

    def _stacks(self, op: Op, account: TwinAccount, market: TwinMarket, old: TwinOrder | None) -> bool:
        """Whether the account has as many orders at this price as it may have."""
        ladder = market.sides[op.side]
        if account.order_count < OWN_ORDERS_AT_PRICE_MAX:
            return False
        queue = ladder.queues.get(ladder.sign * op.px, {})
        own = [order for order in queue.values() if order.owner is account and order is not old]
        return len(own) >= OWN_ORDERS_AT_PRICE_MAX

    def _check_reducing(self, op: Op, size: int, whole: int, count: int) -> int:
        """Check this reduce-only order of `size` as one of `count`: worth the minimum, or the whole position."""
        market = self.markets[op.market]
        if size <= 0:
            return Status.REDUCE_ONLY
        if size < whole and op.px * size < market.min_notional:
            return Status.MIN_NOTIONAL
        worth = whole * market.mark
        many = count > REDUCE_ONLY_ORDERS_MAX or (count > 1 and count * market.min_notional > worth)
        return Status.TOO_MANY_REDUCING if many and op.tif != IOC else Status.NONE

    def _clear_beyond_band(self, i: int, op: Op, market: TwinMarket) -> None:
        """Remove others' orders that no fill could meet, at their owners' loss: they must not keep a post-only order
        out."""
        other = market.sides[1 - op.side]
        while other.keys and other.keys[-1] >= other.sign * op.px:
            maker = next(iter(other.queues[other.keys[-1]].values()))
            losing = beyond_band(market, maker.op.px) and adverse(maker, maker.op.px, 1) > 0
            if not losing or maker.op.account == op.account:
                break
            self.remove(i, maker, Status.BAND_CANCELED)

    def _trade_and_rest(self, i: int, order: TwinOrder, slack: int | None) -> Result:
        """Match, then decide on what is left. The taker's margins are updated at the end: nothing reads them before."""
        had, equity = room(order.owner), worth(order.owner)
        slack, stopped = self.match(i, order, slack)
        traded = order.left < order.size
        if traded:
            self.replace(i, order)  # first, for its margin is not the new order's
        extended = traded and slack is None and not order.op.liquidation
        extended = extended and self.check_extension(i, order.owner, had, equity, order.paid)
        if order.left == 0:
            return self._end(i, order, FILLED)
        if stopped:
            return self._end(i, order, stopped)
        if order.op.tif == IOC:
            return self._end(i, order, Status.IOC_CANCELED)
        if extended or (slack is not None and slack < resting_need(order, order.left)):
            return self._end(i, order, Status.MARGIN_CANCELED)
        update(order.owner, order.held, order.market, maintenance_margin(order.market, order.held.size))
        return self._rest(i, order, slack)

    def _end(self, i: int, order: TwinOrder, status: int) -> Result:
        """The result of an order that does not rest: what is left is released; refused if nothing traded."""
        if order.left:
            reserve(order, -order.left)
        update(order.owner, order.held, order.market, maintenance_margin(order.market, order.held.size))
        if order.left == order.size:
            refusals = {
                Status.MARGIN_CANCELED: Status.MARGIN,
                Status.BAND_CANCELED: Status.OUT_OF_BAND,
                Status.IOC_CANCELED: Status.IOC_NO_MATCH,
                Status.RESTRICTED_CANCELED: Status.IOC_NO_MATCH,
                Status.REDUCE_ONLY_CANCELED: Status.REDUCE_ONLY,
            }
            return _refused(refusals.get(Status(status), status))
        self.replace(i, order)
        self.trim(i, order.held)
        self.report(i, order, status)
        return row(Result, (order.oid, order.size - order.left, order.notional, 0, 0, 0, FILLED))

    def _rest(self, i: int, order: TwinOrder, slack: int | None) -> Result:
        """Rest what is left in the book, if its side has room and, for reduce-only, the position; else end the order.

        A reducing order that its owner could not bear now at its own price ends too: no taker could hit it.
        """
        op, market = order.op, order.market
        if slack is None and not may_rest(order):
            return self._end(i, order, Status.MARGIN_CANCELED)
        ladder = market.sides[op.side]
        if op.px * order.left < self.least_notional(market, ladder):
            return self._end(i, order, Status.CROWDED)
        if not self.has_room(ladder, op.px):
            return self._end(i, order, Status.BOOK_FULL)
        filled = order.size - order.left
        if filled:
            self.replace(i, order)
            self.trim(i, order.held)
        if op.reduce_only:
            others = sum(other.left for other in self.reducing(order.held, order.replaces))
            free = (-order.held.size if op.side == BUY else order.held.size) - others
            if free < order.left and (free == 0 or op.px * free < market.min_notional):
                return self._end(i, order, Status.REDUCE_ONLY_CANCELED)
            order.left = min(order.left, free)
            order.size = filled + order.left
        self.replace(i, order)
        self.make_room(i, ladder, op.px)
        self.enter(order)
        self.report(i, order, OPEN)
        return row(Result, (order.oid, filled, order.notional, order.left, 0, 0, OPEN))


def _check_liquidation(op: Op, account: TwinAccount) -> int:
    """Allow only liquidation orders for a locked account, and none for one that can carry its positions."""
    if account.locked:
        return 0 if op.liquidation else Status.LIQUIDATING
    if op.liquidation and account.cash + account.position_value >= account.maintenance_margin:
        return Status.SOLVENT
    return 0


def _refused(status: int) -> Result:
    return row(Result, (0, 0, 0, 0, 0, 0, status))
