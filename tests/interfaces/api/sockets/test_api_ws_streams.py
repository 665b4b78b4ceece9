"""Each event is sent once, after the snapshot before it: streams of a node whose history is always ahead of them.

A batch is in the history before it is published to the streams, and others close while a new subscriber's first
messages are read. Here a test decides when each of these happens.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.interfaces.api.ethereum.news.subscriptions import RpcSession, Subscription
from coinone.interfaces.api.exchange.channels import candles as candle_stream
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.json.accounts import AccountView
from coinone.interfaces.api.service import Service
from coinone.interfaces.api.sockets.hub import Connection
from coinone.node.network.peering import NOBODY_SEEN
from coinone.node.node import Node
from coinone.node.storage.history.candles import INTERVALS
from coinone.rules.exchange.events.orders import OpenOrder
from tests.interfaces.api.stream_stand import (
    START_MS,
    USER,
    Listener,
    Stand,
    deposit,
    ended,
    fill,
    funding,
)


@pytest.mark.parametrize(
    ("channel", "make", "rows", "name"),
    [
        ("userFills", fill, "fills", lambda row: row["tid"]),
        ("userFundings", funding, "fundings", lambda row: round(float(row["usdc"]) * 10**6)),
        (
            "userNonFundingLedgerUpdates",
            deposit,
            "nonFundingLedgerUpdates",
            lambda row: round(float(row["delta"]["usdc"]) * 10**6),
        ),
        ("userHistoricalOrders", ended, "orderHistory", lambda row: row["order"]["oid"]),
    ],
)
def test_rows_of_an_account_are_told_once_and_the_snapshot_comes_first(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, channel: str, make: Any, rows: str, name: Any
) -> None:
    """Batches 1 to 3 happened and 1 is told when somebody subscribes; 2 and 3 are told while the history is read, 4
    after it."""
    monkeypatch.setattr(reads, "account_view", lambda *_: SimpleNamespace(orders=()))

    async def meanwhile() -> None:
        await stand.tell()
        await stand.tell()

    async def run() -> list[Any]:
        for number in (1, 2, 3):
            stand.happen(make(number))
        await stand.tell()
        stand.meanwhile = meanwhile
        messages = await stand.subscribe((channel, USER))
        stand.happen(make(4))
        await stand.tell()
        return [message["data"] for message in messages]

    told = asyncio.run(run())
    assert [message["isSnapshot"] for message in told] == [True] + [False] * (len(told) - 1)
    assert [sorted(map(name, message[rows])) for message in told][-1] == [4]
    assert [row for message in told for row in sorted(map(name, message[rows]))] == [1, 2, 3, 4]


def test_trades_of_a_batch_that_is_being_told_are_in_the_first_message_only(stand: Stand) -> None:
    """Who subscribes while a batch is told has its trades from the first message, and the next batch's after it."""

    async def run() -> list[Any]:
        stand.happen(fill(1))
        stand.data.begin(stand.view(1), stand.history)
        messages = await stand.subscribe(("trades", "BTC"))
        stand.told = 1
        await stand.feed.on_batch(stand.batches[0])
        stand.happen(fill(2))
        await stand.tell()
        return [[trade["tid"] for trade in message["data"]] for message in messages]

    assert asyncio.run(run()) == [[1], [2]]


def test_trades_that_the_store_held_when_the_interface_began_are_told_once(stand: Stand) -> None:
    """The store has batches 1 and 2, the view is after 1; who subscribes now is told 2 by the first message only."""

    async def run() -> list[Any]:
        for number in (1, 2):
            stand.happen(fill(number))
        stand.data.begin(stand.view(1), stand.history)
        stand.told = 1
        messages = await stand.subscribe(("trades", "BTC"))
        stand.happen(fill(3))
        await stand.tell()
        await stand.tell()
        return [[trade["tid"] for trade in message["data"]] for message in messages]

    assert asyncio.run(run()) == [[2, 1], [3]]


def test_a_state_that_others_were_told_before_is_told_to_a_new_listener_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order rests after batch 2 and before and after it none: who subscribed in between learns that it is gone."""

    def view(*_: Any) -> AccountView:
        order = OpenOrder(7, 0, 0, True, 100, 1, 1, "Gtc", False, START_MS)
        orders = (order,) if len(stand.batches) == 2 else ()
        return SimpleNamespace(orders=orders)  # type: ignore[return-value]

    monkeypatch.setattr(reads, "account_view", view)

    async def run() -> list[Any]:
        key = ("openOrders", USER)
        await stand.subscribe(key)
        stand.happen(deposit(1))
        await stand.tell()
        stand.happen(deposit(2))
        messages = await stand.subscribe(key)
        stand.happen(deposit(3))
        await stand.tell()
        await stand.tell()
        return [[order["oid"] for order in message["data"]["orders"]] for message in messages]

    assert asyncio.run(run()) == [[7], []]


def test_a_candle_counts_each_trade_once_whoever_subscribes_meanwhile(stand: Stand) -> None:
    """Batch n trades 1 at 100 + n. The first subscribes when 1 is told and 2 in the history, the second when 2 is told
    and 4 in the history."""
    key = ("candle", "BTC", "1d")

    async def run() -> list[list[Any]]:
        for number in (1, 2):
            stand.happen(fill(number, 100 + number))
        await stand.tell()
        first = await stand.subscribe(key)
        for number in (3, 4):
            stand.happen(fill(number, 100 + number))
        await stand.tell()
        second = await stand.subscribe(key)
        await stand.tell()
        await stand.tell()
        return [[(row["data"]["n"], row["data"]["c"]) for row in messages] for messages in (first, second)]

    # prices are in tenths: batch 2 closed at 10.2, and so on
    assert asyncio.run(run()) == [
        [(2, "10.2"), (3, "10.3"), (4, "10.4")],
        [(2, "10.2"), (3, "10.3"), (4, "10.4")],
    ]


def test_a_candle_that_nobody_listened_to_meanwhile_holds_what_was_traded_meanwhile(stand: Stand) -> None:
    key, gone = ("candle", "BTC", "1d"), Listener()

    async def run() -> list[Any]:
        await stand.subscribe(key, gone)
        stand.hub.unsubscribe(gone, key)
        for number in (1, 2):
            stand.happen(fill(number))
            await stand.tell()
        messages = await stand.subscribe(key)
        stand.happen(fill(3))
        await stand.tell()
        return [message["data"]["n"] for message in messages]

    assert asyncio.run(run()) == [2, 3]


def test_a_candle_begins_anew_after_time_was_turned_back(stand: Stand) -> None:
    """Batches 1 and 2 were told; 2 is taken back, and another batch 2 told."""

    async def run() -> list[Any]:
        messages = await stand.subscribe(("candle", "BTC", "1d"))
        for number in (1, 2):
            stand.happen(fill(number))
            await stand.tell()
        stand.history.drop_from(2)
        del stand.batches[1:]
        stand.told = 1
        stand.feed.reset()
        stand.happen(fill(3))
        await stand.tell()
        return [(message["data"]["n"]) for message in messages]

    assert asyncio.run(run()) == [1, 2, 2]


def test_candles_of_a_batch_are_made_once_for_all_intervals(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """14 intervals went over 3,200 fills each: 0.3 s."""
    made: list[int] = []
    real = candle_stream.traded_in
    monkeypatch.setattr(candle_stream, "traded_in", lambda events: made.append(1) or real(events))

    async def run() -> list[int]:
        streams = [await stand.subscribe(("candle", "BTC", interval)) for interval in INTERVALS]
        stand.happen(*[fill(number) for number in range(20)])
        await stand.tell()
        return [messages[-1]["data"]["n"] for messages in streams]

    assert asyncio.run(run()) == [20] * 14
    assert made == [1]


@pytest.mark.usefixtures("calls_on_demand")
def test_where_the_streams_missed_batches_all_who_listen_are_cut(node: Node) -> None:
    """A stream with a hole would be taken for a whole one; who comes again begins with a snapshot."""
    link: Any = SimpleNamespace(cut=lambda: None, write_frames=lambda frames: True)

    async def run() -> list[bool]:
        service = Service(node, lambda: NOBODY_SEEN, 1200)
        await service.start()
        listening, idle, blocks = (Connection(link) for _ in range(3))
        for connection in (listening, idle):
            service.hub.join(connection)
        service.hub.subscribe(listening, ("orderUpdates", USER))
        session = RpcSession(blocks, None, None, service.rpc.hub, None)  # type: ignore[arg-type]
        session.subscribe(Subscription("newHeads"))
        service.rpc.hub.sessions[session] = None
        node._subscriptions[-1].close()  # as when it lags too far
        async with asyncio.timeout(20):
            while listening.open:
                await asyncio.sleep(0.01)
        await service.stop()
        return [connection.open for connection in (listening, idle, blocks)]

    assert asyncio.run(run()) == [False, True, False]
