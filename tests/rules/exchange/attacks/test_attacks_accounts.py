"""Attacks with many accounts, with thousands of orders, or by timing, and the rules that stop them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.book.book import Book
from coinone.rules.exchange.closing import liquidation
from coinone.rules.exchange.events.events import LiquidationEvent
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED
from coinone.rules.exchange.trading.ops import OpList
from coinone.rules.exchange.trading.segment import Trading
from tests.rules.exchange import words as t

QUOTE = 10**6


def at_fifty(w: Any, *accounts: int) -> None:
    """The greatest leverage for all of them."""
    chosen = [t.UpdateLeverage(0, True, 50)] * len(accounts)
    w.batch(*[w.signed(n, action) for n, action in zip(accounts, chosen, strict=True)])


def told(w: Any, kind: str) -> list[Any]:
    return [event for event in w.last.events if getattr(event, "kind", "") == kind]


def test_who_spreads_what_it_won_over_a_hundred_accounts_pays_its_part(world: Callable[..., Any]) -> None:
    """1 (long 10) and a hundred shorts of 0.02 have one owner; 2 is short 98. 50,000 -> 48,500 takes 15,000 of the
    10,575 that 1 has after fees: a debt of 4,425, of which the hundred owe 2 / 100. Each won 30 and pays 0.885."""
    small = range(100, 200)
    w = world({1: 10_800, 2: 10_000_000, 3: 10_000_000} | dict.fromkeys(small, 60))
    at_fifty(w, 1, 2, 3, *small)
    w.batch(w.sell(2, 98, 50_000, "Alo"))
    w.batch(w.buy(1, 10, 50_000), w.buy(3, 90, 50_000))
    w.batch(*[w.sell(n, 0.02, 50_000) for n in small])
    before = [w.equity(n) for n in small]
    w.oracle(btc=48_500)
    w.batch()
    assert [event.amount for event in told(w, "debt")] == [4_425 * QUOTE]
    assert [w.equity(n) - had for n, had in zip(small, before, strict=True)] == [30 * QUOTE - 885_000] * 100


def test_a_slide_leaves_no_debts_because_there_are_many_accounts(world: Callable[..., Any]) -> None:
    """300 longs of one owner at the edge slide 0.15 % a batch through their last third, in an empty book: each is
    closed in the batch that finds it there. When 64 a batch were, the rest went on into debt."""
    many = range(100, 400)
    w = world({1: 10_000_000} | dict.fromkeys(many, 1_030))
    at_fifty(w, 1, *many)
    w.batch(w.sell(1, 300, 50_000, "Alo"))
    w.batch(*[w.buy(n, 1, 50_000) for n in many])
    price, debts = 50_000.0, 0
    for _ in range(20):
        price *= 1 - 0.0015
        w.prices[0] = round(price * 10)
        w.batch(check=False)
        debts += len(told(w, "debt"))
    assert debts == 0 and all(w.position(n) == 0 for n in many)


def test_money_that_comes_in_time_saves_a_position(world: Callable[..., Any]) -> None:
    """Below its margin when the batch begins, 100,387.5 when liquidations trade: the bid within the limit stays."""
    w = world({1: 1_060, 2: 10_000_000})
    at_fifty(w, 1, 2)
    w.batch(w.sell(2, 1, 50_000, "Alo"))
    w.batch(w.buy(1, 1, 50_000))
    w.batch(w.buy(2, 1, 49_200, "Alo"))
    w.prices[0] = 495_500
    w.batch()
    w.prices[0] = 493_500  # equity 387.5, margin 493.5: the limit would be 246.75 below the mark
    w.batch(w.signed(2, t.SendAsset((1).to_bytes(20, "big"), 100_000 * QUOTE)))
    assert w.position(1) == 100_000 and w.equity(1) == 100_387_500_000
    assert not [event for event in w.last.events if isinstance(event, LiquidationEvent)]


def test_a_send_or_an_approval_walks_no_orders_in_python(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a thousand orders each of them took 7.7 ms, six hundred times what a noop takes: 3,000 for 3 quote stopped
    the exchange for 20 s."""
    w = world({1: 10_000, 2: 10_000})
    w.batch(w.signed(1, t.ApproveBuilderFee((2).to_bytes(20, "big"), 100)))
    builder = t.Builder((2).to_bytes(20, "big"), 100)
    orders = (w.spec(True, 0.01, 50_500), w.spec(False, 0.01, 60_000), w.spec(False, 0.1, 3_100, market=1))
    w.batch(w.signed(1, t.PlaceOrders(orders, "na", builder)))
    monkeypatch.setattr(Book, "slots_of", None)
    # At first leverage 50: 10 of margin for BTC, 6 for ETH; the bid loses 0.01 * 500 = 5 when it trades.
    most = 10_000 - 10 - 6 - 5
    for amount, status in ((most * QUOTE + 1, "failed"), (most * QUOTE, "executed")):
        w.batch(w.signed(1, t.SendAsset((2).to_bytes(20, "big"), amount)))
        assert w.last.outcomes[0].status == status
    w.batch(w.signed(1, t.ApproveBuilderFee((2).to_bytes(20, "big"), 10)))
    live = w.ex.rows.orders[w.ex.rows.orders["oid"] != 0]
    assert live["builder_fee"].tolist() == [1_000] * 3  # a ten-thousandth, in 10^-7


def test_cancels_of_what_is_not_there_cost_little_beside_an_order_that_was_placed(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """25 us each: 20,000 orders and as many cancels took 0.65 s, since for each the action was looked up four times.
    Now once for an order that was placed and rests (who placed it), and never for the cancels."""
    w = world({1: 10_000})
    looks, owner = [], OpList.owner
    monkeypatch.setattr(OpList, "owner", lambda ops, place: looks.append(place) or owner(ops, place))
    targets = [t.OrderRef(0, 0, cloid) for cloid in range(1, 501)]
    w.batch(w.buy(1, 0.01, 49_000, cloid=7), w.signed(1, t.Cancel(tuple(targets), by_cloid=True)))
    assert (len(looks), w.ex.rows.live_orders) == (1, 0)


@pytest.mark.parametrize("by_cloid", [False, True])
def test_of_the_cancels_that_name_an_order_placed_in_their_batch_one_is_tried_again(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, by_cloid: bool
) -> None:
    """All were, 3.2 us each: 280,000 that name eight orders took 0.9 s. 500 in each of two later actions and of an
    earlier one; those that come too early or name another market leave the order to the others."""
    w = world({1: 10_000})
    oid, run, asked = int(w.ex.rows.globals["next_oid"][0]), Trading.run, []
    monkeypatch.setattr(
        Trading, "run", lambda trading, *post: asked.append(len(trading.ops)) or run(trading, *post)
    )
    here, elsewhere = [t.OrderRef(market, 0 if by_cloid else oid, 7 * by_cloid) for market in (0, 1)]
    many = t.Cancel((elsewhere, *[here] * 499), by_cloid)
    early = w.signed(1, many)
    w.batch(early, w.buy(1, 0.01, 49_000, cloid=7), w.signed(1, many), w.signed(1, many))
    assert [count for count in asked if count] == [1_500, 1, 1] and w.ex.rows.live_orders == 0
    found = [w.last.outcomes[n].response["data"]["statuses"].count("success") for n in (0, 2, 3)]
    assert found == [0, 1, 0] and w.last.outcomes[2].response["data"]["statuses"][1] == "success"
    # One credit for the order, and one for each of 1,500 cancels except the one that removed it.
    assert w.ex.rows.accounts["credits_used"][w.slot(1)] == 1 + 1_499


def test_a_reducing_quote_rests_only_if_its_owner_could_bear_its_fill(world: Callable[..., Any]) -> None:
    """Reduce-only bids 3 % above the oracle that nobody could hit took the hour's funding to its cap. Short 9.95 at
    50,000, equity 9,976.125, margin 4,975. A bid for 1 leaves a margin of 4,475. At 51,000 it loses 1,000 and 7.65 of
    fees: 8,968.475 are more than 2 * 4,475 = 8,950. At 51,100, 8,868.335 are less, and less than the share, 8,973."""
    w = world({1: 10_200, 2: 10_000_000})
    at_fifty(w, 1)
    w.batch(w.buy(2, 10, 50_000, "Alo"))
    w.batch(w.sell(1, 9.95, 50_000))
    assert (w.equity(1), w.maintenance(1)) == (9_976_125_000, 4_975 * QUOTE)
    short = "Insufficient margin to place order. asset=0"
    for size, price, reduce_only in ((9.95, 51_500, True), (1, 51_100, True), (1, 51_100, False)):
        w.batch(w.buy(1, size, price, reduce_only=reduce_only))
        assert w.status() == {"error": short}
    w.batch(w.buy(1, 1, 51_000, reduce_only=True))
    assert "resting" in w.status()


def test_a_liquidation_in_pieces_ends_at_zero_where_tiers_make_the_first_lots_dearer(
    world: Callable[..., Any],
) -> None:
    """40 BTC, half in a tier of 10x: 1 % of a million and 5 % of the rest. Two bids of 20 at the limit: the first fill
    leaves 13,750 and a margin of 9,092 or less, of which the fee may take some; the second at the same price would lose
    13,750 again. It took the account below zero, and the node halted."""
    w = world({1: 210_000, 2: 10**8, 3: 10**8}, tiers=((10**6 * QUOTE, 10),))
    at_fifty(w, 1, 2, 3)
    w.batch(w.sell(2, 40, 50_000, "Alo"))
    w.batch(w.buy(1, 40, 50_000))
    for price in range(49_600, 45_400, -400):
        w.prices[0] = 10 * price
        w.batch()
    w.prices[0] = 454_600
    w.batch()
    # cash 210,000 - 2,000,000 - 900; equity -1,790,900 + 40 * 45,460 = 27,500; margin 10,000 + 40,920 = 50,920
    assert (w.equity(1), w.maintenance(1)) == (27_500 * QUOTE, 50_920 * QUOTE)
    w.batch(*[w.buy(n, 20, 44_773, "Alo") for n in (2, 3)])  # the limit: 687.5 a lot below the mark
    w.batch()
    assert w.position(1) == 2_000_000 and w.equity(1) > 0


def test_accounts_that_cannot_be_closed_take_no_place_of_those_that_can(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One place a batch. At 49,100 1 lacks 4,400, but its market is silent; 3 lacks 2,421.5, but has 1,997.5 of 4,419
    left; 2 lacks 383.5 and has 107.5 of 491, below a third. It is closed, when places went by what is lacking it was
    not, and a slide would have brought it into debt."""
    monkeypatch.setattr(liquidation, "DELEVERAGED_PER_BATCH", 1)
    w = world({1: 10_300, 2: 1_030, 3: 10_300, 9: 10_000_000})
    at_fifty(w, 1, 2, 3, 9)
    w.batch(*[w.signed(1, t.UpdateLeverage(1, True, 50))])
    w.batch(w.sell(9, 150, 3_000, "Alo", market=1))
    w.batch(w.buy(1, 150, 3_000, market=1))
    w.batch(w.sell(9, 11, 50_000, "Alo"))
    w.batch(w.buy(2, 1, 50_000), w.buy(3, 9, 50_000))
    del w.prices[1]  # the reporter falls silent on ETH: stale after 20 s
    for _ in range(4):
        w.batch(step_ms=6_000)
    cash = w.ex.rows.accounts["cash"]
    lost = w.equity(1) - 100 * QUOTE
    cash[w.slot(1)], cash[w.slot(9)] = cash[w.slot(1)] - lost, cash[w.slot(9)] + lost
    for price in (496_000, 492_500, 491_000):
        w.prices[0] = price
        w.batch()
    assert w.position(1, market=1) and w.position(3) and w.position(2) == 0


def test_a_maker_pays_its_builder_out_of_what_it_has(world: Callable[..., Any]) -> None:
    """A bid for 1 at 50,000 with 1,058, of which 7.5 and 50 are fees. At a mark of 49,995 it loses 5: 995.5 would be
    left, less than twice the maintenance margin of 499.95. Without the builder's share it would be enough."""
    w = world({1: 1_058, 2: 100_000, 3: 100_000})
    at_fifty(w, 1)
    w.batch(w.signed(1, t.ApproveBuilderFee((3).to_bytes(20, "big"), 100)))
    bid = t.PlaceOrders((w.spec(True, 1, 50_000),), "na", t.Builder((3).to_bytes(20, "big"), 100))
    w.batch(w.signed(1, bid))
    w.prices[0] = 499_950
    w.batch(w.sell(2, 1, 50_000, "Ioc"))
    assert w.position(1) == 0 and w.ex.rows.live_orders == 0
    assert w.cash(3) == 100_000 * QUOTE


def test_the_locked_of_a_silent_market_take_no_place_of_those_that_can_be_closed(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One place a batch. 1 is locked with 4,500 of margin in ETH, which is silent; the gap locks 2 with 490 in BTC."""
    monkeypatch.setattr(liquidation, "LOCKED_CLOSED_PER_BATCH", 1)
    w = world({1: 50_000, 2: 1_030, 9: 10_000_000})
    at_fifty(w, 2, 9)
    w.batch(w.sell(9, 150, 3_000, "Alo", market=1), w.sell(9, 1, 50_000, "Alo"))
    w.batch(w.buy(1, 150, 3_000, market=1), w.buy(2, 1, 50_000))
    del w.prices[1]
    for _ in range(4):
        w.batch(step_ms=6_000)
    w.ex.rows.accounts["flags"][w.slot(1)] |= ACCOUNT_LOCKED
    w.oracle(btc=48_900)
    w.batch()
    assert told(w, "debt") and w.position(2) == 0 and w.position(1, market=1) == 1_500_000
