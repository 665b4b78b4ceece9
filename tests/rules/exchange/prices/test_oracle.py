"""Reporters, their median, and what happens without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.rows.tables import MarketStatus
from tests.rules.exchange import words as t
from tests.rules.exchange.conftest import REPORTERS

QUOTE = 10**6


@pytest.fixture
def five(reporters: Callable[..., Any]) -> Any:
    """The oracle stands at 50,000: prices here stay within 1 % of it, beyond begin the jumps (test_jump.py)."""
    return reporters({1: 100_000, 2: 100_000})


def test_the_price_is_the_median_and_of_an_even_number_the_middle_one_nearest_to_the_last_price(
    five: Any,
) -> None:
    """From 50,000: between 50,000 and 50,400; 50,200 or 50,300; 49,800 or 49,900; then the median of five."""
    five.batch((0, 504_000), (1, 496_000), (2, 505_000), (3, 500_000))
    assert five.market == (500_000, MarketStatus.ACTIVE)
    five.batch((0, 503_000), (1, 502_000), (2, 505_000), (3, 501_000))
    assert five.market[0] == 502_000
    five.batch((0, 498_000), (1, 497_000), (2, 499_000), (3, 501_000))
    assert five.market[0] == 499_000
    five.batch((0, 498_000), (1, 497_000), (2, 499_000), (3, 501_000), (4, 496_000))
    assert five.market[0] == 498_000


def test_of_two_reports_of_three_the_one_that_lies_moves_nothing_beyond_the_honest_one(five: Any) -> None:
    """One of three is silent, or left out by a leader. Of both the lower one used to count: 1 % less every batch was no
    jump, and a third off within ten seconds. Whoever lies holds the price back at most, by a step that is no jump
    (1 %); beyond, the two say nothing, and the price grows old in sight of all."""
    five.w.ex.config = replace(five.w.config, reporters=REPORTERS[:3])
    five.batch((0, 500_000), (1, 500_000), (2, 500_000))
    five.batch((0, 500_000), (1, 500_000), step_ms=20_001)
    for lie in (495_500, 491_000, 1, 504_000):
        five.batch((0, 500_000), (1, lie))
        assert five.market == (500_000, MarketStatus.ACTIVE)
    five.batch((0, 497_000), (1, 500_000))
    assert five.market[0] == 500_000  # held back
    five.batch((0, 497_000), (1, 492_100))
    assert five.market[0] == 497_000
    five.batch((0, 490_000), (1, 497_000), step_ms=6_001)
    assert five.market == (497_000, MarketStatus.AGED)
    five.batch((0, 490_000), (1, 497_000), step_ms=14_000)
    assert five.market == (497_000, MarketStatus.REDUCE_ONLY)


def test_one_liar_among_five_moves_the_price_no_further_than_its_neighbour(five: Any) -> None:
    for lie in (1, 5_000_000, 2**27):
        five.batch((0, 500_000), (1, 500_010), (2, 500_020), (3, 500_030), (4, lie))
        assert 500_010 <= five.market[0] <= 500_020


def test_three_of_five_are_no_quorum(five: Any) -> None:
    five.batch((0, 500_000), (1, 500_000), (2, 500_000), (3, 500_000), step_ms=21_000)
    five.batch((0, 400_000), (1, 400_000), (2, 400_000), step_ms=21_000)
    assert five.market == (500_000, MarketStatus.REDUCE_ONLY)


def test_a_report_lives_twenty_seconds(five: Any) -> None:
    five.batch(*[(n, 504_000) for n in range(5)])
    five.batch(step_ms=20_000)
    assert five.market[1] is MarketStatus.AGED
    five.batch(step_ms=1)
    assert five.market[1] is MarketStatus.REDUCE_ONLY


@pytest.mark.parametrize(
    ("age_ms", "taken"), [(20_000, True), (20_001, False), (-2_000, True), (-2_001, False)]
)
def test_reports_from_the_past_and_the_future_are_ignored(age_ms: int, taken: bool, five: Any) -> None:
    five.batch(*[(n, 504_000) for n in range(5)], age_ms=age_ms)
    assert (five.market[0] == 504_000) is taken


def test_an_older_report_never_replaces_a_newer_one(five: Any) -> None:
    five.batch(*[(n, 504_000) for n in range(5)])
    five.batch(*[(n, 496_000) for n in range(5)], age_ms=1_000)
    assert five.market[0] == 504_000


def test_a_stranger_is_no_reporter_and_an_absurd_price_is_no_price(five: Any) -> None:
    five.batch(*[(n, 504_000) for n in range(5)])
    five.batch((77, 1), (78, 1), (79, 1), (80, 1))
    five.batch(*[(n, 2**62) for n in range(5)])
    assert five.market == (504_000, MarketStatus.ACTIVE)


def test_without_an_oracle_positions_may_only_shrink(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000, 3: 100_000})
    w.batch(w.sell(1, 0.5, 50_000), w.buy(2, 0.5, 50_000))
    w.batch(w.buy(1, 0.1, 49_000, cloid=4), step_ms=20_001, fresh=False)
    assert "resting" in w.status()  # it closes a part of the short
    w.batch(w.buy(1, 0.6, 49_000), w.sell(3, 0.1, 51_000), w.cancel(1, cloid=4), fresh=False)
    only = {"error": "Only orders that reduce a position are accepted at present."}
    assert (w.status(0), w.status(1), w.status(2)) == (only, only, "success")
    w.batch(w.buy(3, 0.01, 3_000, market=1), fresh=False)
    assert w.status() == only  # ETH is stale as well
    w.batch(w.sell(3, 0.1, 51_000))
    assert "resting" in w.status()


def test_who_holds_a_stale_market_takes_no_new_risk_in_a_fresh_one(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(1, 0.5, 50_000), w.buy(2, 0.5, 50_000))
    del w.prices[0]  # only ETH is reported from now on
    w.batch(w.buy(1, 0.1, 3_000, market=1), step_ms=20_001)
    text = "A position without an oracle price allows only orders that reduce a position."
    assert w.status() == {"error": text}


@pytest.mark.parametrize(("room", "trades"), [(15_000, True), (14_999, False)])
def test_a_few_lots_of_a_silent_market_take_no_maker_out_of_the_others(
    world: Callable[..., Any], room: int, trades: bool
) -> None:
    """1 was sold 0.5 ETH at 3,000, and ETH goes silent. Ten times 1,500 are 15,000: with as much above its initial
    margin of 150 (10x) it may bid for BTC, and its bid is hit; with 1 less it may not, but with 7 more again."""
    w = world({1: 100_000, 2: 100_000, 3: 100_000})
    w.batch(w.signed(1, t.UpdateLeverage(1, True, 10)))
    w.batch(w.sell(2, 0.5, 3_000, market=1), w.buy(1, 0.5, 3_000, market=1))
    del w.prices[1]
    w.batch(step_ms=20_001)
    over = w.equity(1) - (150 + room) * QUOTE
    cash = w.ex.rows.accounts["cash"]
    cash[w.slot(1)] -= over
    cash[w.slot(3)] += over
    w.batch(w.buy(1, 0.0002, 50_000, "Alo"))
    text = "A position without an oracle price allows only orders that reduce a position."
    assert ("resting" in w.status()) == trades and (w.status() == {"error": text}) == (not trades)
    cash[w.slot(1)] += 7 * QUOTE
    cash[w.slot(3)] -= 7 * QUOTE
    if not trades:
        w.batch(w.buy(1, 0.0002, 50_000, "Alo"))
    w.batch(w.sell(3, 0.0002, 50_000, "Ioc"))
    assert w.position(1) == 20
    assert withdrawable(w.ex.rows, w.slot(1)) == 0


def test_the_mark_stands_still_without_an_oracle(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    for _ in range(8):
        w.batch(w.sell(1, 0.001, 50_100), w.buy(2, 0.001, 50_050))
    w.batch(step_ms=20_001, fresh=False)
    before = int(w.ex.rows.markets[0]["mark"])
    w.batch(w.cancel(1, cloid=1), step_ms=60_000, fresh=False)
    w.batch(fresh=False)
    assert int(w.ex.rows.markets[0]["mark"]) == before


@pytest.mark.parametrize(("age_ms", "takes_risk"), [(6_000, True), (6_001, False)])
def test_a_price_older_than_six_seconds_opens_nothing(
    age_ms: int, takes_risk: bool, world: Callable[..., Any]
) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(1, 0.5, 50_000, "Alo"))
    w.batch(w.buy(2, 0.5, 50_000, "Ioc"), step_ms=age_ms, fresh=False)
    assert w.position(2) == (50_000 if takes_risk else 0)
    if not takes_risk:
        text = "The oracle price is older than 6 seconds: only orders that reduce a position are accepted."
        assert w.status() == {"error": text}


@pytest.mark.parametrize("px", [0, 2**27 + 1])
def test_a_price_of_nothing_or_out_of_range_is_no_report_and_refreshes_nothing(px: int, five: Any) -> None:
    five.batch(*[(n, 504_000) for n in range(5)])
    five.batch(*[(n, px) for n in range(5)], step_ms=20_001)
    assert five.market == (504_000, MarketStatus.REDUCE_ONLY)


def test_a_stale_market_shields_no_account_in_the_others(world: Callable[..., Any]) -> None:
    """10 BTC at 50x and a speck of ETH that nobody reports any more: with BTC at 49,600 equity is 8,000 of 12,000
    less fees, above the maintenance margin of 4,960; at 49,200, about 4,000 of 4,920: sold to the bid there."""
    w = world({1: 12_000, 2: 10**7})
    w.batch(w.sell(2, 10, 50_000), w.sell(2, 0.01, 3_000, market=1))
    w.batch(w.buy(1, 10, 50_000), w.buy(1, 0.01, 3_000, market=1))
    del w.prices[1]
    w.batch(step_ms=20_001)
    w.oracle(btc=49_600)
    w.batch(w.buy(2, 10, 49_190))
    w.oracle(btc=49_200)
    w.batch()
    assert w.position(1) < 1_000_000 and w.position(1, market=1) == 100
