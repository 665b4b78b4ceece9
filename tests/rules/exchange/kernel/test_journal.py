"""Undo gives back the very bytes, and what follows is what would have followed; slots never matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.exchange.accounts.equity import apply_distance, apply_marks
from coinone.rules.exchange.kernel.run import SegmentOutput, run_segment
from coinone.rules.exchange.rows.journal import Undo
from coinone.rules.exchange.rows.tables import OP, ORDER, POSITION, POSITION_INDEXES, Tif
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.state.undo import apply_undo
from coinone.rules.exchange.twin.compare import state_of_rows

ACCOUNTS, MARKETS = 20, 2


def world(seed: int) -> Rows:
    random = np.random.default_rng(seed)
    rows = Rows(accounts=4, markets=1, orders=8)
    for _ in range(MARKETS):
        rows.add_market(2, 20, 1000, min_notional=0, tiers=((40_000, 5),))
    for number in range(ACCOUNTS):
        slot = rows.add_account(bytes([number]) * 20, 0)
        rows.accounts[slot]["cash"] = random.integers(10_000, 200_000)
    rows.journal.begin()
    return rows


def flow(random: np.random.Generator, rows: Rows, count: int) -> Any:
    ops = np.zeros(count, OP)
    ops["account"], ops["market"] = random.integers(0, ACCOUNTS, count), random.integers(0, MARKETS, count)
    ops["side"], ops["tif"] = random.integers(0, 2, count), random.choice([Tif.GTC, Tif.GTC, Tif.IOC], count)
    ops["px"], ops["sz"] = random.integers(980, 1021, count), random.integers(1, 40, count)
    ops["reduce_only"] = random.random(count) < 0.1
    ops["has_cloid"] = random.random(count) < 0.3
    ops["cloid_lo"] = np.where(ops["has_cloid"], random.integers(0, 10**6, count), 0)
    live = np.sort(rows.orders[rows.orders["oid"] != 0], order="oid")  # targets must not depend on slots
    for n in np.flatnonzero(random.random(count) < 0.3) if len(live) else ():
        target = live[random.integers(0, len(live))]
        for name in ("account", "market", "oid", "side"):
            ops[n][name] = target[name]
        ops[n]["kind"] = random.choice([1, 1, 3])
    return ops


def batch(random: np.random.Generator, rows: Rows) -> tuple[list[Any], Undo]:
    """Marks, two segments and now and then a new account: what a batch does to rows; what came out, and its undo."""
    apply_marks(rows, {market: int(random.integers(950, 1050)) for market in range(MARKETS)})
    for market in range(MARKETS):
        apply_distance(rows, market, *random.choice([0, 0, 3, 16], 2).tolist())
    out: list[Any] = [answers(run_segment(rows, flow(random, rows, 40), 5)) for _ in range(2)]
    if random.random() < 0.3:
        rows.journal.globals()
        rows.add_account(random.bytes(20), 9)
    return out, rows.journal.seal()


def answers(segment: SegmentOutput) -> tuple[list[Any], list[Any], list[Any]]:
    return segment.results.tolist(), segment.fills.tolist(), segment.updates.tolist()


def image(rows: Rows, capacity: int) -> list[bytes]:
    """The bytes of all rows but for their indexes; orders up to a capacity that may have grown since."""
    assert not rows.orders["oid"][capacity:].any()
    count, markets = rows.account_count, rows.market_count
    positions = np.zeros((count, markets), POSITION)
    for name in set(POSITION.names or ()) - set(POSITION_INDEXES):
        positions[name] = rows.positions[name][:count, :markets]
    tables = (
        rows.accounts[:count],
        positions,
        rows.orders[:capacity],
        rows.markets[:markets],
        rows.globals,
    )
    return [table.tobytes() for table in tables]


@given(seed=st.integers(0, 2**32), depth=st.integers(1, 4))
@settings(max_examples=25)
def test_undo_gives_back_the_bytes_and_the_same_future(seed: int, depth: int) -> None:
    rows = world(seed)
    random = np.random.default_rng(seed)
    batch(random, rows)
    before, capacity, state = image(rows, len(rows.orders)), len(rows.orders), state_of_rows(rows)
    kept = random.bit_generator.state
    first = [batch(random, rows) for _ in range(depth)]
    for _, undo in reversed(first):
        apply_undo(rows, undo)
    assert image(rows, capacity) == before
    assert state_of_rows(rows) == state
    random.bit_generator.state = kept
    assert [out for out, _ in first] == [batch(random, rows)[0] for _ in range(depth)]


def test_an_undo_costs_what_was_touched() -> None:
    rows = world(1)
    ops = np.zeros(1, OP)
    ops["account"], ops["px"], ops["sz"] = 3, 990, 5
    run_segment(rows, ops, 1)
    undo = rows.journal.seal()
    assert [len(keys) for keys, _ in (undo.accounts, undo.positions, undo.orders, undo.markets)] == [
        1,
        1,
        1,
        1,
    ]
    assert undo.accounts[0].tolist() == [3]


def test_touched_accounts_are_those_whose_leaf_can_have_changed() -> None:
    rows = world(1)
    ops = np.zeros(2, OP)
    ops["account"], ops["side"], ops["px"], ops["sz"] = [3, 7], [0, 1], 1000, 5
    run_segment(rows, ops, 1)
    rows.journal.account(11)
    assert rows.journal.touched_accounts().tolist() == [3, 7, 11]
    assert rows.journal.touched_markets().tolist() == [0]
    rows.journal.begin()
    assert rows.journal.touched_accounts().tolist() == []


def test_a_row_is_saved_once_in_an_epoch_and_again_in_the_next() -> None:
    rows = world(1)
    rows.journal.account(3)
    rows.accounts[3]["cash"] = 1
    rows.journal.account(3)
    rows.accounts[3]["cash"] = 2
    first = rows.journal.seal()
    rows.journal.account(3)
    rows.accounts[3]["cash"] = 3
    second = rows.journal.seal()
    assert second.accounts[1]["cash"].tolist() == [2]
    apply_undo(rows, second)
    apply_undo(rows, first)
    assert rows.accounts[3]["cash"] > 3


def test_a_market_added_in_a_batch_is_taken_back_with_it() -> None:
    rows = world(1)
    rows.add_market(2, 20, 1000)
    apply_undo(rows, rows.journal.seal())
    assert rows.market_count == MARKETS


def shuffled(rows: Rows, random: np.random.Generator) -> tuple[Rows, Any]:
    """The same exchange loaded in another order: accounts and orders in other slots; and where each account went."""
    other = Rows(accounts=4, markets=1, orders=8)
    for market in range(rows.market_count):
        other.add_market(2, 20, 1000, min_notional=0, tiers=((40_000, 5),))
        other.markets[market] = rows.markets[market]
    other.globals[0] = rows.globals[0]
    where = np.zeros(rows.account_count, np.int64)
    for slot in random.permutation(rows.account_count):
        where[slot] = other.load_account(rows.address_of(slot), rows.accounts[slot])
        other.positions[where[slot], : rows.market_count] = rows.positions[slot, : rows.market_count]
    live = rows.orders[rows.orders["oid"] != 0]
    other.orders = np.zeros(2 * len(live) + 8, ORDER)
    slots = random.choice(len(other.orders), len(live), replace=False)
    other.orders[slots] = live
    other.orders["account"][slots] = where[live["account"]]
    for table in (other.accounts, other.positions, other.orders, other.markets, other.globals):
        table["epoch"] = 0
    other.rebuild()
    other.journal.begin()
    return other, where


@pytest.mark.parametrize("seed", range(12))
def test_rows_loaded_into_shuffled_slots_go_on_the_same(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = world(seed)
    batch(random, rows)
    other, where = shuffled(rows, random)
    back = np.argsort(where)
    for now in range(3):
        ops = flow(random, rows, 60)
        moved = ops.copy()
        moved["account"] = where[ops["account"]]
        one, two = run_segment(rows, ops, now), run_segment(other, moved, now)
        for name in ("taker", "maker"):
            two.fills[name] = back[two.fills[name]]
        two.updates["account"] = back[two.updates["account"]]
        assert answers(one) == answers(two)
        mark = int(random.integers(950, 1050))
        apply_marks(rows, {0: mark})
        apply_marks(other, {0: mark})
        by_number = [
            sorted(zip(r.accounts["number"].tolist(), state_of_rows(r)["accounts"], strict=False))
            for r in (rows, other)
        ]
        assert by_number[0] == by_number[1]
