"""What leaves the executor: outcomes of submitted transactions, and what each batch did for the streams."""

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
    """The final answer to an exchange action: durable when it is given."""

    tx_hash: Hash32
    seq: int
    status: str  # "executed" | "failed" | "skipped": forced by a block, and changed nothing
    answer: Answer
    error: str
    time_ms: int

    @property
    def response(self) -> Response | None:
        """As of an Outcome; made where it is wanted, not on the thread that makes batches."""
        return self.answer() if callable(self.answer) else self.answer


@dataclass(frozen=True, slots=True)
class NewBlock:
    block: Block
    rows: tuple[PlacedRecord, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """One batch (or a block sealed between two: then `events`, `outcomes` and `records` are empty)."""

    seq: int
    time_ms: int
    view: View
    events: EventLog = field(default_factory=EventLog)
    outcomes: tuple[Outcome, ...] = ()
    records: tuple[TransactionRecord, ...] = ()
    skipped: tuple[tuple[Hash32, str], ...] = ()
    blocks: tuple[NewBlock, ...] = ()
    rewound: bool = False  # dev's evm_revert: what was published after this batch is void


class Subscription:
    """A bounded queue on the subscriber's event loop. One who lags too far is closed, not fed with holes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Published | None] = asyncio.Queue()
        self.closed = False

    def __aiter__(self) -> "Subscription":
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
        """From the executor's thread. False if the subscriber is gone."""
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
