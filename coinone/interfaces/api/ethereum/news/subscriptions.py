"""eth_subscribe: newHeads, logs and newPendingTransactions over WebSocket.

A notification is sent when the block is on disk, so that a client can request the block. Every subscription has its own
id in its messages, so each message is framed separately.
"""

import asyncio
import logging
import secrets
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.admission.owners import site_of
from coinone.interfaces.api.admission.sender import NOBODY, Sender
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.dispatch import Dispatcher
from coinone.interfaces.api.ethereum.inclusions import Inclusions
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader, header_json
from coinone.interfaces.api.ethereum.json.errors import (
    LIMIT_EXCEEDED,
    METHOD_NOT_FOUND,
    SERVER_ERROR,
    RpcError,
)
from coinone.interfaces.api.ethereum.json.log_filter import LogFilter
from coinone.interfaces.api.ethereum.json.params import boolean
from coinone.interfaces.api.ethereum.methods.logs import new_logs_filter
from coinone.interfaces.api.ethereum.news.heads import HeadNews
from coinone.interfaces.api.ethereum.news.logs import Listener, LogNews
from coinone.interfaces.api.ethereum.news.pending import PendingNews
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.http.asgi import Receive, Send
from coinone.interfaces.api.http.guard import Caller
from coinone.interfaces.api.limits import (
    RPC_CALLS_IN_FLIGHT_MAX,
    RPC_FILTER_ENTRIES_MAX,
    RPC_FILTER_ENTRIES_PER_SITE_MAX,
    RPC_STREAMS_PER_SENDER_MAX,
    RPC_STREAMS_PER_SITE_MAX,
    RPC_SUBSCRIPTIONS_MAX,
)
from coinone.interfaces.api.sockets.hub import Connection
from coinone.rules.ledger.placed import PlacedRecord
from coinone.rules.state.steps import Steps

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    kind: str  # "newHeads" | "logs" | "newPendingTransactions"
    wanted: LogFilter | None = None  # of logs
    full: bool = False  # whole transactions instead of hashes

    @property
    def entries(self) -> int:
        """The size that it counts as."""
        return 1 if self.wanted is None else self.wanted.entries


class RpcSession:
    """One JSON-RPC WebSocket connection."""

    def __init__(
        self,
        connection: Connection,
        dispatcher: Dispatcher,
        caller: Caller,
        hub: "RpcHub",
        purse: TokenBucket,
        sender: Sender = NOBODY,
    ) -> None:
        self.connection = connection
        self.subscriptions: dict[str, Subscription] = {}
        self._by_kind: defaultdict[str, dict[str, Subscription]] = defaultdict(dict)
        self._dispatcher = dispatcher
        self._caller = caller
        self._hub = hub
        self._purse = purse
        self._sender = sender
        self._free = asyncio.Semaphore(RPC_CALLS_IN_FLIGHT_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve until the client leaves. Calls run concurrently, so that a slow one does not delay others."""
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
            for name in list(self.subscriptions):
                self.unsubscribe(name)
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

    @property
    def share(self) -> Hashable:
        return self._sender.share

    def subscribe(self, subscription: Subscription) -> str:
        if len(self.subscriptions) >= RPC_SUBSCRIPTIONS_MAX:
            raise RpcError(LIMIT_EXCEEDED, f"too many subscriptions (most {RPC_SUBSCRIPTIONS_MAX})")
        self._hub.check_room(self.share, subscription)
        name = "0x" + secrets.token_hex(16)
        self.subscriptions[name] = self._by_kind[subscription.kind][name] = subscription
        self._hub.count(self.share, subscription, 1)
        return name

    def unsubscribe(self, name: str) -> bool:
        """Remove a subscription; false if it does not exist."""
        left = self.subscriptions.pop(name, None)
        if left is None:
            return False
        del self._by_kind[left.kind][name]
        self._hub.count(self.share, left, -1)
        return True

    def of_kind(self, kind: str) -> dict[str, Subscription]:
        """The session's subscriptions of a kind, by name."""
        return self._by_kind[kind]

    @property
    def heads_waiting(self) -> int:
        return self._hub.head_news.waiting(self)

    def tell_heads(self) -> Steps[None]:
        return self._hub.head_news.tell(self)

    def listens(self, name: str) -> bool:
        """Whether the subscription is still open."""
        return self.connection.open and name in self.subscriptions

    def notify(self, name: str, result: bytes, at_once: bool = True) -> None:
        """Send a result, already encoded as JSON, unless the connection was cut. It is written with later messages
        unless `at_once`; then `flush` must follow. A session that fails is cut, and later ones are notified all the
        same."""
        if self.connection.open:
            head = (
                b'{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"%s","result":'
                % name.encode()
            )
            try:
                send = self.connection.send if at_once else self.connection.hold
                send(head + result + b"}}")
            except Exception:
                log.exception("notifying a subscriber failed")
                self.cut()

    def flush(self) -> None:
        """Write the messages that were held back."""
        try:
            self.connection.flush()
        except Exception:
            log.exception("notifying a subscriber failed")
            self.cut()

    def cut(self) -> None:
        """Cut the connection, which missed messages."""
        self.connection.cut()


class RpcHub:
    """All JSON-RPC sessions of a node."""

    def __init__(self) -> None:
        self.sessions: dict[RpcSession, None] = {}
        self._entries: Counter[Hashable] = Counter()  # by sender and by site
        self._streams: Counter[Hashable] = Counter()  # subscriptions other than to logs
        self.inclusions = Inclusions()
        self.head_news = HeadNews()
        self._log_news = LogNews()
        self._pending_news = PendingNews(self._pending_listeners)

    def check_room(self, share: Hashable, subscription: Subscription) -> None:
        """Raise RpcError if a sender, or its site, has too many subscriptions to add this one."""
        for whose, owner, entries_max, streams_max in (
            ("sender", share, RPC_FILTER_ENTRIES_MAX, RPC_STREAMS_PER_SENDER_MAX),
            ("IPv6 /48", site_of(share), RPC_FILTER_ENTRIES_PER_SITE_MAX, RPC_STREAMS_PER_SITE_MAX),
        ):
            if self._entries[owner] + subscription.entries > entries_max:
                text = (
                    f"too many addresses and topics in all subscriptions of one {whose} (most {entries_max})"
                )
                raise RpcError(LIMIT_EXCEEDED, text)
            if subscription.wanted is None and self._streams[owner] >= streams_max:
                text = (
                    f"too many subscriptions of one {whose} to blocks and transactions (most {streams_max})"
                )
                raise RpcError(LIMIT_EXCEEDED, text)

    def count(self, share: Hashable, subscription: Subscription, sign: int) -> None:
        """Add (1) or remove (-1) a subscription of a sender and its site. They are counted, since adding up all
        sessions each time would cost a millisecond, which a refused call does not pay for."""
        streams = int(subscription.wanted is None)
        for owner in {share, site_of(share)}:
            for counted, by in ((self._entries, subscription.entries), (self._streams, streams)):
                counted[owner] += sign * by
                if not counted[owner]:
                    del counted[owner]

    def cut_all(self) -> None:
        """Cut all subscribers: blocks may have been missed, and no subscription may continue without them."""
        for session in self.sessions:
            if session.subscriptions:
                session.cut()

    def publish_block(self, header: AnyHeader, rows: Sequence[PlacedRecord]) -> None:
        """Notify waiting callers of a new block's transactions immediately, and queue the block (heads.py) and then
        its logs (logs.py) for subscribers."""
        self.inclusions.publish(rows)
        heads, listeners = [], []
        for session in self.sessions:
            if names := tuple(session.of_kind("newHeads")):
                heads.append((session, names))
            for name, subscription in session.of_kind("logs").items():
                wanted = subscription.wanted
                if wanted is not None and wanted.covers(header.number):
                    listeners.append(Listener(session, name, wanted))
        self.head_news.put(jsonio.encode(header_json(header)), heads)
        self._log_news.put(header, rows, listeners)

    def publish_pending(self, tx_hash: Hash32, raw: bytes) -> None:
        """Queue a transaction that entered the pool here for subscribers (pending.py)."""
        self._pending_news.put(tx_hash, raw)

    def _pending_listeners(self) -> Iterator[tuple["RpcSession", str, bool]]:
        for session in self.sessions:
            for name, subscription in session.of_kind("newPendingTransactions").items():
                yield session, name, subscription.full


async def subscribe(context: Context, kind: Any, options: Any = None) -> str:
    session = _session(context)
    if kind == "logs":
        return session.subscribe(Subscription(kind, new_logs_filter(options)))
    if kind == "newPendingTransactions":
        return session.subscribe(Subscription(kind, full=boolean(options)))
    if kind in ("newHeads", "syncing"):
        return session.subscribe(Subscription(kind))
    raise RpcError(METHOD_NOT_FOUND, f'no "{str(kind)[:32]}" subscription in eth namespace')


async def unsubscribe(context: Context, subscription_id: Any) -> bool:
    session = _session(context)
    if not isinstance(subscription_id, str) or not session.unsubscribe(subscription_id):
        raise RpcError(SERVER_ERROR, "subscription not found")
    return True


def _session(context: Context) -> RpcSession:
    if context.session is None:
        raise RpcError(METHOD_NOT_FOUND, "notifications not supported: connect by WebSocket")
    assert isinstance(context.session, RpcSession)
    return context.session
