"""The explorer's streams wait for reader threads, which remote clients can keep busy; price streams do not."""

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.explorer.feed import ExplorerFeed
from coinone.interfaces.api.limits import EXPLORER_BATCHES_WAITING_MAX
from coinone.interfaces.api.service import Service
from coinone.interfaces.api.sockets.hub import Hub
from coinone.node.network.peering import NOBODY_SEEN
from coinone.node.node import Node
from coinone.node.views.published import Published
from tests.interfaces.api.stream_stand import Listener

BLOCKS, TRANSACTIONS = ("explorerBlock",), ("explorerTxs",)


class Cut(Listener):
    """A client that may be cut off."""

    def cut(self) -> None:
        self.open = False


def listener(hub: Hub, *keys: tuple[str, ...]) -> Cut:
    made = Cut()
    hub.join(made)
    for key in keys:
        hub.subscribe(made, key)
        hub.begin(made, key)
    return made


class Threads:
    """Reader threads that are busy until the test says so."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.jobs = 0
        self.error: Exception | None = None

    async def run(self, work: Any) -> Any:
        self.jobs += 1
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return work()


def feed_of(hub: Hub, threads: Threads, gone: int = -1) -> ExplorerFeed:
    """Of batches that have a transaction each; `gone` was taken back."""

    def batch(seq: int, most: int) -> Any:
        row = dict.fromkeys(("blockTime", "hash", "numTxs", "proposer"), seq)
        return None if seq == gone else {**row, "height": seq, "txs": [{"block": seq}] * min(most, 1)}

    return ExplorerFeed(hub, SimpleNamespace(batch=batch), threads.run)  # type: ignore[arg-type]


def heights(client: Cut) -> list[int]:
    return [message[0]["height"] for message in client.messages if "height" in message[0]]


def test_prices_are_told_while_strangers_keep_the_reader_threads_busy(node: Node) -> None:
    """One listener to explorerBlock, and fee histories over blocks of 40,500 logs: everybody's books were 11 to 86 s
    old, since the batch was read back before the next was taken up."""

    async def tell() -> int:
        service = Service(node, lambda: NOBODY_SEEN, 1200)
        service.data.begin(node.view, node.history)
        service.explorer_feed._in_thread = Threads().run  # type: ignore[assignment]
        listener(service.hub, BLOCKS)
        books = listener(service.hub, ("allMids", ""))
        for seq in (node.view.seq, node.view.seq):
            async with asyncio.timeout(5):
                await service._take(Published(seq, 0, node.view))
        service.explorer_feed.close()
        return len(books.messages)

    assert asyncio.run(tell()) > 0


def test_who_listens_to_the_explorer_is_told_every_batch_in_order_when_the_threads_are_free() -> None:
    async def tell() -> tuple[list[int], list[Any], int]:
        hub, threads = Hub(), Threads()
        feed, client = feed_of(hub, threads, gone=5), listener(hub, BLOCKS, TRANSACTIONS)
        for seq in range(20):
            feed.on_batch(seq)
            await asyncio.sleep(0)
        threads.free.set()
        while feed._telling is not None:
            await asyncio.sleep(0.001)
        return heights(client), [row for row in client.messages if "block" in row[0]], threads.jobs

    told, transactions, jobs = asyncio.run(tell())
    assert told == [seq for seq in range(20) if seq != 5]
    assert len(transactions) == 19
    assert jobs == 2  # the first, and all that came meanwhile


def test_who_listens_to_the_explorer_is_cut_off_where_too_many_batches_wait() -> None:
    async def tell() -> tuple[bool, bool, int]:
        hub, threads = Hub(), Threads()
        feed, client, other = feed_of(hub, threads), listener(hub, BLOCKS), listener(hub, ("allMids",))
        for seq in range(EXPLORER_BATCHES_WAITING_MAX):
            feed.on_batch(seq)
        assert client.open
        feed.on_batch(EXPLORER_BATCHES_WAITING_MAX)
        feed.close()
        return client.open, other.open, len(feed._waiting)

    assert asyncio.run(tell()) == (False, True, 0)


@pytest.mark.parametrize("error", [LimitExceeded("too many reads at once"), RuntimeError("a fault")])
def test_a_batch_that_cannot_be_read_ends_the_explorers_streams_rather_than_leaving_a_hole(
    error: Exception,
) -> None:
    async def tell() -> tuple[bool, bool]:
        hub, threads = Hub(), Threads()
        threads.error = error
        threads.free.set()
        feed, client = feed_of(hub, threads), listener(hub, BLOCKS)
        feed.on_batch(1)
        while feed._telling is not None:
            await asyncio.sleep(0.001)
        threads.error, after = None, listener(hub, BLOCKS)
        feed.on_batch(2)
        while feed._telling is not None:
            await asyncio.sleep(0.001)
        return client.open, heights(after) == [2]

    assert asyncio.run(tell()) == (False, True)


def test_what_waits_when_time_is_turned_back_is_not_told() -> None:
    async def tell() -> list[int]:
        hub, threads = Hub(), Threads()
        feed, client = feed_of(hub, threads), listener(hub, BLOCKS)
        for seq in (7, 8, 9):
            feed.on_batch(seq)
        await asyncio.sleep(0)
        feed.reset()
        feed.on_batch(7)
        threads.free.set()
        while feed._telling is not None:
            await asyncio.sleep(0.001)
        return heights(client)

    assert asyncio.run(tell()) == [7]


def test_nobody_listens_nothing_is_read() -> None:
    async def tell() -> int:
        hub, threads = Hub(), Threads()
        feed_of(hub, threads).on_batch(1)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(threads.free.wait(), 0.01)
        return threads.jobs

    assert asyncio.run(tell()) == 0
