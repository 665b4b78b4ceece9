"""Results that leave the executor: outcomes of submitted actions, and published batches for the streams."""

import asyncio
from dataclasses import dataclass, field

from coinone.base.primitives.types import Hash32
from coinone.node.limits import SUBSCRIPTION_BATCHES_MAX
from coinone.node.views.view import View
from coinone.rules.exchange.context import Answer, Outcome, Response
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.placed import PlacedRecord
from coinone.rules.ledger.records import TransactionRecord


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The final outcome of an exchange action; durable when given."""

    tx_hash: Hash32
    seq: int
    status: str  # "executed" | "failed" | "skipped" (forced by a block, changed nothing)
    answer: Answer
    error: str
    time_ms: int

    @property
    def response(self) -> Response | None:
        """The answer for the client, computed on first use and so not on the executor."""
        return self.answer() if callable(self.answer) else self.answer


@dataclass(frozen=True, slots=True)
class NewBlock:
    block: Block
    rows: tuple[PlacedRecord, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """A batch, or a block sealed between two batches (then `events`, `outcomes` and `records` are empty)."""

    seq: int
    time_ms: int
    view: View
    events: EventLog = field(default_factory=EventLog)
    outcomes: tuple[Outcome, ...] = ()
    records: tuple[TransactionRecord, ...] = ()
    skipped: tuple[tuple[Hash32, str], ...] = ()
    blocks: tuple[NewBlock, ...] = ()
    rewound: bool = False  # dev's evm_revert: everything published after this batch is void


class SubscriberQueue:
    """A bounded queue on the subscriber's event loop. A subscriber that lags too far is closed, without gaps."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Published | None] = asyncio.Queue()
        self.closed = False

    def __aiter__(self) -> "SubscriberQueue":
        return self

    async def __anext__(self) -> Published:
        item = await self.get()
        if item is None:
            raise StopAsyncIteration
        return item

    async def get(self) -> Published | None:
        """The next batch, or None once closed."""
        if self.closed and self._queue.empty():
            return None
        return await self._queue.get()

    def push(self, item: Published | None) -> bool:
        """Queue an item, from the executor's thread. False if the subscriber is gone."""
        if self.closed or self._loop.is_closed():
            return False
        self._loop.call_soon_threadsafe(self._put, item)
        return True

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._queue.put_nowait(None)

    def _put(self, item: Published | None) -> None:
        if self.closed:
            return
        if item is None or self._queue.qsize() >= SUBSCRIPTION_BATCHES_MAX:
            self.close()
        else:
            self._queue.put_nowait(item)
