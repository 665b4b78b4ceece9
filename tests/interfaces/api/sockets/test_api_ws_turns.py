"""Large batches are sent in parts: other work has its turn in between, and nothing is lost or sent twice by that."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from coinone.interfaces.api.exchange.channels import account_states, events, feed
from coinone.interfaces.api.exchange.channels.batch_events import events_of, trades_of
from coinone.interfaces.api.exchange.info import market_data, reads
from coinone.interfaces.api.exchange.json import events as formats
from coinone.interfaces.api.exchange.json import fills
from coinone.interfaces.api.limits import WS_ROWS_PER_TURN
from coinone.rules.exchange.events.event_log import EventLog, parties_of
from coinone.rules.exchange.events.orders import OpenOrder
from tests.interfaces.api.stream_stand import (
    ALICE,
    BOB,
    START_MS,
    Stand,
    deposit,
    fill,
    of_a_sweep,
)


class Others:
    """Somebody who does nothing but take turns, and sees how many rows were made since the last one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.clear()

    def count(self, module: ModuleType, maker: str) -> None:
        real = getattr(module, maker)

        def make(*given: Any) -> Any:
            self._rows += 1
            self.all += 1
            return real(*given)

        self._patch.setattr(module, maker, make)

    def clear(self) -> None:
        self._rows = self.all = self.most = 0

    async def beside(self, work: Coroutine[Any, Any, None]) -> None:
        others = asyncio.create_task(self._take_turns())
        await work
        others.cancel()

    async def _take_turns(self) -> None:
        while True:
            self.most = max(self.most, self._rows)
            self._rows = 0
            await asyncio.sleep(0)


def test_events_are_made_of_the_rows_that_somebody_listens_to_and_of_all_of_them() -> None:
    deleverage = replace(fill(9_000)(1, START_MS + 1), kind="adl")
    log = EventLog([of_a_sweep(600), deposit(5)(1, START_MS + 1), deleverage])
    assert list(events_of(log, {ALICE})) == [event for event in log if ALICE in parties_of(event)]
    assert list(events_of(log, {ALICE, BOB})) == list(log)
    in_book = [event for event in log.fills() if event.kind != "adl"]
    for market in (0, 1):
        assert list(trades_of(log, market)) == [event for event in in_book if event.market == market]


def test_a_batch_of_thousands_of_fills_is_told_in_parts_between_which_others_have_their_turn(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3,200 fills for five accounts were 0.4 s in one go. Somebody who does nothing but take turns sees how many rows
    were made since the last one."""
    others = Others(monkeypatch)
    others.count(fills, "fill_json")
    others.count(formats, "trade_json")
    others.count(events, "order_update_json")
    others.count(events, "order_history_json")

    async def run() -> dict[str, list[Any]]:
        streams = {}
        channels = ("userFills", "userEvents", "orderUpdates", "userHistoricalOrders")
        for channel in channels:
            streams[channel] = await stand.subscribe((channel, BOB.hex()))
        streams["trades"] = await stand.subscribe(("trades", "BTC"))
        stand.batches.append(EventLog([of_a_sweep(1000)]))
        await others.beside(stand.tell())
        return {channel: messages[-1]["data"] for channel, messages in streams.items()}

    monkeypatch.setattr(reads, "account_view", lambda *_: SimpleNamespace(orders=()))
    told = asyncio.run(run())
    assert 0 < others.most <= WS_ROWS_PER_TURN
    assert [row["tid"] for row in told["userFills"]["fills"]] == list(range(1000))
    assert told["userEvents"]["fills"] == told["userFills"]["fills"]
    assert [row["tid"] for row in told["trades"]] == [tid for tid in range(1000) if tid % 5]
    assert [row["order"]["oid"] for row in told["orderUpdates"]] == list(range(1, 1000, 2))
    assert [row["order"]["oid"] for row in told["userHistoricalOrders"]["orderHistory"]] == list(
        range(1, 1000, 2)
    )


def test_who_subscribes_while_a_batch_is_told_has_it_from_the_snapshot_and_not_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two parts of a batch another client begins to listen to an account whose part is still to come."""
    monkeypatch.setattr("coinone.interfaces.api.admission.turns.WS_ROWS_PER_TURN", 1)
    key = ("userFills", BOB.hex())

    async def run() -> list[list[Any]]:
        first = await stand.subscribe(key)
        stand.happen(*[fill(number) for number in range(10)])
        late = asyncio.create_task(stand.subscribe(key))
        await stand.tell()
        assert late.done()
        stand.happen(fill(10))
        await stand.tell()
        return [
            [(message["data"]["isSnapshot"], len(message["data"]["fills"])) for message in messages]
            for messages in (first, late.result())
        ]

    first, late = asyncio.run(run())
    assert first == [(True, 0), (False, 10), (False, 1)]
    assert late == [(True, 10), (False, 1)]


def test_states_with_many_orders_are_told_in_parts_and_orders_made_once_for_all_channels(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two channels of 20 accounts with 1,000 orders each were 0.3 to 0.5 s in one go, each second."""
    monkeypatch.setattr(feed, "WS_STATES_WAIT_S", 60.0)  # until they are all told
    orders = tuple(OpenOrder(n, 0, 0, True, 100, 1, 1, "Gtc", False, START_MS) for n in range(1000))
    monkeypatch.setattr(reads, "account_view", lambda *_: replace(reads.NO_ACCOUNT, orders=orders))
    others = Others(monkeypatch)

    async def run() -> list[Any]:
        users = [bytes([n]) * 20 for n in range(5)]
        streams = [
            await stand.subscribe((channel, user.hex()))
            for user in users
            for channel in ("openOrders", "webData2")
        ]
        others.count(account_states, "frontend_order_json")
        stand.happen(deposit(1))
        await others.beside(stand.tell())
        return [messages[-1]["data"] for messages in streams]

    told = asyncio.run(run())
    assert 0 < others.most <= WS_ROWS_PER_TURN
    assert others.all == 5 * 1000
    for open_orders, web_data in zip(told[::2], told[1::2], strict=True):
        assert [order["oid"] for order in open_orders["orders"]] == list(range(999, -1, -1))
        assert web_data["openOrders"] == open_orders["orders"]


def test_many_views_of_books_are_told_in_parts(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """18 coarser views of books with 1,000 prices a side were 0.1 s in one go, batch by batch."""
    others = Others(monkeypatch)
    others.count(market_data, "book_json")
    groupings = [("", ""), ("2", ""), ("3", ""), ("4", ""), ("5", ""), ("5", "2"), ("5", "5")]

    async def run() -> list[list[Any]]:
        keys = [("l2Book", coin, *grouping) for coin in ("BTC", "ETH", "SOL") for grouping in groupings]
        streams = [await stand.subscribe(key) for key in keys]
        stand.happen(deposit(1))
        others.clear()
        await others.beside(stand.tell())
        return streams

    assert {len(messages) for messages in asyncio.run(run())} == {2}
    assert others.all == 21 and 0 < others.most <= 8
