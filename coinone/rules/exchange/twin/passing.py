"""The twin's rules of passing: which post-only orders rest over others, and how resting orders trade."""

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
    """Which post-only orders may rest over others, and how they trade after the batch's takers."""

    def passing(self, ops: list[Op], last_batch: int, fair: list[tuple[int, int]]) -> list[bool]:
        """Which post-only orders of a segment rest though they cross others.

        Those that would meet no more than a 16th of their lots of what rests since before the last batch, is no gift by
        its market's `fair` prices, and is not about to be moved by the segment. None beyond the band at its own loss.
        """
        moved = {
            order.oid
            for op in ops
            if op.kind != PLACE
            and (order := self.target(op))
            and (order.op.px, order.op.side) != (op.px, op.side)
        }
        standing = [o for o in self.orders.values() if o.oid not in moved and o.time_ms < last_batch]
        standing = [o for o in standing if not _is_gift(o, *fair[o.op.market])]
        return [self._passes(op, standing) for op in ops]

    def _passes(self, op: Op, standing: list[TwinOrder]) -> bool:
        if not 0 <= op.market < len(self.markets) or self.markets[op.market].status > AGED:
            return False
        market = self.markets[op.market]
        if market.status == AGED and not op.reduce_only:
            return False
        in_way = [
            order.left
            for order in standing
            if order.op.market == op.market
            and order.op.side != op.side
            and (order.op.px <= op.px if op.side == BUY else order.op.px >= op.px)
        ]
        held = self.accounts[op.account].positions[op.market].size
        lots = min(op.sz, max(-held if op.side == BUY else held, 0)) if op.reduce_only else op.sz
        loss = op.px - market.mark if op.side == BUY else market.mark - op.px
        lost = loss > 0 and (beyond_band(market, op.px) or loss > PRICE_LEVELS_MAX // 2 * market.px_unit)
        return sum(in_way) <= lots // 16 and not lost

    def target(self, op: Op) -> TwinOrder | None:
        """The account's own order that a cancel or modify names, if it is in that market."""
        if op.kind in _TARGETS_CLOID:
            order = self.cloids.get((op.account, op.target_hi, op.target_lo))
        else:
            order = self.orders.get(op.oid)
        if order is None or order.op.account != op.account or order.op.market != op.market:
            return None
        return order

    def meet(self, i: int, market: TwinMarket, middle: int, fair: tuple[int, int]) -> Result:
        """Trade a market's best orders while they cross, at the older one's price; of one account the older is removed.

        `middle` is twice the price that decides which side takes; `fair` are the prices beyond which the older order is
        a gift.
        """
        bids, asks, filled, notional = market.sides[BUY], market.sides[SELL], 0, 0
        while bids.keys and asks.keys and bids.keys[-1] >= -asks.keys[-1]:
            heads = [next(iter(side.queues[side.keys[-1]].values())) for side in (bids, asks)]
            older, newer = sorted(heads, key=lambda order: order.oid)
            op = older.op
            size = min(self._lots(older), self._lots(newer))
            older_takes = 2 * op.px > middle if op.side == BUY else 2 * op.px < middle
            if older.owner is newer.owner:
                self.remove(i, older, Status.SELF_TRADE_CANCELED)
            elif size <= 0:
                gone = older if self._lots(older) <= 0 else newer
                locked = costs_the_fund(gone)
                self.remove(i, gone, Status.LIQUIDATED_CANCELED if locked else Status.REDUCE_ONLY_CANCELED)
            elif beyond_band(market, op.px):
                self.remove(i, older if adverse(older, op.px, 1) else newer, Status.BAND_CANCELED)
            elif self._keeps_out(older, newer, fair):
                self.remove(i, newer, Status.BAD_ALO)
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

    def _keeps_out(self, older: TwinOrder, newer: TwinOrder, fair: tuple[int, int]) -> bool:
        """Whether the older one was there before the batch, is no gift, and is more than a 16th of the other."""
        return older.time_ms < self.now and not _is_gift(older, *fair) and older.left > newer.size // 16

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


def _is_gift(order: TwinOrder, fair_bid: int, fair_ask: int) -> bool:
    return order.op.px > fair_bid if order.op.side == BUY else order.op.px < fair_ask
