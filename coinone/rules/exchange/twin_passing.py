"""The twin's chapter of passing: what rests meets the post-only orders that came to rest over it."""

from __future__ import annotations

from coinone.rules.exchange.status import Status
from coinone.rules.exchange.twin_book import Market, Order, Result, row
from coinone.rules.exchange.twin_meeting import FILLED, Meeting
from coinone.rules.exchange.twin_terms import (
    BUY,
    SELL,
    adverse,
    beyond_band,
    costs_the_fund,
    holds_stale,
    maintenance_margin,
    may_fill,
    room,
    update,
    worth,
)


class Passing(Meeting):
    """How orders that rest meet, when the batch's takers are through."""

    def meet(self, i: int, market: Market) -> Result:
        """While a market's best orders cross, the older one trades at its price with the newer one."""
        bids, asks, filled, notional = market.sides[BUY], market.sides[SELL], 0, 0
        while bids.keys and asks.keys and bids.keys[-1] >= -asks.keys[-1]:
            heads = [next(iter(side.queues[side.keys[-1]].values())) for side in (bids, asks)]
            older, newer = sorted(heads, key=lambda order: order.oid)
            op = older.op
            size = min(self._lots(older), self._lots(newer))
            if size <= 0:
                gone = older if self._lots(older) <= 0 else newer
                locked = costs_the_fund(gone)
                self.remove(i, gone, Status.LIQUIDATED_CANCELED if locked else Status.REDUCE_ONLY_CANCELED)
            elif beyond_band(market, op.px):
                self.remove(i, older if adverse(older, op.px, 1) else newer, Status.BAND_CANCELED)
            elif self._may_trade(i, newer, size, op.px) and self._may_trade(i, older, size, op.px):
                self._meet_newer(i, older, newer, size)
                filled, notional = filled + size, notional + size * op.px
        return row(Result, (0, filled, notional, 0, 0, 0, Status.CANCELED))

    def _lots(self, order: Order) -> int:
        """What may trade by its own terms."""
        if costs_the_fund(order):
            return 0
        position = -order.held.size if order.op.side == BUY else order.held.size
        clipped = order.op.reduce_only or order.owner.locked or holds_stale(self.stale, order.owner)
        return min(order.left, max(position, 0)) if clipped else order.left

    def _charges_at_rest(self, order: Order, size: int, px: int) -> tuple[int, int]:
        """A maker's fee; beyond a 16th of a newer order, what it was filled before counted, a taker's."""
        made = size
        if order.time_ms == self.now:
            made = max(min(order.size // 16 - (order.size - order.left), size), 0)
        made_fee, made_share = self.charges(order.op, made * px, order.owner.maker_rate)
        took_fee, took_share = self.charges(order.op, (size - made) * px, order.owner.taker_rate)
        return made_fee + took_fee, made_share + took_share

    def _may_trade(self, i: int, order: Order, size: int, px: int) -> bool:
        """Else its owner's orders of that side go."""
        charge = sum(self._charges_at_rest(order, size, px))
        may = may_fill(order, size if order.op.side == BUY else -size, px, charge)
        if not may:
            self.remove_side(i, order)
        return may

    def _meet_newer(self, i: int, older: Order, newer: Order, size: int) -> None:
        """One fill."""
        px = older.op.px
        made, took = (self._charges_at_rest(order, size, px) for order in (newer, older))
        before = [(order.owner, room(order.owner), worth(order.owner)) for order in (newer, older)]
        self.trade(i, older, newer, size, px, made, took)
        update(older.owner, older.held, older.market, maintenance_margin(older.market, older.held.size))
        for order in (newer, older):
            self.trim(i, order.held)
        for order in (newer, older):
            if not order.left:
                self.remove(i, order, FILLED)
        for (owner, had, equity), burnt in zip(before, (made[0], took[0]), strict=True):
            self.check_extension(i, owner, had, equity, burnt)
