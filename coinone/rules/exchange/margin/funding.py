"""A position's share of the hour's funding, and booking it (jitted; prices/funding.py has the rule).

An hour is settled at its turn, for all holders together: the market records what a lot of either side pays
(`funding_long`, `funding_short`), and the running value of each holder's positions falls by what it owes. The cash
follows when the position is *booked*: before its size next changes, or when its turn comes, a bounded number per batch.
Until then `funding_ms` of the position is behind that of the market. Trades in between change nothing.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.fixed128 import muldiv_up_jit
from coinone.rules.exchange.rows.arrays import i64, inlined
from coinone.rules.exchange.rows.journal import save_globals, save_market

RATE_SCALE = 10**9
CAP_SHARE = 16  # the maximum hourly rate is this part of 1 / max leverage


def rate_cap(leverage: int) -> int:
    """The maximum hourly rate in 10^-9, an eighth of the smallest maintenance margin at the market's `leverage`."""
    return RATE_SCALE // (CAP_SHARE * leverage)


@inlined
def payment_of(core: Any, market: int, size: int) -> int:
    """What a position of `size` pays for the hour last settled, negative if it receives; rounded up."""
    terms = core.markets[market]
    a_lot = terms.funding_long if size > 0 else terms.funding_short
    return i64(muldiv_up_jit(abs(size), a_lot, RATE_SCALE))


@inlined
def unbooked_funding(core: Any, account: int, market: int) -> int:
    """The part of it that is not yet in the account's cash."""
    held = core.positions[account, market]
    if held.size == 0 or held.funding_ms == core.markets[market].funding_ms:
        return 0
    return payment_of(core, market, held.size)


@inlined
def book_funding(core: Any, account: int, market: int) -> None:
    """Book what the position owes to the account's cash. Account and position are saved already."""
    held = core.positions[account, market]
    terms = core.markets[market]
    if held.funding_ms == terms.funding_ms:
        return
    if held.size != 0:
        save_market(core, market)
        save_globals(core)
        amount = payment_of(core, market, held.size)
        core.accounts[account].cash -= amount
        core.accounts[account].position_value += amount
        core.globals[0].funding_clearing += amount
        held.funding_all += amount
        held.funding_open += amount
        held.funding_change += amount
        terms.unbooked -= 1
    held.funding_ms = terms.funding_ms
