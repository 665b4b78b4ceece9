"""Action credits: where they come from, by hand, and that one coin does not bring them to many accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from coinone.rules.exchange.accounts.credits import allowance
from coinone.rules.ledger.crossings import Deposit
from tests.rules.exchange import words as t

QUOTE = 10**6


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


def given(w: Any, who: int) -> int:
    return allowance(w.ex, w.slot(who), w.now)


def noop(w: Any, who: int) -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(who, t.Noop())
    return signed


def send(w: Any, who: int, to: int, amount: int) -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(who, t.SendAsset(address(to), amount))
    return signed


def opened(w: Any, who: int, amount: int) -> None:
    """An account that begins with `amount` quote units after the price of opening."""
    w.batch(deposits=(Deposit(address(who), (amount + 1) * QUOTE),))


def test_an_account_opens_with_a_hundred_and_one_of_genesis_with_the_networks(
    world: Callable[..., Any],
) -> None:
    w = world({1: 50})
    opened(w, 5, 50)
    assert (given(w, 1), given(w, 5)) == (10**6, 100)


def test_age_brings_one_in_ten_seconds(world: Callable[..., Any]) -> None:
    w = world({})
    opened(w, 5, 50)
    w.batch(step_ms=3_600_000)
    assert given(w, 5) == 100 + 360


def test_fees_bring_one_for_a_thousandth_of_a_quote(world: Callable[..., Any]) -> None:
    """0.01 BTC at 50,000: 500 of notional, 0.225 for the taker and 0.075 for the maker: 225 and 75 credits."""
    w = world({1: 100_000, 2: 100_000})
    before = given(w, 1), given(w, 2)
    w.batch(w.sell(1, 0.01, 50_000))
    w.batch(w.buy(2, 0.01, 50_000, "Ioc"))
    assert (given(w, 1) - before[0], given(w, 2) - before[1]) == (75, 225)


def test_equity_that_stays_brings_one_a_second_while_few_are_left(world: Callable[..., Any]) -> None:
    w = world({})
    opened(w, 5, 100)
    start = w.now
    opened(w, 6, 99)
    w.batch(step_ms=start + 1_000_000 - w.now)
    assert given(w, 5) == 100 + 100 + 1_000  # the grant, age and equity
    assert given(w, 6) == 100 + 99
    w.batch(step_ms=100_000_000)
    assert given(w, 5) == 100 + 10_100  # by age alone there are more than 10,000: no room for equity's


def test_parts_of_a_second_count_for_who_acts_often(world: Callable[..., Any]) -> None:
    w = world({})
    opened(w, 5, 100)
    for _ in range(40):  # ten seconds
        w.batch(noop(w, 5))
    assert given(w, 5) == 100 + 1 + 10


def test_one_coin_of_a_hundred_does_not_bring_credits_to_many(world: Callable[..., Any]) -> None:
    """It is at each account only for a moment, after a long time without: 5,000 s bring 500 by age, and no more."""
    w = world({1: 1_000})
    for who in (5, 6, 7):
        opened(w, who, 12)
    w.batch(step_ms=5_000_000)
    for who in (5, 6, 7):
        w.batch(send(w, 1, who, 100 * QUOTE))
        w.batch(send(w, who, 1, 100 * QUOTE))
        w.batch(noop(w, who))
    assert [given(w, who) for who in (5, 6, 7)] == [100 + 500] * 3


def test_a_miss_leads_into_debt_that_age_pays_off(world: Callable[..., Any]) -> None:
    w = world({1: 50})
    w.ex.config = replace(w.config, action_credits=0)
    w.batch(w.cancel(1, oid=77))
    assert given(w, 1) - int(w.ex.rows.accounts["credits_used"][w.slot(1)]) == -1
    w.batch(noop(w, 1))
    assert w.last.outcomes[0].status == "excluded"
    w.batch(noop(w, 1), step_ms=30_000)
    assert w.last.outcomes[0].status == "executed"
