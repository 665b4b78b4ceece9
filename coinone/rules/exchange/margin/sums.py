"""Margin: what a position needs, and running sums that make a check cost the same for any book.

notional = |size| * mark. Maintenance margin = notional / (2 * L_n) - deduction_n in the tier n the notional falls into,
rounded up (a payer). Initial margin = worst * mark / leverage, rounded up, where worst = max(position + bids, asks -
position) is the largest position the open orders can lead to, long or short; above the first tier at least twice the
maintenance margin, so that it grows with the tier as well. Where the market stands beside its index, the side that
gains by opening there needs at least twice its maintenance margin and the distance (state/distance.py). An account's
sums over all markets are in its row; a change of mark or distance is one pass over that market's positions
(accounts/equity.py).
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.jit import njit, types
from coinone.rules.exchange.margin.funding import unbooked_funding
from coinone.rules.exchange.margin.holders import keep_holder
from coinone.rules.exchange.rows.arrays import CORE, attach, i64, inlined, part
from coinone.rules.exchange.rows.tables import DISTANCE_STEPS


@inlined
def maintenance_margin(core: Any, market: int, size: int) -> int:
    """The maintenance margin of a position of `size` (either sign) at the mark."""
    row = core.markets[market]
    notional = abs(size) * row.mark
    tier = row.tier_count - 1
    while tier > 0 and notional < core.tiers[market, tier].lower:
        tier -= 1
    twice = 2 * core.tiers[market, tier].max_leverage
    return i64((notional + twice - 1) // twice - core.tiers[market, tier].deduction)


@inlined
def leverage_of(core: Any, market: int, chosen: int) -> int:
    """An account's effective leverage: the `chosen` one, or the market's first if it is 0 (none chosen)."""
    return i64(chosen) if chosen != 0 else i64(core.markets[market].first_leverage)


@part
def _beside_the_index(core: Any, market: int, longest: int, shortest: int) -> int:
    """The least initial margin of the largest positions that the open orders can lead to, where there is a distance."""
    row = core.markets[market]
    margin = i64(0)
    for n in range(2):
        exposed, steps = (longest, row.below) if n == 0 else (shortest, row.above)
        if exposed > 0 and steps > 0:
            whole = DISTANCE_STEPS * row.max_leverage
            covered = (exposed * row.mark * steps + whole - 1) // whole
            margin = max(margin, 2 * maintenance_margin(core, market, exposed) + covered)
    return i64(margin)


@inlined
def initial_margin(core: Any, market: int, size: int, bids: int, asks: int, leverage: int) -> int:
    """The initial margin of a position with its open orders at the mark; leverage 0 means the market's first."""
    row = core.markets[market]
    worst = max(size + bids, asks - size)
    leverage = leverage_of(core, market, leverage)
    notional = worst * row.mark
    margin = (notional + leverage - 1) // leverage
    if row.tier_count > 1 and notional >= core.tiers[market, 1].lower:
        margin = max(margin, 2 * maintenance_margin(core, market, worst))
    if row.below != 0 or row.above != 0:
        margin = max(margin, _beside_the_index(core, market, size + bids, asks - size))
    return i64(margin)


@inlined
def worst_size(core: Any, account: int, market: int) -> int:
    """The largest position that the open orders can lead to; -1 if the margin depends on that of either side."""
    if core.markets[market].below != 0 or core.markets[market].above != 0:
        return i64(-1)
    held = core.positions[account, market]
    return i64(max(held.size + held.bid_size, held.ask_size - held.size))


@inlined
def update_margins(core: Any, account: int, market: int, maintenance: int, worst_before: int) -> None:
    """Update the running margins and the holders after a position or its open orders changed.

    The initial margin stays if the worst size is `worst_before` still and not -1, as when the leverage changed.
    """
    set_margins(core, account, market, maintenance, worst_before)
    keep_holder(core, account, market)


@inlined
def set_margins(core: Any, account: int, market: int, maintenance: int, worst_before: int) -> None:
    """Update the margins as `update_margins` does when the account's place among the holders cannot change: the mark
    or the distance did."""
    holder = core.accounts[account]
    held = core.positions[account, market]
    if worst_before < 0 or worst_size(core, account, market) != worst_before:
        initial = initial_margin(core, market, held.size, held.bid_size, held.ask_size, held.leverage)
        holder.initial_margin += initial - held.initial_margin
        held.initial_margin = initial
    holder.maintenance_margin += maintenance - held.maintenance_margin
    held.maintenance_margin = maintenance


@njit(types.void(CORE), error_model="numpy", _nrt=False)
def recompute(words: Any) -> None:
    """Recompute all running values, margins and holders from scratch: after an undo or a reload."""
    core = attach(words)
    for market in range(core.holder_counts.shape[0]):
        core.holder_counts[market] = 0
    for account in range(core.accounts.shape[0]):
        holder = core.accounts[account]
        holder.position_value = 0
        holder.initial_margin = 0
        holder.maintenance_margin = 0
        for market in range(core.positions.shape[1]):
            held = core.positions[account, market]
            held.initial_margin = 0
            held.maintenance_margin = 0
            held.place = 0
            held.first_bid = 0
            held.first_ask = 0
            held.first_reduce = 0
            held.reduce_size = 0
            if held.size != 0 or held.bid_size != 0 or held.ask_size != 0:
                holder.position_value += held.size * core.markets[market].mark
                holder.position_value -= unbooked_funding(core, account, market)
                update_margins(core, account, market, maintenance_margin(core, market, held.size), -1)
