"""Liquidation by hand (exchange.md 2.6; style-and-reliability B4: X1, X4, X5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange import liquidation
from coinone.rules.exchange.events import Fill, LiquidationEvent
from coinone.rules.exchange.invariants import conserved_sum
from coinone.rules.exchange.liquidation import bankruptcy_price
from coinone.rules.exchange.margin import equity

QUOTE = 10**6


def events(w: Any, kind: str = "") -> list[LiquidationEvent]:
    found = [event for event in w.last.events if isinstance(event, LiquidationEvent)]
    return [event for event in found if kind in ("", event.kind)]


def long_of(w: Any, who: int, size: float, price: float = 50_000) -> None:
    """Account 9 sells to `who`, who pays no more than their own fee."""
    w.batch(w.sell(9, size, price), w.buy(who, size, price))
    assert w.position(who) == round(size * 10**5)


def test_the_liquidation_price_is_freqtrades(world: Callable[..., Any]) -> None:
    """freqtrade/freqtrade, exchange/hyperliquid.py, checked there on 197 real positions:
    liq = px - side * margin_available / size / (1 - l * side), l = 1 / (2 * max leverage),
    margin_available = equity - maintenance margin. An account must be chosen just below it, not just above."""
    w = world({1: 1_500, 9: 1_000_000})
    long_of(w, 1, 0.5)
    maintenance = 0.5 * 50_000 / 100
    available = w.equity(1) / QUOTE - maintenance
    price = 50_000 - available / 0.5 / (1 - 1 / 100)
    assert 47_000 < price < 48_000
    w.oracle(btc=int(price) + 1)
    w.batch()
    assert not events(w)
    w.oracle(btc=int(price))
    w.batch()
    assert [event.account for event in events(w, "order")] == [(1).to_bytes(20, "big")]


def test_the_liquidation_price_of_a_short_is_freqtrades(world: Callable[..., Any]) -> None:
    w = world({1: 1_500, 9: 1_000_000})
    w.batch(w.buy(9, 0.5, 50_000), w.sell(1, 0.5, 50_000))
    available = w.equity(1) / QUOTE - 0.5 * 50_000 / 100
    price = 50_000 + available / 0.5 / (1 + 1 / 100)
    w.oracle(btc=int(price))
    w.batch()
    assert not events(w)
    w.oracle(btc=int(price) + 1)
    w.batch()
    assert events(w, "order")


def test_the_bankruptcy_price_uses_up_the_equity_exactly(world: Callable[..., Any]) -> None:
    """Long 0.5 at 50,000 with 1,488.75 left after a fee of 11.25: worth nothing at 50,000 - 1,488.75 / 0.5."""
    w = world({1: 1_500, 9: 1_000_000})
    long_of(w, 1, 0.5)
    price = bankruptcy_price(w.ex.rows, w.slot(1), 0, equity(w.ex.rows, w.slot(1)))
    assert price == 470_225  # 47,022.5
    assert w.cash(1) + w.position(1) * price == 0


def test_a_breach_cancels_the_orders_and_closes_into_the_book(world: Callable[..., Any]) -> None:
    w = world({1: 2_000, 2: 1_000_000, 9: 1_000_000})
    long_of(w, 1, 0.5)
    w.batch(w.buy(1, 0.001, 40_000, cloid=5), w.buy(2, 1, 46_900))
    w.oracle(btc=46_400)
    total = conserved_sum(w.ex)
    w.batch()
    fills = [event for event in w.last.events if isinstance(event, Fill)]
    assert [(fill.kind, fill.px, fill.sz) for fill in fills] == [("liquidation", 469_000, 50_000)]
    assert w.position(1) == 0 and w.cash(1) > 0
    assert w.fund("insurance") == 0.5 * 46_900 * QUOTE * 2 // 1000  # 0.2 % of what was closed
    assert conserved_sum(w.ex) == total
    w.batch(w.cancel(1, cloid=5))
    assert "error" in w.status()


def test_a_liquidation_sells_no_lower_than_the_bankruptcy_price(world: Callable[..., Any]) -> None:
    w = world({1: 1_500, 2: 1_000_000, 9: 1_000_000})
    long_of(w, 1, 0.5)
    w.batch(w.buy(2, 1, 46_900))  # below the bankruptcy price of 47,022.5
    w.oracle(btc=47_400)
    w.batch()
    assert events(w, "order") and w.position(1) == 50_000 and w.cash(1) + 50_000 * 474_000 > 0
    assert w.position(2) == 0


def test_a_large_position_is_closed_by_a_fifth_and_the_rest_after_thirty_seconds(
    world: Callable[..., Any],
) -> None:
    """4 BTC are above 100,000 quote. Equity falls below 1 % of the notional but stays above two thirds of it."""
    w = world({1: 8_000, 2: 10_000_000, 9: 10_000_000})
    long_of(w, 1, 4)
    equity_now = w.equity(1) / QUOTE
    price = round((200_000 - equity_now) / 4 / (1 - 0.0099), 0) - 1  # a little less than 1 % of equity left
    w.batch(w.buy(2, 10, price + 60))
    w.oracle(btc=price)
    for _ in range(3):
        w.batch()
    sizes = [w.position(1)]
    assert sizes == [320_000]  # 4 - 0.8: the second and third batch wait
    w.oracle(btc=price - 120)  # 1,504 of equity against 1,548
    w.batch(step_ms=29_000)
    assert w.position(1) == 320_000
    w.batch(step_ms=1_000)
    assert w.position(1) == 0


def test_below_two_thirds_of_maintenance_there_is_no_waiting(world: Callable[..., Any]) -> None:
    w = world({1: 8_000, 2: 10_000_000, 9: 10_000_000})
    long_of(w, 1, 4)
    w.batch(w.buy(2, 10, 48_400))
    w.oracle(btc=48_300)
    w.batch()
    assert w.position(1) == 0


def test_nobody_is_liquidated_on_a_stale_price(world: Callable[..., Any]) -> None:
    w = world({1: 1_500, 9: 1_000_000})
    long_of(w, 1, 0.5)
    w.batch(w.sell(9, 0.1, 40_100), w.buy(9, 0.1, 40_000, cloid=1), step_ms=21_000, fresh=False)
    for _ in range(5):
        w.batch(fresh=False)
        assert not events(w)


@pytest.mark.parametrize("fall", [30, 50, 80])
@pytest.mark.parametrize("books", ["empty", "bids", "asks"])
def test_a_gap_leaves_nobody_below_zero_with_a_position(
    fall: int, books: str, world: Callable[..., Any]
) -> None:
    """Thirty longs of 2x to 50x against ten shorts; the price falls by a third to four fifths in one batch."""
    w = world(dict.fromkeys(range(1, 31), 10000) | dict.fromkeys(range(100, 110), 200000))
    for n in range(1, 31):
        size = round(0.4 * (2 + n) / 10, 3)
        w.batch(w.sell(100 + n % 10, size, 50_000), w.buy(n, size, 50_000))
    if books == "bids":
        w.batch(*[w.buy(100 + n, 0.5, 10_500 + 100 * n) for n in range(5)])
    if books == "asks":
        w.batch(*[w.sell(100 + n, 0.5, 52_000 + 100 * n) for n in range(5)])
    total = conserved_sum(w.ex)
    w.oracle(btc=50_000 * (100 - fall) // 100)
    w.batch()
    assert events(w, "adl"), "the scenario was meant to need deleveraging"
    for _ in range(3):
        w.batch()
    assert conserved_sum(w.ex) == total
    assert w.fund("insurance") >= 0
    assert not events(w, "bad_debt") and w.ex.ledger.cursor.bad_debt == ()
    for slot in range(w.ex.rows.account_count):
        assert equity(w.ex.rows, slot) >= 0


def test_deleveraging_closes_at_the_bankruptcy_price_and_takes_the_best_first(
    world: Callable[..., Any],
) -> None:
    """Short 2 has 20 times its equity at stake, short 3 twice: 2 is closed first, at the price that leaves the
    bankrupt long exactly nothing."""
    w = world({1: 1_200, 2: 1_500, 3: 15_000})
    w.batch(w.sell(2, 0.5, 50_000), w.buy(1, 0.5, 50_000))
    w.batch(w.sell(3, 0.5, 50_000), w.buy(1, 0.5, 50_000))
    price = bankruptcy_price(w.ex.rows, w.slot(1), 0, equity(w.ex.rows, w.slot(1)))
    w.oracle(btc=40_000)
    w.batch()
    closed = events(w, "adl")
    assert [event.counterparty[-1] for event in closed] == [2, 3]
    assert [event.size for event in closed] == [50_000, 50_000]
    assert {event.px for event in closed} == {price}
    assert w.position(1) == 0 and 0 <= w.cash(1) < 100_000  # at most a tick per lot is left by rounding


def test_insurance_pays_a_fill_beyond_the_bankruptcy_price_and_stays_above_zero(
    world: Callable[..., Any],
) -> None:
    w = world({1: 1_500, 2: 1_000_000, 9: 1_000_000})
    long_of(w, 1, 0.5)
    w.ex.rows.globals["insurance"] = 4_000 * QUOTE  # as if earned before
    w.ex.rows.accounts[w.slot(9)]["cash"] -= 4_000 * QUOTE
    w.batch(w.buy(2, 1, 46_600))  # 422.5 below the bankruptcy price
    w.oracle(btc=46_500)
    w.batch()
    assert w.position(1) == 0 and w.cash(1) == 0
    # The long lost 0.5 x 422.5 and the fee more than it had; the fee went to the same fund.
    assert w.fund("insurance") == 4_000 * QUOTE - int(211.25 * QUOTE)
    assert events(w, "insurance")


def test_closing_to_an_accomplice_at_an_absurd_price_steals_nothing(world: Callable[..., Any]) -> None:
    """A leveraged account dumps its position on its owner's second account far below the mark. If reducing orders
    were not bounded by equity, the loss beyond it would be the insurance fund's and the gain the accomplice's."""
    w = world({1: 2_000, 2: 100_000, 9: 1_000_000})
    long_of(w, 1, 1)
    before = w.equity(1) + w.equity(2)
    w.batch(w.buy(2, 1, 30_000))
    w.batch(w.sell(1, 1, 30_000, "Ioc", reduce_only=True))
    w.batch()
    assert w.equity(1) >= 0
    assert w.equity(1) + w.equity(2) <= before
    assert not w.ex.ledger.cursor.bad_debt


def test_a_debt_that_counterparties_cannot_bear_is_the_funds_and_then_on_record(
    world: Callable[..., Any],
) -> None:
    """Long 1's counterparty 2 wins on BTC but loses the same on ETH to 3, so that its equity cannot bear 1's debt:
    the rest of 1's position closes at the mark, and the fund, which is empty, leaves the debt on record."""
    w = world({1: 1_200, 2: 2_500, 3: 100_000})
    w.batch(w.sell(2, 1, 50_000), w.buy(1, 1, 50_000))
    w.batch(w.sell(3, 15, 3_000, market=1), w.buy(2, 15, 3_000, market=1))
    total = conserved_sum(w.ex)
    w.oracle(btc=40_000, eth=2_350)
    w.batch()
    assert events(w, "adl") and events(w, "bad_debt")
    assert w.position(1) == 0 and w.cash(1) < 0
    assert w.ex.ledger.cursor.bad_debt == (w.ex.number(w.slot(1)),)
    for n in (2, 3):
        assert w.equity(n) >= 0
    assert conserved_sum(w.ex) == total
    debt = -w.cash(1)
    w.ex.rows.globals["insurance"] += 3 * debt  # as if earned later
    w.ex.rows.accounts[w.slot(3)]["cash"] -= 3 * debt
    w.batch()
    assert w.cash(1) == 0 and w.ex.ledger.cursor.bad_debt == ()
    assert w.fund("insurance") == 2 * debt


def test_more_bankrupts_than_are_chosen_end_in_the_same_batch(world: Callable[..., Any]) -> None:
    """A hundred longs of 40x and a fall of 10 %: 64 are chosen, worst first; the rest are closed at the batch's end,
    as long as they are no more than 64."""
    w = world({n: 1_200 + n for n in range(1, 101)} | {900: 10_000_000})
    w.batch(w.sell(900, 100, 50_000))
    for first in range(1, 101, 50):
        w.batch(*[w.buy(n, 1, 50_000, "Ioc") for n in range(first, first + 50)])
    total = conserved_sum(w.ex)
    w.oracle(btc=45_000)
    w.batch()
    assert sorted({event.account for event in events(w, "order")}) == [
        n.to_bytes(20, "big") for n in range(1, 65)
    ]
    assert not any(w.position(n) for n in range(1, 101))
    assert conserved_sum(w.ex) == total and not w.ex.ledger.cursor.bad_debt
    assert all(w.equity(n) >= 0 for n in [*range(1, 101), 900])


def test_two_hundred_bankrupts_take_two_batches(world: Callable[..., Any]) -> None:
    w = world(dict.fromkeys(range(1, 201), 1200) | {900: 10_000_000})
    w.batch(w.sell(900, 100, 50_000), w.sell(900, 100, 50_000))
    for first in range(1, 201, 50):
        w.batch(*[w.buy(n, 1, 50_000, "Ioc") for n in range(first, first + 50)])
    w.oracle(btc=45_000)
    w.batch()
    assert sum(w.position(n) > 0 for n in range(1, 201)) == 200 - 64 - 64
    w.batch()
    assert not any(w.position(n) for n in range(1, 201))


def test_who_falls_below_zero_without_having_been_chosen_is_closed_as_well(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world({1: 1_200, 9: 1_000_000})
    long_of(w, 1, 1)
    monkeypatch.setattr(liquidation, "choose", liquidation.Liquidations)  # nobody is chosen
    w.oracle(btc=45_000)
    w.batch()
    assert w.position(1) == 0 and events(w, "adl") and not events(w, "order")
