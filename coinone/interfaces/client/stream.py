"""WebSocket streams that survive reconnections.

One `Stream` is one WebSocket. It reconnects indefinitely, waiting longer after each failure, and subscribes again. An
update is marked if something before it may be missing: the first one after a reconnection, or after the subscriber's
queue overflowed, has `gap=True`; the server sends snapshots on subscription, from which a consumer can rebuild.
"""

import asyncio
import contextlib
import itertools
import random
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection, connect

from coinone.interfaces.client.errors import NoAnswer, Refused
from coinone.interfaces.client.http import TIMEOUT_S

QUEUE_MAX = 4096  # updates that a slow consumer may lag: minutes of a busy market
BACKOFF_FIRST_S = 0.1  # a node restart takes a second or two: start well below that ...
BACKOFF_MAX_S = 10.0  # ... and never flood a node that is down
MESSAGE_BYTES_MAX = 16 * 2**20
PING_S = 20.0  # also detects dead connections after a laptop has slept

Subscription = dict[str, Any]

# The channel of a subscription's messages, if the names differ.
_CHANNELS = {"userEvents": "user"}
# The fields of a message's data that distinguish two subscriptions of one channel.
_KEYS: dict[str, dict[str, str]] = {
    "l2Book": {"coin": "coin"},
    "trades": {"coin": "coin"},
    "bbo": {"coin": "coin"},
    "activeAssetCtx": {"coin": "coin"},
    "candle": {"coin": "s", "interval": "i"},
    "activeAssetData": {"coin": "coin", "user": "user"},
    "clearinghouseState": {"user": "user"},
    "openOrders": {"user": "user"},
    "spotState": {"user": "user"},
    "webData2": {"user": "user"},
    "userFills": {"user": "user"},
    "userFundings": {"user": "user"},
    "userNonFundingLedgerUpdates": {"user": "user"},
    "userHistoricalOrders": {"user": "user"},
}
# Their messages do not name the account: only one account of each per connection.
_NAMELESS = ("orderUpdates", "userEvents")


class _Message(msgspec.Struct):
    channel: str
    data: Any = None


class _Response(msgspec.Struct):
    type: str
    payload: Any = None


class _Posted(msgspec.Struct):
    id: int
    response: _Response


@dataclass(frozen=True, slots=True)
class Update:
    """One message of a subscription. `gap`: something before it may be missing."""

    channel: str
    data: Any
    gap: bool


class Feed:
    """The updates of one subscription; iterate over it."""

    def __init__(self, subscription: Subscription, queue_max: int) -> None:
        self.subscription = subscription
        self.dropped = 0
        self._queue: deque[Update] = deque()
        self._queue_max = queue_max
        self._ready = asyncio.Event()
        self._gap = False
        self._closed = False

    def __aiter__(self) -> AsyncIterator[Update]:
        return self

    async def __anext__(self) -> Update:
        while not self._queue:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popleft()

    def matches(self, channel: str, data: Any) -> bool:
        kind = self.subscription["type"]
        if channel != _CHANNELS.get(kind, kind):
            return False
        sample = data[0] if isinstance(data, list) and data else data
        wanted = _KEYS.get(kind, {})
        if not isinstance(sample, dict):
            return not wanted
        return all(
            _same(sample.get(theirs), self.subscription.get(ours))
            for ours, theirs in wanted.items()
            if theirs in sample
        )

    def push(self, channel: str, data: Any) -> None:
        if len(self._queue) >= self._queue_max:  # drop the oldest and mark the gap
            self._queue.popleft()
            self.dropped += 1
            if self._queue:
                first = self._queue[0]
                self._queue[0] = Update(first.channel, first.data, gap=True)
            else:
                self._gap = True
        self._queue.append(Update(channel, data, self._gap))
        self._gap = False
        self._ready.set()

    def mark_gap(self) -> None:
        self._gap = True

    def close(self) -> None:
        self._closed = True
        self._ready.set()


def _same(one: Any, other: Any) -> bool:
    """Compare field values, ignoring the case of addresses (EIP-55)."""
    if isinstance(one, str) and isinstance(other, str) and one[:2] == other[:2] == "0x":
        return one.lower() == other.lower()
    return bool(one == other)


class Stream:
    """`async with Stream(url) as stream: async for update in await stream.subscribe({...})`."""

    def __init__(self, url: str, queue_max: int = QUEUE_MAX) -> None:
        self._url = websocket_url(url)
        self._queue_max = queue_max
        self._feeds: list[Feed] = []
        self._posts: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._socket: ClientConnection | None = None
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.connections = 0  # connections made so far; 1 means never lost

    async def __aenter__(self) -> "Stream":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        for feed in self._feeds:
            feed.close()

    async def subscribe(self, subscription: Subscription) -> Feed:
        """Subscribe, for example to {"type": "l2Book", "coin": "BTC"}. Raises Refused for a second account on a channel
        whose messages do not name the account: it needs its own Stream."""
        kind, user = subscription["type"], subscription.get("user")
        others = [feed.subscription for feed in self._feeds if feed.subscription["type"] == kind]
        if kind in _NAMELESS and not all(_same(other.get("user"), user) for other in others):
            raise Refused(f"one stream carries {kind} of one account; open another for {user}")
        feed = Feed(subscription, self._queue_max)
        self._feeds.append(feed)
        await self._send({"method": "subscribe", "subscription": subscription})
        return feed

    async def unsubscribe(self, feed: Feed) -> None:
        self._feeds.remove(feed)
        feed.close()
        if not any(other.subscription == feed.subscription for other in self._feeds):
            await self._send({"method": "unsubscribe", "subscription": feed.subscription})

    async def post(self, kind: str, payload: Any, timeout_s: float = TIMEOUT_S) -> Any:
        """Send an "info" or "action" request over this connection. Raises NoAnswer, Refused."""
        number = next(self._ids)
        self._posts[number] = asyncio.get_running_loop().create_future()
        request = {"method": "post", "id": number, "request": {"type": kind, "payload": payload}}
        try:
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
                if not await self._send(request):
                    raise NoAnswer("the connection closed before the request went out")
                return await self._posts[number]
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {timeout_s:g} s") from error
        finally:
            self._posts.pop(number, None)

    async def _send(self, message: Any) -> bool:
        """Send now if connected; subscriptions made while disconnected are sent on reconnection."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(msgspec.json.encode(message).decode())
        except websockets.ConnectionClosed:
            return False
        return True

    async def _run(self) -> None:
        wait_s = BACKOFF_FIRST_S
        while True:
            try:
                # No compression: on one machine it costs more time than the bytes are worth.
                async with connect(
                    self._url, compression=None, max_size=MESSAGE_BYTES_MAX, ping_interval=PING_S
                ) as socket:
                    await self._serve(socket)
                    wait_s = BACKOFF_FIRST_S
            except (OSError, TimeoutError, websockets.WebSocketException, msgspec.MsgspecError):
                pass
            finally:
                self._lost()
            # Spread over half the interval, so that a restarted node's clients do not all reconnect together.
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(2 * wait_s, BACKOFF_MAX_S)

    async def _serve(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.connections += 1
        for feed in self._feeds:
            await self._send({"method": "subscribe", "subscription": feed.subscription})
        self._connected.set()
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in socket:
                self._dispatch(msgspec.json.decode(message, type=_Message))

    def _lost(self) -> None:
        if self._socket is not None:
            self._socket = None
            self._connected.clear()
            for feed in self._feeds:
                feed.mark_gap()
        for answer in self._posts.values():
            if not answer.done():
                answer.set_exception(NoAnswer("the connection closed before the answer"))

    def _dispatch(self, message: _Message) -> None:
        if message.channel == "post":
            self._settle(msgspec.convert(message.data, _Posted))
            return
        for feed in self._feeds:
            if feed.matches(message.channel, message.data):
                feed.push(message.channel, message.data)

    def _settle(self, posted: _Posted) -> None:
        answer = self._posts.get(posted.id)
        if answer is None or answer.done():
            return
        if posted.response.type == "error":
            answer.set_exception(Refused(str(posted.response.payload)))
        else:
            answer.set_result(posted.response.payload)


def websocket_url(url: str) -> str:
    """The WebSocket URL of a node: ws://host:port/ws for http://host:port, as in Hyperliquid's clients."""
    if url.startswith(("ws://", "wss://")):
        return url
    return "ws" + url.removeprefix("http").rstrip("/") + "/ws"
