"""The twin's chapter of what rests: orders enter the books and leave them, and each change is told."""

from __future__ import annotations

from coinone.rules.exchange.status import Status
from coinone.rules.exchange.twin_book import Account, Market, Op, Order, Update, row
from coinone.rules.exchange.twin_terms import reserve, update_initial


class Resting:
    """Markets with their books, accounts, and the orders that rest, by oid and by client id."""

    def __init__(self, markets: list[Market], accounts: list[Account]) -> None:
        self.markets, self.accounts = markets, accounts
        self.orders: dict[int, Order] = {}
        self.cloids: dict[tuple[int, int, int], Order] = {}
        self.updates: list[Update] = []

    def restore(self, oid: int, op: Op, size: int, left: int, time_ms: int) -> None:
        """Put back an order that rested in a state taken over."""
        owner = self.accounts[op.account]
        held, market = owner.positions[op.market], self.markets[op.market]
        order = Order(oid, op, owner, held, market, size, left, time_ms)
        self.enter(order)
        reserve(order, left)
        update_initial(owner, held, market)

    def enter(self, order: Order) -> None:
        op, market = order.op, order.market
        market.sides[op.side].add(order)
        self.orders[order.oid] = order
        if op.has_cloid:
            self.cloids[op.account, op.cloid_hi, op.cloid_lo] = order
        order.owner.order_count += 1
        market.order_count += 1

    def replace(self, i: int, order: Order) -> None:
        """The order that this one replaces leaves the book, if it is there; the modify has released it."""
        old = order.replaces
        if old and old.oid in self.orders:
            self.take_out(i, old, Status.REPLACED)

    def remove(self, i: int, order: Order, status: int) -> None:
        """A resting order leaves the book, and what it had reserved is free."""
        if order.left:
            reserve(order, -order.left)
            update_initial(order.owner, order.held, order.market)
        self.take_out(i, order, status)

    def remove_side(self, i: int, order: Order) -> None:
        """All orders of the order's owner on its side of the book, newest first: it may not make a fill."""
        own = [o for o in self._of(order.owner) if o.market is order.market and o.op.side == order.op.side]
        for other in own:
            self.remove(i, other, Status.MARGIN_CANCELED)

    def remove_risk(self, i: int, owner: Account) -> None:
        """All orders of an account that are not reduce-only, market by market, bids first, the newest first."""
        for order in [order for order in self._of(owner) if not order.op.reduce_only]:
            self.remove(i, order, Status.MARGIN_CANCELED)

    def _of(self, owner: Account) -> list[Order]:
        own = (order for order in self.orders.values() if order.owner is owner)
        return sorted(own, key=lambda order: (order.op.market, order.op.side, -order.oid))

    def take_out(self, i: int, order: Order, status: int) -> None:
        op, market = order.op, order.market
        self.report(i, order, status)
        market.sides[op.side].remove(order)
        del self.orders[order.oid]
        if op.has_cloid:
            del self.cloids[op.account, op.cloid_hi, op.cloid_lo]
        order.owner.order_count -= 1
        market.order_count -= 1

    def report(self, i: int, order: Order, status: int) -> None:
        op = order.op
        self.updates.append(
            row(
                Update,
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
