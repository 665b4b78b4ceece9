"""Answers in Hyperliquid's words: clients compare them letter by letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import RESULT
from coinone.rules.exchange.trading.ops import OpList
from coinone.rules.exchange.wire.segments import system_item
from tests.rules.exchange import words as t


def error(w: Any, index: int = 0) -> str:
    text: str = w.status(index)["error"]
    return text


def test_an_order_away_from_the_market_rests(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.buy(1, 0.1, 49_000), w.buy(1, 0.1, 48_000, cloid=255))
    assert w.status(0) == {"resting": {"oid": 1}}
    assert w.status(1) == {"resting": {"oid": 2, "cloid": "0x000000000000000000000000000000ff"}}


def test_a_fill_tells_its_size_and_average_price(world: Callable[..., Any]) -> None:
    """0.1 at 50,000 and 0.2 at 50,003 are 15,000.6 / 0.3 = 50,002 on average."""
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(1, 0.1, 50_000), w.sell(1, 0.2, 50_003))
    w.batch(w.buy(2, 0.3, 50_010, "Ioc"))
    assert w.status() == {"filled": {"totalSz": "0.3", "avgPx": "50002.0", "oid": 3}}


@pytest.mark.parametrize(
    ("size", "price", "more", "text"),
    [
        (0.1, 49_000.55, {}, "Price must be divisible by tick size. asset=0"),
        (0.1, 49_000.5, {}, "Price must be divisible by tick size. asset=0"),  # six significant figures
        (0.000001, 49_000, {}, "Order has invalid size. asset=0"),
        (0, 49_000, {}, "Order has invalid size. asset=0"),
        (0.0002, 49_000, {}, "Order must have minimum value of $10. asset=0"),
        (5, 49_000, {}, "Insufficient margin to place order. asset=0"),
        (0.1, 49_000, {"reduce_only": True}, "Reduce only order would increase position. asset=0"),
        (
            0.1,
            49_000,
            {"tif": "Ioc"},
            "Order could not immediately match against any resting orders. asset=0",
        ),
        (0.1, 1_000, {}, "Order price cannot be that far away from the reference price. asset=0"),
        (0.1, 49_000, {"market": 7}, "Invalid perpetual or spot asset."),
    ],
)
def test_a_refused_order_says_why(
    size: float, price: float, more: dict[str, Any], text: str, world: Callable[..., Any]
) -> None:
    w = world({1: 1_000})
    w.batch(w.order(1, True, size, price, **more))
    assert error(w) == text


def test_a_post_only_order_that_would_trade_is_told_the_best_prices(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(1, 0.1, 50_010), w.buy(1, 0.1, 49_990))
    w.batch(w.buy(2, 0.1, 50_020, "Alo"))
    assert error(w) == "Post only order would have immediately matched, bbo was 49990.0@50010.0. asset=0"


def test_a_trigger_order_is_refused_by_name_and_its_neighbours_are_not(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    trigger = t.OrderSpec(0, True, 10**12, 10**7, False, t.Tif.GTC, t.TriggerSpec(10**12, True, "sl"), 0)
    w.batch(w.signed(1, t.PlaceOrders((trigger, w.spec(True, 0.1, 49_000)), "na", None)))
    statuses = w.last.outcomes[0].response["data"]["statuses"]
    assert statuses[0] == {"error": "Trigger orders are not supported."}
    assert statuses[1] == {"resting": {"oid": 1}}


@pytest.mark.parametrize("grouping", ["normalTpsl", "positionTpsl"])
def test_an_entry_is_not_filled_without_the_stop_it_came_with(
    grouping: str, world: Callable[..., Any]
) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(2, 0.1, 50_000))
    stop = t.OrderSpec(
        0, False, 48_000 * 10**8, 10**7, True, t.Tif.GTC, t.TriggerSpec(49_000 * 10**8, True, "sl"), 0
    )
    w.batch(w.signed(1, t.PlaceOrders((w.spec(True, 0.1, 50_000), stop), grouping, None)))
    statuses = w.last.outcomes[0].response["data"]["statuses"]
    assert statuses == [{"error": "Trigger orders are not supported."}] * 2
    assert w.position(1) == 0


def test_what_waits_for_a_price_is_named_beside_the_operations_with_their_grouping() -> None:
    trigger, entry = (
        t.TriggerSpec(10**12, True, "sl"),
        t.OrderSpec(0, True, 1, 1, False, t.Tif.GTC, None, 0),
    )
    stop = replace(entry, trigger=trigger)
    alone = t.operations_of(t.PlaceOrders((entry, stop), "na", None))
    grouped = t.operations_of(t.PlaceOrders((entry, stop), "normalTpsl", None))
    assert alone.conditional == (t.Conditional(1, trigger),)
    assert (alone.grouping, grouped.grouping) == ("na", "normalTpsl")
    assert grouped.conditional == alone.conditional
    assert alone.rows == grouped.rows == t.operations_of(t.PlaceOrders((entry, entry), "na", None)).rows


def test_an_operation_that_is_answered_when_it_is_added_has_that_result() -> None:
    ops, results = OpList(), np.zeros(3, RESULT)
    for n in range(3):
        ops.add_one(system_item(), sz=n)
    ops.answer(0, Status.OPEN, oid=5, resting_sz=7)
    ops.fill_in(results)
    assert ops.wrong().tolist() == [0, 0, Status.OPEN]
    assert results[["status", "oid", "resting_sz"]].tolist() == [(0, 0, 0), (0, 0, 0), (Status.OPEN, 5, 7)]


def test_a_group_without_triggers_is_as_good_as_none(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.signed(1, t.PlaceOrders((w.spec(True, 0.1, 49_000),), "normalTpsl", None)))
    assert w.last.outcomes[0].response["data"]["statuses"] == [{"resting": {"oid": 1}}]


def test_a_cancel_of_nothing_says_what_bots_look_for(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(w.buy(1, 0.001, 40_000))
    w.batch(w.cancel(1, oid=99), w.cancel(2, oid=1), w.cancel(1, oid=1, market=1), w.cancel(1, oid=1))
    expected = "Order was never placed, already canceled, or filled. asset=0"
    assert (error(w, 0), error(w, 1)) == (expected, expected)
    assert error(w, 2) == expected.replace("asset=0", "asset=1")
    assert w.status(3) == "success"


def test_a_single_modify_answers_default_or_fails_whole(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.buy(1, 0.1, 40_000, cloid=3))
    change = t.Modify(t.OrderRef(0, 0, 3), w.spec(True, 0.1, 41_000, cloid=3))
    w.batch(w.signed(1, t.BatchModify((change,), single=True)))
    assert w.last.outcomes[0].response == {"type": "default"}
    gone = t.Modify(t.OrderRef(0, 1, 0), w.spec(True, 0.1, 41_000))
    w.batch(w.signed(1, t.BatchModify((gone,), single=True)))
    assert w.last.outcomes[0].error == "Cannot modify canceled or filled order"


def test_a_batch_of_modifies_answers_like_orders(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.buy(1, 0.1, 40_000))
    changes = (
        t.Modify(t.OrderRef(0, 1, 0), w.spec(True, 0.1, 41_000)),
        t.Modify(t.OrderRef(0, 77, 0), w.spec(True, 0.1, 41_000)),
    )
    w.batch(w.signed(1, t.BatchModify(changes, single=False)))
    assert w.last.outcomes[0].response == {
        "type": "order",
        "data": {
            "statuses": [{"resting": {"oid": 2}}, {"error": "Cannot modify canceled or filled order"}],
        },
    }


def test_a_builder_must_be_approved_and_is_paid_by_the_taker(world: Callable[..., Any]) -> None:
    """10 tenths of a basis point of 5,000 quote are 0.5 quote."""
    w = world({1: 100_000, 2: 100_000, 3: 100})
    builder = (3).to_bytes(20, "big")
    w.batch(w.sell(1, 0.1, 50_000))
    order = t.PlaceOrders((w.spec(True, 0.1, 50_000, "Ioc"),), "na", t.Builder(builder, 10))
    w.batch(w.signed(2, order))
    assert w.last.outcomes[0].error == "Builder fee has not been approved."
    w.batch(w.signed(2, t.ApproveBuilderFee(builder, 10)))
    w.batch(w.signed(2, order))
    assert w.status()["filled"]["totalSz"] == "0.1"
    assert w.cash(3) == 100_500_000
