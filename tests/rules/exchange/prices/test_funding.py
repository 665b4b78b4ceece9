"""Funding by hand: premium, rate, payment, hours that pay nothing, and payers who cannot pay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.events.events import FundingPayment
from coinone.rules.exchange.invariants import check_exchange, conserved_sum
from coinone.rules.exchange.prices import funding
from coinone.rules.exchange.prices.funding import HOUR_MS, apply_funding, hourly_rate, premium, settle_hour
from coinone.rules.exchange.prices.quotes import ImpactPrices, hittable, impact_quotes
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.exchange.state.restore import exchange_from_leaves

QUOTE = 10**6


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


@pytest.mark.parametrize(
    ("average", "rate"),
    [
        (0, 12_500),  # no premium: interest of 0.01 % per 8 h, an eighth of it an hour
        (100_000, 12_500),  # P = 0.01 %: F = P
        (-100_000, 12_500),  # 0.01 % - P = 0.02 % lies within the clamp: F = 0.01 %
        (1_000_000, 62_500),  # P = 0.1 %: F = 0.1 % - 0.05 % = 0.05 %, / 8
        (-1_000_000, -62_500),  # P = -0.1 %: F = -0.1 % + 0.05 %
        # P = 3 %: 0.36875 % is capped at 0.125 %, an eighth of 50x' maintenance margin
        (30_000_000, 1_250_000),
        (-400_000_000, -1_250_000),
    ],
)
def test_the_rate_is_the_premium_clamped_towards_the_interest(average: int, rate: int) -> None:
    assert hourly_rate(average * 7, 7, 50) == rate


def test_the_cap_is_an_eighth_of_the_least_maintenance_margin() -> None:
    """20x: maintenance 2.5 %, an eighth 0.3125 %."""
    assert hourly_rate(10**9, 1, 20) == 3_125_000


def open_batch(w: Any) -> Execution:
    return Execution(w.ex, BatchContext(w.seq + 1, w.now + 250, bytes(32)))


def test_the_impact_price_is_the_average_to_trade_the_impact_notional(world: Callable[..., Any]) -> None:
    """Bids: 0.2 at 50,500 and enough at 50,250. To sell 20,000 quote: 10,100 into the first, the remaining 9,900
    into 50,250 takes 0.19702 (rounded up to a lot). No asks."""
    w = world({1: 10_000_000})
    w.batch(w.buy(1, 0.2, 50_500), w.buy(1, 5, 50_250))
    value, lots = 20_000 * 505_000 + 19_702 * 502_500, 20_000 + 19_702
    quote = impact_quotes(open_batch(w))[0]
    assert quote == ImpactPrices(value * 1_000 // lots, 0)
    assert quote.bid // 1_000 == 503_759


def test_a_book_too_thin_for_the_impact_notional_has_no_impact_price(world: Callable[..., Any]) -> None:
    w = world({1: 10_000_000})
    w.batch(w.buy(1, 0.01, 51_000))
    assert impact_quotes(open_batch(w))[0] == ImpactPrices(0, 0)


def test_the_premium_is_how_far_the_oracle_lies_outside_bid_and_ask() -> None:
    """Bid 50,500: 1 % above; ask 49,750: 0.5 % below; between them, or without a quote: nothing."""
    assert premium(505_000_000, 506_000_000, 500_000) == 10_000_000
    assert premium(497_000_000, 497_500_000, 500_000) == -5_000_000
    assert premium(499_000_000, 501_000_000, 500_000) == premium(0, 0, 500_000) == 0


def test_the_hittable_quote_is_the_worst_of_what_was_seen_and_what_takers_met_and_left() -> None:
    assert hittable(ImpactPrices(100, 110), ImpactPrices(101, 108)) == ImpactPrices(100, 110)
    assert hittable(ImpactPrices(100, 110), ImpactPrices(0, 111)) == ImpactPrices(0, 111)
    assert hittable(ImpactPrices(100, 0), ImpactPrices(99, 111)) == ImpactPrices(99, 0)
    assert hittable(ImpactPrices(100, 110), ImpactPrices(101, 108), ImpactPrices(98, 112)) == ImpactPrices(
        98, 112
    )


def hour(w: Any, steps: int = 720) -> None:
    """Let the running hour pass with a sample every 5 s, and its first batch of the next one."""
    for _ in range(steps):
        w.batch(step_ms=5_000)


def to_hour_start(w: Any) -> None:
    """The first batch of a fresh hour."""
    w.batch(step_ms=HOUR_MS - w.now % HOUR_MS)


def with_one_position_at_an_hour_start(world: Callable[..., Any]) -> Any:
    """Account 1 has sold 1 BTC to account 2 at 50,000."""
    w = world({1: 1_000_000, 2: 1_000_000})
    w.batch(w.sell(1, 1, 50_000), w.buy(2, 1, 50_000))
    to_hour_start(w)
    return w


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


def test_payments_are_told_by_account_number_whoever_came_first_to_the_market(
    world: Callable[..., Any],
) -> None:
    """A node that was rebuilt from leaves has its holders in another order, and must tell the same."""
    w = world({1: 1_000_000, 2: 1_000_000, 3: 1_000_000})
    for order in (w.buy(3, 0.5, 50_000), w.buy(2, 1, 50_000), w.sell(1, 1.5, 50_000)):
        w.batch(order)
    to_hour_start(w)
    hour(w)
    assert [event.account for event in payments(w)] == [address(1), address(2), address(3)]


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
    w = with_one_position_at_an_hour_start(world)
    hour(w, 700)
    before = w.cash(1)
    w.batch(step_ms=8 * HOUR_MS)
    assert not payments(w) and w.cash(1) == before


def test_an_hour_sampled_for_less_than_its_half_pays_nothing(world: Callable[..., Any]) -> None:
    w = with_one_position_at_an_hour_start(world)
    hour(w, 300)
    w.batch(step_ms=HOUR_MS - w.now % HOUR_MS)
    assert not payments(w)


def test_an_hour_that_ends_without_a_fresh_oracle_is_paid_when_the_price_is_back(
    world: Callable[..., Any],
) -> None:
    """0.00125 % of 50,000, once; the hour that began meanwhile is paid at its own end."""
    w = with_one_position_at_an_hour_start(world)
    hour(w, 710)
    w.batch(step_ms=HOUR_MS - w.now % HOUR_MS, fresh=False)
    assert not payments(w)
    w.batch(step_ms=10_000)
    assert sorted(event.amount for event in payments(w)) == [-625_000, 625_000]
    hour(w, 717)
    assert not payments(w)
    w.batch(step_ms=5_000)
    assert sorted(event.amount for event in payments(w)) == [-625_000, 625_000]


def test_an_hour_whose_price_does_not_come_back_within_the_next_pays_nothing(
    world: Callable[..., Any],
) -> None:
    w = with_one_position_at_an_hour_start(world)
    hour(w, 710)
    w.batch(step_ms=2 * HOUR_MS - w.now % HOUR_MS, fresh=False)
    w.batch(step_ms=5_000)
    assert not payments(w)


def premium_of_the_hour(w: Any) -> int:
    """Its average so far, in 1e-9."""
    memory = w.ex.ledger.memory_of(0)
    return memory.premium_sum // memory.premium_ms


def test_a_premium_nobody_can_hit_counts_nothing(world: Callable[..., Any]) -> None:
    """A bid of 1 BTC at 50,500 stands at every full 5 s and is gone before anyone's next order can reach it."""
    w = world({1: 10**7})
    to_hour_start(w)
    for turn in range(60):
        w.batch(w.buy(1, 1, 50_500, "Alo", cloid=turn + 1), step_ms=250)
        w.batch(w.cancel(1, cloid=turn + 1), step_ms=4_750)
    assert premium_of_the_hour(w) == 0


def test_every_batch_weighs_by_its_length(world: Callable[..., Any]) -> None:
    """A bid 1 % above for 30 of 120 s, then none: 0.25 %."""
    w = world({1: 10**7})
    to_hour_start(w)
    start = w.ex.ledger.memory_of(0)
    w.batch(w.buy(1, 1, 50_500, "Alo", cloid=1), step_ms=250)
    for length in (250, 4_750, 1_000, 4_000) * 3:
        w.batch(step_ms=length)
    w.batch(w.cancel(1, cloid=1), step_ms=4_750)
    for _ in range(17):
        w.batch(step_ms=5_000)
    end = w.ex.ledger.memory_of(0)
    assert end.premium_ms - start.premium_ms == 250 + 30_000 + 4_750 + 85_000 == 120_000
    assert end.premium_sum - start.premium_sum == 10_000_000 * 30_000


def equities(w: Any, *who: int) -> list[int]:
    return [w.equity(n) for n in who]


def changes(after: list[int], before: list[int]) -> list[int]:
    return [now - then for now, then in zip(after, before, strict=True)]


def test_nobody_pays_more_than_they_have_and_receivers_share_what_was_paid(world: Callable[..., Any]) -> None:
    """At 0.125 % each long of 1 BTC owes 62.5; the first has 40 left. The shorts of 0.5 and 1.5 are due 31.25 and
    93.75: of 102.5 instead of 125 they get 25.625 and 76.875."""
    w = world(dict.fromkeys(range(1, 5), 10**6))
    w.batch(w.sell(3, 0.5, 50_000), w.sell(4, 1.5, 50_000))
    w.batch(w.buy(1, 1, 50_000), w.buy(2, 1, 50_000))
    w.ex.rows.accounts[w.slot(1)]["cash"] -= w.equity(1) - 40 * QUOTE
    before, money, fund = equities(w, 1, 2, 3, 4), conserved_sum(w.ex), w.fund("insurance")
    settle_hour(open_batch(w), 0, 1_250_000, w.now)
    expected = [-40_000_000, -62_500_000, 25_625_000, 76_875_000]
    assert changes(equities(w, 1, 2, 3, 4), before) == expected
    apply_funding(open_batch(w))
    assert changes(equities(w, 1, 2, 3, 4), before) == expected
    assert (conserved_sum(w.ex), w.fund("insurance"), w.fund("funding_clearing")) == (money, fund, 0)


def test_what_receivers_get_rounded_apart_is_no_more_than_what_was_paid(world: Callable[..., Any]) -> None:
    """At 0.00125 % of 0.3 quote a lot, 12 shorts of 37 lots are due 138.75 each, 138 when rounded, 1,656 in all. The
    long of 35 lots has nothing, that of 409 pays 1,533.75, so 1,534: 1,534 / 444 a lot, 127.83 for 37. In proportion
    to what is due it would be 138.75 * 1,534 / 1,656 = 128.53, and 12 * 128 = 1,536 are more than was paid."""
    shorts = range(3, 15)
    w = world(dict.fromkeys(range(1, 15), 10**6))
    w.oracle(btc=50_000, eth=3_000)
    w.batch()
    w.batch(*[w.sell(n, 0.0037, 3_000, market=1) for n in shorts])
    w.batch(w.buy(1, 0.0035, 3_000, market=1), w.buy(2, 0.0409, 3_000, market=1))
    w.ex.rows.accounts[w.slot(1)]["cash"] -= w.equity(1)
    before, fund = equities(w, 1, 2, *shorts), w.fund("insurance")
    settle_hour(open_batch(w), 1, 12_500, w.now)
    assert changes(equities(w, 1, 2, *shorts), before) == [0, -1_534, *[127] * 12]
    assert w.fund("insurance") == fund + 1_534 - 12 * 127


def test_who_owes_and_has_nothing_pays_nothing(world: Callable[..., Any]) -> None:
    w = world(dict.fromkeys(range(1, 3), 10**6))
    w.batch(w.sell(2, 1, 50_000), w.buy(1, 1, 50_000))
    w.ex.rows.accounts[w.slot(1)]["cash"] -= w.equity(1)
    before = equities(w, 1, 2)
    settle_hour(open_batch(w), 0, 1_250_000, w.now)
    assert equities(w, 1, 2) == before == [0, before[1]]


class Crowd:
    """Seven longs of 0.1 to 0.7 BTC against one short, whose funding of one hour was just settled."""

    def __init__(
        self, world: Callable[..., Any], booked_per_batch: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(funding, "FUNDING_BOOKED_PER_BATCH", booked_per_batch)
        self.w = w = world(dict.fromkeys(range(1, 10), 10**6))
        w.batch(w.sell(8, 2.8, 50_000))
        w.batch(*(w.buy(n, n / 10, 50_000) for n in range(1, 8)))
        to_hour_start(w)
        hour(w, 719)
        self.before = equities(w, *range(1, 9))
        w.batch(step_ms=5_000)

    @property
    def waiting(self) -> int:
        return int(self.w.ex.rows.markets[0]["unbooked"])


def test_an_hour_is_settled_at_once_and_booked_a_few_positions_a_batch(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.00125 % of 0.1 BTC at 50,000: 0.0625 a tenth."""
    crowd = Crowd(world, 3, monkeypatch)
    w = crowd.w
    expected = [-62_500 * n for n in range(1, 8)] + [62_500 * 28]
    assert changes(equities(w, *range(1, 9)), crowd.before) == expected
    told = [(event.account, event.amount, event.time_ms) for event in payments(w)]
    waiting = [crowd.waiting]
    while crowd.waiting:
        w.batch()
        told += [(event.account, event.amount, event.time_ms) for event in payments(w)]
        waiting.append(crowd.waiting)
    assert waiting == [5, 2, 0]
    turn = w.now - w.now % HOUR_MS
    assert sorted(told) == [(address(n), expected[n - 1], turn) for n in range(1, 9)]
    assert changes(equities(w, *range(1, 9)), crowd.before) == expected
    assert w.fund("funding_clearing") == 0


def test_who_closes_or_opens_between_settling_and_booking_changes_nothing(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """7 sells its long to 9 before it is booked: 7 has paid its hour, 9 owes none; trade fees apart."""
    crowd = Crowd(world, 1, monkeypatch)
    w = crowd.w
    w.batch(w.buy(9, 0.7, 50_000, "Alo"))
    w.batch(w.sell(7, 0.7, 50_000, "Ioc"))
    assert (w.position(7), w.position(9)) == (0, 70_000)
    assert [event.amount for event in payments(w) if event.account == address(7)] == [-437_500]
    fees = 35_000 * 450, 35_000 * 150  # 4.5 and 1.5 basis points of 35,000 quote, in u
    assert w.equity(7) == crowd.before[6] - 437_500 - fees[0]
    while crowd.waiting:
        w.batch()
    assert w.equity(9) == 10**6 * QUOTE - fees[1]


def test_half_booked_funding_survives_a_rebuild_from_leaves_and_an_undo(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(world, 3, monkeypatch)
    w = crowd.w
    leaves, now = dict(all_leaves(w.ex)), equities(w, *range(1, 9))
    undo = w.batch().undo
    apply_undo(w.ex, undo)
    check_exchange(w.ex)
    assert dict(all_leaves(w.ex)) == leaves and equities(w, *range(1, 9)) == now
    shuffled = sorted(leaves.items(), key=lambda pair: keccak256(pair[0]))
    rebuilt = exchange_from_leaves(w.ex.config, shuffled)
    check_exchange(rebuilt)
    assert [
        int(rebuilt.rows.accounts["cash"][slot]) + int(rebuilt.rows.accounts["position_value"][slot])
        for slot in (rebuilt.rows.slot_by_address[address(n)] for n in range(1, 9))
    ] == now


def test_a_jump_at_the_hours_turn_delays_the_payment_and_does_not_cancel_it(
    world: Callable[..., Any],
) -> None:
    w = with_one_position_at_an_hour_start(world)
    hour(w, 719)
    w.prices[0] = 510_000
    w.batch(step_ms=5_000)
    assert not payments(w)
    w.batch()
    assert sorted(event.amount for event in payments(w)) == [-637_500, 637_500]  # 0.00125 % of 51,000
