"""Which accounts below their margin get an order in the book (jitted): a bounded number per turn.

The largest shortfall comes first (in a batch's later turns the order is drawn), and only accounts whose order would
meet another. The book is traversed as their orders will traverse it, once for all of them: what one takes is not there
for the next. Otherwise a bid of ten quote would be a reason to serve 64 accounts, 63 of which find nothing, while
others, with smaller shortfalls and bids in their market, wait.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.fixed128 import muldiv_down_jit
from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.parameters import LIQUIDATION_COOLDOWN_MS
from coinone.rules.exchange.book.ladders import ladder_of
from coinone.rules.exchange.rows.arrays import CORE, MARKETS, NUMBER_ROWS, NUMBERS, attach, i64, inlined, part
from coinone.rules.exchange.rows.tables import LIMIT_WHOLE, Array, MarketStatus
from coinone.rules.exchange.state.rows import Rows

PARTIAL_NOTIONAL = 100_000_000_000  # micro-quote: larger positions are closed in steps
PARTIAL_SHARE = 5  # a step is a fifth of the position

_AGED = int(MarketStatus.AGED)


def served(rows: Rows, slots: Array, now: int, most: int) -> list[int]:
    """The first of `slots`, at most `most`, whose order meets another that no earlier one takes."""
    taken, found = np.zeros((2 * rows.market_count, 2), np.int64), np.zeros(most, np.int64)
    count = _served(rows.core(), slots, now, taken, found)
    chosen: list[int] = found[:count].tolist()
    return chosen


def by_lot(numbers: Array, seed: bytes) -> Array:
    """Places of the accounts with these numbers in an order drawn by the batch's seed, uniformly at random.

    By the mixing steps of SplitMix64, with a key that nobody knew when the accounts were opened.
    """
    key = np.frombuffer(keccak256(seed + b"liquidations"), ">u8", 1).astype(np.uint64)
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    order: Array = np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")
    return order


@inlined
def _orderly(core: Any, account: int) -> bool:
    holder = core.accounts[account]
    return bool(3 * (holder.cash + holder.position_value) >= 2 * holder.maintenance_margin)


@inlined
def _limit(core: Any, account: int, market: int) -> int:
    """The limit price as in liquidation.limit_price, of an account that is not locked."""
    holder, held, terms = core.accounts[account], core.positions[account, market], core.markets[market]
    worth, size = i64(holder.cash + holder.position_value), abs(held.size)
    distance = muldiv_down_jit(worth, i64(held.maintenance_margin), i64(holder.maintenance_margin)) // size
    if _orderly(core, account):
        distance = min(distance, held.maintenance_margin // (2 * size))
    if 3 * worth >= holder.maintenance_margin:
        distance = muldiv_down_jit(distance, i64(terms.limit_share), LIMIT_WHOLE)
    px = terms.mark - distance if held.size > 0 else terms.mark + distance
    return i64(max(1, min(px, terms.max_px)))


@inlined
def _lots(core: Any, account: int, market: int) -> int:
    """The lots to close as in liquidation.part_of, of an account that is not locked."""
    size = abs(core.positions[account, market].size)
    if size * core.markets[market].mark > PARTIAL_NOTIONAL and _orderly(core, account):
        return i64((size + PARTIAL_SHARE - 1) // PARTIAL_SHARE)
    return i64(size)


@part
def _take(core: Any, ladder: int, limit: int, lots: int, taken: Any) -> bool:
    """Take `lots` of what is left at the key `limit` or better; return whether there was anything.

    taken[ladder]: how many prices are used up, and how many lots of the next.
    """
    anything = False
    place = core.ladder_counts[ladder] - 1 - taken[ladder, 0]
    while lots > 0 and place >= core.ladder_firsts[ladder] and core.ladder_keys[ladder, place] >= limit:
        anything = True
        left = core.levels[core.ladder_levels[ladder, place]].size - taken[ladder, 1]
        if left > lots:
            taken[ladder, 1] += lots
            break
        lots -= left
        taken[ladder, 0] += 1
        taken[ladder, 1] = 0
        place -= 1
    return anything


@njit(
    types.int64(CORE, NUMBERS, types.int64, NUMBER_ROWS, NUMBERS),
    error_model="numpy",
    _nrt=False,
)
def _served(words: Any, slots: Any, now: int, taken: Any, found: Any) -> int:
    core = attach(words)
    count = 0
    for n in range(len(slots)):
        if count == len(found):
            break
        account = slots[n]
        since = now - core.accounts[account].liquidated_ms
        if since < LIQUIDATION_COOLDOWN_MS and _orderly(core, account):
            continue  # a fifth was just closed, and two thirds of the margin are left
        meets = False
        for market in range(core.counters[MARKETS]):
            size = core.positions[account, market].size
            if size == 0 or core.markets[market].status > _AGED:
                continue
            limit = _limit(core, account, market)
            ladder = ladder_of(market, 0 if size > 0 else 1)
            key = limit if size > 0 else -limit
            meets = _take(core, ladder, key, _lots(core, account, market), taken) or meets
        if meets:
            found[count] = account
            count += 1
    return count
