"""Margins by hand arithmetic, and the running sums against adding everything up."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.exchange.accounts.equity import (
    apply_distance,
    apply_marks,
    equity,
    position_margins,
    refresh_margins,
    would_be_initial_margin,
)
from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.tables import OP, OpKind
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.twin.compare import state_of_rows, state_of_twin, twin_of

FREE = {"min_notional": 0, "band_bps": 0, "sig_figs": 0}


def rows_of(*accounts: int, **terms: object) -> Rows:
    """One market, mark 1,000, leverage 20 and above 100,000 u 10; accounts with this cash."""
    rows = Rows()
    rows.add_market(2, 20, 1000, tiers=((100_000, 10),), **(FREE | terms))  # type: ignore[arg-type]
    for number, cash in enumerate(accounts):
        rows.accounts[rows.add_account(bytes([number]) * 20, 0)]["cash"] = cash
    return rows


def trade(rows: Rows, buyer: int, seller: int, px: int, sz: int, market: int = 0) -> None:
    ops = np.zeros(2, OP)
    ops["account"], ops["side"] = [seller, buyer], [1, 0]
    ops["px"], ops["sz"], ops["market"] = px, sz, market
    run_segment(rows, ops, 0)


def test_deductions_make_maintenance_margin_continuous_at_a_tier() -> None:
    # at 100,000: 100,000 / 40 = 2,500 = 100,000 / 20 - 2,500
    assert rows_of().tiers[0]["deduction"].tolist() == [0, 2500, 0, 0]


def test_deductions_add_up_over_tiers() -> None:
    rows = Rows()
    market = rows.add_market(2, 50, 1000, tiers=((10_000, 25), (40_000, 5)))
    # 10,000 * (1/50 - 1/100) = 100; 100 + 40,000 * (1/10 - 1/50) = 3,300
    assert rows.tiers[market]["deduction"].tolist()[:3] == [0, 100, 3300]


def test_maintenance_margin_follows_the_tiers() -> None:
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 99)
    assert rows.accounts[0]["maintenance_margin"] == 2475  # 99,000 / 40
    trade(rows, 0, 1, 1000, 101)
    assert rows.accounts[0]["maintenance_margin"] == 7500  # 200,000 / 20 - 2,500


def test_initial_margin_is_at_least_twice_the_maintenance_margin_above_the_first_tier() -> None:
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 99)
    assert rows.accounts[0]["initial_margin"] == 4950  # 99,000 / 20
    trade(rows, 0, 1, 1000, 101)
    assert rows.accounts[0]["initial_margin"] == 15_000  # not 200,000 / 20
    rows.positions[0, 0]["leverage"] = 4
    refresh_margins(rows, 0, 0)
    assert rows.accounts[0]["initial_margin"] == 50_000


def test_the_margin_of_a_position_alone_follows_the_tiers_and_leaves_open_orders_out() -> None:
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 99)
    trade(rows, 0, 1, 1000, 101)
    assert position_margins(rows, 0, [0]) == [15_000]  # twice 200,000 / 20 - 2,500, not 200,000 / 20
    ops = np.zeros(1, OP)
    ops["px"], ops["sz"] = 900, 50
    run_segment(rows, ops, 0)
    assert rows.accounts[0]["initial_margin"] == 20_000  # 2 * (250,000 / 20 - 2,500)
    assert position_margins(rows, 0, [0]) == [15_000]


def test_a_mark_change_moves_value_and_margins_of_holders_only() -> None:
    rows = rows_of(10**9, 10**9, 10**9)
    trade(rows, 0, 1, 1000, 50)
    assert equity(rows, 0) == 10**9 - 23  # 50,000 * 0.00045 = 22.5
    apply_marks(rows, {0: 1200})
    assert equity(rows, 0) == 10**9 - 23 + 50 * 200
    assert equity(rows, 1) == 10**9 - 8 - 50 * 200  # maker fee 7.5
    assert rows.accounts[1]["maintenance_margin"] == 1500  # 60,000 / 40
    assert equity(rows, 2) == 10**9 and rows.accounts[2]["initial_margin"] == 0


def test_a_market_below_its_index_needs_more_margin_of_longs_and_above_it_of_shorts() -> None:
    """50 lots at 1,000, 4 steps: 2 * 50,000 / 40 + 50,000 * 4 / (16 * 20) = 3,125 instead of 50,000 / 20 = 2,500."""
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 50)
    for below, above, long, short in ((4, 0, 3125, 2500), (0, 4, 2500, 3125), (0, 0, 2500, 2500)):
        apply_distance(rows, 0, below, above)
        assert rows.accounts["initial_margin"][:2].tolist() == [long, short]
        assert rows.accounts["maintenance_margin"][:2].tolist() == [1250, 1250]
        assert equity(rows, 0) == 10**9 - 23 and equity(rows, 1) == 10**9 - 8


def test_what_covers_the_distance_is_rounded_up() -> None:
    """One lot, one step: 2 * 25 + 1,000 / 320 = 53.125."""
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 1)
    apply_distance(rows, 0, 1, 1)
    assert rows.accounts["initial_margin"][:2].tolist() == [54, 54]


def test_who_chose_half_of_the_maximum_leverage_has_the_margin_of_any_distance() -> None:
    """At most 1 / 20: 2,500 + 50,000 / 20 = 5,000, what 50,000 needs at leverage 10."""
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 50)
    rows.positions["leverage"][:2, 0] = 10
    for steps in (0, 16):
        apply_distance(rows, 0, steps, steps)
        refresh_margins(rows, 0, 0)
        refresh_margins(rows, 1, 0)
        assert rows.accounts["initial_margin"][:2].tolist() == [5000, 5000]


def test_the_distance_counts_for_the_longest_position_though_the_shortest_is_larger() -> None:
    """Long 50 with asks of 110, so that 60 short are possible: 60,000 / 20 = 3,000. 10 steps below the index, the 50
    long need 2,500 + 50,000 * 10 / 320 = 4,062.5; with one step 2,656.25, less than the 3,000. Cancelling asks frees
    nothing then."""
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 50)
    ops = np.zeros(1, OP)
    ops["side"], ops["px"], ops["sz"] = 1, 1100, 110
    asked = int(run_segment(rows, ops, 0).results["oid"][0])
    for steps, margin in ((0, 3000), (1, 3000), (10, 4063)):
        apply_distance(rows, 0, steps, 0)
        assert rows.accounts[0]["initial_margin"] == margin
    ops["kind"], ops["oid"] = OpKind.CANCEL, asked
    run_segment(rows, ops, 0)
    assert rows.accounts[0]["initial_margin"] == 4063
    apply_distance(rows, 0, 0, 10)
    assert rows.accounts[0]["initial_margin"] == 2500


def test_above_the_first_tier_the_distance_comes_on_top_of_twice_the_maintenance_margin() -> None:
    """200 lots: 2 * (200,000 / 20 - 2,500) = 15,000, and 200,000 * 4 / 320 = 2,500."""
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 200)
    apply_distance(rows, 0, 4, 0)
    assert rows.accounts["initial_margin"][:2].tolist() == [17_500, 15_000]
    assert position_margins(rows, 0, [0]) == [17_500]
    assert would_be_initial_margin(rows, 0, 0, 2) == 100_000


def test_the_margin_at_another_leverage_can_be_asked_without_changing_anything() -> None:
    rows = rows_of(10**9, 10**9)
    trade(rows, 0, 1, 1000, 50)
    assert would_be_initial_margin(rows, 0, 0, 5) == 10_000
    assert rows.accounts[0]["initial_margin"] == 2500


@given(
    trades=st.lists(
        st.tuples(*[st.integers(0, 5)] * 2, st.integers(900, 1100), st.integers(1, 200)), max_size=30
    ),
    marks=st.lists(st.integers(500, 2000), min_size=1, max_size=10),
    distances=st.lists(st.tuples(*[st.integers(0, 16)] * 2), min_size=1, max_size=10),
)
@settings(max_examples=40)
def test_running_sums_equal_a_fresh_sum_after_any_trades_and_marks(
    trades: list[tuple[int, int, int, int]], marks: list[int], distances: list[tuple[int, int]]
) -> None:
    rows = rows_of(*[10**6] * 6)
    rows.add_market(2, 10, 700, **FREE)
    for n, (buyer, seller, px, sz) in enumerate(trades):
        trade(rows, buyer, seller, px, sz, n % 2)
        if n % 3 == 0:
            apply_marks(rows, {n % 2: marks[n % len(marks)]})
        if n % 4 == 1:
            apply_distance(rows, n % 2, *distances[n % len(distances)])
    running = state_of_rows(rows)
    assert running == state_of_twin(twin_of(rows))
    rows.rebuild()
    assert running == state_of_rows(rows)
