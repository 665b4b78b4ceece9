"""The twin's matching: a taker against the book, best price first, oldest order first."""

from __future__ import annotations

from coinone.base.primitives.parameters import VOLUME_MAX
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import MarketStatus
from coinone.rules.exchange.twin.book import Op, TwinAccount, TwinFill, TwinMarket, TwinOrder, row
from coinone.rules.exchange.twin.resting import TwinState
from coinone.rules.exchange.twin.terms import (
    BUY,
    adverse,
    beyond_band,
    change_position,
    costs_the_fund,
    equity_after,
    fee,
    holds_stale,
    maintenance_margin,
    margin_left,
    may_fill,
    room,
    update,
    worth,
)

REDUCE_ONLY = int(MarketStatus.REDUCE_ONLY)
FILLED = int(Status.FILLED)


class Meeting(TwinState):
    """Matches takers with resting orders; `fills` and `updates` are those of the current segment."""

    def __init__(self, markets: list[TwinMarket], accounts: list[TwinAccount]) -> None:
        super().__init__(markets, accounts)
        self.next_tid = 1
        self.fees = self.insurance = self.now = 0
        self.stale: dict[int, TwinMarket] = {}
        self.fills: list[TwinFill] = []

    def match(self, i: int, taker: TwinOrder, slack: int | None) -> tuple[int | None, int]:
        """Trade against the best price's oldest order until done; return the slack and why it stopped early, or 0."""
        op, market = taker.op, taker.market
        other = market.sides[1 - op.side]
        keys, limit = other.keys, other.sign * op.px
        while taker.left and keys and keys[-1] >= limit:
            maker = next(iter(other.queues[keys[-1]].values()))
            size, reason = self._meet(taker, maker)
            if not reason and beyond_band(market, maker.op.px):
                if adverse(taker, maker.op.px, 1) <= 0:
                    reason = Status.BAND_CANCELED
                elif not op.liquidation:
                    return slack, Status.BAND_CANCELED
            if reason == Status.REPLACED:
                self.replace(i, taker)
                continue
            if reason == Status.RESTRICTED_CANCELED:
                return slack, reason
            if reason:
                self.remove(i, maker, reason)
                continue
            change = size if op.side == BUY else -size
            made = self.charges(maker.op, size * maker.op.px, maker.owner.maker_rate)
            if not may_fill(maker, -change, maker.op.px, sum(made)):
                self.remove_side(i, maker)
                continue
            took = self._taker_charges(taker, change, maker.op.px)
            if op.liquidation:
                fits = equity_after(taker, change, maker.op.px, sum(took)) >= 0
            elif slack is None:
                fits = may_fill(taker, change, maker.op.px, sum(took))
            else:
                slack -= adverse(taker, maker.op.px, size) + sum(took)
                fits = slack >= 0
            if not fits:
                return slack, Status.MARGIN_CANCELED
            had, equity = room(maker.owner), worth(maker.owner)
            self.trade(i, taker, maker, size, maker.op.px, made, took)
            if slack is None:
                update(taker.owner, taker.held, market, maintenance_margin(market, taker.held.size))
            self.trim(i, maker.held)
            if not maker.left:
                self.remove(i, maker, FILLED)
            self.check_extension(i, maker.owner, had, equity, made[0])
        return slack, 0

    def _meet(self, taker: TwinOrder, maker: TwinOrder) -> tuple[int, int]:
        """How much the maker's order can take by its own terms, or why it is cancelled or the taker stops."""
        owner, market = maker.owner, maker.market
        if owner is taker.owner:
            return 0, Status.REPLACED if maker is taker.replaces else Status.SELF_TRADE_CANCELED
        if costs_the_fund(maker):
            return 0, Status.LIQUIDATED_CANCELED
        size = min(taker.left, maker.left)
        reducible = maker.held.size if taker.op.side == BUY else -maker.held.size
        if market.status == REDUCE_ONLY and not maker.op.reduce_only and reducible <= 0:
            return 0, Status.RESTRICTED_CANCELED
        clipped = maker.op.reduce_only or owner.locked or market.status == REDUCE_ONLY
        if clipped or holds_stale(self.stale, owner):
            size = min(size, reducible)
        return (size, 0) if size > 0 else (0, Status.REDUCE_ONLY_CANCELED)

    def charges(self, op: Op, notional: int, rate: int) -> tuple[int, int]:
        """The exchange's fee and the builder's share of one side; a locked builder earns nothing."""
        pays = op.builder_fee > 0 and not self.accounts[op.builder].locked
        return fee(notional, rate), fee(notional, op.builder_fee) if pays else 0

    def _taker_charges(self, taker: TwinOrder, change: int, px: int) -> tuple[int, int]:
        """`charges` for a taker; a liquidation pays at most what the fill leaves of its share of the equity."""
        owner, op, notional = taker.owner, taker.op, abs(change) * px
        if not op.liquidation:
            return self.charges(op, notional, owner.taker_rate)
        equity = worth(owner)
        spare = equity + change * (taker.market.mark - px)
        if owner.maintenance_margin and equity > 0:
            left = margin_left(taker, change)
            spare += -equity * left // owner.maintenance_margin  # less the share that must remain, rounded up
        return min(fee(notional, op.liquidation_fee), max(spare, 0)), 0

    def trade(
        self,
        i: int,
        taker: TwinOrder,
        maker: TwinOrder,
        size: int,
        px: int,
        made: tuple[int, int],
        took: tuple[int, int],
    ) -> None:
        """Book one fill at `px`: the maker's side, then the taker's, whose fee goes to insurance in a liquidation.

        `made` and `took` are (fee, builder's share).
        """
        op, market = taker.op, taker.market
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
        self._tell_fill(i, taker, maker, size, px, starts, made, took, (taker_pnl, maker_pnl))

    def _tell_fill(
        self,
        i: int,
        taker: TwinOrder,
        maker: TwinOrder,
        size: int,
        px: int,
        starts: tuple[int, int],
        made: tuple[int, int],
        took: tuple[int, int],
        profits: tuple[int, int],
    ) -> None:
        op, order = taker.op, maker.op
        fields = (
            self.next_tid,
            px,
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
        self.fills.append(row(TwinFill, (*fields, *profits, *cloids, *flags)))
        self.next_tid += 1

    def check_extension(self, i: int, owner: TwinAccount, had: int, equity: int, burnt: int) -> bool:
        """Remove orders that add risk if fills that cost more than the exchange's fees left too little initial
        margin."""
        short = room(owner) < 0 and room(owner) + burnt < had and worth(owner) + burnt < equity
        if short:
            self.remove_risk(i, owner)
        return short
