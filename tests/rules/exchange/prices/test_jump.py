"""A jump of the oracle price: what waits, for how long, and who can make it wait (L = 50: a step above 1 %)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.rows.tables import MarketStatus
from tests.rules.exchange.conftest import REPORTERS

ACTIVE, JUMPING, REDUCE_ONLY = MarketStatus.ACTIVE, MarketStatus.JUMPING, MarketStatus.REDUCE_ONLY


def all_say(px: int) -> list[tuple[int, int]]:
    return [(n, px) for n in range(5)]


@pytest.fixture
def five(reporters: Callable[..., Any]) -> Any:
    made = reporters({1: 100_000, 2: 100_000})
    made.batch(*all_say(500_000))
    return made


def test_a_step_of_one_maintenance_margin_takes_effect_at_once(five: Any) -> None:
    five.batch(*all_say(505_000))
    assert five.market == (505_000, ACTIVE)


def test_a_larger_step_waits_until_a_quorum_has_said_it_again(five: Any) -> None:
    five.batch(*all_say(505_001))
    assert five.market == (500_000, JUMPING)
    five.batch((0, 505_001), (1, 505_001), (2, 505_001))
    assert five.market == (500_000, JUMPING)  # three of five
    five.batch((3, 505_001))
    assert five.market == (505_001, ACTIVE)


def test_reports_ahead_of_the_batchs_time_do_not_say_it_again_by_themselves(five: Any) -> None:
    """Five say it 1.5 s ahead of a batch whose time is held back. One of five need not speak for a quorum: the second
    latest counts. 250 ms later these are still ahead; when they are said anew, the price takes effect."""
    five.batch(*all_say(520_000), age_ms=-1_500)
    for _ in range(3):
        five.batch()
        assert five.market == (500_000, JUMPING)
    five.batch(*all_say(520_000), age_ms=-1_500)
    assert five.market == (520_000, ACTIVE)


def test_one_reporter_ahead_of_all_others_does_not_make_a_jump_wait_longer(five: Any) -> None:
    five.batch((0, 520_000), age_ms=-2_000)
    five.batch((1, 520_000), (2, 520_000), (3, 520_000), (4, 520_000))
    assert five.market == (500_000, JUMPING)
    five.batch((1, 520_000), (2, 520_000), (3, 520_000), (4, 520_000))
    assert five.market == (520_000, ACTIVE)


@pytest.fixture
def three(five: Any) -> Any:
    five.w.ex.config = replace(five.w.config, reporters=REPORTERS[:3])
    return five


@pytest.mark.parametrize("px", [480_000, 520_000])
def test_one_of_three_that_holds_to_the_old_price_keeps_no_jump_waiting(px: int, three: Any) -> None:
    """With the first honest one that says it again it is two of three, who do not agree; the third decides."""
    three.batch((0, px), (1, px), (2, 500_000))
    three.batch((0, px), (2, 500_000))
    assert three.market == (500_000, JUMPING)
    three.batch((1, px), (2, 500_000))
    assert three.market == (px, ACTIVE)


def test_one_of_two_that_changes_its_word_keeps_a_market_closed_for_half_of_the_time_at_most(
    three: Any,
) -> None:
    """The third is silent. They do not agree, so after 6 s the jump is dropped; for 6 s no window is opened: what both
    say takes effect at once."""
    three.batch((0, 500_000), (1, 500_000), step_ms=20_001)
    three.batch((0, 520_000), (1, 520_000))
    for _ in range(5):
        three.batch((0, 520_000), (1, 500_000), step_ms=1_000)
        assert three.market == (500_000, JUMPING)
    three.batch((0, 520_000), (1, 500_000), step_ms=1_000)
    assert three.market == (500_000, MarketStatus.AGED)
    three.batch((0, 520_000), (1, 520_000), step_ms=5_999)
    assert three.market == (520_000, ACTIVE)


@pytest.mark.parametrize("second", [530_000, 510_000])
def test_of_two_prices_to_the_same_side_the_second_takes_effect(second: int, five: Any) -> None:
    """Also where it lies further off: else it would follow in the next batch, and all would know it for one batch."""
    five.batch(*all_say(520_000))
    five.batch(*all_say(second))
    assert five.market == (second, ACTIVE)
    five.batch()
    assert five.market == (second, ACTIVE)


def test_a_second_price_near_the_old_one_takes_effect_as_any_price_and_the_next_jump_waits_again(
    five: Any,
) -> None:
    five.batch(*all_say(520_000))
    five.batch(*all_say(503_000))
    assert five.market == (503_000, ACTIVE)
    five.batch(*all_say(520_000))
    assert five.market == (503_000, JUMPING)


def test_a_jump_turned_round_waits_for_six_seconds(five: Any) -> None:
    five.batch(*all_say(520_000))
    five.batch(*all_say(480_000))
    assert five.market == (500_000, JUMPING)
    five.batch(*all_say(481_000), step_ms=5_750)
    assert five.market == (481_000, ACTIVE)


def test_a_silent_third_holds_a_jump_up_for_six_seconds_and_no_longer(five: Any) -> None:
    """Two of five say it once and fall silent: three are no quorum for the second time. After 6 s the median of all
    fresh reports takes effect: 520,000 twice and 521,000 three times."""
    five.batch(*all_say(520_000))
    five.batch((0, 521_000), (1, 521_000), (2, 521_000), step_ms=3_000)
    five.batch((0, 521_000), (1, 521_000), (2, 521_000), step_ms=2_999)
    assert five.market == (500_000, JUMPING)
    five.batch(step_ms=1)
    assert five.market == (521_000, ACTIVE)


def test_without_any_quorum_for_six_seconds_the_jump_is_dropped_and_the_market_stale(five: Any) -> None:
    five.batch(*all_say(520_000), age_ms=19_000)
    assert five.market == (500_000, ACTIVE)  # older than what it would replace
    five.batch(step_ms=10_000)
    five.batch(*all_say(520_000), age_ms=9_000)
    assert five.market == (500_000, JUMPING)
    five.batch(step_ms=11_001)
    assert five.market == (500_000, REDUCE_ONLY)


def test_jumps_one_after_another_wait_for_half_of_the_time_at_most(five: Any) -> None:
    """A fall of 2 % every 3 s with two silent reporters: each window of 6 s is followed by 6 s without one."""
    px, jumping = 500_000, []
    for _ in range(40):
        px = px * 98 // 100
        five.batch((0, px), (1, px), (2, px), (3, px), step_ms=3_000)
        jumping.append(five.market[1] is JUMPING)
    assert 0 < sum(jumping) <= 20


def test_in_the_window_nothing_trades_nobody_sends_and_nobody_is_liquidated(
    world: Callable[..., Any],
) -> None:
    """Long 10 BTC with 10,775 beside a bid: the oracle falls by 2.2 %; in the batch of the first report nothing
    happens, in the next one all at once."""
    w = world({1: 11_000, 2: 10**7, 3: 10**5})
    w.batch(w.sell(2, 10, 50_000), w.buy(1, 10, 50_000))
    w.batch(w.buy(3, 1, 48_000, cloid=3))
    w.prices[0] = 489_000
    refused = {"error": "The oracle price jumped and awaits confirmation: only cancels are accepted."}
    w.batch(w.sell(1, 1, 48_000, reduce_only=True), w.buy(2, 1, 49_000), w.cancel(3, cloid=3))
    assert (w.status(0), w.status(1), w.status(2)) == (refused, refused, "success")
    assert w.position(1) == 1_000_000
    w.batch()
    assert w.ex.rows.markets[0]["oracle"] == 489_000
    assert w.position(1) == 0


def test_holders_send_nothing_while_a_jump_waits(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(2, 0.1, 50_000), w.buy(1, 0.1, 50_000))
    assert withdrawable(w.ex.rows, w.slot(1)) > 0
    w.prices[0] = 510_000
    w.batch()
    assert withdrawable(w.ex.rows, w.slot(1)) == 0
    w.batch()
    assert withdrawable(w.ex.rows, w.slot(1)) > 0


def test_a_holder_goes_on_trading_in_the_markets_that_do_not_jump(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(2, 0.1, 50_000), w.buy(1, 0.1, 50_000))
    w.prices[0] = 510_000
    w.batch(w.buy(1, 1, 3_000, market=1), w.sell(2, 1, 3_000, market=1))
    assert w.position(1, market=1) == 10_000
