"""Funding by hand: premium, rate, payment, and hours that pay nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.exchange.events import FundingPayment
from coinone.rules.exchange.funding import HOUR_MS, hourly_rate, owed, premium
from coinone.rules.exchange.invariants import conserved_sum

QUOTE = 10**6


@pytest.mark.parametrize(
    ("average", "rate"),
    [
        (0, 12_500),  # no premium: interest of 0.01 % per 8 h, an eighth of it an hour
        (100_000, 12_500),  # P = 0.01 %: F = P
        (-100_000, 12_500),  # 0.01 % - P = 0.02 % lies within the clamp: F = 0.01 %
        (1_000_000, 62_500),  # P = 0.1 %: F = 0.1 % - 0.05 % = 0.05 %, / 8
        (-1_000_000, -62_500),  # P = -0.1 %: F = -0.1 % + 0.05 %
        (400_000_000, 40_000_000),  # P = 40 %: 4.99 % an hour is capped at 4 %
        (-400_000_000, -40_000_000),
    ],
)
def test_the_rate_is_the_premium_clamped_towards_the_interest(average: int, rate: int) -> None:
    assert hourly_rate(average * 7, 7) == rate


@pytest.mark.parametrize(
    ("size", "rate", "pays"),
    [
        (10**5, 12_500, 625_000),  # 1 BTC at 50,000 and 0.00125 %: 0.625 quote
        (1, 12_500, 7),  # one lot: 6.25 micro-quote, the payer rounds up
        (-1, 12_500, -6),  # the receiver rounds down
        (-1, -12_500, 7),
        (1, -12_500, -6),
    ],
)
def test_the_payer_rounds_up_and_the_receiver_down(size: int, rate: int, pays: int) -> None:
    assert owed(size, 500_000, rate) == pays


@settings(max_examples=100)
@given(
    st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=20),
    st.integers(1, 2**27),
    st.integers(-40_000_000, 40_000_000),
)
def test_funding_never_creates_money(sizes: list[int], oracle: int, rate: int) -> None:
    sizes.append(-sum(sizes))
    assert 0 <= sum(owed(size, oracle, rate) for size in sizes) <= len(sizes)


def test_the_premium_is_measured_at_the_impact_notional(world: Callable[..., Any]) -> None:
    """Bids: 0.2 at 50,500 and enough at 50,250. To sell 20,000 quote: 10,100 into the first, the remaining 9,900
    into 50,250 takes 0.19702 (rounded up to a lot): average 50,375.9..., 0.752 % above the oracle."""
    w = world({1: 10_000_000})
    w.batch(w.buy(1, 0.2, 50_500), w.buy(1, 5, 50_250))
    lots = 20_000 + 19_702
    value = 20_000 * 505_000 + 19_702 * 502_500
    expected = (value - 500_000 * lots) * 10**9 // (500_000 * lots)
    assert premium(w.ex.rows, 0, 20_000 * QUOTE) == expected
    assert expected // 10_000 == 751  # 0.751...%


def test_a_book_too_thin_for_the_impact_notional_has_no_premium(world: Callable[..., Any]) -> None:
    w = world({1: 10_000_000})
    w.batch(w.buy(1, 0.01, 51_000))
    assert premium(w.ex.rows, 0, 20_000 * QUOTE) == 0


def hour(w: Any, steps: int = 720) -> None:
    """Let the running hour pass with a sample every 5 s, and its first batch of the next one."""
    for _ in range(steps):
        w.batch(step_ms=5_000)


def to_hour_start(w: Any) -> None:
    """The first batch of a fresh hour."""
    w.batch(step_ms=HOUR_MS - w.now % HOUR_MS)


def payments(w: Any) -> list[FundingPayment]:
    return [event for event in w.last.events if isinstance(event, FundingPayment)]


def test_an_hour_is_paid_between_longs_and_shorts(world: Callable[..., Any]) -> None:
    w = world({1: 1_000_000, 2: 1_000_000, 3: 1_000_000})
    w.batch(w.sell(1, 1.5, 50_000), w.buy(2, 1, 50_000), w.buy(3, 0.5, 50_000))
    to_hour_start(w)
    cash = [w.cash(n) for n in (1, 2, 3)]
    total = conserved_sum(w.ex)
    hour(w)
    # 0.00125 % of 75,000, 50,000 and 25,000 quote
    assert [w.cash(n) - before for n, before in zip((1, 2, 3), cash, strict=True)] == [
        937_500,
        -625_000,
        -312_500,
    ]
    assert sorted(event.amount for event in payments(w)) == [-625_000, -312_500, 937_500]
    assert conserved_sum(w.ex) == total
    assert int(w.ex.rows.positions[w.slot(2), 0]["funding_all"]) == 625_000


def test_dust_goes_to_the_insurance_fund(world: Callable[..., Any]) -> None:
    """Three longs of 1/3 pay ceil each: sizes 33,333 + 33,333 + 33,334 against one short of 100,000 lots."""
    w = world(dict.fromkeys(range(1, 5), 1000000))
    w.oracle(btc=50_001.3)
    w.batch(w.sell(1, 1, 50_000))
    w.batch(w.buy(2, 0.33333, 50_000), w.buy(3, 0.33333, 50_000), w.buy(4, 0.33334, 50_000))
    to_hour_start(w)
    before = w.fund("insurance")
    hour(w)
    rate, oracle = 12_500, 500_013
    paid = [-(-size * oracle * rate // 10**9) for size in (33_333, 33_333, 33_334)]
    received = 100_000 * oracle * rate // 10**9
    assert w.fund("insurance") - before == sum(paid) - received >= 0


def test_an_hour_asleep_is_neither_paid_nor_made_up_for(world: Callable[..., Any]) -> None:
    w = world({1: 1_000_000, 2: 1_000_000})
    w.batch(w.sell(1, 1, 50_000), w.buy(2, 1, 50_000))
    to_hour_start(w)
    hour(w, 700)
    before = w.cash(1)
    w.batch(step_ms=8 * HOUR_MS)
    assert not payments(w) and w.cash(1) == before


def test_an_hour_sampled_for_less_than_its_half_pays_nothing(world: Callable[..., Any]) -> None:
    w = world({1: 1_000_000, 2: 1_000_000})
    w.batch(w.sell(1, 1, 50_000), w.buy(2, 1, 50_000))
    to_hour_start(w)
    hour(w, 300)
    w.batch(step_ms=HOUR_MS - w.now % HOUR_MS)
    assert not payments(w)


def test_an_hour_that_ends_without_a_fresh_oracle_pays_nothing(world: Callable[..., Any]) -> None:
    w = world({1: 1_000_000, 2: 1_000_000})
    w.batch(w.sell(1, 1, 50_000), w.buy(2, 1, 50_000))
    to_hour_start(w)
    hour(w, 710)
    w.batch(step_ms=HOUR_MS - w.now % HOUR_MS, fresh=False)
    assert not payments(w)


def test_at_most_one_sample_is_taken_per_five_seconds(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    to_hour_start(w)
    for _ in range(40):
        w.batch(step_ms=250)
    memory = w.ex.ledger.memory.get(0)
    assert memory is not None and memory.samples == 3  # slots 0, 5 and 10 s
