"""The kernel's twin: the same rules in plain Python, written to be read; property tests hold the two equal.

Chapters: twin_resting.py, the orders that rest; twin_terms.py, the arithmetic; twin_book.py, the things themselves.
It shares no code with the kernel but names of statuses and limits. An account's sums (twin_book.Account) change
by what a position's terms change; twin_terms.sums adds them up afresh, and tests hold that equal too.
"""

from __future__ import annotations

from collections.abc import Iterable

from coinone.base.primitives.limits import OPEN_ORDERS_MAX, PRICE_LEVELS_MAX
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
    breaks_maintenance,
    change_position,
    check_terms,
    fee,
    holds_stale,
    initial_margin,
    maintenance_margin,
    only_smaller,
    reserve,
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
        best = len(other.keys) - (2 if old and other.only_best(old) else 1)
        crosses = best >= 0 and other.keys[best] >= other.sign * op.px
        if crosses and op.tif == ALO:
            bid, ask = market.sides[BUY].best(), market.sides[SELL].best()
            return row(Result, (0, 0, 0, 0, bid, ask, Status.BAD_ALO))
        if op.tif == IOC and not crosses:
            return _refused(Status.IOC_NO_MATCH)
        order = Order(0, op, account, held, market, size, size, self.now, 0, old)
        reserve(order, size)
        update_initial(account, held, market)
        slack = self._slack(order, reducing)
        if slack is not None and slack < (0 if crosses else adverse(order, op.px, size)):
            reserve(order, -size)
            update_initial(account, held, market)
            return _refused(Status.MARGIN)
        order.oid, self.next_oid = self.next_oid, self.next_oid + 1
        if crosses:
            return self._trade_and_rest(i, order, slack)
        return self._rest(i, order) or self._end(i, order, Status.BOOK_FULL)

    def _slack(self, order: Order, reducing: bool) -> int | None:
        """What the order may lose against the mark: all over the margin, or for a reducing one the equity."""
        equity = order.owner.cash + order.owner.position_value
        if not reducing:
            return equity - order.owner.initial_margin
        if order.op.liquidation:
            return None
        notional = order.size * max(order.op.px, order.market.mark)
        charge = fee(notional, order.owner.taker_rate + order.op.builder_fee)
        return max(equity - charge, 0)

    def _trade_and_rest(self, i: int, order: Order, slack: int | None) -> Result:
        """Match, then see to what is left. The taker's margins are told at the end: nobody asks before."""
        op = order.op
        slack, stopped = self._match(i, order, slack)
        if order.left == 0:
            return self._end(i, order, FILLED)
        if stopped:
            return self._end(i, order, stopped)
        if op.tif == IOC:
            return self._end(i, order, Status.IOC_CANCELED)
        if slack is not None and slack < adverse(order, op.px, order.left):
            return self._end(i, order, Status.MARGIN_CANCELED)
        update(order.owner, order.held, order.market, maintenance_margin(order.market, order.held.size))
        return self._rest(i, order) or self._end(i, order, Status.BOOK_FULL)

    def _end(self, i: int, order: Order, status: int) -> Result:
        """The answer to an order that does not rest: what is left is released; refused if nothing traded."""
        if order.left:
            reserve(order, -order.left)
        update(order.owner, order.held, order.market, maintenance_margin(order.market, order.held.size))
        if order.left == order.size:
            refusals = {
                Status.MARGIN_CANCELED: Status.MARGIN,
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
        buys = op.side == BUY
        other = market.sides[1 - op.side]
        keys, limit = other.keys, other.sign * op.px
        while taker.left and keys and keys[-1] >= limit:
            maker = next(iter(other.queues[keys[-1]].values()))
            owner = maker.owner
            if owner is taker.owner:
                if maker is taker.replaces:
                    self.replace(i, taker)
                else:
                    self.remove(i, maker, Status.SELF_TRADE_CANCELED)
                continue
            px, size = maker.op.px, min(taker.left, maker.left)
            reducible = maker.held.size if buys else -maker.held.size
            if market.status == REDUCE_ONLY and not maker.op.reduce_only and reducible <= 0:
                return slack, Status.RESTRICTED_CANCELED
            if maker.op.reduce_only or market.status == REDUCE_ONLY or holds_stale(self.markets, owner):
                size = min(size, reducible)
            if size <= 0:
                self.remove(i, maker, Status.REDUCE_ONLY_CANCELED)
                continue
            change = -size if buys else size
            maintenance = maintenance_margin(market, maker.held.size + change)
            if breaks_maintenance(maker, change, maintenance):
                self.remove(i, maker, Status.MARGIN_CANCELED)
                continue
            if slack is not None:
                slack -= adverse(taker, px, size)
                if slack < 0:
                    return slack, Status.MARGIN_CANCELED
            self._trade(i, taker, maker, size, maintenance)
            if not maker.left:
                self.remove(i, maker, FILLED)
        return slack, 0

    def _trade(self, i: int, taker: Order, maker: Order, size: int, maintenance: int) -> None:
        """One fill: the maker's side, then the taker's, whose fee goes to insurance in a liquidation."""
        op, made, market = taker.op, maker.op, taker.market
        buyer, seller = taker.owner, maker.owner
        px = made.px
        notional = size * px
        change = size if op.side == BUY else -size
        maker_start, taker_start = maker.held.size, taker.held.size
        taker.left -= size
        taker.notional += notional
        maker.left -= size
        maker_fee = fee(notional, seller.maker_rate)
        maker_builder_fee = self._pay_builder(made, notional) if made.builder_fee > 0 else 0
        maker_pnl = change_position(maker, -change, px, maker_fee + maker_builder_fee, self.now)
        update(seller, maker.held, market, maintenance)
        seller.maker_volume += notional
        taker_fee = fee(notional, op.liquidation_fee if op.liquidation else buyer.taker_rate)
        self.fees += maker_fee
        if op.liquidation:
            self.insurance += taker_fee
        else:
            self.fees += taker_fee
        taker_builder_fee = self._pay_builder(op, notional) if op.builder_fee > 0 else 0
        taker_pnl = change_position(taker, change, px, taker_fee + taker_builder_fee, self.now)
        buyer.taker_volume += notional
        market.last_px, market.last_ms = px, self.now
        market.volume += notional
        market.base_volume += size
        self.fills.append(
            row(
                Fill,
                (
                    self.next_tid,
                    px,
                    size,
                    taker.oid,
                    maker.oid,
                    taker_start,
                    maker_start,
                    taker_fee,
                    maker_fee,
                    taker_builder_fee,
                    maker_builder_fee,
                    taker_pnl,
                    maker_pnl,
                    op.cloid_hi,
                    op.cloid_lo,
                    made.cloid_hi,
                    made.cloid_lo,
                    i,
                    op.market,
                    op.account,
                    made.account,
                    op.side,
                    op.liquidation,
                    op.has_cloid,
                    made.has_cloid,
                ),
            )
        )
        self.next_tid += 1

    def _pay_builder(self, op: Op, notional: int) -> int:
        share = fee(notional, op.builder_fee)
        self.accounts[op.builder].cash += share
        return share

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
