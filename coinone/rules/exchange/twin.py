"""The kernel's twin: the same rules in plain Python, written to be read; property tests hold the two equal.

Chapters: twin_resting.py, the orders that rest; twin_terms.py, the arithmetic; twin_book.py, the things themselves.
It shares no code with the kernel but names of statuses and limits. An account's sums (twin_book.Account) change
by what a position's terms change; twin_terms.sums adds them up afresh, and tests hold that equal too.
"""

from __future__ import annotations

from collections.abc import Iterable

from coinone.base.primitives.limits import OPEN_ORDERS_MAX, PRICE_LEVELS_MAX, VOLUME_MAX
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.tables import MarketStatus, OpKind, Tif
from coinone.rules.exchange.twin_book import (
    Account,
    Fill,
    Market,
    Op,
    Order,
    Result,
    Update,
    row,
)
from coinone.rules.exchange.twin_resting import Resting
from coinone.rules.exchange.twin_terms import (
    BUY,
    SELL,
    adverse,
    beyond_band,
    change_position,
    check_terms,
    fee,
    holds_stale,
    initial_margin,
    maintenance_margin,
    margin_left,
    may_fill,
    only_smaller,
    reserve,
    resting_need,
    room,
    sums,
    update,
    update_initial,
)

# As plain integers: these are compared millions of times.
AGED, REDUCE_ONLY = int(MarketStatus.AGED), int(MarketStatus.REDUCE_ONLY)
IOC, ALO = int(Tif.IOC), int(Tif.ALO)
PLACE = int(OpKind.PLACE)
_TARGETS_CLOID = (int(OpKind.CANCEL_CLOID), int(OpKind.MODIFY_CLOID))
_CANCELS = (int(OpKind.CANCEL), int(OpKind.CANCEL_CLOID))
OPEN, FILLED, CANCELED = int(Status.OPEN), int(Status.FILLED), int(Status.CANCELED)


class Twin(Resting):
    """Markets, accounts and books; `run` executes a segment and returns results, fills and updates."""

    def __init__(self, markets: list[Market], accounts: list[Account]) -> None:
        super().__init__(markets, accounts)
        self.next_oid = self.next_tid = 1
        self.fees = self.insurance = 0
        for account in accounts:
            account.position_value, account.initial_margin, account.maintenance_margin = sums(
                markets, account
            )
            for market, held in zip(markets, account.positions, strict=True):
                held.initial_margin = initial_margin(market, held)
                held.maintenance_margin = maintenance_margin(market, held.size)

    def run(self, ops: Iterable[Op], now: int) -> tuple[list[Result], list[Fill], list[Update]]:
        self.now = now
        self.fills: list[Fill] = []
        self.updates = []
        return [self._execute(i, op) for i, op in enumerate(ops)], self.fills, self.updates

    def set_mark(self, index: int, mark: int) -> None:
        """A new mark: every position in the market is worth something else."""
        market = self.markets[index]
        for account in self.accounts:
            held = account.positions[index]
            account.position_value += held.size * (mark - market.mark)
        market.mark = mark
        for account in self.accounts:
            held = account.positions[index]
            update(account, held, market, maintenance_margin(market, held.size))

    def _execute(self, i: int, op: Op) -> Result:
        """Cancel, or place, or (modify) shrink in place, or place in the stead of the old order."""
        cancels = op.kind in _CANCELS
        wrong = not cancels and check_terms(self.markets, op)
        if wrong:
            return _refused(wrong)
        if op.kind != PLACE:
            target = self._target(op)
            if target is None:
                return _refused(Status.NOT_FOUND if cancels else Status.MODIFY_NOT_FOUND)
            if cancels:
                self.remove(i, target, op.reason or CANCELED)
                return _refused(CANCELED)
            if only_smaller(target, op):
                reserve(target, op.sz - target.left)
                update_initial(target.owner, target.held, target.market)
                target.left = target.size = op.sz
                self.report(i, target, OPEN)
                return row(Result, (target.oid, 0, 0, op.sz, 0, 0, OPEN))
            return self._modify(i, op, target)
        return self._place(i, op, None)

    def _modify(self, i: int, op: Op, old: Order) -> Result:
        """Place as if the old order were gone; it goes if the new one trades or rests, and stays if not."""
        reserve(old, -old.left)
        result = self._place(i, op, old)
        if old.oid in self.orders:
            reserve(old, old.left)
            update_initial(old.owner, old.held, old.market)
        return result

    def _target(self, op: Op) -> Order | None:
        if op.kind in _TARGETS_CLOID:
            order = self.cloids.get((op.account, op.target_hi, op.target_lo))
        else:
            order = self.orders.get(op.oid)
        if order is None or order.op.account != op.account or order.op.market != op.market:
            return None
        return order

    def _place(self, i: int, op: Op, old: Order | None) -> Result:
        market, account = self.markets[op.market], self.accounts[op.account]
        held = account.positions[op.market]
        buys = op.side == BUY
        reducible = -held.size if buys else held.size
        reserved = held.bids if buys else held.asks
        size = op.sz
        if account.locked and not op.liquidation:
            return _refused(Status.LIQUIDATING)
        if op.reduce_only:
            if reducible <= 0:
                return _refused(Status.REDUCE_ONLY)
            size = min(size, reducible)
        reducing = op.reduce_only != 0 or reserved + size <= reducible
        if not reducing:
            if market.status:
                return _refused(Status.AGED_PRICE if market.status == AGED else Status.ONLY_REDUCE)
            if holds_stale(self.markets, account):
                return _refused(Status.HOLDS_STALE)
            if reserved + size - reducible > market.max_sz:
                return _refused(Status.MAX_POSITION)
            if market.max_open_interest and market.open_interest >= market.max_open_interest:
                return _refused(Status.OPEN_INTEREST_CAP)
        if op.tif != IOC and account.order_count - (old is not None) >= OPEN_ORDERS_MAX:
            return _refused(Status.TOO_MANY_ORDERS)
        if op.has_cloid and self.cloids.get((op.account, op.cloid_hi, op.cloid_lo), old) is not old:
            return _refused(Status.DUPLICATE_CLOID)
        other = market.sides[1 - op.side]
        if op.tif == ALO:
            self._clear_beyond_band(i, op, market)
        best = len(other.keys) - (2 if old and other.only_best(old) else 1)
        crosses = best >= 0 and other.keys[best] >= other.sign * op.px
        if crosses and op.tif == ALO:
            bid, ask = market.sides[BUY].best(), market.sides[SELL].best()
            return row(Result, (0, 0, 0, 0, bid, ask, Status.BAD_ALO))
        if op.tif == IOC and not crosses:
            return _refused(Status.IOC_NO_MATCH)
        order = Order(0, op, account, held, market, size, size, self.now, replaces=old)
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
        return self._rest(i, order) or self._end(i, order, Status.BOOK_FULL)

    def _clear_beyond_band(self, i: int, op: Op, market: Market) -> None:
        """Others' orders that no fill could meet, at their loss, do not keep a post-only order out: they go."""
        other = market.sides[1 - op.side]
        while other.keys and other.keys[-1] >= other.sign * op.px:
            maker = next(iter(other.queues[other.keys[-1]].values()))
            losing = beyond_band(market, maker.op.px) and adverse(maker, maker.op.px, 1) > 0
            if not losing or maker.op.account == op.account:
                break
            self.remove(i, maker, Status.BAND_CANCELED)

    def _trade_and_rest(self, i: int, order: Order, slack: int | None) -> Result:
        """Match, then see to what is left. The taker's margins are told at the end: nobody asks before."""
        had = room(order.owner)
        slack, stopped = self._match(i, order, slack)
        extended = slack is None and not order.op.liquidation
        extended = extended and self._check_extension(i, order.owner, had, order.paid)
        if order.left == 0:
            return self._end(i, order, FILLED)
        if stopped:
            return self._end(i, order, stopped)
        if order.op.tif == IOC:
            return self._end(i, order, Status.IOC_CANCELED)
        if extended or (slack is not None and slack < resting_need(order, order.left)):
            return self._end(i, order, Status.MARGIN_CANCELED)
        update(order.owner, order.held, order.market, maintenance_margin(order.market, order.held.size))
        return self._rest(i, order) or self._end(i, order, Status.BOOK_FULL)

    def _check_extension(self, i: int, owner: Account, had: int, burnt: int) -> bool:
        """If fills left their owner short of initial margin, not by the exchange's fees alone, what adds risk goes."""
        short = room(owner) < 0 and room(owner) + burnt < had
        if short:
            self.remove_risk(i, owner)
        return short

    def _end(self, i: int, order: Order, status: int) -> Result:
        """The answer to an order that does not rest: what is left is released; refused if nothing traded."""
        if order.left:
            reserve(order, -order.left)
        update(order.owner, order.held, order.market, maintenance_margin(order.market, order.held.size))
        if order.left == order.size:
            refusals = {
                Status.MARGIN_CANCELED: Status.MARGIN,
                Status.BAND_CANCELED: Status.OUT_OF_BAND,
                Status.IOC_CANCELED: Status.IOC_NO_MATCH,
                Status.RESTRICTED_CANCELED: Status.IOC_NO_MATCH,
            }
            return _refused(refusals.get(Status(status), status))
        self.replace(i, order)
        self.report(i, order, status)
        return row(Result, (order.oid, order.size - order.left, order.notional, 0, 0, 0, FILLED))

    def _match(self, i: int, taker: Order, slack: int | None) -> tuple[int | None, int]:
        """Trade against the best price's oldest order until done; why it stopped early, or 0."""
        op, market = taker.op, taker.market
        other = market.sides[1 - op.side]
        keys, limit = other.keys, other.sign * op.px
        while taker.left and keys and keys[-1] >= limit:
            maker = next(iter(other.queues[keys[-1]].values()))
            size, reason = self._meet(taker, maker)
            if not reason and not op.liquidation and beyond_band(market, maker.op.px):
                if adverse(taker, maker.op.px, 1) > 0:
                    return slack, Status.BAND_CANCELED
                reason = Status.BAND_CANCELED
            if reason == Status.REPLACED:
                self.replace(i, taker)
                continue
            if reason == Status.RESTRICTED_CANCELED:
                return slack, reason
            if reason:
                self.remove(i, maker, reason)
                continue
            change = size if op.side == BUY else -size
            made = self._charges(maker.op, size * maker.op.px, maker.owner.maker_rate)
            if not may_fill(maker, -change, maker.op.px, sum(made)):
                self.remove_side(i, maker)
                continue
            took = self._taker_charges(taker, change, maker.op.px)
            if slack is None:
                fits = op.liquidation != 0 or may_fill(taker, change, maker.op.px, sum(took))
            else:
                slack -= adverse(taker, maker.op.px, size) + sum(took)
                fits = slack >= 0
            if not fits:
                return slack, Status.MARGIN_CANCELED
            had = room(maker.owner)
            self._trade(i, taker, maker, size, made, took)
            if slack is None:
                update(taker.owner, taker.held, market, maintenance_margin(market, taker.held.size))
            if not maker.left:
                self.remove(i, maker, FILLED)
            self._check_extension(i, maker.owner, had, made[0])
        return slack, 0

    def _meet(self, taker: Order, maker: Order) -> tuple[int, int]:
        """How much the maker's order can take by its own terms, or why it is cancelled."""
        owner, market = maker.owner, maker.market
        if owner is taker.owner:
            return 0, Status.REPLACED if maker is taker.replaces else Status.SELF_TRADE_CANCELED
        size = min(taker.left, maker.left)
        reducible = maker.held.size if taker.op.side == BUY else -maker.held.size
        if market.status == REDUCE_ONLY and not maker.op.reduce_only and reducible <= 0:
            return 0, Status.RESTRICTED_CANCELED
        if maker.op.reduce_only or market.status == REDUCE_ONLY or holds_stale(self.markets, owner):
            size = min(size, reducible)
        return (size, 0) if size > 0 else (0, Status.REDUCE_ONLY_CANCELED)

    def _charges(self, op: Op, notional: int, rate: int) -> tuple[int, int]:
        """The exchange's fee and the builder's share of one side; a locked builder earns nothing."""
        pays = op.builder_fee > 0 and not self.accounts[op.builder].locked
        return fee(notional, rate), fee(notional, op.builder_fee) if pays else 0

    def _taker_charges(self, taker: Order, change: int, px: int) -> tuple[int, int]:
        """The same for a taker; a liquidation pays what the fill leaves of its share of the equity, at most."""
        owner, op, notional = taker.owner, taker.op, abs(change) * px
        if not op.liquidation:
            return self._charges(op, notional, owner.taker_rate)
        equity = owner.cash + owner.position_value
        spare = equity + change * (taker.market.mark - px)
        if owner.maintenance_margin and equity > 0:
            left = margin_left(taker, change)
            spare += -equity * left // owner.maintenance_margin  # less the share that must stay, rounded up
        return min(fee(notional, op.liquidation_fee), max(spare, 0)), 0

    def _trade(
        self, i: int, taker: Order, maker: Order, size: int, made: tuple[int, int], took: tuple[int, int]
    ) -> None:
        """One fill: the maker's side, then the taker's, whose fee goes to insurance in a liquidation.

        `made` and `took` are (fee, builder's share)."""
        op, market = taker.op, taker.market
        px = maker.op.px
        change = size if op.side == BUY else -size
        starts = taker.held.size, maker.held.size
        taker.left -= size
        taker.notional += size * px
        taker.paid += took[0]
        maker.left -= size
        maker_pnl = change_position(maker, -change, px, sum(made), self.now)
        update(maker.owner, maker.held, market, maintenance_margin(market, maker.held.size))
        taker_pnl = change_position(taker, change, px, sum(took), self.now)
        maker.owner.maker_volume = min(maker.owner.maker_volume + size * px, VOLUME_MAX)
        taker.owner.taker_volume = min(taker.owner.taker_volume + size * px, VOLUME_MAX)
        self.fees += made[0]
        if op.liquidation:
            self.insurance += took[0]
        else:
            self.fees += took[0]
        for side, share in ((maker.op, made[1]), (op, took[1])):
            if share:
                self.accounts[side.builder].cash += share
        market.last_px, market.last_ms = px, self.now
        market.volume = min(market.volume + size * px, VOLUME_MAX)
        market.base_volume = min(market.base_volume + size, VOLUME_MAX)
        self._tell_fill(i, taker, maker, size, starts, made, took, (taker_pnl, maker_pnl))

    def _tell_fill(
        self,
        i: int,
        taker: Order,
        maker: Order,
        size: int,
        starts: tuple[int, int],
        made: tuple[int, int],
        took: tuple[int, int],
        profits: tuple[int, int],
    ) -> None:
        op, order = taker.op, maker.op
        fields = (
            self.next_tid,
            order.px,
            size,
            taker.oid,
            maker.oid,
            *starts,
            took[0],
            made[0],
            took[1],
            made[1],
        )
        cloids = (op.cloid_hi, op.cloid_lo, order.cloid_hi, order.cloid_lo)
        flags = (
            i,
            op.market,
            op.account,
            order.account,
            op.side,
            op.liquidation,
            op.has_cloid,
            order.has_cloid,
        )
        self.fills.append(row(Fill, (*fields, *profits, *cloids, *flags)))
        self.next_tid += 1

    def _rest(self, i: int, order: Order) -> Result | None:
        """What is left rests in the book; None if its side has too many prices."""
        ladder = order.market.sides[order.op.side]
        if len(ladder.keys) >= PRICE_LEVELS_MAX and ladder.sign * order.op.px not in ladder.queues:
            return None
        self.replace(i, order)
        self.enter(order)
        self.report(i, order, OPEN)
        filled = order.size - order.left
        return row(Result, (order.oid, filled, order.notional, order.left, 0, 0, OPEN))


def _refused(status: int) -> Result:
    return row(Result, (0, 0, 0, 0, 0, 0, status))
