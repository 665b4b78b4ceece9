"""The book against a plain list of orders, whatever comes and goes."""

from __future__ import annotations

from itertools import count, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.tables import OP, OpKind, Side, Tif
from coinone.rules.exchange.state.rows import Rows


def rows_of(accounts: int = 3) -> Rows:
    rows = Rows(orders=4)
    rows.add_market(2, 10, 1000, min_notional=0, band_bps=0, sig_figs=0)
    for number in range(accounts):
        rows.accounts[rows.add_account(bytes([number]) * 20, 0)]["cash"] = 10**12
    return rows


def put(rows: Rows, *orders: tuple[int, int, int]) -> Any:
    """Post orders (account, side, price) of size 1; their oids."""
    ops = np.zeros(len(orders), OP)
    ops["account"], ops["side"], ops["px"] = np.array(orders).T
    ops["sz"], ops["tif"] = 1, Tif.ALO
    return run_segment(rows, ops, 0).results["oid"]


def cancel(rows: Rows, *targets: tuple[int, int]) -> None:
    ops = np.zeros(len(targets), OP)
    ops["account"], ops["oid"] = np.array(targets).T
    ops["kind"] = OpKind.CANCEL
    run_segment(rows, ops, 0)


def test_levels_are_best_first_and_add_up() -> None:
    rows = rows_of()
    put(rows, (0, 0, 990), (1, 0, 995), (2, 0, 990), (0, 1, 1010), (1, 1, 1005))
    assert rows.book.side_levels(0, Side.BUY) == [(995, 1, 1), (990, 2, 2)]
    assert rows.book.side_levels(0, Side.SELL) == [(1005, 1, 1), (1010, 1, 1)]
    assert rows.book.side_levels(0, Side.SELL, 1) == [(1005, 1, 1)]
    assert (rows.book.best(0, Side.BUY), rows.book.best(0, Side.SELL)) == (995, 1005)


def test_an_empty_side_has_no_best_price() -> None:
    assert rows_of().book.best(0, Side.BUY) is None


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(1, 30), st.integers(0, 99)), max_size=150
    )
)
@settings(max_examples=60)
def test_ladders_queues_and_indexes_equal_a_sorted_list_of_the_live_orders(
    steps: list[tuple[int, int, int, int]],
) -> None:
    rows = rows_of()
    live: dict[int, tuple[int, int, int]] = {}
    for account, side, away, choice in steps:
        if choice < 45 and live:
            oid = sorted(live)[choice % len(live)]
            cancel(rows, (live.pop(oid)[0], oid))
        else:
            px = 1000 - away if side == Side.BUY else 1000 + away
            live[int(put(rows, (account, side, px))[0])] = (account, side, px)
    for side in Side:
        sign = -1 if side == Side.BUY else 1
        expected = sorted((sign * px, oid) for oid, (_, s, px) in live.items() if s == side)
        queue = list(rows.book.queue(0, side))
        assert [
            (sign * int(rows.orders[slot]["px"]), int(rows.orders[slot]["oid"])) for slot in queue
        ] == expected
    for oid, (account, _, _) in live.items():
        slot = rows.book.find(rows, oid)
        assert (
            slot is not None and rows.orders[slot]["oid"] == oid and rows.orders[slot]["account"] == account
        )
    for account in range(3):
        slots = rows.book.slots_of(rows, account)
        assert [int(rows.orders[s]["oid"]) for s in slots] == sorted(
            o for o, v in live.items() if v[0] == account
        )
    assert rows.live_orders == len(live)


def test_an_order_that_is_gone_is_not_found() -> None:
    rows = rows_of()
    oid = int(put(rows, (0, 0, 990))[0])
    cancel(rows, (0, oid))
    assert rows.book.find(rows, oid) is None
    assert rows.book.find_cloid(rows, 0, 0, 0) is None


def next_with_the_home_of(rows: Rows, oid: int) -> int:
    home = rows.book.home_of(oid)
    return next(later for later in count(oid + 1) if rows.book.home_of(later) == home)


@pytest.mark.parametrize("leaving", list(permutations(range(3))))
def test_orders_whose_oids_share_a_place_come_and_go_in_any_order(leaving: tuple[int, ...]) -> None:
    rows = rows_of()
    oids = []
    for _ in range(3):
        oids.append(int(put(rows, (0, 0, 990))[0]))
        rows.globals["next_oid"] = next_with_the_home_of(rows, oids[-1])
    for n in leaving:
        assert rows.orders[rows.book.find(rows, oids[n])]["oid"] == oids[n]
        cancel(rows, (0, oids[n]))
        assert rows.book.find(rows, oids[n]) is None
    assert rows.live_orders == 0


def test_oids_that_share_their_low_half_are_told_apart() -> None:
    rows = rows_of()
    old = int(put(rows, (0, 0, 990))[0])
    rows.globals["next_oid"] = old + 2**32
    new = int(put(rows, (1, 0, 980))[0])
    assert new == old + 2**32
    assert [int(rows.orders[rows.book.find(rows, oid)]["px"]) for oid in (old, new)] == [990, 980]
    cancel(rows, (1, old), (0, new))  # neither is the other's
    assert rows.live_orders == 2
    cancel(rows, (0, old))
    assert rows.book.find(rows, old) is None
    assert rows.book.find(rows, new) is not None


def test_a_segment_stays_as_it_was_when_later_ones_need_larger_buffers() -> None:
    rows = rows_of()
    ops = np.zeros(1, OP)
    ops["px"], ops["sz"] = 990, 1
    first = run_segment(rows, ops, 0)
    before = (first.results.tolist(), first.updates.tolist())
    put(rows, *[(1, 0, 900 - n % 500) for n in range(5000)])
    assert (first.results.tolist(), first.updates.tolist()) == before


def test_room_grows_with_the_orders() -> None:
    rows = rows_of(20)
    for n in range(20):
        put(rows, *[(n, 0, 900 - m) for m in range(500)])
    assert rows.live_orders == 10_000
    assert len(rows.book.side_levels(0, Side.BUY)) == 500
