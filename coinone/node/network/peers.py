"""Peer connections over encrypted TCP: bytes from sockets to `Relay` events and back.

A connection begins with its handshake (`handshakes`); the relay hears of a peer when its channel is open. Then one
task reads the socket, and one queue and task write it (`connection`); a peer whose queue is full is dropped, so a slow
reader costs bounded memory. Messages of members wait for the node (`hearing`), and their connections with them. The
relay decides; this module moves bytes and passes the time.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

import structlog

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import format_bytes
from coinone.node.network.addresses import PeerAddress, owner_of
from coinone.node.network.connection import PeerConnection
from coinone.node.network.handshakes import Handshakes, Identity, open_channel
from coinone.node.network.hearing import Hear, Hearing
from coinone.protocols.relay.effects import Deliver, Drop, Effect, Heard, Proved, Send
from coinone.protocols.relay.messages import Goodbye, encode_message
from coinone.protocols.relay.relay import Relay
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block

log = structlog.get_logger(__name__)

READ_BYTES = 65_536
HELD_BYTES_MAX = 128_000_000  # of all peers, unsent or incomplete; beyond, the peer with the most is dropped
PEERS_PER_ADDRESS_MAX = 16  # a quarter of the places: one address alone does not keep the others out
# Log lines about peers, since a stranger can connect and be dropped any number of times.
LOGGED_PER_MINUTE = 60
TICK_S = 0.5
RECONNECT_S = 2.0
CONNECT_TIMEOUT_S = 5.0

Item = CertifiedBatch | Block
Apply = Callable[[Item], Awaitable[None]]  # raises InvalidInput if the item breaks a rule
NowMs = Callable[[], int]


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


class PeerNetwork:
    """Accept and open peer connections for a relay. Runs on one event loop."""

    def __init__(
        self, relay: Relay, apply: Apply, now_ms: NowMs, identity: Identity, hear: Hear | None = None
    ) -> None:
        """`hear` is needed if the relay is one of several members'."""
        self._relay = relay
        self._apply = apply
        self._now_ms = now_ms
        self._identity = identity
        self._lines = _Lines(now_ms)
        self._handshakes = Handshakes(now_ms)
        self._incoming: Counter[str] = Counter()  # peers by the owner of their address
        self._connections: dict[int, PeerConnection] = {}
        self._next_peer = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._hearing = Hearing(hear or _deaf, self._refuse, self._spawn)
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

    @property
    def members(self) -> list[int]:
        """The other members that are connected; from any thread."""
        return self._relay.members

    async def start(self, listen: socket.socket | None, follow: Sequence[PeerAddress]) -> None:
        if listen is not None:
            self._server = await asyncio.start_server(self._accept, sock=listen)
        self._spawn(self._tick())
        self._spawn(self._deliver())
        for endpoint in follow:
            self._spawn(self._follow(endpoint))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._handshakes.cut_all()
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

    def say(self, member: int | None, payload: bytes) -> None:
        """Send a message to a member, or to all others (see the relay). Call on the event loop."""
        self._carry_out(self._relay.say(member, payload))
        self._bound_memory()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = writer.get_extra_info("peername")
        if name is None:  # it has left already
            writer.transport.abort()
            return
        address, owner = PeerAddress(*name[:2]), owner_of(name[0])
        if not self._handshakes.admits(owner):
            self._lines.info("peer refused", address=str(address), reason="too many handshakes a second")
            writer.transport.abort()
            return
        with self._handshakes.place(writer, owner):
            connection = await self._opened(reader, writer, address, initiates=False)
        if connection is None:
            return
        if self._incoming[owner] >= PEERS_PER_ADDRESS_MAX:
            reason = "too many peers of one address"
            self._lines.info("peer refused", address=str(address), reason=reason)
            connection.send(encode_message(Goodbye(reason)))
            connection.finish()
            await connection.write()
            return
        self._incoming[owner] += 1
        try:
            await self._converse(reader, connection, address, ours=False)
        finally:
            self._incoming -= Counter((owner,))  # keeps no owner with none

    async def _follow(self, endpoint: PeerAddress) -> None:
        """Keep a connection to `endpoint` open, reconnecting indefinitely."""
        while True:
            try:
                opening = asyncio.open_connection(endpoint.host, endpoint.port)
                reader, writer = await asyncio.wait_for(opening, CONNECT_TIMEOUT_S)
            except (OSError, TimeoutError):
                self._lines.info("peer not reached", peer=str(endpoint), retry_s=RECONNECT_S)
            else:
                connection = await self._opened(reader, writer, endpoint, initiates=True)
                if connection is not None:
                    await self._converse(reader, connection, endpoint, ours=True)
            await asyncio.sleep(RECONNECT_S)

    async def _opened(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        address: PeerAddress,
        initiates: bool,
    ) -> PeerConnection | None:
        """The connection with its channel open; None, and closed, if there is no handshake with this peer."""
        try:
            channel = await open_channel(reader, writer, self._identity.opening(initiates, address.key))
        except (InvalidInput, OSError) as error:
            self._lines.info("peer refused", address=str(address), reason=str(error))
            writer.close()
            return None
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        return PeerConnection(writer, channel)

    async def _converse(
        self, reader: asyncio.StreamReader, connection: PeerConnection, address: PeerAddress, ours: bool
    ) -> None:
        """Run one connection from hello to end."""
        peer, self._next_peer = self._next_peer, self._next_peer + 1
        key, pinned = format_bytes(connection.peer_key), address.key is not None
        self._lines.info("peer connected", peer=peer, address=str(address), key=key, pinned=pinned)
        self._connections[peer] = connection
        self._spawn(connection.write())
        self._carry_out(self._relay.connected(peer, self._now_ms(), ours, connection.handshake_hash))
        try:
            while peer in self._connections and (data := await reader.read(READ_BYTES)):
                for payload in connection.receive(data):
                    self._carry_out(self._relay.received(peer, payload, self._now_ms()))
                    connection.frames.most = self._relay.frame_max(peer)
                    await self._room(peer)
                self._bound_memory()
        except InvalidInput as error:
            self._drop(Drop(peer, str(error), fault=True))
        except OSError:
            pass
        finally:
            self._close(peer)
            self._carry_out(self._relay.closed(peer, self._now_ms()))

    async def _room(self, peer: int) -> None:
        """Wait until the node has room for another message of this peer, if it is a member, or it is gone."""
        while (member := self._relay.member_of(peer)) is not None and self._hearing.is_full(member):
            await self._hearing.change()

    def _refuse(self, heard: Heard, error: InvalidInput) -> None:
        """The node found that a member's message is its sender's fault."""
        self._drop(Drop(heard.peer, f"member {heard.member}: {error}", fault=True))
        self._carry_out(self._relay.closed(heard.peer, self._now_ms()))

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
                case Heard():
                    self._hearing.put(effect)
                case Proved(peer, member):
                    self._lines.info("peer is a member", peer=peer, member=member)
                case _:
                    assert_never(effect)

    def _send(self, effect: Send) -> None:
        connection = self._connections.get(effect.peer)
        if connection is not None and not connection.send(encode_message(effect.message)):
            self._drop(Drop(effect.peer, "too slow", fault=False))
            self._carry_out(self._relay.closed(effect.peer, self._now_ms()))

    def _bound_memory(self) -> None:
        """Enforce the bound on memory for all peers together."""
        while sum(map(self._held, self._connections)) > HELD_BYTES_MAX:
            greedy = max(self._connections, key=self._held)
            self._hearing.discard(greedy)
            self._drop(Drop(greedy, "holds too much of this node's memory", fault=False))
            self._carry_out(self._relay.closed(greedy, self._now_ms()))

    def _held(self, peer: int) -> int:
        return self._connections[peer].held + self._hearing.held(peer)

    def _drop(self, drop: Drop) -> None:
        if drop.fault:
            self._hearing.discard(drop.peer)
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
        self._hearing.notify()  # its reader may wait for room


async def _deaf(member: int, payload: bytes) -> None:
    raise AssertionError("only one of several members is handed messages")
