"""The mark price: medians and decaying averages, by hand and against floating point."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.exchange.fixed import (
    DECAY_30_S,
    DECAY_150_S,
    ONE,
    decay,
    median,
    round_half_even,
    updated,
    value_of,
)
from coinone.rules.exchange.ledger import Ema


@pytest.mark.parametrize(("per_ms", "tau"), [(DECAY_150_S, 150_000), (DECAY_30_S, 30_000)])
@pytest.mark.parametrize("elapsed", [0, 1, 250, 3_000, 30_000, 150_000, 10_000_000])
def test_decay_is_the_exponential(per_ms: int, tau: int, elapsed: int) -> None:
    assert decay(per_ms, elapsed) / ONE == pytest.approx(math.exp(-elapsed / tau), rel=1e-9, abs=1e-18)


def test_half_goes_to_the_even_neighbour() -> None:
    assert [round_half_even(n, 2) for n in (-3, -1, 1, 3, 5)] == [-2, 0, 0, 2, 2]
    assert [round_half_even(n, 3) for n in (-2, -1, 1, 2, 4)] == [-1, 0, 0, 1, 1]
    assert median((3, 1, 2)) == 2


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(-(10**6), 10**8), st.integers(1, 5_000)), min_size=1, max_size=60))
def test_the_average_is_hyperliquids_formula(samples: list[tuple[int, int]]) -> None:
    """num = num e^(-dt/tau) + x dt, den likewise, in floating point."""
    ema, num, den = Ema(), 0.0, 0.0
    for sample, elapsed in samples:
        ema = updated(ema, sample, DECAY_150_S, elapsed, elapsed)
        kept = math.exp(-elapsed / 150_000)
        num, den = num * kept + sample * elapsed, den * kept + elapsed
    value = value_of(ema)
    # Both sums lose less than 2^-20 at each step, which weighs most while they are short; the rest is the float's.
    lost = len(samples) * 2.0**-20 / den + 1e-9
    most = 0.51 + (1 + max(abs(sample) for sample, _ in samples)) * lost
    assert value is not None and abs(value - num / den) <= most


def mark(w: Any) -> int:
    return int(w.ex.rows.markets[0]["mark"])


def test_an_empty_or_one_sided_book_is_marked_at_the_oracle(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    assert mark(w) == 500_000
    w.batch(w.sell(1, 0.1, 50_500))
    w.oracle(btc=50_100)
    w.batch()
    assert mark(w) == 501_000


def test_the_mark_is_the_median_of_oracle_book_and_the_books_average(world: Callable[..., Any]) -> None:
    """Bid 50,100 and ask 50,200 without a trade: the book's price is 50,150, its average after the first sample
    too; the oracle at 50,000 plus an average basis of 150 says 50,150 as well."""
    w = world({1: 1_000_000})
    w.batch(w.buy(1, 0.1, 50_100), w.sell(1, 0.1, 50_200))
    w.batch()
    assert mark(w) == 501_500


def test_a_spike_of_the_book_alone_does_not_move_the_mark_at_once(world: Callable[..., Any]) -> None:
    """Quotes around the oracle for a minute, then a book 4 % higher: the two averages hold the median down."""
    w = world({1: 10_000_000})
    w.batch(w.buy(1, 0.1, 49_990, cloid=1), w.sell(1, 0.1, 50_010, cloid=2))
    for _ in range(20):
        w.batch(step_ms=3_000)
    assert mark(w) == 500_000
    w.batch(w.cancel(1, cloid=1), w.cancel(1, cloid=2))
    w.batch(w.buy(1, 0.1, 51_990), w.sell(1, 0.1, 52_010))
    w.batch()
    assert 500_000 <= mark(w) < 501_000
    for _ in range(100):
        w.batch(step_ms=3_000)
    assert mark(w) == 510_000  # a fiftieth above the oracle, and no further whatever the book says


def test_a_gap_in_time_does_not_outweigh_what_follows(world: Callable[..., Any]) -> None:
    """After eight hours asleep the old averages are gone, and the first new sample counts like any other."""
    w = world({1: 10_000_000})
    w.batch(w.buy(1, 0.1, 50_190, cloid=1), w.sell(1, 0.1, 50_210, cloid=2))
    w.batch()
    w.batch(step_ms=8 * 3_600_000)
    w.batch(w.cancel(1, cloid=1), w.cancel(1, cloid=2))
    w.batch(w.buy(1, 0.1, 49_990), w.sell(1, 0.1, 50_010))
    for _ in range(40):
        w.batch(step_ms=3_000)
    assert mark(w) < 500_800
