"""eth_subscribe: newHeads, logs and newPendingTransactions over WebSocket.

A notification goes out when the block is on disk, so a client that asks for the block finds it. Every
subscription has an id of its own in its messages, so each is framed for itself.
"""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api import jsonio
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.dispatch import Dispatcher
from coinone.interfaces.api.ethereum.errors import LIMIT_EXCEEDED, METHOD_NOT_FOUND, SERVER_ERROR, RpcError
from coinone.interfaces.api.ethereum.format import AnyHeader, header_json, hex_bytes, log_json
from coinone.interfaces.api.ethereum.inclusions import Inclusions
from coinone.interfaces.api.ethereum.log_filter import LogFilter
from coinone.interfaces.api.ethereum.log_methods import new_logs_filter
from coinone.interfaces.api.ethereum.params import boolean
from coinone.interfaces.api.ethereum.transaction_format import pending_transaction_json
from coinone.interfaces.api.guard import Caller
from coinone.interfaces.api.http import Receive, Send
from coinone.interfaces.api.limits import (
    RPC_CALLS_IN_FLIGHT_MAX,
    RPC_FILTER_ENTRIES_MAX,
    RPC_SUBSCRIPTIONS_MAX,
)
from coinone.interfaces.api.sender import NOBODY, Sender
from coinone.interfaces.api.weights import Purse
from coinone.interfaces.api.ws.hub import Connection
from coinone.rules.chain.ethereum.transaction import decode_transaction
from coinone.rules.chain.receipts import PlacedRecord
from coinone.rules.vm import Log


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
            await self.connection.answer(answer)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()

    def subscribe(self, subscription: Subscription) -> str:
        if len(self.subscriptions) >= RPC_SUBSCRIPTIONS_MAX:
            raise RpcError(LIMIT_EXCEEDED, f"too many subscriptions (most {RPC_SUBSCRIPTIONS_MAX})")
        held = [*self.subscriptions.values(), subscription]
        if sum(one.wanted.size for one in held if one.wanted is not None) > RPC_FILTER_ENTRIES_MAX:
            text = f"too many addresses and topics in all subscriptions (most {RPC_FILTER_ENTRIES_MAX})"
            raise RpcError(LIMIT_EXCEEDED, text)
        name = "0x" + secrets.token_hex(16)
        self.subscriptions[name] = subscription
        return name

    def notify(self, name: str, results: Iterable[bytes]) -> None:
        """Tell of each of the results, which are JSON already; no more once the connection was cut."""
        head = (
            b'{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"%s","result":'
            % name.encode()
        )
        for result in results:
            if not self.connection.open:
                return
            self.connection.send(head + result + b"}}")


class RpcHub:
    """All JSON-RPC sessions of a node."""

    def __init__(self) -> None:
        self.sessions: dict[RpcSession, None] = {}
        self.inclusions = Inclusions()

    def cut_all(self) -> None:
        """Blocks may have been missed: no subscription goes on without them."""
        for session in self.sessions:
            if session.subscriptions:
                session.connection.cut()

    def publish_block(self, header: AnyHeader, rows: Sequence[PlacedRecord]) -> None:
        """Tell of a new block, its logs and its transactions. Each log is made into JSON once, whoever listens."""
        self.inclusions.publish(rows)
        head, logs, told = (jsonio.encode(header_json(header)),), _Logs(header, rows), {}
        for session in list(self.sessions):
            for name, subscription in session.subscriptions.items():
                wanted = subscription.wanted
                if subscription.kind == "newHeads":
                    session.notify(name, head)
                elif subscription.kind == "logs" and (wanted is None or wanted.covers(header.number)):
                    asked = None if wanted is None else (wanted.addresses, wanted.topics)
                    if asked not in told:
                        told[asked] = logs.matching(wanted)
                    session.notify(name, told[asked])

    def publish_pending(self, tx_hash: Hash32, raw: bytes) -> None:
        """Tell of a transaction that entered the pool here."""
        hashed, whole = jsonio.encode(hex_bytes(tx_hash)), b""
        for session in list(self.sessions):
            for name, subscription in session.subscriptions.items():
                if subscription.kind != "newPendingTransactions":
                    continue
                if subscription.full and not whole:
                    whole = jsonio.encode(pending_transaction_json(decode_transaction(raw)))
                session.notify(name, (whole if subscription.full else hashed,))


class _Logs:
    """The logs of a block as JSON, made when somebody first asks."""

    def __init__(self, header: AnyHeader, rows: Sequence[PlacedRecord]) -> None:
        self._header, self._rows = header, rows
        self._made: list[tuple[Log, bytes]] | None = None

    def matching(self, wanted: LogFilter | None) -> list[bytes]:
        if self._made is None:
            self._made = [
                (
                    log,
                    jsonio.encode(
                        log_json(log, self._header, row.record.hash, row.index, row.first_log_index + n)
                    ),
                )
                for row in self._rows
                for n, log in enumerate(row.record.logs)
            ]
        return [made for log, made in self._made if wanted is None or wanted.matches(log.address, log.topics)]


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
