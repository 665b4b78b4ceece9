"""Peer connections over plain TCP on loopback: bytes from sockets to `Relay` events and back.

One task reads a socket, and one queue and task write it; a peer whose queue is full is dropped, so a slow reader costs
bounded memory. The relay decides; this module moves bytes and passes the time. Connections are not encrypted yet (D9),
which is why anything but loopback is refused.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog

from coinone.base.primitives.errors import InvalidInput, NotSupported
from coinone.protocols.relay.effects import Deliver, Drop, Effect, Send
from coinone.protocols.relay.framing import FrameReader, frame
from coinone.protocols.relay.limits import HELLO_BYTES_MAX
from coinone.protocols.relay.messages import Goodbye, encode_message
from coinone.protocols.relay.relay import Relay
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block

log = structlog.get_logger(__name__)

READ_BYTES = 65_536
OUTBOX_BYTES_MAX = 32_000_000  # per peer, two of the largest answers; with more it is dropped as too slow
HELD_BYTES_MAX = 128_000_000  # of all peers, unsent or incomplete; beyond, the peer with the most is dropped
LOGGED_PER_MINUTE = (
    60  # log lines about peers, since a stranger can connect and be dropped any number of times
)
TICK_S = 0.5
RECONNECT_S = 2.0
FAREWELL_BYTES_MAX = (
    1_000_000  # unsent at a goodbye; with more, the socket is closed immediately to free memory
)
FAREWELL_S = 2.0  # to read a goodbye; then the socket is closed
CONNECT_TIMEOUT_S = 5.0

Item = CertifiedBatch | Block
Apply = Callable[[Item], Awaitable[None]]  # raises InvalidInput if the item breaks a rule
NowMs = Callable[[], int]


@dataclass(frozen=True, slots=True)
class PeerAddress:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_endpoint(text: str) -> PeerAddress:
    """Parse HOST:PORT on loopback. Raises InvalidInput, or NotSupported for another machine."""
    host, separator, port = text.rpartition(":")
    host = host.strip("[]")
    if not separator or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise InvalidInput("a peer is written HOST:PORT, such as 127.0.0.1:30301", have=text)
    require_loopback(host)
    return PeerAddress(host, int(port))


def require_loopback(host: str) -> None:
    with contextlib.suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return
    raise NotSupported("peer connections are not encrypted yet: loopback addresses only", have=host)


class _Lines:
    """A rate limit for log lines about peers, since every connection of a stranger causes one."""

    def __init__(self, now_ms: NowMs) -> None:
        self._now_ms = now_ms
        self._minute = self._count = 0

    def info(self, event: str, **fields: object) -> None:
        minute = self._now_ms() // 60_000
        if minute != self._minute:
            if self._count > LOGGED_PER_MINUTE:
                log.info("lines about peers left out", count=self._count - LOGGED_PER_MINUTE)
            self._minute, self._count = minute, 0
        self._count += 1
        if self._count <= LOGGED_PER_MINUTE:
            log.info(event, **fields)


class _Connection:
    """One socket: frames in, and frames out through a bounded queue."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queued = 0
        self.frames = FrameReader(HELLO_BYTES_MAX)

    @property
    def unsent(self) -> int:
        """Bytes queued here and in the transport's buffer, which may hold a whole frame."""
        return self._queued + self._writer.transport.get_write_buffer_size()

    @property
    def held(self) -> int:
        """Bytes held for this peer, in both directions."""
        return self.unsent + self.frames.held

    def send(self, payload: bytes) -> bool:
        """Queue a frame; False if the peer is too slow to take it."""
        if self.unsent + len(payload) > OUTBOX_BYTES_MAX:
            return False
        self._queued += len(payload)
        self._queue.put_nowait(frame(payload))
        return True

    def finish(self) -> None:
        """Close after the queue is written or FAREWELL_S have passed; immediately if much is unread."""
        self._queue.put_nowait(None)
        if self.unsent > FAREWELL_BYTES_MAX:
            self._writer.transport.abort()
            return
        asyncio.get_running_loop().call_later(FAREWELL_S, self._writer.transport.abort)

    async def write(self) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while (data := await self._queue.get()) is not None:
                self._queued -= len(data) - 4
                self._writer.write(data)
                await self._writer.drain()
        self._writer.close()


class PeerNetwork:
    """Accept and open peer connections for a relay. Runs on one event loop."""

    def __init__(self, relay: Relay, apply: Apply, now_ms: NowMs) -> None:
        self._relay = relay
        self._apply = apply
        self._now_ms = now_ms
        self._lines = _Lines(now_ms)
        self._connections: dict[int, _Connection] = {}
        self._next_peer = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._deliveries: asyncio.Queue[Deliver] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int | None:
        """The port it listens on, if any."""
        return self._server.sockets[0].getsockname()[1] if self._server else None

    @property
    def peers(self) -> int:
        return self._relay.peers

    @property
    def best_number(self) -> int:
        """The greatest block number that a followed peer reports (see the relay)."""
        return self._relay.best_number

    async def start(self, listen: socket.socket | None, follow: Sequence[PeerAddress]) -> None:
        """Start; `listen` is bound to a loopback address."""
        if listen is not None:
            require_loopback(listen.getsockname()[0])
            self._server = await asyncio.start_server(self._accept, sock=listen)
        self._spawn(self._tick())
        self._spawn(self._deliver())
        for endpoint in follow:
            self._spawn(self._follow(endpoint))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.values()):
            connection.send(encode_message(Goodbye("shutting down")))
            connection.finish()
        await asyncio.sleep(0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def published(self, item: Item) -> None:
        """Announce an item that this node made. Call on the event loop."""
        self._carry_out(self._relay.published(item, self._now_ms()))
        self._bound_memory()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._converse(reader, writer)

    async def _follow(self, endpoint: PeerAddress) -> None:
        """Keep a connection to `endpoint` open, reconnecting indefinitely."""
        while True:
            try:
                opening = asyncio.open_connection(endpoint.host, endpoint.port)
                reader, writer = await asyncio.wait_for(opening, CONNECT_TIMEOUT_S)
            except (OSError, TimeoutError):
                self._lines.info("peer not reached", peer=str(endpoint), retry_s=RECONNECT_S)
            else:
                await self._converse(reader, writer, ours=True)
            await asyncio.sleep(RECONNECT_S)

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ours: bool = False
    ) -> None:
        """Run one connection from hello to end."""
        peer, self._next_peer = self._next_peer, self._next_peer + 1
        connection = self._connections[peer] = _Connection(writer)
        self._spawn(connection.write())
        self._carry_out(self._relay.connected(peer, self._now_ms(), ours))
        try:
            while peer in self._connections and (data := await reader.read(READ_BYTES)):
                for payload in connection.frames.receive(data):
                    self._carry_out(self._relay.received(peer, payload, self._now_ms()))
                    connection.frames.most = self._relay.frame_max(peer)
                self._bound_memory()
        except InvalidInput as error:
            self._drop(Drop(peer, str(error), fault=True))
        except (ConnectionError, OSError):
            pass
        finally:
            self._close(peer)
            self._carry_out(self._relay.closed(peer, self._now_ms()))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._carry_out(self._relay.tick(self._now_ms()))

    async def _deliver(self) -> None:
        """Apply the items that the relay delivers, one after another."""
        while True:
            delivery = await self._deliveries.get()
            try:
                await self._apply(delivery.item)
            except InvalidInput as error:
                self._lines.info("peer sent an invalid item", peer=delivery.peer, reason=str(error))
                self._carry_out(self._relay.refused(str(error), self._now_ms()))
            else:
                self._carry_out(self._relay.delivered(self._now_ms()))

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Deliver():
                    self._deliveries.put_nowait(effect)
                case Drop():
                    self._drop(effect)
                case Send():
                    self._send(effect)
                case _:
                    assert_never(effect)

    def _send(self, effect: Send) -> None:
        connection = self._connections.get(effect.peer)
        if connection is not None and not connection.send(encode_message(effect.message)):
            self._drop(Drop(effect.peer, "too slow", fault=False))
            self._carry_out(self._relay.closed(effect.peer, self._now_ms()))

    def _bound_memory(self) -> None:
        """Enforce the bound on memory for all peers together."""
        while sum(connection.held for connection in self._connections.values()) > HELD_BYTES_MAX:
            greedy = max(self._connections, key=lambda peer: self._connections[peer].held)
            self._drop(Drop(greedy, "holds too much of this node's memory", fault=False))
            self._carry_out(self._relay.closed(greedy, self._now_ms()))

    def _drop(self, drop: Drop) -> None:
        connection = self._connections.get(drop.peer)
        if connection is None:
            return
        self._lines.info("peer dropped", peer=drop.peer, reason=drop.reason, fault=drop.fault)
        connection.send(encode_message(Goodbye(drop.reason)))
        self._close(drop.peer)

    def _close(self, peer: int) -> None:
        connection = self._connections.pop(peer, None)
        if connection is not None:
            connection.finish()
