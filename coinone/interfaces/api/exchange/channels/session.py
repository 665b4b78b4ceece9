"""One exchange WebSocket connection: requests in, answers and streams out."""

import asyncio
import contextlib
import logging
from typing import Any, Protocol

from coinone.base.primitives.errors import InvalidInput, StorageError
from coinone.interfaces.api.admission.weights import Bill
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.http.asgi import Receive, Send
from coinone.interfaces.api.limits import (
    WS_MESSAGES_PER_MINUTE,
    WS_POSTS_AT_ONCE,
    WS_POSTS_MAX,
    WS_SMALL_BYTES,
)
from coinone.interfaces.api.sockets.hub import Connection, FirstMessages, Hub, Key

log = logging.getLogger(__name__)


class Backend(Protocol):
    """The functions that a session needs from the rest of the interface."""

    def admit(self, size: int) -> None: ...
    def key_of(self, subscription: Any) -> Key: ...
    def require(self) -> None: ...
    def refused(self) -> None: ...
    async def snapshot(self, key: Key) -> FirstMessages: ...
    def admit_info(self, request: Any) -> Bill: ...
    async def info(self, request: Any, bill: Bill) -> Any: ...
    async def act(self, request: Any, size: int) -> Any: ...


class Session:
    """The protocol of `/ws`. Every request gets an answer; nothing is sent without a request."""

    def __init__(self, connection: Connection, hub: Hub, backend: Backend) -> None:
        self._connection = connection
        self._hub = hub
        self._backend = backend
        self._posts: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(WS_POSTS_AT_ONCE)  # limits concurrent info posts
        self._window_start = 0.0
        self._window_count = 0

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve until the client leaves, breaks a limit or falls too far behind."""
        self._hub.join(self._connection)
        try:
            while self._connection.open:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return
                if self._over_rate():
                    self._error("too many messages: at most 2000 a minute")
                    await send({"type": "websocket.close", "code": 1008, "reason": "too many messages"})
                    return
                data = message.get("bytes")
                await self._serve(data if data is not None else message["text"].encode())
        finally:
            self._hub.leave(self._connection)
            for task in self._posts:
                task.cancel()

    def _over_rate(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._window_start > 60.0:
            self._window_start, self._window_count = now, 0
        self._window_count += 1
        return self._window_count > WS_MESSAGES_PER_MINUTE

    async def _serve(self, data: bytes) -> None:
        try:
            self._backend.admit(len(data))
            request = jsonio.decode(data)
            method = request.get("method") if isinstance(request, dict) else None
            if method == "ping":
                self._send({"channel": "pong"})
            elif method == "subscribe":
                await self._subscribe(request.get("subscription"))
            elif method == "unsubscribe":
                self._unsubscribe(request.get("subscription"))
            elif method == "post":
                self._post(request, len(data))
            else:
                raise InvalidInput("method must be subscribe, unsubscribe, post or ping")
        except InvalidInput as error:
            asked = data[:WS_SMALL_BYTES].decode(errors="replace")
            self._error(f"Error parsing JSON into valid websocket request: {asked}", str(error))

    async def _subscribe(self, subscription: Any) -> None:
        try:
            key = self._backend.key_of(subscription)
            self._backend.require()
            if not self._hub.subscribe(self._connection, key):
                self._error(f"Already subscribed: {_text(subscription)}")
                return
            first = await self._first(key)
        except InvalidInput as error:
            self._error(f"Invalid subscription {_text(subscription)}", str(error))
            return
        self._acknowledge("subscribe", subscription)
        self._hub.begin(self._connection, key, first)

    async def _first(self, key: Key) -> FirstMessages:
        """The first messages of a new subscription, which is removed if they cannot be made: a stream without its
        beginning would seem complete."""
        try:
            return await self._backend.snapshot(key)
        except InvalidInput:
            self._hub.unsubscribe(self._connection, key)
            raise

    def _unsubscribe(self, subscription: Any) -> None:
        try:
            was_there = self._hub.unsubscribe(self._connection, self._backend.key_of(subscription))
        except InvalidInput:  # no client can have subscribed to it
            was_there = False
        if not was_there:
            self._error(f"Already unsubscribed: {_text(subscription)}")
            return
        self._acknowledge("unsubscribe", subscription)

    def _acknowledge(self, method: str, subscription: Any) -> None:
        self._send(
            {"channel": "subscriptionResponse", "data": {"method": method, "subscription": subscription}}
        )

    def _post(self, request: dict[str, Any], size: int) -> None:
        """Answer a post in a separate task: an action waits for its batch, and pings must not wait for it."""
        post_id, body = request.get("id"), request.get("request")
        if (
            type(post_id) is not int
            or not isinstance(body, dict)
            or body.get("type") not in ("info", "action")
        ):
            raise InvalidInput("post needs an integer id and a request of type info or action")
        if len(self._posts) >= WS_POSTS_MAX:
            self._answer_post(post_id, "error", f"too many posts in flight (most {WS_POSTS_MAX})")
            return
        task = asyncio.create_task(self._run_post(post_id, body, size))
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def _run_post(self, post_id: int, body: dict[str, Any], size: int) -> None:
        payload = body.get("payload")
        try:
            if body["type"] == "info":
                bill = self._backend.admit_info(payload)
                async with self._turn:
                    await self._connection.answer(await self._info(post_id, payload, bill))
            else:
                self._answer_post(post_id, "action", await self._backend.act(payload, size))
        except (InvalidInput, StorageError) as error:
            self._answer_post(post_id, "error", str(error))
        except Exception:
            log.exception("a WebSocket post failed")
            self._answer_post(post_id, "error", "internal error")

    async def _info(self, post_id: int, request: Any, bill: Bill) -> bytes:
        found = await self._backend.info(request, bill)
        kind = request.get("type") if isinstance(request, dict) else None
        return _posted(post_id, "info", {"type": kind, "data": found})

    def _answer_post(self, post_id: int, kind: str, payload: Any) -> None:
        with contextlib.suppress(ConnectionError):
            self._connection.send(_posted(post_id, kind, payload))

    def _error(self, text: str, reason: str = "") -> None:
        """Refuse a message, which costs weight: `text` in Hyperliquid's wording, which repeats the request so that
        clients find the one that was refused, and the reason in a separate field."""
        self._backend.refused()
        self._send({"channel": "error", "data": text, **({"reason": reason} if reason else {})})

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):
            self._connection.send(jsonio.encode(message))


def _posted(post_id: int, kind: str, payload: Any) -> bytes:
    response = {"type": kind, "payload": payload}
    return jsonio.encode({"channel": "post", "data": {"id": post_id, "response": response}})


def _text(subscription: Any) -> str:
    return jsonio.encode(subscription).decode()
