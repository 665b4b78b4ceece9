"""Debts by hand (docs/protocol/margin-and-liquidation.md): who pays what a move took beyond what its losers had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.closing import debts
from coinone.rules.exchange.closing.debts import spent_of
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.events.events import LedgerUpdate, LiquidationEvent
from coinone.rules.exchange.invariants import conserved_sum
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED
from tests.rules.exchange import words as t

QUOTE = 10**6


def moved(w: Any, **prices: float) -> list[Any]:
    """Report new prices until they are taken; the events of the batch that took them."""
    w.oracle(**prices)
    for _ in range(40):
        w.batch()
        if all(int(w.ex.rows.markets[market]["oracle"]) == price for market, price in w.prices.items()):
            return list(w.last.events)
    raise AssertionError("the oracle never took the price")


def paid(events: list[Any], kind: str = "levy") -> dict[int, int]:
    """Account -> what it paid of others' debts ("levy"), or what others paid for it ("debt"), in micro-quote."""
    told = [event for event in events if isinstance(event, LedgerUpdate | LiquidationEvent)]
    return {event.account[-1]: abs(event.amount) for event in told if event.kind == kind}


def endow(w: Any, amount: int, giver: int) -> None:
    """Move money into the fund, as if earned in years."""
    w.ex.rows.globals["insurance"] += amount * QUOTE
    w.ex.rows.accounts[w.slot(giver)]["cash"] -= amount * QUOTE


def four(world: Callable[..., Any]) -> Any:
    """1 is long 10 against 2, with 10,775 left after a fee of 225; 3 is short 5 against 4."""
    w = world({1: 11_000, 2: 100_000, 3: 100_000, 4: 100_000, 9: 2_000_000})
    w.batch(w.sell(2, 10, 50_000), w.buy(1, 10, 50_000))
    w.batch(w.sell(3, 5, 50_000), w.buy(4, 5, 50_000))
    assert w.equity(1) == 10_775 * QUOTE
    return w


def test_the_fund_pays_a_debt_up_to_a_twentieth_of_what_the_winners_won(world: Callable[..., Any]) -> None:
    """50,000 -> 48,900: 1 is at 10,775 - 11,000 = -225; 2 and 3 won 16,500, a twentieth is 825: the fund pays all."""
    w = four(world)
    endow(w, 1_000_000, 9)
    total, fund = conserved_sum(w.ex), w.fund("insurance")
    events = moved(w, btc=48_900)
    assert paid(events, "debt") == paid(events, "covered") == {1: 225 * QUOTE} and paid(events) == {}
    assert w.fund("insurance") == fund - 225 * QUOTE and conserved_sum(w.ex) == total


def test_beyond_a_twentieth_of_what_was_won_the_winners_pay_however_rich_the_fund(
    world: Callable[..., Any],
) -> None:
    """50,000 -> 48,000: 1 is at 10,775 - 20,000 = -9,225; 2 and 3 won 30,000, the fund pays a twentieth of it, 1,500.
    Of the 7,725 left 2 pays two thirds and 3 a third."""
    w = four(world)
    endow(w, 1_000_000, 9)
    fund = w.fund("insurance")
    assert paid(moved(w, btc=48_000)) == {2: 5_150 * QUOTE, 3: 2_575 * QUOTE}
    assert w.fund("insurance") == fund - 1_500 * QUOTE


def test_on_all_markets_the_fund_spends_a_quarter_of_itself(world: Callable[..., Any]) -> None:
    """A fund of 800. BTC's debt is 225, of which it pays an eighth, 100. ETH: 166 at 3,000 with 11,000 less a fee of
    224.1, down 66 each: 10,955.9 are 180.1 short. Of 700 an eighth is 87.5, but of a quarter 100 are spent: 75 pay."""
    w = world({1: 11_000, 2: 100_000, 5: 11_000, 6: 100_000, 9: 2_000_000})
    w.batch(w.sell(2, 10, 50_000), w.sell(6, 166, 3_000, market=1))
    w.batch(w.buy(1, 10, 50_000), w.buy(5, 166, 3_000, market=1))
    endow(w, 800, 9)
    assert paid(moved(w, btc=48_900, eth=2_934)) == {2: 125 * QUOTE, 6: 105_100_000}
    assert w.fund("insurance") == 625 * QUOTE


def test_winners_of_the_market_pay_what_the_fund_does_not_in_proportion(world: Callable[..., Any]) -> None:
    """No fund: 2 pays 11,000 * 225 / 16,500 = 150, 3 pays 75. 1 is closed at the mark and has nothing."""
    w = four(world)
    before = {n: w.equity(n) for n in (2, 3)}
    assert paid(moved(w, btc=48_900)) == {2: 150 * QUOTE, 3: 75 * QUOTE}
    assert w.equity(2) == before[2] + (11_000 - 150) * QUOTE
    assert w.equity(3) == before[3] + (5_500 - 75) * QUOTE
    assert (w.cash(1), w.position(1)) == (0, 0)


def test_the_fund_spends_an_eighth_of_itself_on_a_market_and_gets_it_back_over_eight_hours(
    world: Callable[..., Any],
) -> None:
    """A fund of 800 gives at most 100 of the 225. An hour later of its 700 an eighth, 87.5, may be spent in all, and
    of the 100 have leaked 700 * 1 h / 8 h = 87.5: 12.5 still count, 75 are free."""
    w = four(world)
    endow(w, 800, 9)
    assert sum(paid(moved(w, btc=48_900)).values()) == 125 * QUOTE
    assert w.fund("insurance") == 700 * QUOTE
    spent = dict(w.ex.ledger.cursor.fund_spent)
    assert spent[0][0] == spent[-1][0] == 100 * QUOTE
    w.batch(step_ms=3_600_000)
    batch = Execution(w.ex, BatchContext(w.seq + 1, spent[0][1] + 3_600_000, bytes(32)))
    assert spent_of(batch, 0, 700 * QUOTE) == (
        12_500_000,
        0,
    )  # the whole's quota leaks twice as fast: 175 an hour


def test_a_winner_pays_nothing_that_would_leave_it_below_its_maintenance_margin(
    world: Callable[..., Any],
) -> None:
    """2 is hedged by a long of ETH that loses as much as its short of BTC wins: it pays down to its maintenance
    margin, and what is left of the debt is for whoever won elsewhere."""
    w = world({1: 11_000, 2: 21_000, 3: 100_000, 4: 100_000})
    w.batch(w.sell(2, 10, 50_000), w.buy(1, 10, 50_000))
    w.batch(w.sell(3, 166, 3_000, market=1), w.buy(2, 166, 3_000, "Ioc", market=1))
    events = moved(w, btc=47_000, eth=2_820)
    debt = paid(events, "debt")[1]
    assert debt == 30_000 * QUOTE - 10_775 * QUOTE
    levies = paid(events)
    assert w.equity(2) >= w.maintenance(2) and levies[2] > 0
    assert levies[2] + levies.get(3, 0) == debt


def test_a_lot_in_another_market_does_not_make_its_winners_pay(world: Callable[..., Any]) -> None:
    """A debtor long 1,000 ETH against an accomplice, and one lot of BTC (0.5 quote of value 0.00001 BTC): BTC's winner
    pays at most what BTC's fall took from the debtor's debt, some millionths of it."""
    w = world({1: 70_000, 2: 200_000, 3: 1_000_000, 4: 1_000_000})
    w.batch(w.sell(2, 1_000, 3_000, market=1), w.buy(1, 1_000, 3_000, market=1))
    w.batch(w.sell(3, 10, 50_000), w.buy(4, 9.9996, 50_000), w.buy(1, 0.0004, 50_000))
    events = moved(w, btc=49_800, eth=2_900)
    debt = paid(events, "debt")[1]
    lost = {"btc": 0.0004 * 200, "eth": 1_000 * 100}
    assert paid(events).get(3, 0) <= debt * lost["btc"] / sum(lost.values()) + 1
    assert paid(events)[2] >= debt * lost["eth"] / sum(lost.values()) - 1


def test_the_largest_winners_pay_and_the_others_only_if_these_cannot(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shorts of 10, 5 and 0.0002, two asked at once: the third pays nothing. The account of 5 paid 1 to the fund, of
    which an eighth goes to the debt: 224.875 are left, two thirds and a third."""
    w = four(world)
    w.batch(w.signed(9, t.SendAsset((5).to_bytes(20, "big"), 100 * QUOTE)))
    w.batch(w.buy(4, 0.0002, 50_000), w.sell(5, 0.0002, 50_000, "Ioc"))
    monkeypatch.setattr(debts, "LEVIED_AT_ONCE", 2)
    assert paid(moved(w, btc=48_900)) == {2: 149_916_667, 3: 74_958_333}


def test_a_small_debt_is_asked_of_few(world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """One winner is asked for each `LEVY_LEAST`: of 225 quote at 225 each, the largest pays all."""
    monkeypatch.setattr(debts, "LEVY_LEAST", 225 * QUOTE)
    assert paid(moved(four(world), btc=48_900)) == {2: 225 * QUOTE}


def test_what_is_sent_to_a_locked_account_stays_its_owners(world: Callable[..., Any]) -> None:
    """5,000 arrive in the very batch of the debt. They wait, and are the owner's when the position is closed."""
    w = four(world)
    w.oracle(btc=48_900)
    top_up = t.SendAsset((1).to_bytes(20, "big"), 5_000 * QUOTE)
    fund = w.fund("insurance")
    for _ in range(40):
        w.batch(w.signed(9, top_up))
        if int(w.ex.rows.markets[0]["oracle"]) == 489_000:
            break
        w.ex.rows.accounts[w.slot(1)]["cash"] -= 5_000 * QUOTE  # not yet: as if it had not been sent
        w.ex.rows.accounts[w.slot(9)]["cash"] += 5_000 * QUOTE
    assert w.position(1) == 0 and w.cash(1) == 5_000 * QUOTE
    assert w.fund("insurance") == fund


def test_who_is_locked_sends_nothing_and_chooses_no_leverage(world: Callable[..., Any]) -> None:
    """Whatever it is worth: a position in a silent market may have come back to a profit, which is the fund's."""
    w = four(world)
    w.ex.rows.accounts["flags"][w.slot(9)] |= ACCOUNT_LOCKED
    away = t.SendAsset((2).to_bytes(20, "big"), QUOTE)
    leverage = w.signed(9, t.UpdateLeverage(0, True, 5))
    w.batch(w.signed(9, away), leverage)
    assert [outcome.error for outcome in w.last.outcomes] == ["Account is being liquidated."] * 2


@pytest.mark.parametrize(("bid", "brought"), [(48_950, 50), (49_100, 200)])
def test_what_a_locked_position_brings_above_the_mark_is_the_funds(
    bid: int, brought: int, world: Callable[..., Any]
) -> None:
    """A bid for one of the ten, above the mark: 1 gets nothing of it, be it more than the fee (98.2) or less."""
    w = four(world)
    w.batch(w.buy(9, 1, bid))
    fund = w.fund("insurance")
    moved(w, btc=48_900)
    assert (w.cash(1), w.position(1)) == (0, 0)
    assert w.fund("insurance") == fund + brought * QUOTE


@pytest.mark.parametrize("fall", [3, 10, 30, 60])
def test_nobody_is_below_zero_after_any_fall_and_money_is_conserved(
    fall: int, world: Callable[..., Any]
) -> None:
    """Thirty longs of 1.5x to 45x against ten shorts, some of them hedged in the other market."""
    w = world(dict.fromkeys(range(1, 31), 10_000) | dict.fromkeys(range(100, 110), 200_000) | {200: 10**6})
    for n in range(1, 31):
        size = round(0.3 * n, 3)
        w.batch(w.sell(100 + n % 10, size, 50_000), w.buy(n, size, 50_000))
    for n in range(100, 105):
        w.batch(w.sell(200, 30, 3_000, market=1), w.buy(n, 30, 3_000, market=1))
    total = conserved_sum(w.ex)
    events = moved(w, btc=50_000 * (100 - fall) // 100, eth=3_000 * (100 - fall) // 100)
    assert paid(events, "debt"), "the scenario was meant to make debts"
    for _ in range(3):
        w.batch()
    assert conserved_sum(w.ex) == total
    assert all(w.equity(n) >= 0 for n in [*range(1, 31), *range(100, 110), 200])
