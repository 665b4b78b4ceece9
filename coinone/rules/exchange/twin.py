"""The kernel's twin: the same rules in plain Python, written to be read; property tests hold the two equal.

It shares no code with the kernel but names of statuses and limits. Nothing is kept running: an account's
equity and margins are added up afresh each time they matter.
"""

from __future__ import annotations

from collections.abc import Iterable

from coinone.base.primitives.integers import muldiv_up
from coinone.base.primitives.limits import OPEN_ORDERS_MAX, PRICE_LEVELS_MAX
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.tables import FEE_SCALE, MarketStatus, OpKind, Side, Tif
from coinone.rules.exchange.twin_book import (
    Account,
    Fill,
    Ladder,
    Market,
    Op,
    Order,
    Result,
    Update,
)
from coinone.rules.exchange.twin_terms import check_terms, closed_cost, initial_margin, maintenance_margin

BUY, SELL = Side.BUY, Side.SELL
ONLY_REDUCE = MarketStatus.REDUCE_ONLY
_TARGETS_CLOID = (OpKind.CANCEL_CLOID, OpKind.MODIFY_CLOID)
_CANCELS = (OpKind.CANCEL, OpKind.CANCEL_CLOID)


class Twin:
    """Markets, accounts and books; `run` executes a segment and returns results, fills and updates."""

    def __init__(self, markets: list[Market], accounts: list[Account]) -> None:
        self.markets, self.accounts = markets, accounts
        self.orders: dict[int, Order] = {}
        self.cloids: dict[tuple[int, int, int], Order] = {}
        self.next_oid = self.next_tid = 1
        self.fees = self.insurance = 0

    def run(self, ops: Iterable[Op], now: int) -> tuple[list[Result], list[Fill], list[Update]]:
        self.now = now
        self.fills: list[Fill] = []
        self.updates: list[Update] = []
        return [self._execute(i, op) for i, op in enumerate(ops)], self.fills, self.updates

    def equity(self, account: Account) -> int:
        worth = account.cash
        for held, market in zip(account.positions, self.markets, strict=True):
            worth += held.size * market.mark
        return worth

    def initial_margin(self, account: Account) -> int:
        margin = 0
        for held, market in zip(account.positions, self.markets, strict=True):
            if held.size or held.bids or held.asks:
                margin += initial_margin(market, held)
        return margin

    def maintenance_margin(self, account: Account) -> int:
        margin = 0
        for held, market in zip(account.positions, self.markets, strict=True):
            if held.size:
                margin += maintenance_margin(market, held.size)
        return margin

    def _execute(self, i: int, op: Op) -> Result:
        """Cancel, or place, or (modify) shrink in place, or cancel and place."""
        cancels = op.kind in _CANCELS
        wrong = Status.NONE if cancels else check_terms(self.markets, op)
        if wrong:
            return _refused(wrong)
        if op.kind != OpKind.PLACE:
            target = self._target(op)
            if target is None:
                return _refused(Status.NOT_FOUND if cancels else Status.MODIFY_NOT_FOUND)
            if cancels:
                self._remove(i, target, op.reason or Status.CANCELED)
                return _refused(Status.CANCELED)
            if _only_smaller(target, op):
                self._release(target, target.left - op.sz)
                target.left = target.size = op.sz
                self._report(i, target, Status.OPEN)
                return Result(target.oid, 0, 0, op.sz, 0, 0, Status.OPEN)
            self._remove(i, target, Status.REPLACED)
        return self._place(i, op)

    def _target(self, op: Op) -> Order | None:
        if op.kind in _TARGETS_CLOID:
            order = self.cloids.get((op.account, op.target_hi, op.target_lo))
        else:
            order = self.orders.get(op.oid)
        if order is None or order.op.account != op.account or order.op.market != op.market:
            return None
        return order

    def _place(self, i: int, op: Op) -> Result:
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
        reducing = op.reduce_only or reserved + size <= reducible
        if not reducing:
            if market.status == ONLY_REDUCE or account.restricted:
                return _refused(Status.ONLY_REDUCE)
            if reserved + size - reducible > market.max_sz:
                return _refused(Status.MAX_POSITION)
            if market.max_open_interest and market.open_interest >= market.max_open_interest:
                return _refused(Status.OPEN_INTEREST_CAP)
        if op.tif != Tif.IOC and account.order_count >= OPEN_ORDERS_MAX:
            return _refused(Status.TOO_MANY_ORDERS)
        if op.has_cloid and (op.account, op.cloid_hi, op.cloid_lo) in self.cloids:
            return _refused(Status.DUPLICATE_CLOID)
        bids, asks = market.sides[BUY].prices, market.sides[SELL].prices
        crosses = bool(asks and asks[0] <= op.px) if buys else bool(bids and bids[-1] >= op.px)
        if op.tif == Tif.ALO and crosses:
            return Result(0, 0, 0, 0, bids[-1] if bids else 0, asks[0] if asks else 0, Status.BAD_ALO)
        if op.tif == Tif.IOC and not crosses:
            return _refused(Status.IOC_NO_MATCH)
        order = Order(0, op, size, size, self.now)
        self._reserve(order, size)
        slack = self._slack(account, op, size, bool(reducing))
        if slack is not None and slack < (0 if crosses else self._adverse(op, op.px, size)):
            self._release(order, size)
            return _refused(Status.MARGIN)
        order.oid, self.next_oid = self.next_oid, self.next_oid + 1
        return self._trade_and_rest(i, order, slack)

    def _slack(self, account: Account, op: Op, size: int, reducing: bool) -> int | None:
        """What the order may lose against the mark: all over the margin, or for a reducing one the equity."""
        if not reducing:
            return self.equity(account) - self.initial_margin(account)
        if op.liquidation:
            return None
        notional = size * max(op.px, self.markets[op.market].mark)
        charge = muldiv_up(notional, account.taker_rate + op.builder_fee, FEE_SCALE)
        return max(self.equity(account) - charge, 0)

    def _trade_and_rest(self, i: int, order: Order, slack: int | None) -> Result:
        op, first = order.op, len(self.fills)
        slack, stopped = self._match(i, order, slack)
        filled = order.size - order.left
        notional = sum(fill.px * fill.sz for fill in self.fills[first:])
        if order.left == 0:
            status = Status.FILLED
        elif stopped:
            status = Status.MARGIN_CANCELED
        elif op.tif == Tif.IOC:
            status = Status.IOC_CANCELED
        elif slack is not None and slack < self._adverse(op, op.px, order.left):
            status = Status.MARGIN_CANCELED
        elif not self._rest(order):
            status = Status.BOOK_FULL
        else:
            self._report(i, order, Status.OPEN)
            return Result(order.oid, filled, notional, order.left, 0, 0, Status.OPEN)
        self._release(order, order.left)
        if not filled:
            refusals = {Status.MARGIN_CANCELED: Status.MARGIN, Status.IOC_CANCELED: Status.IOC_NO_MATCH}
            return _refused(refusals.get(status, status))
        self._report(i, order, status)
        return Result(order.oid, filled, notional, 0, 0, 0, Status.FILLED)

    def _match(self, i: int, taker: Order, slack: int | None) -> tuple[int | None, bool]:
        """Trade against the best price's oldest order until done; False, or True if the slack ran out."""
        op = taker.op
        market = self.markets[op.market]
        buys = op.side == BUY
        other = market.sides[1 - op.side]
        while taker.left and other.prices:
            px = other.prices[0] if buys else other.prices[-1]
            if (px > op.px) if buys else (px < op.px):
                break
            maker = next(iter(other.queues[px].values()))
            if maker.op.account == op.account:
                self._remove(i, maker, Status.SELF_TRADE_CANCELED)
                continue
            size = min(taker.left, maker.left)
            owner = self.accounts[maker.op.account]
            if maker.op.reduce_only or owner.restricted or market.status == ONLY_REDUCE:
                position = owner.positions[op.market].size
                size = min(size, position if buys else -position)
            if size <= 0:
                self._remove(i, maker, Status.REDUCE_ONLY_CANCELED)
                continue
            if self._breaks_maintenance(owner, op.market, -size if buys else size, px):
                self._remove(i, maker, Status.MARGIN_CANCELED)
                continue
            if slack is not None:
                slack -= self._adverse(op, px, size)
                if slack < 0:
                    return slack, True
            self._trade(i, taker, maker, size)
            if not maker.left:
                self._remove(i, maker, Status.FILLED)
        return slack, False

    def _adverse(self, op: Op, px: int, size: int) -> int:
        """What trading at `px` loses against the mark."""
        mark = self.markets[op.market].mark
        return max(px - mark if op.side == BUY else mark - px, 0) * size

    def _breaks_maintenance(self, account: Account, index: int, change: int, px: int) -> bool:
        """Would the fill leave the account below its maintenance margin, and worse off than before?"""
        market, held = self.markets[index], account.positions[index]
        equity, gain = self.equity(account), change * (market.mark - px)
        before = equity - self.maintenance_margin(account)
        after = before + gain
        after += maintenance_margin(market, held.size) - maintenance_margin(market, held.size + change)
        debt = gain < 0 and equity + gain < 0
        return after < 0 and (after < before or debt)

    def _trade(self, i: int, taker: Order, maker: Order, size: int) -> None:
        """One fill: the maker's side, then the taker's, whose fee goes to insurance in a liquidation."""
        op, px = taker.op, maker.op.px
        market = self.markets[op.market]
        buyer, seller = self.accounts[op.account], self.accounts[maker.op.account]
        notional = size * px
        direction = 1 if op.side == BUY else -1
        maker_start = seller.positions[op.market].size
        taker_start = buyer.positions[op.market].size
        taker.left -= size
        maker.left -= size
        maker_fee = muldiv_up(notional, seller.maker_rate, FEE_SCALE)
        maker_builder_fee = self._pay_builder(maker.op, notional)
        maker_pnl = self._change(maker, -direction * size, px, maker_fee + maker_builder_fee)
        seller.maker_volume += notional
        rate = op.liquidation_fee if op.liquidation else buyer.taker_rate
        taker_fee = muldiv_up(notional, rate, FEE_SCALE)
        self.fees += maker_fee
        if op.liquidation:
            self.insurance += taker_fee
        else:
            self.fees += taker_fee
        taker_builder_fee = self._pay_builder(op, notional)
        taker_pnl = self._change(taker, direction * size, px, taker_fee + taker_builder_fee)
        buyer.taker_volume += notional
        market.last_px, market.last_ms = px, self.now
        market.volume += notional
        market.base_volume += size
        self.fills.append(
            Fill(
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
                maker.op.cloid_hi,
                maker.op.cloid_lo,
                i,
                op.market,
                op.account,
                maker.op.account,
                op.side,
                op.liquidation,
                op.has_cloid,
                maker.op.has_cloid,
            )
        )
        self.next_tid += 1

    def _pay_builder(self, op: Op, notional: int) -> int:
        if op.builder_fee <= 0:
            return 0
        share = muldiv_up(notional, op.builder_fee, FEE_SCALE)
        self.accounts[op.builder].cash += share
        return share

    def _change(self, order: Order, change: int, px: int, charge: int) -> int:
        """Cash and position of one side of a fill; returns the profit on the part it closed."""
        account = self.accounts[order.op.account]
        market, held = self.markets[order.op.market], account.positions[order.op.market]
        account.cash -= change * px + charge
        self._release(order, abs(change))
        before, after = held.size, held.size + change
        market.open_interest += max(after, 0) - max(before, 0)
        closed = min(abs(before), abs(change)) if before * change < 0 else 0
        profit = 0
        if closed:
            cost = closed_cost(held, closed)
            held.entry_notional -= cost
            profit = closed * px - cost if before > 0 else cost - closed * px
        held.entry_notional += (abs(change) - closed) * px
        held.size = after
        held.funding_change = 0
        if after and before * after <= 0:
            held.opened_ms, held.funding_open = self.now, 0
        return profit

    def restore(self, order: Order) -> None:
        """Put back an order that rested in a state taken over."""
        self._rest(order)
        self._reserve(order, order.left)

    def _rest(self, order: Order) -> bool:
        op = order.op
        ladder: Ladder = self.markets[op.market].sides[op.side]
        if op.px not in ladder.queues and len(ladder.prices) >= PRICE_LEVELS_MAX:
            return False
        ladder.add(order)
        self.orders[order.oid] = order
        if op.has_cloid:
            self.cloids[op.account, op.cloid_hi, op.cloid_lo] = order
        self.accounts[op.account].order_count += 1
        self.markets[op.market].order_count += 1
        return True

    def _remove(self, i: int, order: Order, status: int) -> None:
        """A resting order leaves the book."""
        op = order.op
        self._report(i, order, status)
        self._release(order, order.left)
        self.markets[op.market].sides[op.side].remove(order)
        del self.orders[order.oid]
        if op.has_cloid:
            del self.cloids[op.account, op.cloid_hi, op.cloid_lo]
        self.accounts[op.account].order_count -= 1
        self.markets[op.market].order_count -= 1

    def _reserve(self, order: Order, size: int) -> None:
        """Open orders count towards the margin, unless reduce-only."""
        held = self.accounts[order.op.account].positions[order.op.market]
        if order.op.reduce_only:
            return
        if order.op.side == BUY:
            held.bids += size
        else:
            held.asks += size

    def _release(self, order: Order, size: int) -> None:
        self._reserve(order, -size)

    def _report(self, i: int, order: Order, status: int) -> None:
        op = order.op
        self.updates.append(
            Update(
                order.oid,
                op.px,
                order.left,
                order.size,
                op.cloid_hi,
                op.cloid_lo,
                order.time_ms,
                i,
                op.account,
                op.market,
                status,
                op.side,
                op.tif,
                op.reduce_only,
                op.has_cloid,
            )
        )


def _refused(status: int) -> Result:
    return Result(0, 0, 0, 0, 0, 0, status)


def _only_smaller(order: Order, op: Op) -> bool:
    """Does a modify change nothing but the size, and make that smaller? Then the order keeps its place."""
    old = order.op
    same = (op.px, op.side, op.tif, op.reduce_only, op.builder_fee, op.has_cloid) == (
        old.px,
        old.side,
        old.tif,
        old.reduce_only,
        old.builder_fee,
        old.has_cloid,
    )
    return same and (not op.has_cloid or op[2:4] == old[2:4]) and op.sz < order.left
