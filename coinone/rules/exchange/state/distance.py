"""The distance of a market from its index, which initial margin covers.

The mark is the oracle price, and a market may trade beside its index for days. Who buys below it has a profit at the
mark immediately, which the book does not pay: used as margin for more of the same, or sent away, it would be missing
when the position must be closed. So the side that gains by opening there, longs below the index and shorts above it,
needs an initial margin of at least

    twice the maintenance margin + the value of its exposure * distance        (margin/sums.py)

which an account that chose half of the maximum leverage, or less, has in any case. The distance is the largest of

    the book's 150 s average from that of the index over the same samples (prices/fair.py)
    what an order for the impact notional would gain now: the last impact ask below the mark, or the impact bid above
        it (prices/quotes.py). Before the average has followed, profit would be margin for the next order
    what was traded and offered of late, fading like the average (prices/traded.py): who buys all asks of each batch
        leaves neither quote nor sample

in steps of 1 / (16 * max leverage), rounded down: a narrow spread is no wider than one, and all holders are updated
when a step is crossed, not in every batch. It is at most the band's width, the most that a trade may gain: who pushes
an average or a quote adds no more than that to a margin, and frees nothing on the other side.

It follows from the market's memory and mark at the end of each batch, so it is in no leaf. What a batch's takers are
offered counts for them already. Equity, maintenance margin and liquidations do not read it: nobody is closed by it, and
no order is cancelled.
"""

from __future__ import annotations

from coinone.base.primitives.integers import div_down, div_up
from coinone.rules.exchange.margin.fill_check import band_divisor
from coinone.rules.exchange.rows.tables import DISTANCE_STEPS
from coinone.rules.exchange.state.ledger import QUOTE_SCALE, TRADED_SCALE, MarketMemory


def distance_of(memory: MarketMemory, mark: int, leverage: int) -> tuple[int, int]:
    """By how many steps the market stands below its index, and above it; at most `steps_max`."""
    book, index, price = memory.book_average, memory.index_average, mark * QUOTE_SCALE
    below = price - memory.seen_ask if memory.seen_ask else 0
    above = memory.seen_bid - price
    return (
        max(
            _steps(index - book, index, leverage),
            _steps(below, price, leverage),
            _steps(memory.traded_below, TRADED_SCALE, leverage),
        ),
        max(
            _steps(book - index, index, leverage),
            _steps(above, price, leverage),
            _steps(memory.traded_above, TRADED_SCALE, leverage),
        ),
    )


def steps_max(leverage: int) -> int:
    """The steps of the band in which a market trades, rounded up: nobody gains more in it."""
    return div_up(DISTANCE_STEPS * leverage, band_divisor(leverage))


def _steps(gap: int, whole: int, leverage: int) -> int:
    """The whole steps of a gap from `whole`, none if it is negative, up to the most that counts."""
    if gap <= 0:
        return 0
    return min(div_down(DISTANCE_STEPS * leverage * gap, whole), steps_max(leverage))
