"""Holders: per market the accounts that have a position or open orders there (jitted).

What a batch does to all accounts in a market (a new mark, funding, the choice of liquidations) iterates over these
lists and never over all accounts, most of which hold nothing. A list is dense and unordered; each position's `place` is
its account's index, so that joining and leaving cost the same for any length. Code that changes a position's size or
its reserved orders calls `keep_holder`; an account whose only orders are reduce-only holds a position anyway. The lists
follow from the rows, so they are rebuilt and never journalled.
"""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.rows.arrays import i64, inlined


@inlined
def keep_holder(core: Any, account: int, market: int) -> None:
    """Add the account to the market's holders, or remove it, according to its position."""
    held = core.positions[account, market]
    holds = (held.size | held.bid_size | held.ask_size) != 0
    if holds == (held.place != 0):
        return
    count = core.holder_counts[market]
    if holds:
        core.holders[market, count] = account
        core.holder_counts[market] = count + 1
        held.place = count + 1
    else:
        last = i64(core.holders[market, count - 1])
        core.holders[market, held.place - 1] = last
        core.positions[last, market].place = held.place
        core.holder_counts[market] = count - 1
        held.place = 0
