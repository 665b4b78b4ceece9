"""What was traded and offered beside the mark: by hand, what counts, how it fades, and that a batch undone or restored
keeps it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import exp
from typing import Any

import pytest

from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.exchange.state.restore import exchange_from_leaves
from tests.rules.exchange import words as t

MAKER, TAKER, OTHER = 1, 2, 3


@pytest.fixture
def w(world: Callable[..., Any]) -> Any:
    """A market at 50x with its mark at 50,000 and an impact notional of 20,000."""
    w = world({MAKER: 10**7, TAKER: 10**6, OTHER: 10**6})
    w.batch()
    return w


def traded(w: Any) -> tuple[int, int]:
    memory = w.ex.ledger.memory_of(0)
    return memory.traded_below, memory.traded_above


def bought(w: Any, size: float, price: float, **batch: Any) -> None:
    """A maker asks this in the same batch as a taker buys it: nothing is left."""
    w.batch(w.sell(MAKER, size, price, "Alo"), w.buy(TAKER, size, price, "Ioc"), **batch)
    assert float(w.status(1)["filled"]["totalSz"]) == size


@pytest.mark.parametrize(
    ("size", "price", "below", "steps"),
    [
        (0.5, 49_500, 10_000_000, 8),  # 24,750 of 20,000: the whole 1 %, and 0.01 * 800
        (0.2, 49_500, 4_950_000, 3),  # 9,900 of 20,000: 0.495 of it
        (1, 49_937, 1_260_000, 1),  # a step is 0.125 %, 62.5
        (1, 49_938, 1_240_000, 0),  # less is a spread
        (0.2, 49_938, 0, 0),  # and no trade counts
        (1, 50_500, 0, 0),  # above the mark: counts for shorts
        (1, 48_000, 40_000_000, 32),  # 4 %
    ],
)
def test_a_trade_counts_by_its_share_of_the_impact_notional(
    w: Any, size: float, price: float, below: int, steps: int
) -> None:
    bought(w, size, price)
    assert traded(w)[0] == below
    assert w.ex.rows.markets["below"][0] == steps


def test_trades_above_the_mark_count_for_shorts(w: Any) -> None:
    w.batch(w.buy(MAKER, 0.5, 50_500, "Alo"), w.sell(TAKER, 0.5, 50_500, "Ioc"))
    assert traded(w) == (0, 10_000_000) and w.ex.rows.markets["above"][0] == 8


def test_of_a_batch_the_best_trades_count_up_to_the_notional(w: Any) -> None:
    """0.2 at 49,000 are 9,800, and 0.20441 at 49,900 the other 10,200: much more near the mark changes nothing."""
    w.batch(
        w.sell(MAKER, 10, 49_900, "Alo"),
        w.sell(OTHER, 0.2, 49_000, "Alo"),
        w.buy(TAKER, 10.2, 49_900, "Ioc"),
    )
    gap = Fraction(20_000, 100_000) * 1_000 + Fraction(20_441, 100_000) * 100
    assert traded(w) == (int(gap / (Fraction(40_441, 100_000) * 50_000) * 10**9), 0)


def test_many_small_trades_count_like_a_large_one(w: Any) -> None:
    """Each of 990 moves it by 0.0495 of what is missing, and 250 ms fade it by 0.17 %: towards 0.97 of the 1 %."""
    expected = 0.0
    for _ in range(120):
        bought(w, 0.02, 49_500)
        faded = expected * exp(-250 / 150_000)
        expected = faded + (10_000_000 - faded) * 0.0495
        assert abs(traded(w)[0] - expected) < 50
    assert 9_600_000 < traded(w)[0] < 9_700_000


def test_it_fades_by_e_in_150_s(w: Any) -> None:
    bought(w, 0.5, 49_500)
    for _ in range(30):
        w.batch(step_ms=5_000)
    assert traded(w)[0] == pytest.approx(3_678_794, abs=30)  # 10,000,000 / e, rounded down 30 times


def test_orders_that_meet_at_the_end_of_a_batch_count(w: Any) -> None:
    w.batch(w.sell(MAKER, 1, 49_500, "Alo"), w.buy(TAKER, 1, 49_500, "Alo"))
    assert w.position(TAKER) == 100_000
    assert traded(w) == (10_000_000, 0)


def test_a_bid_that_could_be_hit_limits_what_trades_below_it_show(w: Any) -> None:
    """The bid at 49,900 stands before the batch, before its takers and after them: 0.2 % below the mark."""
    w.batch(w.buy(OTHER, 1, 49_900, "Alo"))
    w.batch(w.sell(MAKER, 1.5, 49_500, "Alo"), w.buy(TAKER, 0.5, 49_500, "Ioc"))
    assert traded(w) == (2_000_000, 0)


def test_a_bid_that_comes_later_ends_nothing_that_was_shown(w: Any) -> None:
    """Or who hides a distance would show one for a moment, and take it back."""
    bought(w, 0.5, 49_500)
    w.batch(w.buy(OTHER, 1, 49_900, "Alo"))
    w.batch()
    assert traded(w)[0] == pytest.approx(10_000_000 * exp(-500 / 150_000), abs=2)


def test_a_batch_undone_or_restored_keeps_what_was_traded(w: Any) -> None:
    for turn in range(1, 5):
        before = traded(w)
        actions = (w.sell(MAKER, 0.06, 50_000 - 100 * turn, "Alo"), w.buy(TAKER, 0.06, 49_990, "Ioc"))
        w.batch(*actions)
        after = traded(w)
        copy = exchange_from_leaves(w.ex.config, list(all_leaves(w.ex))[::-1])
        assert copy.ledger.memory_of(0) == w.ex.ledger.memory_of(0)
        assert copy.rows.markets["below"][0] == w.ex.rows.markets["below"][0]
        apply_undo(w.ex, w.last.undo)
        assert traded(w) == before != after
        w.now, w.seq = w.now - 250, w.seq - 1
        w.batch(*actions)
        assert traded(w) == after


def test_a_liquidation_does_not_count(world: Callable[..., Any]) -> None:
    """The short of 1 BTC with 1,100 is closed by an ask 1 % below the mark, too small to show anything."""
    w = world({MAKER: 10**7, TAKER: 1_100, OTHER: 10**6})
    w.batch(w.signed(TAKER, t.UpdateLeverage(0, True, 50)))
    w.batch(w.buy(OTHER, 1, 50_000), w.sell(TAKER, 1, 50_000))
    w.oracle(btc=50_700)
    w.batch(w.sell(MAKER, 0.3, 50_200, "Alo"))
    assert w.position(TAKER) > -100_000
    assert traded(w) == (0, 0)


def test_an_offer_counts_for_the_takers_of_its_own_batch(world: Callable[..., Any]) -> None:
    """The maker asks 1 % below the mark in the same batch. At 50x 1,100 could buy 1 BTC for 495 + 11 and, with the
    profit of 500, half as much again; 1 % needs 8 steps, 2 % + 1 % of 50,000: 0.7 BTC, and no second order."""
    w = world({MAKER: 10**7, TAKER: 1_100})
    w.batch(w.signed(TAKER, t.UpdateLeverage(0, True, 50)))
    orders = [w.spec(True, 0.7, 49_500, "Ioc"), w.spec(True, 0.5, 49_500, "Ioc")]
    w.batch(w.sell(MAKER, 10, 49_500, "Alo"), w.signed(TAKER, w.many(*orders)))
    assert w.ex.rows.markets["below"][0] == 8 and w.position(TAKER) == 70_000


def test_an_offer_below_a_bid_that_stands_shows_nothing(w: Any) -> None:
    w.batch(w.buy(OTHER, 1, 49_990, "Alo"))
    w.batch(w.sell(MAKER, 0.5, 49_000, "Alo"))
    assert w.ex.rows.markets["below"][0] == 0 and traded(w)[0] <= 200_000
