"""WebSocket streams against a server that goes away, comes back, and talks too much."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from coinone.interfaces.client.errors import NoAnswer, Refused
from coinone.interfaces.client.stream import Stream, Update, websocket_url

BOOK = {"type": "l2Book", "coin": "BTC"}


class Exchange:
    """Answers subscriptions with a snapshot that numbers the connection, posts with an echo."""

    def __init__(self) -> None:
        self.port = 0
        self.connections: list[ServerConnection] = []
        self.received: list[Any] = []
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = await serve(self._serve, "127.0.0.1", self.port)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def say(self, channel: str, data: Any) -> None:
        await self.connections[-1].send(json.dumps({"channel": channel, "data": data}))

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        async for text in connection:
            message = json.loads(text)
            self.received.append(message)
            if message["method"] == "subscribe":
                coin = message["subscription"].get("coin")
                await self.say("l2Book", {"coin": coin, "connection": len(self.connections)})
            if message["method"] == "post":
                request = message["request"]
                answer = {"type": "error", "payload": "no"} if request["type"] == "action" else request
                await self.say("post", {"id": message["id"], "response": answer})


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def run(scenario: Any) -> None:
    async def whole() -> None:
        exchange = Exchange()
        await exchange.start()
        try:
            async with asyncio.timeout(60), Stream(f"http://127.0.0.1:{exchange.port}") as stream:
                await scenario(exchange, stream)
        finally:
            await exchange.stop()

    asyncio.run(whole())


def test_a_stream_reconnects_subscribes_again_and_says_that_something_may_be_missing() -> None:
    async def scenario(exchange: Exchange, stream: Stream) -> None:
        feed = await stream.subscribe(BOOK)
        assert await anext(feed) == Update("l2Book", {"coin": "BTC", "connection": 1}, gap=False)
        await exchange.stop()
        await asyncio.sleep(0.2)
        await exchange.start()
        assert await anext(feed) == Update("l2Book", {"coin": "BTC", "connection": 2}, gap=True)
        await exchange.say("l2Book", {"coin": "BTC", "connection": 2})
        assert (await anext(feed)).gap is False
        assert stream.connections == 2

    run(scenario)


def test_each_feed_gets_its_own_market_only() -> None:
    async def scenario(exchange: Exchange, stream: Stream) -> None:
        btc, eth = await stream.subscribe(BOOK), await stream.subscribe({"type": "l2Book", "coin": "ETH"})
        assert (await anext(btc)).data["coin"] == "BTC"
        assert (await anext(eth)).data["coin"] == "ETH"
        trades = await stream.subscribe({"type": "trades", "coin": "ETH"})
        await exchange.say("trades", [{"coin": "ETH", "px": "1"}])
        assert (await anext(trades)).data == [{"coin": "ETH", "px": "1"}]

    run(scenario)


def test_each_feed_gets_its_own_account_only() -> None:
    async def scenario(exchange: Exchange, stream: Stream) -> None:
        alice, bob = "0x" + "Aa" * 20, "0x" + "bb" * 20
        feeds = [await stream.subscribe({"type": "userFills", "user": user}) for user in (alice, bob)]
        await until(lambda: len(exchange.received) == 2)
        for user in (bob, alice):
            await exchange.say("userFills", {"user": user.lower(), "fills": []})
        assert [(await anext(feed)).data["user"] for feed in feeds] == [alice.lower(), bob]

    run(scenario)


def test_a_second_account_needs_a_stream_of_its_own_where_messages_do_not_say_whose_they_are() -> None:
    async def scenario(_: Exchange, stream: Stream) -> None:
        await stream.subscribe({"type": "orderUpdates", "user": "0xAA"})
        await stream.subscribe({"type": "orderUpdates", "user": "0xaa"})
        with pytest.raises(Refused, match="one account"):
            await stream.subscribe({"type": "orderUpdates", "user": "0xbb"})

    run(scenario)


@pytest.mark.parametrize("noise", ["{", "[]", "7", '{"channel":7}', '{"channel":"post","data":{"id":"1"}}'])
def test_a_stream_survives_a_server_that_talks_nonsense(noise: str) -> None:
    async def scenario(exchange: Exchange, stream: Stream) -> None:
        feed = await stream.subscribe(BOOK)
        await anext(feed)
        await exchange.connections[-1].send(noise)
        assert await anext(feed) == Update("l2Book", {"coin": "BTC", "connection": 2}, gap=True)

    run(scenario)


def test_user_events_come_on_the_channel_that_hyperliquid_gave_them() -> None:
    async def scenario(exchange: Exchange, stream: Stream) -> None:
        feed = await stream.subscribe({"type": "userEvents", "user": "0x1"})
        await until(lambda: bool(exchange.received))
        await exchange.say("user", {"fills": []})
        assert (await anext(feed)).data == {"fills": []}

    run(scenario)


def test_a_slow_consumer_loses_the_oldest_and_is_told() -> None:
    async def scenario(exchange: Exchange, _: Stream) -> None:
        async with Stream(f"http://127.0.0.1:{exchange.port}", queue_max=3) as stream:
            feed = await stream.subscribe(BOOK)
            await until(lambda: bool(exchange.received))
            for number in range(5):
                await exchange.say("l2Book", {"coin": "BTC", "number": number})
            await until(lambda: feed.dropped == 3)
            kept = [await anext(feed) for _ in range(3)]
            assert [each.data["number"] for each in kept] == [2, 3, 4]
            assert [each.gap for each in kept] == [True, False, False]
            assert feed.dropped == 3  # the snapshot, 0 and 1

    run(scenario)


def test_a_request_over_the_stream_gets_its_answer_or_its_refusal() -> None:
    async def scenario(exchange: Exchange, stream: Stream) -> None:
        assert await stream.post("info", {"type": "meta"}) == {"type": "meta"}
        with pytest.raises(Refused, match="no"):
            await stream.post("action", {})

    run(scenario)


def test_a_request_whose_connection_closes_has_no_answer() -> None:
    async def scenario(exchange: Exchange, stream: Stream) -> None:
        await stream.post("info", {})

        async def mute(*_: Any) -> None: ...

        exchange.say = mute  # type: ignore[method-assign]
        request = asyncio.create_task(stream.post("info", {}))
        await until(lambda: len(exchange.received) == 2)
        await exchange.connections[-1].close()
        with pytest.raises(NoAnswer, match="closed"):
            await request

    run(scenario)


def test_a_feed_that_is_unsubscribed_ends() -> None:
    async def scenario(exchange: Exchange, stream: Stream) -> None:
        feed = await stream.subscribe(BOOK)
        await anext(feed)
        await stream.unsubscribe(feed)
        assert [each async for each in feed] == []
        await until(lambda: exchange.received[-1] == {"method": "unsubscribe", "subscription": BOOK})

    run(scenario)


def test_the_websocket_address_is_derived_as_hyperliquids_clients_do() -> None:
    assert websocket_url("http://localhost:3001") == "ws://localhost:3001/ws"
    assert websocket_url("https://example.org/") == "wss://example.org/ws"
    assert websocket_url("ws://localhost:1/ws") == "ws://localhost:1/ws"
