"""Kernel: the check of a fill, the same for both sides (docs/protocol/margin-and-liquidation.md).

An account cannot by its own choice become more dangerous. A fill that reduces a position may not leave less cover for
what stays open than before: the equity after it is at least twice the maintenance margin left, or at least the same
share of it as before. A maker that opens keeps twice the maintenance margin (the initial margin at the market's maximum
leverage); a taker that opens, all its initial margin (its slack, kernel/placing.py). Fees count: an account that cannot
pay them does not trade.

And no fill happens far from the mark: a resting order whose price is beyond the band to its own owner's loss is
cancelled, one that would be the taker's loss stops the taker.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.fixed128 import muldiv_up_jit
from coinone.rules.exchange.rows.arrays import i64, inlined, part
from coinone.rules.exchange.rows.tables import (
    ACCOUNT_LOCKED,
    BAND_DIVISOR,
    BAND_DIVISOR_LOW_LEVERAGE,
    BAND_LEVERAGE,
)


@inlined
def worth(core: Any, account: int) -> int:
    """The account's equity: cash, and positions at the mark."""
    holder = core.accounts[account]
    return i64(holder.cash + holder.position_value)


@inlined
def reduces(size: int, change: int) -> bool:
    """Whether a fill of `change` lots (signed) only makes a position of `size` smaller."""
    return (size > 0 and change < 0 and size + change >= 0) or (
        size < 0 and change > 0 and size + change <= 0
    )


def band_divisor(max_leverage: int) -> int:
    """The divisor of the mark that bounds a fill's distance from it: 20, or 10 where leverage is low."""
    return BAND_DIVISOR if max_leverage >= BAND_LEVERAGE else BAND_DIVISOR_LOW_LEVERAGE


_band_divisor = inlined(band_divisor)


@inlined
def band_of(terms: Any) -> int:
    """The furthest that a fill in the market with these terms may be from its mark, in price units, rounded down."""
    return i64(terms.mark // _band_divisor(terms.max_leverage))


@inlined
def beyond_band(core: Any, market: int, px: int) -> bool:
    """Whether the price is further from the mark than fills may be."""
    terms = core.markets[market]
    return bool(abs(px - terms.mark) > band_of(terms))


@inlined
def may_fill(
    core: Any, account: int, market: int, change: int, px: int, charge: int, maintenance: int
) -> bool:
    """Whether `account` may take a fill of `change` lots at `px` for fees of `charge`.

    `maintenance` is what the position needs after it. For takers that open, the slack is the stricter rule, and this is
    not called.
    """
    holder = core.accounts[account]
    held = core.positions[account, market]
    before = worth(core, account)
    after = equity_after(core, account, market, change, px, charge)
    left = holder.maintenance_margin - held.maintenance_margin + maintenance
    if after >= 2 * left:
        return bool(after >= 0)
    if not reduces(held.size, change) or before < 0 or after < 0:
        return False
    return keeps_cover(before, holder.maintenance_margin, after, left)


@inlined
def equity_after(core: Any, account: int, market: int, change: int, px: int, charge: int) -> int:
    """The equity of the account after a fill of `change` lots at `px` for fees of `charge`.

    For a liquidation order, whose limit is its share of the equity, that it is not below zero is the whole check: where
    tiers make the last lots need less than the first, fees may have taken what the first fills left of their share.
    """
    return i64(worth(core, account) + change * (core.markets[market].mark - px) - charge)


@part
def keeps_cover(before: int, required: int, after: int, left: int) -> bool:
    """Whether equity `after` for a margin of `left` is at least the share that `before` was of `required`."""
    return bool(required > 0 and after >= muldiv_up_jit(i64(before), i64(left), i64(required)))


@inlined
def costs_the_fund(core: Any, slot: int) -> bool:
    """Whether a fill of this resting order would cost a locked account, whose money is the fund's.

    By a price worse than the mark or a builder's fee.
    """
    order = core.orders[slot]
    if core.accounts[i64(order.account)].flags & ACCOUNT_LOCKED == 0:
        return False
    worse = (1 - 2 * order.side) * (order.px - core.markets[i64(order.market)].mark) > 0
    return bool(worse or order.builder_fee != 0)


@inlined
def room(core: Any, account: int) -> int:
    """The equity above the initial margin of positions and open orders; below zero if it falls short."""
    return i64(worth(core, account) - core.accounts[account].initial_margin)
