"""The kernel never writes more than the room that was made for it, whatever colluding accounts have it write."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coinone.rules.exchange.events.event_log import Trades
from coinone.rules.exchange.kernel.capacity import assert_held, fills_made, updates_made
from coinone.rules.exchange.rows.arrays import COUNTERS, SHORT, UPDATES, next_place
from tests.rules.exchange import words as t

ETH = 1


def written(w: Any) -> tuple[int, int]:
    """The most fills and updates of a segment of the last batch."""
    segments = [event for event in w.last.events.parts if isinstance(event, Trades)]
    return max(len(s.fills) for s in segments), max(len(s.updates) for s in segments)


def test_a_meeting_cuts_reduce_only_orders_of_both_sides_with_each_fill(world: Callable[..., Any]) -> None:
    """2 is long 0.3 BTC and 1 short, each with a reduce-only order for all of it far away. 2 asks 20 times 0.0003 BTC
    at a loss by the mark, 1 bids 0.006 over them. Each of 20 fills ends an ask and cuts both reduce-only orders, and
    the last ends the bid: 61 updates from 22 orders and one operation. Room was for 2 * 23 + 6 = 52."""
    w = world({1: 10**6, 2: 10**5})
    w.batch(w.buy(2, 0.3, 50_000, "Alo"))
    w.batch(w.sell(1, 0.3, 50_000, "Ioc"))
    w.batch(w.buy(1, 0.3, 45_000, reduce_only=True), w.sell(2, 0.3, 60_000, reduce_only=True))
    asks = w.signed(2, w.many(*[w.spec(False, 0.0003, 49_990 - n // 16, "Alo") for n in range(20)]))
    w.batch(asks, w.buy(1, 0.006, 50_100, "Alo"), forced=1)
    assert written(w) == (20, 61)
    assert updates_made(23, 1) >= 61 and fills_made(23, 1) >= 20
    assert w.position(2) == 30_000 - 600


@pytest.mark.parametrize("tif", ["Ioc", "Alo"])
def test_who_is_clipped_in_a_silent_markets_shadow_may_fill_one_order_twice(
    world: Callable[..., Any], tif: str
) -> None:
    """30 accounts hold 30 quote of a market that goes silent, which is more than a tenth of their room, and each offers
    0.1002 BTC of a position of 0.1. The first fill is clipped to 0.1; the margin of that is free again, and the other
    0.0002 trade as well: 60 fills of 30 orders and one operation. Room was for 30 + 2 beside a taker."""
    sellers = range(100, 130)
    w = world({1: 10**8, 2: 10**8, **dict.fromkeys(sellers, 362)})
    both = [t.UpdateLeverage(market, True, 50) for market in (0, ETH)]
    w.batch(*[w.signed(n, action) for n in (1, 2, *sellers) for action in both])
    w.batch(w.sell(2, 3, 50_000, "Alo"), *[w.buy(n, 0.1, 50_000, "Ioc") for n in sellers])
    w.batch(
        w.sell(2, 0.3, 3_000, "Alo", market=ETH), *[w.buy(n, 0.01, 3_000, "Ioc", market=ETH) for n in sellers]
    )
    w.batch(*[w.sell(n, 0.1002, 50_000, "Alo") for n in sellers])
    del w.prices[ETH]
    for _ in range(90):
        w.batch()
    w.batch(w.buy(1, 50, 50_000, tif))
    assert written(w)[0] == 60 <= fills_made(31, 1)
    assert all(w.position(n) == -20 for n in sellers)


def test_a_row_too_many_is_not_written_behind_the_buffer_and_stops_the_node(
    world: Callable[..., Any],
) -> None:
    counters, buffer = np.zeros(COUNTERS, np.int64), np.zeros(3)
    counters[UPDATES] = 2
    core = SimpleNamespace(counters=counters)
    assert [next_place.py_func(core, UPDATES, buffer) for _ in range(3)] == [2, 2, 2]
    assert counters[UPDATES] == 5 and counters[SHORT] == 1
    rows = world({}).ex.rows
    assert_held(rows)
    rows.counters[SHORT] = 1
    with pytest.raises(AssertionError, match="the kernel wrote"):
        assert_held(rows)
