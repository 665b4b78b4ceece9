"""Connect a node to its peers: the relay, its sockets and the node's items, on a separate thread."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from coinone.base.primitives.errors import CoinoneError, InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.node.clock import system_entropy
from coinone.node.keys import load_or_make_transport_key
from coinone.node.network.addresses import PeerAddress
from coinone.node.network.handshakes import Identity
from coinone.node.network.peers import Item, PeerNetwork
from coinone.node.node import Node
from coinone.node.storage.storage import Storage
from coinone.node.views.published import SubscriberQueue
from coinone.protocols.relay.ahead import CheckSigned
from coinone.protocols.relay.effects import Head
from coinone.protocols.relay.relay import Relay
from coinone.protocols.secure_channel.handshake import KeyPair
from coinone.rules.consensus.federation import Federation, check_certified, check_seal
from coinone.rules.ledger.batch import CertifiedBatch

log = structlog.get_logger(__name__)

START_TIMEOUT_S = 10.0


class BlockSource:
    """The encoded batches and blocks that a node can serve to peers, from its log and its blocks."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def batch(self, seq: int) -> bytes | None:
        return self._storage.batch(seq)

    def batches(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]:
        return _unbroken(self.batch, range(first, first + count), bytes_max)

    def blocks(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]:
        return _unbroken(self._storage.blocks.block, range(first, first + count), bytes_max)


def _unbroken(read: Callable[[int], bytes | None], numbers: range, bytes_max: int) -> list[bytes]:
    """Items up to the first gap or `bytes_max`, but at least one however large."""
    items: list[bytes] = []
    for number in numbers:
        item = read(number)
        if item is None or (items and bytes_max < len(item)):
            break
        items.append(item)
        bytes_max -= len(item)
    return items


def checker_of(chain_id: int, federation: Federation) -> CheckSigned:
    """A check that raises InvalidInput unless the federation signed a batch or a member sealed a block."""

    def check(item: Item) -> None:
        if isinstance(item, CertifiedBatch):
            check_certified(item, chain_id, federation)
        else:
            check_seal(item.seal, item.hash, federation)

    return check


def _identity_of(node: Node) -> Identity:
    """Raises StorageError if the key file is damaged or readable by others."""
    first = node.archive.header(0)
    assert first is not None, "a chain has block 0"
    key = load_or_make_transport_key(node.data_dir, system_entropy)
    return Identity(node.network.chain_id, first.hash, KeyPair(key))


class PeersSeen(NamedTuple):
    """The number of connected nodes, the greatest block number that a followed node reports, and the public key that
    this node proves to them."""

    connected: int
    best_number: int
    own_key: bytes | None = None


NOBODY_SEEN = PeersSeen(0, 0)


class Peering:
    """The peer thread of a node. Start it after the node and stop it before."""

    def __init__(self, node: Node, listen: socket.socket | None, follow: Sequence[PeerAddress]) -> None:
        self._node = node
        self._listen = listen
        self._follow = follow
        self._identity = _identity_of(node)
        self._shelves = BlockSource(node.storage)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._started = threading.Event()
        self._network: PeerNetwork | None = None
        self._thread = threading.Thread(target=self._run, name="coinone-peers", daemon=True)

    @property
    def public_key(self) -> bytes:
        """The key that this node proves to its peers."""
        return self._identity.public_key

    @property
    def port(self) -> int | None:
        """The port that accepts peers, if any."""
        return self._network.port if self._network else None

    @property
    def seen(self) -> PeersSeen:
        """The connected peers; from any thread."""
        network = self._network
        if network is None:
            return NOBODY_SEEN
        return PeersSeen(network.peers, network.best_number, self.public_key)

    def start(self) -> None:
        self._thread.start()
        self._started.wait(START_TIMEOUT_S)

    def stop(self) -> None:
        loop, ending = self._loop, self._ending
        if loop is not None and ending is not None and self._thread.is_alive():
            loop.call_soon_threadsafe(ending.set)
            self._thread.join(START_TIMEOUT_S)

    def _run(self) -> None:
        asyncio.run(self._converse())

    async def _converse(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        node = self._node
        subscription = node.subscribe()
        view = await node.query(lambda reader: (reader.chain.cursor.seq, reader.head.number))
        chain_id, genesis = node.network.chain_id, encode(node.genesis)
        check = checker_of(chain_id, node.genesis.federation)
        # One of several members gets batches by votes, and makes the blocks itself.
        attest = node.attest if node.is_one_of_several else None
        relay = Relay(
            chain_id,
            genesis,
            self._shelves,
            Head(*view),
            check,
            node.genesis.federation,
            attest,
            attest is None,
        )
        self._network = PeerNetwork(relay, self._apply, self._loop_ms, self._identity, self._hear)
        await self._network.start(self._listen, self._follow)
        if node.is_one_of_several:
            node.speak_through(self._say)
        self._started.set()
        telling = asyncio.ensure_future(self._tell(Head(*view), subscription))
        await self._ending.wait()
        telling.cancel()
        await self._network.stop()
        subscription.close()

    def _loop_ms(self) -> int:
        assert self._loop is not None
        return int(self._loop.time() * 1000)

    async def _apply(self, item: Item) -> None:
        """Pass a peer's item to the node. A halted or stopping node accepts no more, and blames nobody."""
        try:
            await self._node.follow(item)
        except (CoinoneError, AssertionError) as error:
            if self._node.halted is None:
                raise
            log.error("node halted while following", reason=str(error))
            await asyncio.Event().wait()

    async def _hear(self, member: int, payload: bytes) -> None:
        """Hand the node what another member said. A halted or stopping node hears nothing more, and blames nobody."""
        if self._node.halted is not None:
            return
        try:
            await self._node.hear(member, payload)
        except InvalidInput:
            raise
        except Exception as error:
            log.error("node stopped hearing members", reason=str(error))

    def _say(self, member: int | None, payload: bytes) -> None:
        """Send what this member says. Called on the executor's thread."""
        assert self._loop is not None and self._network is not None, "it has started"
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the node is about to
            self._loop.call_soon_threadsafe(self._network.say, member, payload)

    async def _tell(self, told: Head, subscription: SubscriberQueue) -> None:
        """Announce what this node makes; items from peers are passed on by the relay itself."""
        if self._node.follows:
            return
        assert self._network is not None
        async for published in subscription:
            for seq in range(told.seq + 1, published.seq + 1):
                raw = self._shelves.batch(seq)
                if raw is not None:
                    self._network.published(decode(CertifiedBatch, raw))
            told = Head(max(told.seq, published.seq), told.number)
            for new in published.blocks:
                self._network.published(new.block)
