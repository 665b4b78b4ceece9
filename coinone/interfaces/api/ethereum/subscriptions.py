"""eth_subscribe: newHeads, logs and newPendingTransactions over WebSocket.

A notification goes out when the block is on disk, so a client that asks for the block finds it. Every
subscription has an id of its own in its messages, so each is framed for itself.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api import jsonio
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.dispatch import Dispatcher
from coinone.interfaces.api.ethereum.errors import LIMIT_EXCEEDED, METHOD_NOT_FOUND, SERVER_ERROR, RpcError
from coinone.interfaces.api.ethereum.format import AnyHeader, header_json, hex_bytes
from coinone.interfaces.api.ethereum.inclusions import Inclusions
from coinone.interfaces.api.ethereum.log_filter import LogFilter
from coinone.interfaces.api.ethereum.log_methods import logs_of_block, new_logs_filter
from coinone.interfaces.api.ethereum.params import boolean
from coinone.interfaces.api.ethereum.transaction_format import pending_transaction_json
from coinone.interfaces.api.guard import Caller
from coinone.interfaces.api.http import Receive, Send
from coinone.interfaces.api.limits import RPC_CALLS_IN_FLIGHT_MAX, RPC_SUBSCRIPTIONS_MAX
from coinone.interfaces.api.sender import NOBODY, Sender
from coinone.interfaces.api.weights import Purse
from coinone.interfaces.api.ws.hub import Connection
from coinone.rules.chain.ethereum.transaction import decode_transaction
from coinone.rules.chain.receipts import PlacedRecord


@dataclass(frozen=True, slots=True)
class Subscription:
    kind: str  # "newHeads" | "logs" | "newPendingTransactions"
    wanted: LogFilter | None = None
    full: bool = False  # whole transactions, not their hashes


class RpcSession:
    """One WebSocket connection that speaks JSON-RPC."""

    def __init__(
        self,
        connection: Connection,
        dispatcher: Dispatcher,
        caller: Caller,
        hub: "RpcHub",
        purse: Purse,
        sender: Sender = NOBODY,
    ) -> None:
        self.connection = connection
        self.subscriptions: dict[str, Subscription] = {}
        self._dispatcher = dispatcher
        self._caller = caller
        self._hub = hub
        self._purse = purse
        self._sender = sender
        self._free = asyncio.Semaphore(RPC_CALLS_IN_FLIGHT_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve until the client leaves. Calls run side by side, so that a slow one holds up no other."""
        self._hub.sessions[self] = None
        try:
            while self.connection.open:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return
                data = message.get("bytes")
                body = data if data is not None else message["text"].encode()
                await self._free.acquire()
                task = asyncio.create_task(self._serve(body))
                self._tasks.add(task)
                task.add_done_callback(self._done)
        finally:
            self._hub.sessions.pop(self, None)
            self.connection.open = False
            for task in self._tasks:
                task.cancel()

    async def _serve(self, body: bytes) -> None:
        answer = await self._dispatcher.answer(body, self._caller, self._purse, self, self._sender)
        if answer:
            self.connection.send(answer)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()

    def subscribe(self, subscription: Subscription) -> str:
        if len(self.subscriptions) >= RPC_SUBSCRIPTIONS_MAX:
            raise RpcError(LIMIT_EXCEEDED, f"too many subscriptions (most {RPC_SUBSCRIPTIONS_MAX})")
        name = "0x" + secrets.token_hex(16)
        self.subscriptions[name] = subscription
        return name

    def notify(self, name: str, result: Any) -> None:
        body = {"subscription": name, "result": result}
        self.connection.send(jsonio.encode({"jsonrpc": "2.0", "method": "eth_subscription", "params": body}))


class RpcHub:
    """All JSON-RPC sessions of a node."""

    def __init__(self) -> None:
        self.sessions: dict[RpcSession, None] = {}
        self.inclusions = Inclusions()

    def publish_block(self, header: AnyHeader, rows: Sequence[PlacedRecord]) -> None:
        """Tell of a new block, its logs and its transactions."""
        self.inclusions.publish(rows)
        head = header_json(header)
        for session in list(self.sessions):
            for name, subscription in session.subscriptions.items():
                if subscription.kind == "newHeads":
                    session.notify(name, head)
                elif subscription.kind == "logs" and _covers(subscription, header):
                    for log in logs_of_block(header, tuple(rows), subscription.wanted):
                        session.notify(name, log)

    def publish_pending(self, tx_hash: Hash32, raw: bytes) -> None:
        """Tell of a transaction that entered the pool here."""
        whole: Any = None
        for session in list(self.sessions):
            for name, subscription in session.subscriptions.items():
                if subscription.kind != "newPendingTransactions":
                    continue
                if subscription.full and whole is None:
                    whole = pending_transaction_json(decode_transaction(raw))
                session.notify(name, whole if subscription.full else hex_bytes(tx_hash))


def _covers(subscription: Subscription, header: AnyHeader) -> bool:
    return subscription.wanted is None or subscription.wanted.covers(header.number)


async def subscribe(context: Context, kind: Any, options: Any = None) -> str:
    session = _session(context)
    if kind == "logs":
        return session.subscribe(Subscription(kind, new_logs_filter(options)))
    if kind == "newPendingTransactions":
        return session.subscribe(Subscription(kind, full=boolean(options)))
    if kind in ("newHeads", "syncing"):
        return session.subscribe(Subscription(kind))
    raise RpcError(METHOD_NOT_FOUND, f'no "{str(kind)[:32]}" subscription in eth namespace')


async def unsubscribe(context: Context, name: Any) -> bool:
    session = _session(context)
    if not isinstance(name, str) or session.subscriptions.pop(name, None) is None:
        raise RpcError(SERVER_ERROR, "subscription not found")
    return True


def _session(context: Context) -> RpcSession:
    if context.session is None:
        raise RpcError(METHOD_NOT_FOUND, "notifications not supported: connect by WebSocket")
    assert isinstance(context.session, RpcSession)
    return context.session
