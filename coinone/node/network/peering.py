"""A node among its peers: the relay, its sockets, and what the node makes or takes, on a thread of its
own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from coinone.base.primitives.errors import CoinoneError
from coinone.base.primitives.records import decode
from coinone.node.network.peers import Endpoint, Item, PeerNetwork
from coinone.node.node import Node
from coinone.node.storage.storage import Storage
from coinone.node.views.published import Subscription
from coinone.protocols.relay.relay import CheckSigned, Head, Relay
from coinone.rules.consensus.federation import Federation, check_certified, check_seal
from coinone.rules.ledger.batch import CertifiedBatch

log = structlog.get_logger(__name__)

START_TIMEOUT_S = 10.0


class Shelves:
    """What a node can serve: batches from the log or from its blocks, and blocks, as they lie on disk."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def batch(self, seq: int) -> bytes | None:
        return self._storage.log.batches.get(seq) or self._storage.blocks.batch(seq)

    def batches(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]:
        return _unbroken(self.batch, range(first, first + count), bytes_max)

    def blocks(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]:
        return _unbroken(self._storage.blocks.block, range(first, first + count), bytes_max)


def _unbroken(read: Callable[[int], bytes | None], numbers: range, bytes_max: int) -> list[bytes]:
    """Items from the first on, up to the first gap, and at least one however large it is."""
    items: list[bytes] = []
    for number in numbers:
        item = read(number)
        if item is None or (items and bytes_max < len(item)):
            break
        items.append(item)
        bytes_max -= len(item)
    return items


def checker_of(chain_id: int, federation: Federation) -> CheckSigned:
    """What raises InvalidInput unless the federation signed a batch, or one of its members sealed a block."""

    def check(item: Item) -> None:
        if isinstance(item, CertifiedBatch):
            check_certified(item, chain_id, federation)
        else:
            check_seal(item.seal, item.hash, federation)

    return check


class PeersSeen(NamedTuple):
    """How many nodes are connected, and the greatest number of a block that one of those we follow says it has."""

    connected: int
    best_number: int


NOBODY_SEEN = PeersSeen(0, 0)


class Peering:
    """Start after the node, stop before it."""

    def __init__(self, node: Node, listen: socket.socket | None, follow: Sequence[Endpoint]) -> None:
        self._node = node
        self._listen = listen
        self._follow = follow
        self._shelves = Shelves(node.storage)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._started = threading.Event()
        self._network: PeerNetwork | None = None
        self._thread = threading.Thread(target=self._run, name="coinone-peers", daemon=True)

    @property
    def port(self) -> int | None:
        """Where peers are listened for."""
        return self._network.port if self._network else None

    @property
    def seen(self) -> PeersSeen:
        """From any thread."""
        network = self._network
        return NOBODY_SEEN if network is None else PeersSeen(network.peers, network.best_number)

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
        chain_id, genesis = node.network.chain_id, node.genesis.encode()
        check = checker_of(chain_id, node.genesis.federation)
        relay = Relay(chain_id, genesis, self._shelves, Head(*view), check)
        self._network = PeerNetwork(relay, self._apply, lambda: int(self._loop_ms()))
        await self._network.start(self._listen, self._follow)
        self._started.set()
        telling = asyncio.ensure_future(self._tell(Head(*view), subscription))
        await self._ending.wait()
        telling.cancel()
        await self._network.stop()
        subscription.close()

    def _loop_ms(self) -> float:
        assert self._loop is not None
        return self._loop.time() * 1000

    async def _apply(self, item: Item) -> None:
        """Hand an item of a peer to the node. A halted or stopping node takes no more, and blames nobody."""
        try:
            await self._node.follow(item)
        except (CoinoneError, AssertionError) as error:
            if self._node.halted is None:
                raise
            log.error("node halted while following", reason=str(error))
            await asyncio.Event().wait()

    async def _tell(self, told: Head, subscription: Subscription) -> None:
        """Pass on what this node makes; what it took from a peer, the relay passes on itself."""
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
