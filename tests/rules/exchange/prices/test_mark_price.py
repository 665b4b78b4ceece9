"""The mark price is the oracle price: nothing that anybody does in a book moves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.base.primitives.integers import round_half_even
from coinone.rules.exchange.state.ledger import QUOTE_SCALE
from tests.rules.exchange import words as t
from tests.rules.exchange.conftest import address


def test_half_goes_to_the_even_neighbour() -> None:
    assert [round_half_even(n, 2) for n in (-3, -1, 1, 3, 5)] == [-2, 0, 0, 2, 2]
    assert [round_half_even(n, 3) for n in (-2, -1, 1, 2, 4)] == [-1, 0, 0, 1, 1]


def wait(w: Any, seconds: int, step_ms: int = 5_000) -> None:
    for _ in range(seconds * 1_000 // step_ms):
        w.batch(step_ms=step_ms)


def quote(w: Any, bid: float, ask: float, turn: int) -> list[Any]:
    """Bid and ask of a BTC in the place of the last ones."""
    gone = [w.cancel(1, cloid=2 * turn + side) for side in (0, 1)] if turn else []
    cloids = 2 * turn + 2, 2 * turn + 3
    return [*gone, w.buy(1, 1, bid, "Alo", cloid=cloids[0]), w.sell(1, 1, ask, "Alo", cloid=cloids[1])]


@pytest.mark.parametrize(
    ("bid", "ask"),
    [
        (50_010, 50_030),  # narrow, beside the oracle
        (51_990, 52_010),  # 4 % above it, alone in the book
        (48_000, 49_900),  # wide, below it
        (50_000, 52_400),  # wide, one side at it
    ],
)
def test_quotes_that_stay_move_no_mark(world: Callable[..., Any], bid: float, ask: float) -> None:
    w = world({1: 10**8})
    w.batch(*quote(w, bid, ask, 0))
    wait(w, 3_000)
    assert w.mark() == 500_000
    w.oracle(btc=50_100)
    w.batch()
    assert w.mark() == 501_000, "and a book far away holds none back"


def test_a_trade_far_away_moves_no_mark(world: Callable[..., Any]) -> None:
    w = world({1: 10**6, 2: 10**6})
    w.batch(w.sell(1, 0.1, 51_000), w.buy(2, 0.1, 51_000))
    assert w.position(2) == 10_000
    wait(w, 30)
    assert w.mark() == 500_000


def test_a_low_ask_of_one_batch_closes_nobody_who_has_margin_at_index_and_book(
    world: Callable[..., Any],
) -> None:
    """The market trades 200 below its index for half an hour; then the index comes down to it. Somebody sells the
    makers' bids away, asks 190 lower for one batch, and hides. A mark that remembered the market's distance from its
    index fell by 177 here, below both, and closed twenty longs of 1 BTC with 60 above their margin (-5,984)."""
    w = world({1: 10**8, 2: 10**8, 9: 10**7})
    w.batch(*quote(w, 49_790, 49_810, 0))
    wait(w, 1_800)
    w.oracle(btc=49_800)
    w.batch(w.buy(9, 1, 49_810, "Ioc"), *quote(w, 49_790, 49_810, 1))
    spare = (w.equity(9) - w.maintenance(9)) // 10**6 - 60
    w.batch(w.signed(9, t.SendAsset(address(2), spare * 10**6)))
    w.batch(w.sell(2, 1, 49_790, "Ioc"), w.cancel(1, cloid=5))
    w.batch(w.buy(2, 25, 49_600, "Alo"), w.sell(2, 1, 49_620, "Alo", cloid=7))
    w.batch(w.cancel(2, cloid=7))
    for _ in range(600):
        w.batch()
        assert w.mark() == 498_000
    assert w.position(9) == 100_000


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
