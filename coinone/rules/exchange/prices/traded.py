"""Trades beside the mark: how far below it, and how far above it, a market traded of late.

Who buys all asks of each batch leaves no quote by which anybody could see where the market is (quotes.py). The trades
show it: the profit at the mark that somebody has just gained, the next order may gain as well, and initial margin
covers it (state/distance.py).

Of a batch count the trades of its takers, and those of resting orders that meet at its end, as far as they lie a step
of the distance beside the mark: the furthest first, up to the market's impact notional. So much sets the distance, less
moves it by its share, and it fades by 1/e in 150 s: many small trades count like a large one. What stands in the book
limits what a batch shows: a hittable bid above the price of a trade shows where longs can sell, an ask below it where
shorts can buy. So two accounts that trade with each other beside a market in which others quote show nothing. It ends
nothing that was shown before: a bid that is there for a moment is soon gone again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coinone.base.primitives.integers import div_down, muldiv_down, muldiv_up
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.prices.fair import DECAY_150_S, decay
from coinone.rules.exchange.rows.tables import DISTANCE_STEPS, Array
from coinone.rules.exchange.state.ledger import QUOTE_SCALE, TRADED_SCALE, MarketMemory


@dataclass(frozen=True, slots=True)
class Volume:
    """What was traded in a batch on one side of the mark."""

    value: int = 0  # in micro-quote, at most the impact notional
    distance: int = 0  # of the average price from the mark, in 1e-9 of it, rounded down


def trades_beside_the_mark(batch: Execution, fills: Array) -> dict[tuple[int, bool], Volume]:
    """The trades that count, by market and whether they were below the mark."""
    markets, found = batch.rows.markets, dict[tuple[int, bool], Volume]()
    counted = _beyond_a_step(markets, fills)
    for market in sorted(set(counted["market"].tolist())):
        of_market, mark = counted[counted["market"] == market], int(markets["mark"][market])
        notional = batch.ledger.listing_of(market).impact_notional
        for is_below, side in ((True, of_market["px"] < mark), (False, of_market["px"] > mark)):
            furthest = np.argsort(np.abs(of_market["px"][side] - mark), kind="stable")[::-1]
            if len(furthest):
                found[market, is_below] = _summed(of_market[side][furthest], mark, notional)
    return found


def add_trades(
    memory: MarketMemory, below: Volume, above: Volume, notional: int, elapsed: int
) -> MarketMemory:
    """The market's memory with this batch's trades; `notional` in micro-quote, `elapsed` in ms."""
    kept = decay(DECAY_150_S, elapsed)
    return replace(
        memory,
        traded_below=_moved(memory.traded_below * kept >> 64, below, notional),
        traded_above=_moved(memory.traded_above * kept >> 64, above, notional),
    )


def limited(volume: Volume, gap: int, mark: int) -> Volume:
    """No more than a hittable quote leaves possible, `gap` in 1 / QUOTE_SCALE from the mark; rounded up."""
    most = muldiv_up(max(gap, 0), TRADED_SCALE, mark * QUOTE_SCALE)
    return replace(volume, distance=min(volume.distance, most))


def _beyond_a_step(markets: Array, fills: Array) -> Array:
    marks = markets["mark"][fills["market"]]
    step = marks // (DISTANCE_STEPS * markets["max_leverage"][fills["market"]])
    gap = np.abs(marks - fills["px"])
    counted: Array = fills[(gap > 0) & (gap >= step)]
    return counted


def _summed(fills: Array, mark: int, notional: int) -> Volume:
    """Value and distance of the first of `fills`, up to the notional."""
    size = value = 0
    for px, sz in zip(fills["px"].tolist(), fills["sz"].tolist(), strict=True):
        take = min(sz, -(-(notional - value) // px))
        size, value = size + take, value + take * px
        if value >= notional:
            break
    gap = abs(mark * size - value)
    return Volume(min(value, notional), muldiv_down(gap, TRADED_SCALE, mark * size))


def _moved(old: int, traded: Volume, notional: int) -> int:
    """Towards a larger distance, by the part of the notional that was traded; rounded down."""
    if traded.distance <= old:
        return old
    return old + div_down((traded.distance - old) * traded.value, notional)
