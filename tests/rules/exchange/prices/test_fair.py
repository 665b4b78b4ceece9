"""Fair prices: the book's average by hand and against floating point, and who may push it for what."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.prices.fair import (
    DECAY_150_S,
    ONE,
    SCALE_BITS,
    add_book,
    decay,
    expected_middle,
)
from coinone.rules.exchange.state.ledger import QUOTE_SCALE, MarketMemory


@pytest.mark.parametrize("elapsed", [0, 1, 250, 3_000, 30_000, 150_000, 10_000_000])
def test_decay_is_the_exponential(elapsed: int) -> None:
    assert decay(DECAY_150_S, elapsed) / ONE == pytest.approx(
        math.exp(-elapsed / 150_000), rel=1e-9, abs=1e-18
    )


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(400_000, 600_000), st.integers(1, 5_000)), min_size=2, max_size=60),
    st.integers(490_000, 510_000),
)
def test_the_averages_are_the_exponential_ones_of_floating_point(
    samples: list[tuple[int, int]], oracle: int
) -> None:
    """Quotes of no spread, so that all are narrow; the first one is the average itself."""
    memory, book = MarketMemory(), float(samples[0][0])
    for n, (px, elapsed) in enumerate(samples):
        memory = add_book(memory, px * QUOTE_SCALE, px * QUOTE_SCALE, oracle, 50, elapsed)
        kept = math.exp(-elapsed / 150_000) if n else 0
        book = book * kept + px * (1 - kept)
    unit = 2 * QUOTE_SCALE * 2**SCALE_BITS
    assert memory.book_average / unit == pytest.approx(book, rel=1e-9)
    assert memory.index_average / unit == pytest.approx(oracle, rel=1e-9)


def test_a_spread_wider_than_a_16th_of_oracle_by_leverage_is_no_sample() -> None:
    """Oracle 50,000.0 at 50x: 500,000 / 800 = 625 units."""
    for ask, counts in ((500_625, True), (500_626, False)):
        memory = add_book(MarketMemory(), 500_000 * QUOTE_SCALE, ask * QUOTE_SCALE, 500_000, 50, 250)
        assert (memory.book_average > 0) == counts
    for bid, ask in ((0, 500_000), (500_000, 0), (0, 0)):
        assert (
            add_book(MarketMemory(), bid * QUOTE_SCALE, ask * QUOTE_SCALE, 500_000, 50, 250) == MarketMemory()
        )


def middle_of(w: Any) -> int:
    """Twice the middle that is expected, in price units, at the beginning of the next batch."""
    return expected_middle(Execution(w.ex, BatchContext(w.seq + 1, w.now + 250, bytes(32))), 0)


def quoted(w: Any, middle: int, batches: int, turn: int = 0) -> None:
    """A narrow book of 1 BTC a side round `middle` that stays for so many batches of 5 s."""
    gone = [w.cancel(1, cloid=turn), w.cancel(1, cloid=turn + 1)] if turn else []
    w.batch(
        *gone,
        w.buy(1, 1, middle - 10, "Alo", cloid=turn + 2),
        w.sell(1, 1, middle + 10, "Alo", cloid=turn + 3),
    )
    for _ in range(batches):
        w.batch(step_ms=5_000)


def test_without_a_narrow_book_so_far_the_mark_is_all_there_is(world: Callable[..., Any]) -> None:
    w = world({1: 10**8})
    w.batch(w.buy(1, 1, 49_000, "Alo"), w.sell(1, 1, 50_010, "Alo"))
    for _ in range(10):
        w.batch()
    assert middle_of(w) == 1_000_000


def test_the_fair_price_follows_the_index_at_the_books_average_distance(world: Callable[..., Any]) -> None:
    """Book 50,200, index 50,000. The book goes and the index falls to 49,900: 50,100 is expected."""
    w = world({1: 10**8})
    quoted(w, 50_200, 2)
    assert middle_of(w) == 1_004_000
    w.oracle(btc=49_900)
    w.batch(w.cancel(1, cloid=2), w.cancel(1, cloid=3))
    assert w.mark() == 499_000
    assert middle_of(w) == 2 * 501_000
    for _ in range(30):
        w.batch(step_ms=5_000)
    assert middle_of(w) == 2 * 501_000, "without narrow quotes nothing changes"


def test_who_pushes_the_average_needs_minutes(world: Callable[..., Any]) -> None:
    """From 50,200 towards 50,000: after 75 s of it, 200 * exp(-75 / 150) = 121.3 of the distance are left."""
    w = world({1: 10**8})
    quoted(w, 50_200, 2)
    quoted(w, 50_000, 15, turn=2)
    assert abs(middle_of(w) - 2 * 501_213) <= 20
