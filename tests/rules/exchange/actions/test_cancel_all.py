"""cancelAllByMarket: whose orders go, what it costs, and that its work is bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidAction
from coinone.base.primitives.parameters import CANCELLED_WHOLE_PER_BATCH, CREDIT_DEBT_MAX
from coinone.rules.exchange.actions import cancel_all
from coinone.rules.exchange.batch.inclusion import Judge
from coinone.rules.exchange.book.book import Book
from coinone.rules.exchange.trading.segment import Trading
from tests.rules.exchange import words as t
from tests.rules.exchange.conftest import BTC, ETH


def sweep(w: Any, who: int, market: int = BTC) -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(who, t.CancelAllByMarket(market))
    return signed


def used(w: Any, who: int) -> int:
    return int(w.ex.rows.accounts["credits_used"][w.slot(who)])


def counts(w: Any) -> list[int]:
    return [outcome.response["data"]["count"] for outcome in w.last.outcomes]


def quotes(w: Any, who: int, count: int, market: int = BTC) -> list[t.VerifiedAction]:
    best = {BTC: 40_000, ETH: 2_900}[market]
    return [w.buy(who, 0.1, best - n, market=market) for n in range(count)]


def test_it_cancels_the_senders_orders_of_one_market_of_both_sides_and_no_others(
    world: Callable[..., Any],
) -> None:
    w = world({1: 10**6, 2: 10**6})
    w.batch(w.buy(1, 0.1, 50_000), w.sell(2, 0.1, 50_000))
    closing = w.sell(1, 0.1, 60_000, reduce_only=True)
    w.batch(*quotes(w, 1, 3), w.sell(1, 0.1, 61_000), closing, *quotes(w, 1, 1, ETH), *quotes(w, 2, 1))
    assert (w.order_count(1), w.order_count(2)) == (6, 1)
    before = used(w, 1)
    w.batch(sweep(w, 1))
    assert w.last.outcomes[0].response == {"type": "cancelAllByMarket", "data": {"count": 5}}
    assert (w.order_count(1), w.order_count(2)) == (1, 1)
    assert used(w, 1) == before


@pytest.mark.parametrize("market", [BTC, ETH, 2, 2**31 - 1])
def test_where_nothing_rests_it_costs_a_credit_as_a_cancel_of_nothing(
    market: int, world: Callable[..., Any]
) -> None:
    w = world({1: 10**6})
    w.batch(sweep(w, 1, market))
    assert (counts(w), used(w, 1)) == ([0], 1)


def test_makers_may_sweep_before_takers_of_the_same_batch_arrive(world: Callable[..., Any]) -> None:
    w = world({1: 10**6, 2: 10**6})
    w.batch(w.sell(1, 0.1, 50_000))
    w.batch(w.buy(2, 0.1, 50_000, "Ioc"), sweep(w, 1))
    assert "error" in w.status(0) and w.position(1) == 0


def test_an_order_is_asked_away_once_however_often_its_owner_sends_it(world: Callable[..., Any]) -> None:
    """40 orders and 200 sweeps: 40 operations, and one for each sweep that finds nothing left."""
    w = world({1: 10**6})
    w.batch(*quotes(w, 1, 40))
    before, asked = used(w, 1), [sweep(w, 1) for _ in range(200)]
    run, seen = Trading.run, []

    def noted(trading: Trading, post_only: bool = False) -> Any:
        seen.append(len(trading.ops))
        return run(trading, post_only)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trading, "run", noted)
        w.batch(*asked)
    assert max(seen) == 40 + 199
    assert sorted(counts(w)) == [0] * 199 + [40] and used(w, 1) == before + 199


def test_orders_of_other_markets_are_not_looked_at(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those of its own only until they are swept: 200 sweeps, two looks at one order."""
    w = world({1: 10**6})
    w.batch(*quotes(w, 1, 40), *quotes(w, 1, 1, ETH))
    slots_of, seen = Book.slots_of, []

    def noted(*arguments: Any) -> list[int]:
        found = slots_of(*arguments)
        seen.extend(found)
        return found

    monkeypatch.setattr(Book, "slots_of", noted)
    w.batch(*[sweep(w, 1, ETH) for _ in range(200)], check=False)
    assert len(seen) == 1 and sum(counts(w)) == 1


def test_a_sweep_that_has_to_wait_is_looked_at_once(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three accounts with 40 orders, room for the sweeps of two: the third's 200 sweeps walk its orders once, to be
    refused, as do those of the two that are swept."""
    monkeypatch.setattr(cancel_all, "CANCELLED_WHOLE_PER_BATCH", 60)
    monkeypatch.setattr(cancel_all, "SWEPT_PER_BATCH", 60)
    monkeypatch.setattr(cancel_all, "FIRED_WITH_FEW", 5)
    w = world(dict.fromkeys((1, 2, 3), 10**6))
    for who in (1, 2, 3):
        w.batch(*quotes(w, who, 40))
    slots_of, walks = Book.slots_of, []

    def noted(*arguments: Any) -> list[int]:
        found = slots_of(*arguments)
        walks.append(len(found))
        return found

    monkeypatch.setattr(Book, "slots_of", noted)
    w.batch(*[sweep(w, who) for who in (1, 2, 3) for _ in range(200)], check=False)
    refused = [outcome for outcome in w.last.outcomes if outcome.status == "failed"]
    assert len(refused) == 200 and walks == [40, 40, 40]


def test_beyond_the_bound_who_has_many_tries_again_and_who_has_few_is_served(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancel_all, "CANCELLED_WHOLE_PER_BATCH", 60)
    monkeypatch.setattr(cancel_all, "SWEPT_PER_BATCH", 60)
    monkeypatch.setattr(cancel_all, "FIRED_WITH_FEW", 5)
    w = world(dict.fromkeys(range(1, 6), 10**6))
    for who in (1, 2, 3):
        w.batch(*quotes(w, who, 40))
    w.batch(*quotes(w, 4, 5), *quotes(w, 5, 5, ETH))
    w.batch(*[sweep(w, who) for who in (1, 2, 3, 4)], sweep(w, 5, ETH))
    failed = [outcome for outcome in w.last.outcomes if outcome.status == "failed"]
    assert [outcome.error for outcome in failed] == ["Too many orders are cancelled at once, try again."]
    assert sorted(w.order_count(who) for who in range(1, 6)) == [0, 0, 0, 0, 40]


def test_a_crowd_of_another_market_keeps_no_makers_sweep_waiting(world: Callable[..., Any]) -> None:
    """An attack: 17 accounts with 999 orders each in ETH sweep these in every batch, 16,983, and 1's sweep of 40 quotes
    in BTC had to wait whenever its turn came after theirs: somebody sold to its old bids as the index fell."""
    crowd = range(100, 117)
    w = world({1: 10**6, **dict.fromkeys(crowd, 10**4)})
    prices = [float(f"{3_000 * (1 + (n % 900) / 10_000):.5g}") + 100 for n in range(999)]
    for who in crowd:
        for first in range(0, 999, 333):
            specs = [w.spec(False, 0.004, round(px, 1), "Alo", ETH) for px in prices[first : first + 333]]
            w.batch(w.signed(who, t.PlaceOrders(tuple(specs), "na", None)))
    assert sum(w.order_count(who) for who in crowd) > CANCELLED_WHOLE_PER_BATCH
    w.batch(*quotes(w, 1, 40))
    w.batch(*[sweep(w, who, ETH) for who in crowd], sweep(w, 1), forced=len(crowd))
    assert w.order_count(1) == 0 and sum(w.order_count(who) for who in crowd) == 0


def test_who_owes_credits_may_sweep_only_where_an_order_rests(world: Callable[..., Any]) -> None:
    w = world({1: 10**6})
    w.batch(*quotes(w, 1, 1))
    w.ex.rows.accounts["credits_used"][w.slot(1)] = 10**6 + CREDIT_DEBT_MAX
    judge = Judge(w.ex, w.now + 250)
    judge.admit(sweep(w, 1))
    for market in (ETH, 2):
        with pytest.raises(InvalidAction, match="not there"):
            judge.admit(sweep(w, 1, market))


def test_what_a_cancel_by_name_took_before_it_costs_nothing(world: Callable[..., Any]) -> None:
    w = world({1: 10**6})
    w.batch(*quotes(w, 1, 3))
    oid = w.status(0)["resting"]["oid"]
    before = used(w, 1)
    w.batch(w.cancel(1, oid), sweep(w, 1))
    assert w.status(0) == "success" and w.last.outcomes[1].response["data"] == {"count": 2}
    assert (used(w, 1), w.order_count(1)) == (before, 0)
