"""The twin's resting orders: they enter the books and leave them, and each change is reported."""

from __future__ import annotations

from coinone.base.primitives.parameters import PRICE_LEVELS_MAX, SIDE_ORDERS_MAX
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.twin.book import (
    Ladder,
    Op,
    Position,
    TwinAccount,
    TwinMarket,
    TwinOrder,
    TwinUpdate,
    row,
)
from coinone.rules.exchange.twin.terms import BUY, reserve, update_initial

OPEN = int(Status.OPEN)


class TwinState:
    """Markets with their books, accounts, and the resting orders by oid and by client id."""

    def __init__(self, markets: list[TwinMarket], accounts: list[TwinAccount]) -> None:
        self.markets, self.accounts = markets, accounts
        self.orders: dict[int, TwinOrder] = {}
        self.cloids: dict[tuple[int, int, int], TwinOrder] = {}
        self.updates: list[TwinUpdate] = []
        self.levels_max, self.side_max = PRICE_LEVELS_MAX, SIDE_ORDERS_MAX

    def restore(self, oid: int, op: Op, size: int, left: int, time_ms: int) -> None:
        """Restore a resting order of another state."""
        owner = self.accounts[op.account]
        held, market = owner.positions[op.market], self.markets[op.market]
        order = TwinOrder(oid, op, owner, held, market, size, left, time_ms)
        self.enter(order)
        reserve(order, left)
        update_initial(owner, held, market)

    def enter(self, order: TwinOrder) -> None:
        op, market = order.op, order.market
        market.sides[op.side].add(order)
        self.orders[order.oid] = order
        if op.has_cloid:
            self.cloids[op.account, op.cloid_hi, op.cloid_lo] = order
        if op.reduce_only:
            order.held.reducing.append(order)
        order.owner.order_count += 1
        market.order_count += 1

    def replace(self, i: int, order: TwinOrder) -> None:
        """Remove the order that this one replaces, if it still rests; the modify has released it."""
        old = order.replaces
        if old and old.oid in self.orders:
            self.take_out(i, old, Status.REPLACED)

    def remove(self, i: int, order: TwinOrder, status: int) -> None:
        """Remove a resting order from the book and release what it had reserved."""
        if order.left:
            reserve(order, -order.left)
            update_initial(order.owner, order.held, order.market)
        self.take_out(i, order, status)

    def remove_side(self, i: int, order: TwinOrder) -> None:
        """Remove all orders of the order's owner on its side of the book, since it may not make a fill.

        The newest first, and the reduce-only ones last, the worst price first.
        """
        risky = [o for o in self._risky(order.owner) if o.market is order.market]
        for other in risky + self.reducing(order.held):
            if other.op.side == order.op.side:
                self.remove(i, other, Status.MARGIN_CANCELED)

    def remove_risk(self, i: int, owner: TwinAccount) -> None:
        """Remove all orders of an account that are not reduce-only, market by market, bids first, the newest first."""
        for order in self._risky(owner):
            self.remove(i, order, Status.MARGIN_CANCELED)

    def _risky(self, owner: TwinAccount) -> list[TwinOrder]:
        own = [o for o in self.orders.values() if o.owner is owner and not o.op.reduce_only]
        return sorted(own, key=lambda order: (order.op.market, order.op.side, -order.oid))

    def reducing(self, held: Position, old: TwinOrder | None = None) -> list[TwinOrder]:
        """The position's reduce-only orders, worst price first, of one price the youngest first; without `old`."""
        orders = [order for order in held.reducing if order is not old]
        return sorted(orders, key=lambda o: (o.op.px if o.op.side == BUY else -o.op.px, -o.oid))

    def trim(self, i: int, held: Position) -> None:
        """Trim reduce-only orders to the position: the worst-priced, then the youngest are removed or reduced."""
        for order in self.reducing(held) if held.reducing else ():
            most = max(-held.size if order.op.side == BUY else held.size, 0)
            over = sum(other.left for other in held.reducing) - most
            if over <= 0:
                return
            if over >= order.left:
                self.remove(i, order, Status.REDUCE_ONLY_CANCELED)
            else:
                order.left -= over
                order.size -= over
                self.report(i, order, OPEN)

    def least_notional(self, market: TwinMarket, ladder: Ladder) -> int:
        """The least notional of an order that rests on a side that is more than half, or seven eighths, full."""
        if 8 * ladder.count > 7 * self.side_max:
            return 100 * market.min_notional
        return 10 * market.min_notional if 2 * ladder.count > self.side_max else 0

    def has_room(self, ladder: Ladder, px: int) -> bool:
        """Whether a side has room for this price; a price better than the worst always has."""
        key = ladder.sign * px
        if ladder.count < self.side_max and (len(ladder.keys) < self.levels_max or key in ladder.queues):
            return True
        return key > ladder.keys[0]

    def make_room(self, i: int, ladder: Ladder, px: int) -> None:
        """Make room: if one price too many, remove the worst whole; if one order too many, the least value, the younger
        of two."""
        if len(ladder.keys) >= self.levels_max and ladder.sign * px not in ladder.queues:
            for order in list(ladder.queues[ladder.keys[0]].values()):
                self.remove(i, order, Status.DISPLACED)
        if ladder.count >= self.side_max:
            orders = [order for queue in ladder.queues.values() for order in queue.values()]
            least = min(orders, key=lambda order: (order.op.px * order.left, -order.oid))
            self.remove(i, least, Status.DISPLACED)

    def take_out(self, i: int, order: TwinOrder, status: int) -> None:
        op, market = order.op, order.market
        self.report(i, order, status)
        market.sides[op.side].remove(order)
        del self.orders[order.oid]
        if op.has_cloid:
            del self.cloids[op.account, op.cloid_hi, op.cloid_lo]
        if op.reduce_only:
            order.held.reducing = [other for other in order.held.reducing if other is not order]
        order.owner.order_count -= 1
        market.order_count -= 1

    def report(self, i: int, order: TwinOrder, status: int) -> None:
        op = order.op
        self.updates.append(
            row(
                TwinUpdate,
                (
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
                ),
            )
        )
