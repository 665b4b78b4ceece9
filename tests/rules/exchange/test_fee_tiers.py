"""Fees by volume over 14 days (Hyperliquid's table)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.fees import DAY_MS, rates_for, recent_volume
from coinone.rules.exchange.wire import types as t

M = 10**6 * 10**6  # a million quote units


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
    days = ((100, 0), (105, 7 * M), (113, 9 * M))
    assert recent_volume(days, 10 * M, 113) == 10 * M
    assert recent_volume(days, 10 * M, 114) == 3 * M
    assert recent_volume(days, 10 * M, 119) == 1 * M
    assert recent_volume(days, 10 * M, 127) == 0


def test_a_new_tier_holds_from_the_next_utc_day_on(world: Callable[..., Any]) -> None:
    w = world({1: 10_000_000, 2: 10_000_000})
    for _ in range(3):
        w.batch(w.sell(1, 20, 50_000), w.buy(2, 20, 50_000))
        w.batch(w.buy(1, 20, 50_000), w.sell(2, 20, 50_000))
    assert int(w.ex.rows.accounts[w.slot(2)]["taker_rate"]) == 4_500  # 6 million, but today
    w.nonce = w.now + DAY_MS
    w.batch(w.signed(2, t.Noop(), "noop"), step_ms=DAY_MS)
    assert int(w.ex.rows.accounts[w.slot(2)]["taker_rate"]) == 4_000
    w.nonce = w.now + 15 * DAY_MS
    w.batch(w.signed(2, t.Noop(), "noop"), step_ms=15 * DAY_MS)
    assert int(w.ex.rows.accounts[w.slot(2)]["taker_rate"]) == 4_500
