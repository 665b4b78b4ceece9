"""The mark price: oracle and a slow, bounded offset, by hand and against floating point; and attempts to move it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.exchange.prices.fixed import (
    DECAY_150_S,
    ONE,
    QUOTE_SCALE,
    SCALE_BITS,
    blended,
    decay,
    round_half_even,
)
from coinone.rules.exchange.prices.mark import given_way, next_offset, wanted_offset

PX = 2_000 << SCALE_BITS  # a basis of one price unit


@pytest.mark.parametrize("elapsed", [0, 1, 250, 3_000, 30_000, 150_000, 10_000_000])
def test_decay_is_the_exponential(elapsed: int) -> None:
    assert decay(DECAY_150_S, elapsed) / ONE == pytest.approx(
        math.exp(-elapsed / 150_000), rel=1e-9, abs=1e-18
    )


def test_half_goes_to_the_even_neighbour() -> None:
    assert [round_half_even(n, 2) for n in (-3, -1, 1, 3, 5)] == [-2, 0, 0, 2, 2]
    assert [round_half_even(n, 3) for n in (-2, -1, 1, 2, 4)] == [-1, 0, 0, 1, 1]


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(1, 5_000)), min_size=1, max_size=60))
def test_the_average_is_the_exponential_one_of_floating_point(samples: list[tuple[int, int]]) -> None:
    average, expected = 0, 0.0
    for sample, elapsed in samples:
        average = blended(average, sample << SCALE_BITS, DECAY_150_S, elapsed)
        kept = math.exp(-elapsed / 150_000)
        expected = expected * kept + sample * (1 - kept)
    assert abs(average / 2**SCALE_BITS - expected) <= len(samples) * 2.0**-SCALE_BITS + 1e-3


@pytest.mark.parametrize(
    ("offset", "basis", "oracle", "after"),
    [
        # Oracle 50,000.0 at 50x: at most 500,000 / 200 = 2,500 either way, 500,000 / 3,200 = 156.25 a batch.
        (0, 200 * PX, 500_000, 156),
        (156, 200 * PX, 500_000, 200),
        (2_400, 9_999 * PX, 500_000, 2_500),
        (2_500, -9_999 * PX, 500_000, 2_344),
        (2_500, 9_999 * PX, 400_000, 2_000),  # a lower oracle bounds it at once
        (0, PX // 2, 500_000, 0),  # half to even
        (0, 3 * PX // 2, 500_000, 2),
        (0, 99 * PX, 3_000, 0),  # 3,000 / 3,200 is no step: the mark is the oracle
    ],
)
def test_the_offset_follows_the_basis_step_by_step(offset: int, basis: int, oracle: int, after: int) -> None:
    assert next_offset(offset, wanted_offset(basis, oracle, 50, (-9_999, 9_999)), oracle, 50) == after


@pytest.mark.parametrize(
    ("offset", "basis", "span", "after"),
    [
        (0, 200, (0, 50), 50),  # no farther than the book
        (200, 200, (0, 50), 50),
        (2_000, 2_000, (0, 0), 1_844),  # back by a step a batch
        (-2_000, -2_000, (0, 300), -1_844),  # a book on the other side counts as the oracle
        (-100, -200, (-9_999, 0), -200),
    ],
)
def test_the_offset_leads_no_farther_than_the_book(
    offset: int, basis: int, span: tuple[int, int], after: int
) -> None:
    assert next_offset(offset, wanted_offset(basis * PX, 500_000, 50, span), 500_000, 50) == after


@pytest.mark.parametrize(
    ("offset", "moved", "wanted", "left"),
    [
        (-2_000, -500, -1_500, -1_500),  # the oracle came by 500: the mark stands
        (-2_000, -500, 0, -1_500),  # no more than the oracle moved
        (-2_000, -500, -1_900, -1_900),  # no more than lies beyond the book
        (-2_000, 500, 0, -2_000),  # it went away from the book: no reason
        (2_000, 3_000, 0, 0),
        (2_000, 0, 0, 2_000),
        (2_000, 900, 2_000, 2_000),
        (-1_500, 500, -2_000, -2_000),  # it goes back where it came from: the mark stands again
        (-1_500, 300, -2_000, -1_800),
    ],
)
def test_the_offset_gives_way_where_the_oracle_comes_to_the_book(
    offset: int, moved: int, wanted: int, left: int
) -> None:
    assert given_way(offset, moved, wanted) == left


def mark(w: Any) -> int:
    return int(w.ex.rows.markets[0]["mark"])


def wait(w: Any, seconds: int, step_ms: int = 5_000) -> None:
    for _ in range(seconds * 1_000 // step_ms):
        w.batch(step_ms=step_ms)


def test_an_empty_or_one_sided_book_is_marked_at_the_oracle(world: Callable[..., Any]) -> None:
    w = world({1: 1_000_000})
    assert mark(w) == 500_000
    w.batch(w.sell(1, 1, 50_200))
    w.oracle(btc=50_100)
    wait(w, 30)
    assert mark(w) == 501_000


def test_the_mark_comes_to_the_middle_of_quotes_that_stay(world: Callable[..., Any]) -> None:
    """Bid 50,010, ask 50,030: a basis of 20. After 150 s the average stands at 20 * (1 - 1/e) = 12.64."""
    w = world({1: 1_000_000})
    w.batch(w.buy(1, 1, 50_010, "Alo"), w.sell(1, 1, 50_030, "Alo"))
    wait(w, 155)  # the mark follows what was weighed up to the batch before
    assert abs(mark(w) - 500_126) <= 1
    wait(w, 1_500)
    assert mark(w) == 500_200


def test_a_quote_counts_only_when_takers_have_seen_it_and_could_trade_with_it(
    world: Callable[..., Any],
) -> None:
    """Placed post-only in one batch, gone before the takers of the next, again and again: nothing was hittable."""
    w = world({1: 10**7})
    for turn in range(40):
        w.batch(
            w.buy(1, 1, 50_010, "Alo", cloid=2 * turn + 1), w.sell(1, 1, 50_030, "Alo", cloid=2 * turn + 2)
        )
        w.batch(w.cancel(1, cloid=2 * turn + 1), w.cancel(1, cloid=2 * turn + 2))
    memory = w.ex.ledger.memory_of(0)
    assert (memory.basis, memory.quoted_ms, memory.premium_sum) == (0, 0, 0)


def test_who_is_alone_in_a_book_moves_the_mark_slowly_and_not_far(world: Callable[..., Any]) -> None:
    """Quotes 4 % above the oracle: at most 156 units a batch and 2,500 in all, whatever is quoted; and no faster
    than quotes at the bound itself: after 30 s 2,500 * (1 - exp(-1/5)) = 453."""
    w = world({1: 10**8})
    w.batch(w.buy(1, 1, 51_990, "Alo"), w.sell(1, 1, 52_010, "Alo"))
    before = mark(w)
    for _ in range(31):
        w.batch(step_ms=1_000)
        assert 0 <= mark(w) - before <= 156
        before = mark(w)
    assert abs(mark(w) - 500_453) <= 1
    wait(w, 2_000)
    assert mark(w) == 502_500


def test_of_a_wide_spread_the_middle_says_nothing(world: Callable[..., Any]) -> None:
    """At 50x a spread of 62.5 is the bound: 50,000 to 50,062 counts, a tick more does not."""
    w = world({1: 10**8})
    w.batch(w.buy(1, 1, 50_000), w.sell(1, 1, 50_063))
    wait(w, 60)
    assert mark(w) == 500_000
    w.batch(w.sell(1, 1, 50_062))
    wait(w, 60)
    assert mark(w) > 500_000


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [
        (50_100, 50_400, 501_000),
        (49_700, 49_950, 499_500),
        (49_000, 50_001, 500_000),
        (48_000, 49_900, 499_000),
    ],
)
def test_of_a_wide_spread_the_side_nearer_to_the_oracle_counts_if_both_lie_beyond_it(
    world: Callable[..., Any], bid: int, ask: int, expected: int
) -> None:
    """The price is not below its bid nor above its ask: 50,100 above 50,000, 49,950 and 49,900 below; else 50,000."""
    w = world({1: 10**8})
    w.batch(w.buy(1, 1, bid, "Alo"), w.sell(1, 1, ask, "Alo"))
    wait(w, 3_000)
    assert mark(w) == expected


def test_a_trade_far_away_moves_no_mark(world: Callable[..., Any]) -> None:
    w = world({1: 10**6, 2: 10**6})
    w.batch(w.sell(1, 0.1, 51_000), w.buy(2, 0.1, 51_000))
    assert w.position(2) == 10_000
    wait(w, 30)
    assert mark(w) == 500_000


def test_a_basis_that_was_pushed_and_left_goes_back(world: Callable[..., Any]) -> None:
    """Frozen for 30 s without a quote, then it falls with the average's 150 s: exp(-450/150) = 5 % after 450 s."""
    w = world({1: 10**8})
    w.batch(w.buy(1, 1, 50_990, cloid=1), w.sell(1, 1, 51_010, cloid=2))
    wait(w, 1_500)
    assert mark(w) == 502_500
    w.batch(w.cancel(1, cloid=1), w.cancel(1, cloid=2))
    wait(w, 30)
    assert mark(w) == 502_500
    wait(w, 450)
    assert abs(mark(w) - 500_124) <= 5


def test_the_mark_stands_while_the_oracle_is_stale_and_the_pushed_basis_falls_meanwhile(
    world: Callable[..., Any],
) -> None:
    w = world({1: 10**8})
    w.batch(w.buy(1, 1, 50_990, cloid=1), w.sell(1, 1, 51_010, cloid=2))
    wait(w, 1_500)
    w.batch(w.cancel(1, cloid=1), w.cancel(1, cloid=2), step_ms=20_001, fresh=False)
    for _ in range(10):
        w.batch(step_ms=100_000, fresh=False)
        assert mark(w) == 502_500
    for _ in range(17):  # back at the oracle in steps of 156
        w.batch()
    assert abs(mark(w) - 500_000) <= 4  # 2,500 * exp(-970 / 150)


def test_a_price_that_was_cancelled_at_the_end_of_the_ladder_is_no_depth(world: Callable[..., Any]) -> None:
    """0.1 BTC at 49,990 is 4,999 quote, less than the impact notional of 20,000; the 50,000 behind it are cancelled."""
    w = world({1: 100_000})
    w.batch(w.buy(1, 0.1, 49_990, "Alo"), w.buy(1, 1.0, 49_900, "Alo", cloid=7))
    assert w.ex.ledger.memory_of(0).seen_bid > 0
    w.batch(w.cancel(1, cloid=7))
    assert w.ex.ledger.memory_of(0).seen_bid == 0


def test_small_orders_in_front_hide_no_depth(world: Callable[..., Any]) -> None:
    """300 bids of 0.0003 from 49,999 downwards, then 1 at 49,600. The 300 are worth 0.0003 * (300 * 49,999 - 299 * 150)
    = 4,486.455; the 15,513.545 that 20,000 lack take 0.31278 at 49,600: 20,000.343 for 0.40278."""
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.signed(1, w.many(*[w.spec(True, 0.0003, 49_999 - k, "Alo") for k in range(300)])))
    w.batch(w.buy(2, 1, 49_600, "Alo"))
    assert w.ex.ledger.memory_of(0).seen_bid == 20_000_343_000 * QUOTE_SCALE // 40_278


def quote_round(w: Any, price: float, cloid: int = 0) -> None:
    """Bid and ask of a BTC, ten below and above `price`, in the place of the last ones."""
    if cloid:
        w.batch(w.cancel(1, cloid=cloid), w.cancel(1, cloid=cloid + 1))
    w.batch(w.buy(1, 1, price - 10, "Alo", cloid=cloid + 2), w.sell(1, 1, price + 10, "Alo", cloid=cloid + 3))


def test_the_mark_stands_where_the_oracle_comes_to_the_book(world: Callable[..., Any]) -> None:
    """The book stays 200 below the oracle. When the oracle comes down to it, in one step or in four, the mark, which is
    there already, neither follows nor falls below both: it did, by 200, as long as the average remembered."""
    for steps in (1, 4):
        w = world({1: 10**8})
        quote_round(w, 49_800)
        wait(w, 1_500)
        assert mark(w) == 498_000
        for step in range(1, steps + 1):
            w.oracle(btc=50_000 - 200 * step // steps)
            w.batch()
            assert mark(w) == 498_000
        for _ in range(60):
            w.batch(step_ms=1_000)
            assert mark(w) == 498_000


@pytest.mark.parametrize("dip", [-150, -100, 100, 300])
@pytest.mark.parametrize("batches", [1, 3])
def test_a_dip_of_the_oracle_that_comes_back_leaves_the_mark_where_it_was(
    world: Callable[..., Any], dip: int, batches: int
) -> None:
    """The book stands 200 below the oracle, which moves and comes back. The offset gave way to the move towards the
    book and returned by 15.6 a batch: the mark lay up to 133 above the book, and shorts were closed."""
    w = world({1: 10**8})
    quote_round(w, 49_800)
    wait(w, 1_500)
    before = mark(w)
    w.oracle(btc=50_000 + dip)
    for _ in range(batches):
        w.batch()
    w.oracle(btc=50_000)
    w.batch()
    learnt = abs(dip) * 10 * (batches + 1) * 250 / 150_000  # by the basis meanwhile
    assert abs(mark(w) - before) <= learnt + 1


def test_the_mark_comes_back_with_the_book(world: Callable[..., Any]) -> None:
    """The oracle stands at 50,000; the book was at 49,800 for long and is at 50,000 again. After 90 s its average is
    2,000 * exp(-3) = 99.6 units below; that of the basis alone would be 2,000 * exp(-90 / 150) = 1,098 below."""
    w = world({1: 10**8})
    quote_round(w, 49_800)
    wait(w, 1_500)
    quote_round(w, 50_000, cloid=2)
    for _ in range(90):
        w.batch(step_ms=1_000)
    assert 499_885 <= mark(w) <= 499_910


@pytest.mark.parametrize("ask", [50_010, 50_200])
def test_whoever_quotes_at_the_oracle_for_some_batches_does_not_bring_the_mark_there(
    world: Callable[..., Any], ask: int
) -> None:
    """The market trades 200 below its index. In 13 batches, 3.25 s, of narrow quotes at the index, or of wide ones
    above it, the 30 s average goes 1 - exp(-3.25 / 30) = 10 % of the way, 206 units; the mark went all of it."""
    w = world({1: 10**8})
    quote_round(w, 49_800)
    wait(w, 1_500)
    assert mark(w) == 498_000
    w.batch(w.cancel(1, cloid=2), w.cancel(1, cloid=3))
    w.batch(w.buy(1, 1, 49_990, "Alo"), w.sell(1, 1, ask, "Alo"))
    for _ in range(13):
        w.batch()
    assert mark(w) <= 498_000 + 206


def test_noise_of_the_makers_middle_leans_the_mark_to_no_side(world: Callable[..., Any]) -> None:
    """The middle goes between 49,850 and 49,750 and back every 2 s: the mark stays within a tick of 49,800 and the
    average's own swing, 500 units * 2 s / 30 s = 33."""
    w = world({1: 10**8})
    quote_round(w, 49_800)
    wait(w, 1_500)
    for turn in range(60):
        quote_round(w, 49_850 - 100 * (turn % 2), cloid=2 * turn + 2)
        for _ in range(6):
            w.batch()
        assert abs(mark(w) - 498_000) <= 35


def test_whoever_hides_the_book_does_not_bring_the_remembered_offset_back(world: Callable[..., Any]) -> None:
    """The oracle has come to the book, 49,800. Then nobody quotes, or wide, for 20 s and for minutes."""
    for wide in (False, True):
        w = world({1: 10**8})
        quote_round(w, 49_800)
        wait(w, 1_500)
        w.oracle(btc=49_800)
        w.batch(w.cancel(1, cloid=2), w.cancel(1, cloid=3))
        if wide:
            w.batch(w.buy(1, 1, 49_000, "Alo"), w.sell(1, 1, 50_600, "Alo"))
        for _ in range(300):
            w.batch(step_ms=1_000)
            assert mark(w) == 498_000
