"""The twin's arithmetic: what a market's parameters say of an order, margins, and the cost of a part of a
position.
"""

from __future__ import annotations

from coinone.base.primitives.integers import div_up, muldiv_down
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.tables import MarketStatus
from coinone.rules.exchange.twin_book import Market, Op, Position


def check_terms(markets: list[Market], op: Op) -> Status:
    """Is the order wrong whatever the account and the book?"""
    if not 0 <= op.market < len(markets):
        return Status.BAD_MARKET
    market = markets[op.market]
    if market.status >= MarketStatus.HALTED:
        return Status.HALTED
    if not 0 < op.sz <= market.max_sz or op.sz % market.lot:
        return Status.BAD_SIZE
    if not 0 < op.px <= market.max_px:
        return Status.BAD_PRICE
    if op.liquidation:
        return Status.NONE
    if not is_tick(market, op.px):
        return Status.BAD_PRICE
    if not op.reduce_only and op.px * op.sz < market.min_notional:
        return Status.MIN_NOTIONAL
    if market.band_bps and abs(op.px - market.mark) * 10_000 > market.mark * market.band_bps:
        return Status.OUT_OF_BAND
    return Status.NONE


def is_tick(market: Market, px: int) -> bool:
    """A multiple of the tick with few enough significant figures; whole quote prices always have."""
    if px % market.tick:
        return False
    return not market.sig_figs or px % market.px_unit == 0 or len(str(px).rstrip("0")) <= market.sig_figs


def maintenance_margin(market: Market, size: int) -> int:
    notional = abs(size) * market.mark
    for lower, leverage, deduction in reversed(market.tiers):
        if notional >= lower:
            return div_up(notional, 2 * leverage) - deduction
    raise AssertionError("the first tier begins at 0")


def initial_margin(market: Market, held: Position) -> int:
    """Of the largest position that the open orders can lead to."""
    worst = max(abs(held.size + held.bids), abs(held.size - held.asks))
    margin = div_up(worst * market.mark, held.leverage or market.max_leverage)
    if len(market.tiers) > 1 and worst * market.mark >= market.tiers[1][0]:
        margin = max(margin, 2 * maintenance_margin(market, worst))
    return margin


def closed_cost(held: Position, part: int) -> int:
    return muldiv_down(held.entry_notional, part, abs(held.size))
