"""The kernel and its twin agree on everything, over random flows that reach every rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.crypto.siphash import PUBLIC_KEY, Key
from coinone.rules.exchange.accounts.equity import apply_distance, apply_marks
from coinone.rules.exchange.kernel.capacity import fills_made, updates_made
from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.arrays import LEVELS_MAX, SIDE_MAX
from coinone.rules.exchange.rows.status import FIRST_REJECTION, Status
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED, OP, MarketStatus, OpKind, Tif
from coinone.rules.exchange.state.distance import steps_max
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.trading.uncrossing import crossed_markets
from coinone.rules.exchange.twin.book import Result, TwinUpdate
from coinone.rules.exchange.twin.compare import ops_of, state_of_rows, state_of_twin, twin_of
from coinone.rules.exchange.twin.run import Twin
from coinone.rules.exchange.twin.terms import sums
from tests.rules.exchange.near_limits import (
    ops_near_limits,
    ops_that_pass,
    some_modify,
    to_the_limits,
    world_of_few,
)

ACCOUNTS, MARKETS = 12, 3


def small_world(random: np.random.Generator, key: Key = PUBLIC_KEY) -> Rows:
    """A few poor accounts, so that margin decides; three markets, one of them with tiers that bite."""
    rows = Rows(accounts=4, markets=1, orders=8, key=key)
    rows.add_market(3, 50, 1000, tick=1, min_notional=2000, max_sz=400, max_px=5000)
    rows.add_market(2, 20, 300, tiers=((20_000, 10), (60_000, 3)), min_notional=100, band_bps=2000, lot=5)
    rows.add_market(0, 10, 123_450, min_notional=0, max_open_interest=20)
    for number in range(ACCOUNTS):
        rates = int(random.integers(0, 6000)), int(random.integers(-200, 2000))
        slot = rows.add_account(number.to_bytes(20, "big"), 0, *rates)
        rows.accounts[slot]["cash"] = int(random.integers(0, 60_000)) * (60 if number % 3 == 0 else 1)
        rows.positions[slot, :MARKETS]["leverage"] = random.integers(0, 11, MARKETS)
    return rows


def random_ops(random: np.random.Generator, rows: Rows, count: int) -> np.ndarray:
    """Operations of all kinds, most of them near the mark, their targets mostly orders that exist."""
    ops = np.zeros(count, OP)
    live = rows.orders[rows.orders["oid"] != 0]
    for op in ops:
        market = int(random.integers(0, MARKETS))
        mark = int(rows.markets[market]["mark"])
        step = 10 if market == 2 else 1
        op["kind"] = random.choice(6, p=[0.69, 0.06, 0.04, 0.12, 0.08, 0.01])
        op["account"], op["market"] = random.integers(0, ACCOUNTS), market
        op["side"], op["tif"] = random.integers(0, 2), random.choice(3, p=[0.6, 0.25, 0.15])
        op["px"] = mark + step * int(random.integers(-12, 13)) * (20 if random.random() < 0.05 else 1)
        op["px"] -= op["px"] % step if random.random() < 0.95 else 0
        op["sz"] = 5 * int(random.integers(1, 13)) * (8 if random.random() < 0.05 else 1)
        op["reduce_only"] = random.random() < 0.2
        op["has_cloid"] = random.random() < 0.4
        op["cloid_hi"], op["cloid_lo"] = op["has_cloid"] * -5, op["has_cloid"] * random.integers(0, 30)
        op["target_hi"], op["target_lo"] = -5, random.integers(0, 30)
        op["builder"], op["builder_fee"] = random.integers(0, ACCOUNTS), random.choice([0, 0, 0, 100])
        op["passes"] = op["tif"] == Tif.ALO and random.random() < 0.5
        if random.random() < 0.03:
            op["liquidation"], op["reduce_only"] = 1, 1
            op["liquidation_fee"], op["tif"] = 5000, Tif.IOC
        if random.random() < 0.03:
            op[random.choice(["px", "sz", "market"])] = random.choice([-1, 0, 3, 7, 99, 2**30])
        if len(live) and op["kind"] in (
            OpKind.CANCEL,
            OpKind.MODIFY,
            OpKind.MODIFY_CLOID,
            OpKind.CANCEL_CLOID,
        ):
            target = live[random.integers(0, len(live))]
            op["oid"], op["target_lo"] = target["oid"], target["cloid_lo"]
            if random.random() < 0.9:
                op["account"], op["market"] = target["account"], target["market"]
            if random.random() < 0.5:  # a modify that changes the size only
                for name in (
                    "px",
                    "side",
                    "tif",
                    "reduce_only",
                    "has_cloid",
                    "cloid_hi",
                    "cloid_lo",
                    "builder_fee",
                ):
                    op[name] = target[name]
    return ops


def run_both(seed: int, segments: int, size: int) -> set[object]:
    """Run a random flow through both, compare after every segment; the statuses met."""
    random = np.random.default_rng(seed)
    rows = small_world(random)
    if seed % 4 == 1:  # books that are soon full
        rows.counters[[LEVELS_MAX, SIDE_MAX]] = random.integers(2, 10), random.integers(4, 30)
    twin = twin_of(rows)
    met: set[object] = set()
    for now in range(segments):
        ops = random_ops(random, rows, size)
        results, updates = run_equal(rows, twin, ops, now)
        for account in twin.accounts:
            kept = (account.position_value, account.initial_margin, account.maintenance_margin)
            assert kept == sums(twin.markets, account)
        assert_reduce_only_orders_fit(rows)
        assert_refused_modifies_left_their_orders(ops, results, updates)
        met |= statuses(results, updates) | uncross(rows, twin, now)
        shake(random, rows, twin)
    return met


def run_equal(rows: Rows, twin: Twin, ops: np.ndarray, now: int) -> tuple[list[Result], list[TwinUpdate]]:
    """Run a segment through both, which must end alike."""
    asked, live = ops_of(ops), rows.live_orders
    segment = run_segment(rows, ops, now)
    assert len(segment.fills) <= fills_made(live, len(ops))
    assert len(segment.updates) <= updates_made(live, len(ops))
    results, fills, updates = twin.run(asked, now)
    assert segment.results.tolist() == results
    assert segment.fills.tolist() == fills
    assert segment.updates.tolist() == updates
    assert state_of_rows(rows) == state_of_twin(twin)
    return results, updates


def uncross(rows: Rows, twin: Twin, now: int) -> set[object]:
    """What rests and crosses trades, and no book is crossed; the statuses met."""
    markets = crossed_markets(rows)
    ops = np.zeros(len(markets), OP)
    ops["kind"], ops["market"] = OpKind.MEET, markets
    ops["middle"] = 2 * rows.markets["mark"][markets] + 100 * (now % 5) - 200 + now % 3
    results, updates = run_equal(rows, twin, ops, now)
    assert crossed_markets(rows) == []
    return statuses(results, updates) | ({"met"} if any(result.filled_sz for result in results) else set())


def statuses(results: list[Result], updates: list[TwinUpdate]) -> set[object]:
    return {result.status for result in results} | {update.status for update in updates}


def assert_reduce_only_orders_fit(rows: Rows) -> None:
    """They come to no more than the position that they reduce."""
    live = rows.orders[(rows.orders["oid"] != 0) & (rows.orders["reduce_only"] != 0)]
    for account in range(ACCOUNTS):
        for market in range(MARKETS):
            size = int(rows.positions[account, market]["size"])
            own = live[(live["account"] == account) & (live["market"] == market)]
            for side, most in ((0, max(-size, 0)), (1, max(size, 0))):
                assert int(own["sz"][own["side"] == side].sum()) <= most


def assert_refused_modifies_left_their_orders(
    ops: np.ndarray, results: list[Result], updates: list[TwinUpdate]
) -> None:
    """But for an order that was turned round, and met by its new self before that was refused."""
    for update in updates:
        if update.status == Status.REPLACED and results[update.op].status >= FIRST_REJECTION:
            assert update.side != ops[update.op]["side"]


def shake(random: np.random.Generator, rows: Rows, twin: object) -> None:
    """Between segments: marks move, now and then a market allows less than to trade, an account is locked."""
    for market in range(MARKETS):
        mark = max(int(rows.markets[market]["mark"] * (1 + random.normal(0, 0.03))), 200)
        apply_marks(rows, {market: mark})
        twin.set_mark(market, mark)  # type: ignore[attr-defined]
        if random.random() < 0.3:
            most = steps_max(int(rows.markets[market]["max_leverage"]))
            below, above = random.choice([0, 0, 1, min(7, most), most], 2).tolist()
            apply_distance(rows, market, below, above)
            twin.set_distance(market, below, above)  # type: ignore[attr-defined]
        states = [MarketStatus.ACTIVE, MarketStatus.AGED, MarketStatus.REDUCE_ONLY, MarketStatus.JUMPING]
        status = int(random.choice([*states, MarketStatus.HALTED], p=[0.92, 0.02, 0.02, 0.02, 0.02]))
        rows.markets[market]["status"] = twin.markets[market].status = status  # type: ignore[attr-defined]
        if not rows.markets[market]["funding_ms"] and random.random() < 0.1:
            settle_an_hour(random, rows, twin, market)
    account = int(random.integers(0, ACCOUNTS))
    locked = random.random() < 0.1
    rows.accounts[account]["flags"] = ACCOUNT_LOCKED * locked
    twin.accounts[account].locked = locked  # type: ignore[attr-defined]


def settle_an_hour(random: np.random.Generator, rows: Rows, twin: object, market: int) -> None:
    """Longs owe, or are owed, what each position then books before it next changes."""
    paying, received = sorted(random.integers(1, 10**9, 2).tolist(), reverse=True)
    long, short = (paying, -received) if random.random() < 0.5 else (-received, paying)
    waiting = len(rows.positioned(market))
    for name, value in (
        ("funding_ms", 3_600_000), ("funding_long", long), ("funding_short", short), ("unbooked", waiting)
    ):  # fmt: skip
        rows.markets[market][name] = value
        setattr(twin.markets[market], name, value)  # type: ignore[attr-defined]
    rows.rebuild()
    for account in twin.accounts:  # type: ignore[attr-defined]
        account.position_value = sums(twin.markets, account)[0]  # type: ignore[attr-defined]


@given(seed=st.integers(0, 2**32), size=st.integers(1, 60))
@settings(max_examples=40)
def test_kernel_and_twin_agree_after_every_segment_of_a_random_flow(seed: int, size: int) -> None:
    run_both(seed, 8, size)


def test_a_long_random_flow_reaches_every_status_and_both_agree() -> None:
    met: set[object] = set()
    for seed in range(12):  # of 1, 5 and 9 the books are narrow; 9 stops at a stale maker
        met |= run_both(seed, 60, 50)
    reported_by_others = {Status.SCHEDULED_CANCEL, Status.TRIGGER}  # what other parts give as a reason
    needs_many = {Status.TOO_MANY_ORDERS, Status.TOO_MANY_AT_PRICE}
    assert set(Status) - met <= reported_by_others | needs_many | {Status.NONE}


@pytest.mark.parametrize("seed", [2, 4, 5, 6])
def test_no_price_is_refused_while_a_worse_one_rests_on_its_side(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = small_world(random)
    rows.counters[[LEVELS_MAX, SIDE_MAX]] = 4, 9
    refused = 0
    for now in range(600):
        ops = random_ops(random, rows, 1)
        ops["passes"] = 0
        if run_segment(rows, ops, now).results["status"][0] == Status.BOOK_FULL:
            refused += 1
            market, side, px = (int(ops[name][0]) for name in ("market", "side", "px"))
            worst = rows.book.side_levels(market, side)[-1][0]  # type: ignore[arg-type]
            assert worst >= px if side == 0 else worst <= px
    assert refused


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_kernel_and_twin_agree_over_long_flows(seed: int) -> None:
    run_both(seed, 60, 100)


def run_near_limits(seed: int) -> set[object]:
    """One life of few accounts near their limits through both; the statuses met."""
    random = np.random.default_rng(seed)
    rows, met = world_of_few(random), set()
    if seed % 4 == 1:
        rows.counters[[LEVELS_MAX, SIDE_MAX]] = random.integers(2, 8), random.integers(4, 20)
    for now in range(16):
        twin, ops = twin_of(rows), ops_near_limits(random, rows, int(random.integers(1, 40)))
        met |= statuses(*run_equal(rows, twin, ops, now))
        if now % 2:
            to_the_limits(random, rows)
            twin = twin_of(rows)
        met |= uncross(rows, twin, now)
    return met


def run_passing(seed: int) -> set[object]:
    """Post-only orders rest over others, whose owners come to their limits before they meet; the statuses met."""
    random = np.random.default_rng(seed)
    rows, met = world_of_few(random), set()
    for now in range(0, 20, 2):
        small, large = ops_that_pass(random, rows)
        twin = twin_of(rows)
        met |= statuses(*run_equal(rows, twin, small, now))
        some_modify(random, rows, large)
        large["passes"] = 1
        late = now + int(random.integers(0, 2))  # in the batch of the small ones, or in the next
        met |= statuses(*run_equal(rows, twin, large, late))
        if random.random() < 0.7:
            to_the_limits(random, rows)
        met |= uncross(rows, twin_of(rows), late)
    return met


def test_kernel_and_twin_agree_on_post_only_orders_that_rest_over_others() -> None:
    met = set().union(*(run_passing(seed) for seed in range(100)))
    assert {"met", Status.BAD_ALO, Status.MARGIN_CANCELED, Status.REDUCE_ONLY_CANCELED} <= met
    assert {Status.SELF_TRADE_CANCELED, Status.REPLACED} <= met
    assert {Status.LIQUIDATED_CANCELED, Status.BAND_CANCELED} <= met


@pytest.mark.slow
def test_kernel_and_twin_agree_on_post_only_orders_that_rest_over_others_in_many_lives() -> None:
    for seed in range(100, 700):
        run_passing(seed)


def test_kernel_and_twin_agree_on_accounts_near_their_limits() -> None:
    met = set().union(*(run_near_limits(seed) for seed in range(30)))
    assert {Status.SOLVENT, Status.MARGIN, Status.MARGIN_CANCELED, Status.LIQUIDATING, Status.REPLACED} <= met


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 21_000, 1000))
def test_kernel_and_twin_agree_on_very_many_accounts_near_their_limits(first: int) -> None:
    for seed in range(first, first + 1000):
        run_near_limits(seed)
