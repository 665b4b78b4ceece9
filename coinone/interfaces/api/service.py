"""The service behind both listeners: JSON-RPC methods, exchange queries and actions, streams.

One task reads what the node publishes after each batch and distributes it: first to the market data, then to the
subscribers. It runs on the interface's event loop, like everything here, and never waits for work that clients can
delay: otherwise the published prices would be stale.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from coinone import __version__
from coinone.base.primitives.errors import InvalidInput, LimitExceeded, StorageError
from coinone.base.primitives.parse import format_bytes
from coinone.interfaces.api.admission.queries import Queries
from coinone.interfaces.api.admission.sender import address_of, share_of
from coinone.interfaces.api.admission.weights import Bill, RateLimits, TokenBucket, action_weight
from coinone.interfaces.api.ethereum.rpc import EthereumRpc
from coinone.interfaces.api.ethereum.table import methods_of
from coinone.interfaces.api.exchange.actions import ActionHandler
from coinone.interfaces.api.exchange.channels.account_states import STATE_NAMES
from coinone.interfaces.api.exchange.channels.feed import ChannelFeed
from coinone.interfaces.api.exchange.channels.session import Session
from coinone.interfaces.api.exchange.channels.table import CHANNELS, parse_subscription
from coinone.interfaces.api.exchange.info.histories import Histories
from coinone.interfaces.api.exchange.info.info import Info
from coinone.interfaces.api.exchange.info.market_data import MarketData
from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.explorer.feed import ExplorerFeed
from coinone.interfaces.api.explorer.pages import Explorer
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.http.asgi import HttpError, Scope
from coinone.interfaces.api.limits import BATCHES_BEHIND_MAX, WS_SMALL_BYTES, WS_SNAPSHOT_BYTES_PER_WEIGHT
from coinone.interfaces.api.metrics import Metrics
from coinone.interfaces.api.recent import RecentOutcomes
from coinone.interfaces.api.sockets.hub import Connection, FirstMessages, Hub, Key
from coinone.interfaces.api.sockets.links import StreamLink
from coinone.node.compiling import contract_runs
from coinone.node.dev.tools import Dev
from coinone.node.health import Health, health_of
from coinone.node.network.peering import PeersSeen
from coinone.node.node import Node
from coinone.node.views.published import Published, SubscriberQueue

log = logging.getLogger(__name__)


class Service:
    """The public interface of one node."""

    def __init__(self, node: Node, peers: Callable[[], PeersSeen], request_weight: int) -> None:
        self.node = node
        self._peers = peers
        self._weights = RateLimits(request_weight)
        self.metrics = Metrics()
        self.data = MarketData()
        histories = Histories(node.history, lambda: self.data.coins.of(node.view.markets))
        self.queries = Queries(node)
        dev = Dev(node) if node.network.is_dev else None
        self.rpc = EthereumRpc(node, self.queries, methods_of(node.network), peers, dev)
        in_thread, in_slow_thread = self.rpc.reads.in_thread, self.rpc.reads.in_slow_thread
        sources = Sources(node.network, self.data, self.queries, histories, in_thread, in_slow_thread)
        self.info = Info(sources)
        self.relay = ActionHandler(node, in_thread)
        self.hub = Hub(STATE_NAMES)
        self.feed = ChannelFeed(self.hub, sources)
        self.metrics.peers.set_function(lambda: peers().connected)
        self.metrics.healthy.set_function(lambda: self._judged(peers().connected).status == "ok")
        self.metrics.count("coinone_info_requests", "Requests to /info by type", "type", self.info.answered)
        self.metrics.count(
            "coinone_rpc_requests", "JSON-RPC calls by method", "method", self.rpc.dispatcher.calls
        )
        text = "Contract calls with --vm jit, compiled or interpreted (sampled, 1 in 16)"
        self.metrics.count("coinone_contract_runs", text, "as", contract_runs(node.engine))
        self.recent = RecentOutcomes()
        self.explorer = Explorer(node, self.queries, in_thread, self.data, histories, self.recent)
        self.explorer_feed = ExplorerFeed(self.hub, self.explorer, in_thread)
        self._pump: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load the node's view and follow it."""
        await self.rpc.start()
        subscription = self.node.subscribe()
        self.data.begin(self.node.view, self.node.history)
        self._pump = asyncio.create_task(self._follow(subscription))

    async def stop(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        self.explorer_feed.close()
        self.rpc.close()

    async def _follow(self, subscription: SubscriberQueue) -> None:
        while True:
            published = await subscription.get()
            try:
                if published is None:
                    subscription = self._begin_anew()
                else:
                    await self._take(published)
            except StorageError:  # the node has stopped; its view remains readable
                return
            except Exception:  # one bad message must not end all streams
                log.exception("publishing a batch failed")

    def _begin_anew(self) -> SubscriberQueue:
        """Restart from the node's view after lagging too far: batches were missed, here and by all subscribers."""
        subscription = self.node.subscribe()
        self.hub.cut_all()
        self.rpc.hub.cut_all()
        self.feed.reset()
        self.explorer_feed.reset()
        self.data.begin(self.node.view, self.node.history)
        return subscription

    async def _take(self, published: Published) -> None:
        started = time.perf_counter()
        self.recent.take(published)
        listed = len(self.data.coins.all)
        if published.rewound:
            self.data.begin(self.node.view, self.node.history)
            self.feed.reset()
            self.explorer_feed.reset()
        self.data.adopt(published.view, published.events)
        if len(self.data.coins.all) < listed:
            self.hub.cut_all()  # the rewind took back a market that some may listen to
        for block in published.blocks:
            self.rpc.hub.publish_block(block.block.header, block.rows)
        if not published.blocks and not published.rewound:
            self.explorer_feed.on_batch(published.seq)
        before = self.hub.messages_sent
        await self.feed.on_batch(published.events)
        self.metrics.fanout_seconds.observe(time.perf_counter() - started)
        self.metrics.ws_messages.inc(self.hub.messages_sent - before)
        self.metrics.ws_connections.set(len(self.hub.connections))
        self.metrics.batch_seq.set(self.data.seq)
        self.metrics.batch_age.set(self.data.time_ms)
        self.metrics.block_number.set(self.data.view.head.number)

    # Requests of the exchange's listener

    def purse(self, scope: Scope) -> TokenBucket:
        """The purse of a connection's address."""
        return self._weights.purse(address_of(scope))

    async def act_bytes(self, body: bytes, purse: TokenBucket) -> bytes:
        """Answer POST /exchange. Raises HttpError for a body that is not a JSON object, or if the purse does not
        allow it."""
        try:
            purse.require()
        except LimitExceeded as error:
            raise HttpError(429, str(error)) from error
        try:
            purse.admit(len(body))
            request = jsonio.decode(body)
        except InvalidInput as error:
            purse.spend(1)
            raise HttpError(422, str(error)) from error
        return jsonio.encode(await self._act_paid(request, len(body), purse))

    async def act(self, request: Any, size: int, purse: TokenBucket) -> Any:
        """Answer an action of `size` bytes. Raises LimitExceeded if the purse does not allow it."""
        purse.require()
        return await self._act_paid(request, size, purse)

    async def _act_paid(self, request: Any, size: int, purse: TokenBucket) -> Any:
        purse.spend(action_weight(request, size))
        started = time.perf_counter()
        answer = await self.relay.act(request, size)
        self.metrics.action_seconds.observe(time.perf_counter() - started)
        self.metrics.actions.labels(answer["status"]).inc()
        return answer

    def health(self) -> dict[str, Any]:
        """The node's health, for people and supervisors."""
        view, peers = self.node.view, self._peers()
        health = self._judged(peers.connected)
        return {
            "status": health.status,
            "reason": health.reason,
            "network": self.node.network.name,
            "chainId": self.node.network.chain_id,
            "batch": view.seq,
            "told": self.data.seq,
            "time": view.time_ms,
            "clock": self.node.clock_ms,
            "peers": peers.connected,
            "member": self.node.member_number,
            "leader": self.node.leader,
            "peerKey": None if peers.own_key is None else format_bytes(peers.own_key),
            "block": view.head.number,
            "blockHash": "0x" + view.head.hash.hex(),
            "version": __version__,
        }

    def _judged(self, peers: int) -> Health:
        """The health of the node and of the interface, whose data may be older."""
        health, behind = health_of(self.node, peers), self.node.view.seq - self.data.seq
        if health.status == "ok" and behind > BATCHES_BEHIND_MAX:
            return Health("late", f"the interface is {behind} batches behind the newest")
        return health

    def exchange_session(self, link: StreamLink, scope: Scope) -> Session:
        connection = Connection(link, share_of(scope))
        return Session(connection, self.hub, _StreamBackend(self, self.purse(scope)))


class _StreamBackend:
    """The service's functions for an exchange WebSocket session."""

    def __init__(self, service: Service, purse: TokenBucket) -> None:
        self._service = service
        self._purse = purse

    def admit(self, size: int) -> None:
        """Pay for reading a message of `size` bytes. Raises LimitExceeded."""
        if size > WS_SMALL_BYTES:
            self._purse.require()
        self._purse.admit(size)

    def refused(self) -> None:
        """Charge a refused message: reading it took as long as reading another. An address that has nothing left is
        not charged, so that it has something again."""
        with contextlib.suppress(LimitExceeded):
            self._purse.require()
            self._purse.spend(1)

    def key_of(self, subscription: Any) -> Key:
        return parse_subscription(subscription, self._service.data.coins)

    def require(self) -> None:
        self._purse.require()

    async def snapshot(self, key: Key) -> FirstMessages:
        """A new subscriber's first messages, paid for by size: resubscribing reads a history each time."""
        self._purse.spend(CHANNELS[key[0]].weight)  # whatever its outcome
        first = await self._service.feed.snapshot(key)
        self._purse.spend(sum(map(len, first.messages)) // WS_SNAPSHOT_BYTES_PER_WEIGHT)
        return first

    def admit_info(self, request: Any) -> Bill:
        return self._service.info.admit(request, self._purse)

    async def info(self, request: Any, bill: Bill) -> Any:
        return await self._service.info.answer(request, bill)

    async def act(self, request: Any, size: int) -> Any:
        return await self._service.act(request, size, self._purse)
