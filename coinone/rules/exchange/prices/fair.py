"""The fair price of a market that trades beside its index: the oracle plus the book's average distance from it.

The distance is that of two averages of 150 s over the same samples, taken where narrow hittable quotes exist
(quotes.py): one of their midpoints, one of the oracle. Without such quotes both keep their last value, so the fair
price follows the index at the last known distance. Nobody is valued or liquidated at it: it decides who pays a taker's
fee where resting orders meet and the book shows no narrow spread (trading/uncrossing.py), and initial margin covers the
distance (state/distance.py).
"""

from __future__ import annotations

from dataclasses import replace

from coinone.base.primitives.integers import div_down
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.state.ledger import QUOTE_SCALE, MarketMemory

ONE = 1 << 64
SCALE_BITS = 20  # fractional bits of an average
DECAY_150_S = 18446621095825653620  # floor(2^64 * exp(-1 / 150,000)): the decay over one millisecond
SPREAD_SHARE = 16  # of oracle / max leverage: the widest spread whose midpoint is a price
_UNIT = 2 * QUOTE_SCALE << SCALE_BITS  # bid + ask, of a price unit


def expected_middle(batch: Execution, market: int) -> int:
    """Twice the price of the market: the oracle and the book's average distance from it; rounded down."""
    memory, row = batch.ledger.memory_of(market), batch.rows.markets[market]
    if not memory.book_average:
        return 2 * int(row["mark"])
    return div_down(2 * _beside_the_index(memory, int(row["oracle"])), _UNIT)


def add_book(
    memory: MarketMemory, bid: int, ask: int, oracle: int, leverage: int, elapsed: int
) -> MarketMemory:
    """The market's memory with this batch's hittable quotes, in 1 / QUOTE_SCALE, 0 for none; `elapsed` in ms."""
    if not (bid and ask and is_narrow(bid, ask, QUOTE_SCALE * oracle, leverage)):
        return memory
    book, index = bid + ask << SCALE_BITS, oracle * _UNIT
    if not memory.book_average:
        return replace(memory, book_average=book, index_average=index)
    kept = decay(DECAY_150_S, elapsed)
    return replace(
        memory,
        book_average=_blended(memory.book_average, book, kept),
        index_average=_blended(memory.index_average, index, kept),
    )


def is_narrow(bid: int, ask: int, oracle: int, leverage: int) -> bool:
    """Whether the midpoint of a spread is a price: that of a wide one may lie between the makers' quotes and a
    stranger's far away. All in the same units."""
    return SPREAD_SHARE * leverage * (ask - bid) <= oracle


def decay(per_ms: int, elapsed_ms: int) -> int:
    """Return per_ms ^ elapsed_ms in units of 2^-64, by squaring, each step rounded down."""
    result, power = ONE, per_ms
    while elapsed_ms:
        if elapsed_ms & 1:
            result = result * power >> 64
        power = power * power >> 64
        elapsed_ms >>= 1
    return result


def _blended(average: int, sample: int, kept: int) -> int:
    """The exponential moving average after `sample`, of which `kept` remains from before; rounded down."""
    return average * kept + sample * (ONE - kept) >> 64


def _beside_the_index(memory: MarketMemory, oracle: int) -> int:
    return oracle * _UNIT + memory.book_average - memory.index_average
