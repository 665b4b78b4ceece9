"""Kernel: checks of an order's terms against the market's parameters and mark, before account and book are read."""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.rows.arrays import MARKETS, i64, inlined
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import MarketStatus

_BAD_MARKET, _HALTED, _JUMPING = int(Status.BAD_MARKET), int(Status.HALTED), int(Status.JUMPING)
_BAD_PRICE, _BAD_SIZE = int(Status.BAD_PRICE), int(Status.BAD_SIZE)
_MIN_NOTIONAL, _OUT_OF_BAND = int(Status.MIN_NOTIONAL), int(Status.OUT_OF_BAND)
_MARKET_JUMPING = int(MarketStatus.JUMPING)


@inlined
def check_terms(core: Any, i: int) -> int:
    """The status that refuses op `i` for its terms alone; 0 if they are valid."""
    op = core.ops[i]
    if op.market < 0 or op.market >= core.counters[MARKETS]:
        return _BAD_MARKET
    terms = core.markets[i64(op.market)]
    if terms.status >= _MARKET_JUMPING:
        return _JUMPING if terms.status == _MARKET_JUMPING else _HALTED
    if (
        op.sz <= 0
        or (op.sz > terms.max_sz and op.liquidation == 0)
        or (terms.lot > 1 and op.sz % terms.lot != 0)
    ):
        return _BAD_SIZE
    if op.px <= 0 or op.px > terms.max_px:
        return _BAD_PRICE
    if op.liquidation != 0:
        return 0
    if not _is_tick(op.px, terms.tick, terms.sig_figs, terms.px_unit):
        return _BAD_PRICE
    if op.reduce_only == 0 and op.px * op.sz < terms.min_notional:
        return _MIN_NOTIONAL
    if terms.band_bps > 0 and abs(op.px - terms.mark) * 10_000 > terms.mark * terms.band_bps:
        return _OUT_OF_BAND
    return 0


@inlined
def _is_tick(px: int, tick: int, figures: int, unit: int) -> bool:
    """Whether the price is a tick by Hyperliquid's rule: at most `figures` significant figures, or whole quote
    units."""
    if tick > 1 and px % tick != 0:
        return False
    if figures == 0 or px < 100_000:  # always five figures or fewer
        return True
    if px % unit == 0:
        return True
    step = 1
    while px >= step * 100_000:
        step *= 10
    return px % step == 0
