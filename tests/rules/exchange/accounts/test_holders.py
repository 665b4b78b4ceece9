"""Lists of a market's holders and of each account's orders against a full scan, and the cost of a batch with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from coinone.base.primitives.jit import njit, types
from coinone.rules.exchange.kernel.cancelling import remove_side
from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.arrays import CORE, UPDATES, attach
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import OP, Side
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.state.undo import apply_undo
from coinone.rules.exchange.twin.compare import twin_of
from tests.rules.exchange.kernel.test_twin import MARKETS, random_ops, shake, small_world


def assert_lists_equal_a_scan(rows: Rows) -> None:
    for market in range(rows.market_count):
        held = rows.positions[: rows.account_count, market]
        holds = (held["size"] != 0) | (held["bid_size"] != 0) | (held["ask_size"] != 0)
        assert sorted(rows.holders_of(market).tolist()) == holds.nonzero()[0].tolist()
        assert rows.positioned(market).tolist() == held["size"].nonzero()[0].tolist()
    for account in range(rows.account_count):
        own = (rows.orders["account"] == account) & (rows.orders["oid"] != 0)
        assert sorted(rows.book.slots_of(rows, account)) == own.nonzero()[0].tolist()


@pytest.mark.parametrize("seed", range(6))
def test_the_lists_equal_a_full_scan_through_trades_marks_growth_and_undo(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = small_world(random)
    assert_lists_equal_a_scan(rows)
    for now in range(12):
        rows.journal.begin()
        run_segment(rows, random_ops(random, rows, 40), now)
        shake(random, rows, twin_of(rows))
        assert_lists_equal_a_scan(rows)
        if now % 3 == 0:
            apply_undo(rows, rows.journal.seal())
            assert_lists_equal_a_scan(rows)
        rows.add_account(bytes([200 + now]) * 20, 0)
    assert sum(len(rows.holders_of(market)) > 0 for market in range(MARKETS)) >= 2


def test_the_lists_keep_what_they_know_when_markets_and_accounts_are_added() -> None:
    rows = Rows(accounts=1, markets=1)
    rows.add_market(2, 10, 1000, min_notional=0)
    for n in range(9):
        slot = rows.add_account(bytes([n]) * 20, 0)
        rows.accounts[slot]["cash"] = 10**6
        ops = np.zeros(1, OP)
        ops["account"], ops["px"], ops["sz"] = n, 990, 1
        run_segment(rows, ops, 0)
        rows.add_market(2, 10, 1000)
        assert_lists_equal_a_scan(rows)
    assert rows.holders_of(0).tolist() == list(range(9))


@njit(types.void(CORE, *[types.int64] * 3), error_model="numpy", _nrt=False)
def _remove_side(words: Any, account: int, market: int, side: int) -> None:
    core = attach(words)
    remove_side(core, account, market, side, 0, Status.MARGIN_CANCELED)


def test_a_whole_side_of_an_accounts_orders_goes_at_once_and_nothing_else() -> None:
    rows = Rows()
    for _ in range(2):
        rows.add_market(2, 10, 1000, min_notional=0)
    for n in range(2):
        rows.accounts[rows.add_account(bytes([n]) * 20, 0)]["cash"] = 10**6
    wanted = [(0, 0, 0, 990), (0, 0, 0, 980), (0, 0, 1, 1010), (0, 1, 0, 970), (1, 0, 0, 990), (0, 0, 0, 990)]
    ops = np.zeros(len(wanted), OP)
    ops["account"], ops["market"], ops["side"], ops["px"] = np.array(wanted).T
    ops["sz"] = 5
    run_segment(rows, ops, 0)
    _remove_side(rows.core(), 0, 0, int(Side.BUY))
    removed = rows.output.updates[: rows.counters[UPDATES]][len(wanted) :]
    assert removed[["oid", "status"]].tolist() == [(oid, Status.MARGIN_CANCELED) for oid in (6, 2, 1)]
    assert sorted(rows.orders["oid"][rows.book.slots_of(rows, 0)].tolist()) == [3, 4]
    assert rows.book.side_levels(0, Side.BUY) == [(990, 5, 1)]
    # 5 at 1,000 with leverage 10 on each market: the larger of nothing and 5 asks, and 5 bids
    assert rows.accounts[0]["initial_margin"] == 500 + 500
    assert_lists_equal_a_scan(rows)


def empty_batch_seconds(world: Callable[..., Any], accounts: int) -> float:
    w = world(dict.fromkeys(range(1, 6), 10000))
    for n in range(accounts):
        w.ex.rows.add_account((10**6 + n).to_bytes(20, "big"), w.now)
    w.ex.rows.journal.begin()
    w.batch(w.buy(1, 0.1, 50_000), w.sell(2, 0.1, 50_000))
    taken = []
    for _ in range(5):
        start = time.process_time()
        w.oracle(btc=50_000 + len(taken))
        w.batch(check=False)
        taken.append(time.process_time() - start)
    return min(taken)


def test_an_empty_batch_takes_no_longer_for_a_hundred_thousand_accounts_that_hold_nothing(
    world: Callable[..., Any],
) -> None:
    """One walk over them with NumPy alone takes longer than the whole batch; ten times is far above all noise."""
    assert empty_batch_seconds(world, 100_000) < 10 * empty_batch_seconds(world, 100)
