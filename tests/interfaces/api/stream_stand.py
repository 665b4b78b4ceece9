"""The streams of a node, for tests that decide when a batch closes, when it is published, and what comes in between."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np

from coinone.interfaces.api.exchange.channels.account_states import STATE_NAMES
from coinone.interfaces.api.exchange.channels.feed import ChannelFeed
from coinone.interfaces.api.exchange.info.histories import Histories
from coinone.interfaces.api.exchange.info.market_data import MarketData
from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.sockets.hub import Connection, Hub, Key
from coinone.node.networks import load_network
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import MemoryStore
from coinone.rules.exchange.events.event_log import EventLog, Trades
from coinone.rules.exchange.events.events import Event, Fill, FillSide, FundingPayment, LedgerUpdate
from coinone.rules.exchange.events.orders import OrderUpdate
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import FILL, UPDATE

START_MS = 1_700_000_040_000  # a full minute
ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20
USER = ALICE.hex()


def idle_rows() -> list[Any]:
    """The dev network's markets as in a view before anything is known of them."""
    known = {
        "mark": 0,
        "oracle": 0,
        "funding_rate": 0,
        "open_interest": 0,
        "last_px": 0,
        "bids": (),
        "asks": (),
    }
    return [
        SimpleNamespace(name=one.name, sz_decimals=one.sz_decimals, max_leverage=one.max_leverage, **known)
        for one in load_network("dev").markets
    ]


class Listener(Connection):
    """What one client was sent."""

    def __init__(self) -> None:
        super().__init__(self)  # type: ignore[arg-type]
        self.messages: list[Any] = []

    def queue(self, frame: bytes) -> None:
        payload = frame[{126: 4, 127: 10}.get(frame[1], 2) :]
        self.messages.append(msgspec.json.decode(payload))

    def cut(self) -> None:
        self.open = False


class Stand:
    """The streams of a node: batches that happen are in its history, and are told when the test says so."""

    def __init__(self, path: Path) -> None:
        network = load_network("dev")
        self.history = Storage(MemoryStore(), FileDisk(path), b"dev", os.urandom).history
        self.data = MarketData()
        self.hub = Hub(STATE_NAMES)
        self.batches: list[EventLog] = []
        self.told = 0
        self.meanwhile: Callable[[], Any] | None = None  # happens while something is read
        histories = Histories(self.history, lambda: self.data.coins)
        queries = SimpleNamespace(run=self.query)
        threads = self.in_thread, self.in_thread
        sources = Sources(network, self.data, queries, histories, *threads)  # type: ignore[arg-type]
        self.feed = ChannelFeed(self.hub, sources)
        self.data.adopt(self.view(0))

    def view(self, seq: int) -> Any:
        return SimpleNamespace(seq=seq, time_ms=START_MS + seq, markets=idle_rows())

    def happen(self, *make: Callable[[int, int], Event]) -> None:
        """A batch of these events, made of its number and time."""
        seq = len(self.batches) + 1
        self.batches.append(EventLog([event(seq, START_MS + seq) for event in make]))
        self.history.add_batch(seq, self.batches[-1])

    async def tell(self) -> None:
        """The next batch that happened."""
        self.told += 1
        events = self.batches[self.told - 1]
        self.data.adopt(self.view(self.told), events)
        await self.feed.on_batch(events)

    async def query(self, read: Callable[[Any], Any]) -> Any:
        seq = len(self.batches)
        cursor = SimpleNamespace(seq=seq, time_ms=START_MS + seq)
        found = read(SimpleNamespace(exchange=None, chain=SimpleNamespace(cursor=cursor)))
        await self._pass()
        return found

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        await self._pass()
        return work()

    async def _pass(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()

    async def subscribe(self, key: Key, listener: Listener | None = None) -> list[Any]:
        """The messages of a new listener: these, and those that will come."""
        listener = listener or Listener()
        self.hub.subscribe(listener, key)
        self.hub.begin(listener, key, await self.feed.snapshot(key))
        return listener.messages


def fill(tid: int, px: int = 100) -> Callable[[int, int], Fill]:
    taker, maker = FillSide(ALICE, tid, 0, 0, 0, 0), FillSide(BOB, 1, 0, 0, 0, 0)
    return lambda seq, time_ms: Fill(seq, time_ms, tid, 0, px, 1, True, taker, maker, bytes(32))


def funding(amount: int) -> Callable[[int, int], FundingPayment]:
    """Of the hour before, whichever batch pays for it."""
    return lambda seq, time_ms: FundingPayment(seq, START_MS - 10 + amount, ALICE, 0, 5, 7, amount, 9)


def deposit(amount: int) -> Callable[[int, int], LedgerUpdate]:
    return lambda seq, time_ms: LedgerUpdate(seq, time_ms, ALICE, "deposit", amount, BOB, bytes(32))


def ended(oid: int) -> Callable[[int, int], OrderUpdate]:
    return lambda seq, time_ms: OrderUpdate(
        seq, time_ms, ALICE, oid, 0, 0, True, 100, 0, 1, "Gtc", False, START_MS, "filled"
    )


def of_a_sweep(count: int) -> Trades:
    """Alice takes `count` orders of Bob's, the other way round every third time, and each is an update of one of them;
    every fifth fill is of another market."""
    fills, updates = np.zeros(count, FILL), np.zeros(count, UPDATE)
    places = np.arange(count)
    fills["tid"], fills["px"], fills["sz"] = places, 100, 1
    fills["market"] = places % 5 == 0
    fills["taker"], fills["maker"] = places % 3 == 0, places % 3 != 0
    updates["account"], updates["oid"], updates["status"] = places % 2, places, Status.CANCELED
    addresses = np.frombuffer(ALICE + BOB, np.uint8).reshape(2, 20)
    return Trades(1, START_MS + 1, fills, updates, addresses, [0, count], [bytes(32)])
