"""Actions that move no money: leverage, scheduled cancels, referrer, noop, class transfer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.events.orders import OrderUpdate
from tests.rules.exchange import words as t

DAY = 86_400_000


def act(w: Any, action: t.Says, who: int = 1) -> tuple[str, Any]:
    w.batch(w.signed(who, action))
    outcome = w.last.outcomes[0]
    return outcome.status, outcome.response or outcome.error


DONE = ("executed", {"type": "default"})


def test_what_does_nothing_answers_ok(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    assert act(w, t.Noop()) == DONE
    assert act(w, t.UsdClassTransfer(5, True)) == DONE
    assert act(w, t.SetReferrer("CCXT1")) == DONE
    assert act(w, t.SetReferrer("OTHER")) == ("failed", "Referrer already set.")


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (t.UpdateLeverage(0, True, 0), "Invalid leverage value"),
        (t.UpdateLeverage(0, True, 51), "Invalid leverage value"),
        (t.UpdateLeverage(9, True, 5), "Invalid perpetual or spot asset."),
        (t.UpdateLeverage(0, False, 5), "Isolated margin is not supported, use cross."),
        (t.ApproveBuilderFee(bytes([7]) * 20, 10), "Builder has no account."),
        (t.ApproveBuilderFee(bytes(19) + b"\x01", 101), "Builder fee rate is too large."),
    ],
)
def test_a_setting_that_cannot_be_says_why(action: t.Says, error: str, world: Callable[..., Any]) -> None:
    assert act(world({1: 100}), action) == ("failed", error)


def test_leverage_sets_the_initial_margin(world: Callable[..., Any]) -> None:
    """0.1 at 50,000 needs 100 quote at 50x and 1,000 at 5x; 4x asks for 1,250 of the 1,200 there are."""
    w = world({1: 1_200})
    w.batch(w.buy(1, 0.1, 50_000))
    assert int(w.ex.rows.accounts[w.slot(1)]["initial_margin"]) == 100 * 10**6
    assert act(w, t.UpdateLeverage(0, True, 5)) == DONE
    assert int(w.ex.rows.accounts[w.slot(1)]["initial_margin"]) == 1_000 * 10**6
    assert act(w, t.UpdateLeverage(0, True, 4))[0] == "failed"
    assert int(w.ex.rows.positions[w.slot(1), 0]["leverage"]) == 5


class TestScheduledCancel:
    def test_it_cancels_everything_at_its_time_and_not_before(self, world: Callable[..., Any]) -> None:
        w = world({1: 100_000, 2: 100_000})
        w.batch(w.buy(1, 0.1, 49_000), w.buy(1, 1, 2_900, market=1), w.buy(2, 0.1, 48_000))
        at = w.now + 250 + 5_000
        assert act(w, t.ScheduleCancel(at)) == DONE
        w.batch(step_ms=at - w.now - 1)
        assert w.ex.rows.live_orders == 3
        w.batch(step_ms=1)
        assert w.ex.rows.live_orders == 1
        gone = [event for event in w.last.events if isinstance(event, OrderUpdate)]
        assert [event.status for event in gone] == ["scheduledCancel"] * 2

    def test_it_must_lie_five_seconds_ahead(self, world: Callable[..., Any]) -> None:
        w = world({1: 100})
        assert act(w, t.ScheduleCancel(w.now + 250 + 4_999))[0] == "failed"

    def test_it_can_be_called_off(self, world: Callable[..., Any]) -> None:
        w = world({1: 100_000})
        w.batch(w.buy(1, 0.1, 49_000))
        act(w, t.ScheduleCancel(w.now + 6_000))
        act(w, t.ScheduleCancel(None))
        w.batch(step_ms=10_000)
        assert w.ex.rows.live_orders == 1

    def test_it_fires_ten_times_a_day(self, world: Callable[..., Any]) -> None:
        w = world({1: 100_000})
        w.batch(step_ms=DAY - w.now % DAY)  # midnight
        for fired in range(11):
            w.nonce = w.now
            w.batch(w.buy(1, 0.1, 49_000))
            act(w, t.ScheduleCancel(w.now + 6_000))
            w.batch(step_ms=6_000)
            assert w.ex.rows.live_orders == (0 if fired < 10 else 1)
        w.batch(step_ms=DAY)
        w.nonce = w.now
        act(w, t.ScheduleCancel(w.now + 6_000))
        w.batch(step_ms=6_000)
        assert w.ex.rows.live_orders == 0
