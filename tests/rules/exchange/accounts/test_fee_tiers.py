"""Fees by volume over 14 days (Hyperliquid's table)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.scheduled import fees
from coinone.rules.exchange.scheduled.fees import DAY_MS, rates_for, recent_volume
from coinone.rules.exchange.state.leaves import account_key, all_leaves
from coinone.rules.exchange.state.restore import exchange_from_leaves
from tests.rules.exchange import words as t

QUOTE = 10**6
M = 10**6 * QUOTE  # a million quote units


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


@pytest.mark.parametrize(
    ("volume", "rates"),
    [
        (0, (4_500, 1_500)),
        (5 * M - 1, (4_500, 1_500)),
        (5 * M, (4_000, 1_200)),
        (99 * M, (3_500, 800)),
        (500 * M, (2_800, 0)),
        (10_000 * M, (2_400, 0)),
    ],
)
def test_a_tier_holds_from_its_volume_on(volume: int, rates: tuple[int, int]) -> None:
    assert rates_for(volume) == rates


def test_volume_older_than_fourteen_days_no_longer_counts() -> None:
    """Notes tell the volume when a day began: 7 million were traded by the end of day 104, 2 more by day 112, and 1
    since. The window of day 113 begins with day 100, that of day 118 with day 105."""
    days = ((100, 0), (105, 7 * M), (113, 9 * M))
    assert recent_volume(days, 10 * M, 113) == 10 * M
    assert recent_volume(days, 10 * M, 117) == 10 * M  # since the start of day 104, when it was still 0
    assert recent_volume(days, 10 * M, 118) == 3 * M
    assert recent_volume(days, 10 * M, 126) == 1 * M
    assert recent_volume((), 10 * M, 126) == 0


def test_a_new_tier_holds_from_the_next_utc_day_on(world: Callable[..., Any]) -> None:
    w = world({1: 10_000_000, 2: 10_000_000})
    for _ in range(3):
        w.batch(w.sell(1, 20, 50_000), w.buy(2, 20, 50_000))
        w.batch(w.buy(1, 20, 50_000), w.sell(2, 20, 50_000))
    assert int(w.ex.rows.accounts[w.slot(2)]["taker_rate"]) == 4_500  # 6 million, but today
    w.nonce = w.now + DAY_MS
    w.batch(w.signed(2, t.Noop()), step_ms=DAY_MS)
    assert int(w.ex.rows.accounts[w.slot(2)]["taker_rate"]) == 4_000
    w.nonce = w.now + 15 * DAY_MS
    w.batch(w.signed(2, t.Noop()), step_ms=15 * DAY_MS)
    assert int(w.ex.rows.accounts[w.slot(2)]["taker_rate"]) == 4_500


def test_a_resting_order_gets_the_days_rate_though_its_owner_sends_nothing(world: Callable[..., Any]) -> None:
    """Two accounts trade 6 million with each other; the next day a third one meets the order of the first."""
    w = world({1: 10_000_000, 2: 10_000_000, 3: 10_000_000})
    for _ in range(3):
        w.batch(w.sell(1, 20, 50_000), w.buy(2, 20, 50_000))
        w.batch(w.buy(1, 20, 50_000), w.sell(2, 20, 50_000))
    w.batch(w.sell(1, 1, 50_000))
    w.nonce = w.now + DAY_MS
    w.batch(w.buy(3, 1, 50_000, "Ioc"), step_ms=DAY_MS)
    (fill,) = w.last.events.fills()
    assert (fill.maker.account, fill.maker.fee) == (address(1), 6 * QUOTE)  # 0.012 % of 50,000


def test_the_round_of_a_day_goes_on_from_batch_to_batch(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fees, "FEE_TURNS_PER_BATCH", 2)
    w = world(dict.fromkeys(range(1, 6), 10_000_000))
    for n in (1, 3, 5):
        for _ in range(3):
            w.batch(w.sell(n, 20, 50_000), w.buy(2, 20, 50_000))
            w.batch(w.buy(n, 20, 50_000), w.sell(2, 20, 50_000))
    rates = []
    for step_ms in (DAY_MS, 250, 250):
        w.batch(step_ms=step_ms)
        rates.append([int(w.ex.rows.accounts[w.slot(n)]["maker_rate"]) for n in (1, 3, 5)])
        w.ex = exchange_from_leaves(w.config, all_leaves(w.ex))  # the cursor is state
    assert rates == [[1_200, 1_500, 1_500], [1_200, 1_200, 1_500], [1_200, 1_200, 1_200]]


def test_what_is_traded_after_a_quiet_day_counts_on_its_own_day(world: Callable[..., Any]) -> None:
    """A million on day 0, nothing on day 1, six million on day 2. They are for day 3 to reward, not for whoever sends
    something later on day 2, and within fourteen days until day 15: days 2 to 15."""
    w = world({1: 10_000_000, 2: 10_000_000})
    w.batch(w.sell(1, 20, 50_000), w.buy(2, 20, 50_000))
    rates = []
    for day in range(1, 17):
        w.nonce = w.now + DAY_MS
        w.batch(step_ms=DAY_MS)
        if day == 2:
            w.batch(w.buy(1, 120, 50_000), w.sell(2, 120, 50_000))
            w.batch(w.signed(2, t.Noop()))
        rates.append(int(w.ex.rows.accounts[w.slot(2)]["taker_rate"]))
    assert rates == [4_500] * 2 + [4_000] * 13 + [4_500]


def test_who_acts_before_the_days_round_comes_has_its_trades_of_that_day_counted_on_it(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above; the round looks at nobody on the batch in which the six million are traded, and comes after them."""
    w = world({1: 10_000_000, 2: 10_000_000})
    w.batch(w.sell(1, 20, 50_000), w.buy(2, 20, 50_000))
    w.batch(step_ms=DAY_MS)
    monkeypatch.setattr(fees, "FEE_TURNS_PER_BATCH", 0)
    w.nonce = w.now + DAY_MS
    w.batch(w.buy(1, 120, 50_000), w.sell(2, 120, 50_000), step_ms=DAY_MS)
    monkeypatch.undo()
    w.batch()
    assert int(w.ex.rows.accounts[w.slot(2)]["taker_rate"]) == 4_500


def test_a_day_without_trades_writes_nothing(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.buy(1, 0.1, 40_000))
    leaf = account_key(w.ex.number(w.slot(1)))
    assert leaf not in w.batch(step_ms=DAY_MS).leaves


def test_lifetime_volumes_stop_rather_than_wrap(world: Callable[..., Any]) -> None:
    """Some 4.6 million million quote units; one trade more used to make it negative, and the fees the highest."""
    w = world({1: 1_000_000, 2: 1_000_000})
    accounts, market = w.ex.rows.accounts, w.ex.rows.markets[0]
    accounts["taker_volume"][w.slot(1)] = accounts["maker_volume"][w.slot(2)] = 2**62 - 1
    market["volume"] = market["base_volume"] = 2**62 - 1
    w.batch(w.sell(2, 0.01, 50_000))
    w.batch(w.buy(1, 0.01, 50_000, "Ioc"))
    assert w.position(1) == 1_000
    assert int(accounts["taker_volume"][w.slot(1)]) == int(accounts["maker_volume"][w.slot(2)]) == 2**62
    assert int(market["volume"]) == int(market["base_volume"]) == 2**62
