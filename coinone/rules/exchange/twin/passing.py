"""The twin's rules of passing: which post-only orders rest over others, and how they trade after the takers."""

from __future__ import annotations

from coinone.base.primitives.parameters import PRICE_LEVELS_MAX
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import MarketStatus, OpKind
from coinone.rules.exchange.twin.book import Op, Result, TwinMarket, TwinOrder, row
from coinone.rules.exchange.twin.meeting import FILLED, Meeting
from coinone.rules.exchange.twin.terms import (
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

PLACE, AGED = int(OpKind.PLACE), int(MarketStatus.AGED)
_TARGETS_CLOID = (int(OpKind.CANCEL_CLOID), int(OpKind.MODIFY_CLOID))


class Passing(Meeting):
    """How resting orders that cross each other trade after the batch's takers."""

    def target(self, op: Op) -> TwinOrder | None:
        """The account's own order that a cancel or modify names, if it is in that market."""
        if op.kind in _TARGETS_CLOID:
            order = self.cloids.get((op.account, op.target_hi, op.target_lo))
        else:
            order = self.orders.get(op.oid)
        if order is None or order.op.account != op.account or order.op.market != op.market:
            return None
        return order

    def meet(self, i: int, market: TwinMarket, middle: int) -> Result:
        """Trade a market's best orders while they cross, at the older one's price; of one account the older is removed.

        `middle` is twice the price that decides which side takes.
        """
        bids, asks, filled, notional = market.sides[BUY], market.sides[SELL], 0, 0
        while bids.keys and asks.keys and bids.keys[-1] >= -asks.keys[-1]:
            heads = [next(iter(side.queues[side.keys[-1]].values())) for side in (bids, asks)]
            older, newer = sorted(heads, key=lambda order: order.oid)
            op = older.op
            offered, wanted = self._lots(older), self._lots(newer)
            size = min(offered, wanted)
            older_takes = 2 * op.px > middle if op.side == BUY else 2 * op.px < middle
            if size <= 0:
                gone = older if offered <= 0 else newer
                locked = costs_the_fund(gone)
                self.remove(i, gone, Status.LIQUIDATED_CANCELED if locked else Status.REDUCE_ONLY_CANCELED)
            elif beyond_band(market, op.px):
                self.remove(i, older if adverse(older, op.px, 1) else newer, Status.BAND_CANCELED)
            elif self._removes(older, newer, wanted):
                self.remove(i, newer, Status.BAD_ALO)
            elif older.owner is newer.owner:
                self.remove(i, older, Status.SELF_TRADE_CANCELED)
            elif self._may_trade(i, newer, not older_takes, size, op.px) and self._may_trade(
                i, older, older_takes, size, op.px
            ):
                self._meet_newer(i, older, newer, older_takes, size)
                filled, notional = filled + size, notional + size * op.px
        return row(Result, (0, filled, notional, 0, 0, 0, Status.CANCELED))

    def _lots(self, order: TwinOrder) -> int:
        """The lots of an order that may trade by its own terms."""
        if costs_the_fund(order):
            return 0
        position = -order.held.size if order.op.side == BUY else order.held.size
        clipped = order.op.reduce_only or order.owner.locked or holds_stale(self.stale, order.owner)
        return min(order.left, max(position, 0)) if clipped else order.left

    def _removes(self, older: TwinOrder, newer: TwinOrder, wanted: int) -> bool:
        """Whether the older one was there before the batch, and is more than a 16th of the other.

        What the newer has traded counts with the older. Of the rest of it counts what it may trade, the lots `wanted`.
        """
        traded = newer.size - newer.left
        return older.time_ms < self.now and older.left + traded > (wanted + traded) // 16

    def _charges_at_rest(self, order: TwinOrder, takes: bool, size: int, px: int) -> tuple[int, int]:
        """The charges of a resting order, at taker or maker rates."""
        return self.charges(order.op, size * px, order.owner.taker_rate if takes else order.owner.maker_rate)

    def _may_trade(self, i: int, order: TwinOrder, takes: bool, size: int, px: int) -> bool:
        """Whether the owner may make this fill; if not, its orders of that side are removed."""
        charge = sum(self._charges_at_rest(order, takes, size, px))
        may = may_fill(order, size if order.op.side == BUY else -size, px, charge)
        if not may:
            self.remove_side(i, order)
        return may

    def _meet_newer(self, i: int, older: TwinOrder, newer: TwinOrder, older_takes: bool, size: int) -> None:
        """Book one fill between two resting orders."""
        px = older.op.px
        made = self._charges_at_rest(newer, not older_takes, size, px)
        took = self._charges_at_rest(older, older_takes, size, px)
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


def rests_over(op: Op, market: TwinMarket) -> bool:
    """Whether a post-only order rests although it crosses others.

    On a fresh price, if it is reduce-only also on an aged one, and not where its owner's loss would be beyond the band
    or half the prices of a side.
    """
    if not op.passes or market.status > AGED or (market.status == AGED and not op.reduce_only):
        return False
    loss = op.px - market.mark if op.side == BUY else market.mark - op.px
    return loss <= 0 or not (beyond_band(market, op.px) or loss > PRICE_LEVELS_MAX // 2 * market.px_unit)
