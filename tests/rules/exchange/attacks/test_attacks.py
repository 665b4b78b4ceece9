"""Earlier attacks on the exchange's rules, replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinone.base.crypto.keccak import keccak256
from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.engine import apply_exchange
from coinone.rules.exchange.invariants import check_exchange, conserved_sum
from coinone.rules.exchange.wire.fields import ASSET_MAX
from coinone.rules.ledger.crossings import Deposit
from tests.rules.exchange import words as t

QUOTE = 10**6


def test_a_pumped_book_is_no_collateral(world: Callable[..., Any]) -> None:
    """Mango, October 2022: two accounts of one owner trade with each other, hold the thin book at ten times the
    oracle price, and borrow against the profit. Here the mark stays near the oracle: what both may take out after
    minutes of it is no more than they brought."""
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(1, 5, 50_000), w.buy(2, 5, 50_000))
    w.batch(w.buy(2, 0.0001, 90_000), w.sell(1, 0.0001, 97_000))
    for _ in range(100):
        w.batch(step_ms=3_000)
        taken = withdrawable(w.ex.rows, w.slot(1)) + withdrawable(w.ex.rows, w.slot(2))
        assert taken <= 200_000 * QUOTE
    assert int(w.ex.rows.markets[0]["mark"]) <= 510_000


def test_a_hundred_small_accounts_get_no_more_leverage_than_one(world: Callable[..., Any]) -> None:
    """YFI, November 2023: profits rolled into bigger positions over many wallets. At any price on the way, the sum
    of what the wallets can take out is bounded by what they brought and what the other side lost."""
    w = world(dict.fromkeys(range(1, 41), 1000) | {99: 10_000_000})
    w.batch(w.sell(99, 40, 50_000))
    w.batch(*[w.buy(n, 0.9, 50_000, "Ioc") for n in range(1, 41)])
    total = conserved_sum(w.ex)
    for price in range(50_000, 60_000, 500):
        w.oracle(btc=price)
        w.batch(w.sell(99, 1, price), *[w.buy(n, 0.02, price, "Ioc") for n in range(1, 41)])
    w.oracle(btc=38_000)
    w.batch()
    assert conserved_sum(w.ex) == total
    assert all(w.equity(n) >= 0 for n in range(1, 41))


def test_taking_margin_out_before_being_liquidated_is_refused(world: Callable[..., Any]) -> None:
    """The ETH whale of March 2025 withdrew its margin so that the vault bought at a price of its choice."""
    w = world({1: 30_000, 2: 10_000_000})
    w.batch(w.sell(2, 5, 50_000), w.buy(1, 5, 50_000))
    out = t.SendAsset(w.config.system_address, 10_000 * QUOTE)
    w.batch(w.signed(1, out))
    assert w.last.outcomes[0].status == "failed"  # 10 % of 250,000 must stay
    taken = t.SendAsset(w.config.system_address, 4_000 * QUOTE)
    w.batch(w.signed(1, taken))
    assert w.last.outcomes[0].status == "executed"


def test_a_million_lots_one_by_one_earn_nothing_by_rounding(world: Callable[..., Any]) -> None:
    """Every fee rounds up and a rebate down, so that splitting a trade never costs less than doing it at once."""
    w = world({1: 100_000, 2: 100_000})
    rate = w.ex.rows.accounts
    rate["maker_rate"][w.slot(1)] = -300  # a rebate of 0.3 basis points
    w.batch(w.sell(1, 0.02, 50_000))
    before = w.equity(1) + w.equity(2)
    for _ in range(60):
        w.batch(w.buy(2, 0.0002, 50_000, "Ioc"))  # the smallest order there is: 10 quote
    paid = before - w.equity(1) - w.equity(2)
    once = 60 * 0.0002 * 50_000 * (0.00045 - 0.00003) * QUOTE
    assert paid >= once


def test_trading_with_oneself_prints_nothing(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.sell(1, 0.1, 50_000))
    w.batch(w.buy(1, 0.1, 50_000))
    assert int(w.ex.rows.markets[0]["volume"]) == 0 and w.cash(1) == 100_000 * QUOTE


BIG = st.sampled_from([0, 1, 2, 10**8, 2**27, 2**31, 2**32 - 1, 2**53, 2**62, 2**63 - 1])
ORDER = st.builds(
    t.OrderSpec,
    asset=st.sampled_from([0, 1, 2, 255, 256, 2**30, ASSET_MAX]),
    is_buy=st.booleans(),
    px=BIG | st.integers(0, 2**63 - 1) | st.integers(1, 999).map(lambda n: n * 10**10),
    sz=BIG | st.integers(0, 2**63 - 1) | st.integers(1, 999).map(lambda n: n * 10**5),
    reduce_only=st.booleans(),
    tif=st.sampled_from(t.Tif),
    trigger=st.none(),
    cloid=st.sampled_from([0, 1, 2**63, 2**64 - 1, 2**64, 2**127, 2**128 - 1]),
)
TARGET = st.builds(
    t.OrderRef,
    asset=st.sampled_from([0, 1, 9, ASSET_MAX]),
    oid=st.sampled_from([0, 1, 2, 2**63 - 1, 2**63, 2**64 - 1]),
    cloid=st.sampled_from([0, 1, 2**128 - 1]),
)
ACTION = st.one_of(
    st.builds(t.PlaceOrders, st.lists(ORDER, min_size=1, max_size=5).map(tuple), st.just("na"), st.none()),
    st.builds(t.Cancel, st.lists(TARGET, min_size=1, max_size=5).map(tuple), st.booleans()),
    st.builds(
        t.BatchModify,
        st.lists(st.builds(t.Modify, TARGET, ORDER), min_size=1, max_size=3).map(tuple),
        st.just(False),
    ),
    st.builds(t.UpdateLeverage, st.sampled_from([0, 1, ASSET_MAX]), st.booleans(), st.integers(0, 1_000)),
    st.builds(t.ScheduleCancel, st.none() | st.sampled_from([0, 2**63, 2**64 - 1])),
    st.builds(
        t.SendAsset,
        st.sampled_from([bytes(20), bytes(19) + b"\x01", bytes([255]) * 20]),
        st.sampled_from([1, 10**7, 2**62 - 1]),
    ),
    st.builds(
        t.ApproveAgent,
        st.sampled_from([bytes(20), bytes([7]) * 20]),
        st.sampled_from(["", "x"]),
        st.sampled_from([0, 1, 2**64 - 1]),
        st.booleans(),
    ),
    st.builds(t.ApproveBuilderFee, st.just(bytes(19) + b"\x02"), st.sampled_from([0, 100, 10**9])),
    st.builds(t.SetReferrer, st.sampled_from(["", "x" * 128])),
)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(
    actions=st.lists(st.tuples(st.integers(1, 3), ACTION), max_size=8),
    price=st.sampled_from([1, 2, 10, 2**20, 2**27 - 1, 2**27, 2**27 + 1, 2**63 - 1]),
    deposit=st.sampled_from([0, 1, 10**7, 2**61]),
)
def test_the_limits_of_every_number_give_answers_and_no_fault(
    actions: list[tuple[int, t.Says]], price: int, deposit: int, world: Callable[..., Any]
) -> None:
    w = world({1: 100, 2: 10**6, 3: 2**61 // QUOTE})
    for _ in range(3):
        w.now, w.seq = w.now + 250, w.seq + 1
        report = t.OracleReport(w.config.reporters[0], w.now, ((0, price), (1, price), (7, price)), bytes(32))
        deposits = (Deposit(bytes([9]) * 20, deposit),) if deposit and w.seq == 2 else ()
        signed = [w.signed(who, action) for who, action in actions]
        result = apply_exchange(
            w.ex, BatchContext(w.seq, w.now, keccak256(b"x"), deposits, (report,)), signed
        )
        check_exchange(w.ex)
        assert len(result.outcomes) == len(actions)
