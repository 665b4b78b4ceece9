"""Queue and run simulated calls in two processes: one for short jobs and one for long ones.

Nearly every honest call takes milliseconds. So each job first gets a short processor time in the quick process; one
that needs longer restarts in the patient one, with geth's time limit for a call. A sender of long calls thus delays
short ones by that short time only, and in both processes every sender gets the same share.
"""

import asyncio
import logging
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from coinone.base.primitives.errors import LimitExceeded
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.admission.fair_queue import FairQueue
from coinone.interfaces.api.admission.sender import PURSE, Sender, unless_left
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.ethereum.calls.worker import (
    Desk,
    Job,
    OutOfTime,
    Question,
    Stopwatch,
    T,
    Work,
    start_worker,
)
from coinone.interfaces.api.ethereum.chain.reads import ChainReads
from coinone.interfaces.api.ethereum.chain.served import ServedNode
from coinone.interfaces.api.ethereum.json.errors import SERVER_ERROR, RpcError
from coinone.interfaces.api.limits import (
    CALL_OVERRUN_S,
    CALL_QUICK_S,
    CALL_TIMEOUT_S,
    CALLS_PER_SENDER_MAX,
    CALLS_WAITING_MAX,
)
from coinone.node.executor.workers import START_TIMEOUT_S, Servant, WorkerLost
from coinone.node.storage.lmdb_store import LmdbStore
from coinone.node.views.pending import PendingBatch

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Asked:
    """A waiting job, with the batches it is to see, the share and purse of its sender, and the future of its result."""

    share: Hashable
    work: Any
    job: Any
    batches: tuple[PendingBatch, ...]
    purse: TokenBucket | None = field(default_factory=PURSE.get)
    answer: "asyncio.Future[Any]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Lane:
    """A queue and the process that serves it; `limit_s` is the time limit of a job."""

    def __init__(self, node: ServedNode, limit_s: float, of_processor: bool, first: Work[None, None]) -> None:
        self.queue: FairQueue[_Asked] = FairQueue(CALLS_WAITING_MAX, CALLS_PER_SENDER_MAX)
        self.limit_s = limit_s
        self._of_processor = of_processor
        begin = Question(first, None, START_TIMEOUT_S, False)
        self._servant = Servant(start_worker, node.data_dir, node.network, node.engine.name, begin)
        self._thread = ThreadPoolExecutor(1, "calls")
        self._sent: dict[Hash32, None] = {}  # batches that the process holds
        self._starts = 0  # the process's start count at that time

    async def start(self) -> None:
        """Start the process and wait until it is ready."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._servant.start)

    async def run(self, asked: _Asked) -> Any:
        """Run a job in the process. Raises OutOfTime, RpcError, and whatever the job raises."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, asked)
        except WorkerLost as error:
            log.warning("a process for calls was replaced: %s", error)
            raise RpcError(SERVER_ERROR, "execution aborted: the call's process ended; try again") from error

    def close(self) -> None:
        self._servant.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _ask(self, asked: _Asked) -> Any:
        self._servant.start()
        if self._starts != self._servant.starts:
            self._starts, self._sent = self._servant.starts, {}
        hashes = tuple(batch.hash for batch in asked.batches)
        news = tuple(batch for batch in asked.batches if batch.hash not in self._sent)
        if hashes:
            self._sent = dict.fromkeys(hashes)
        question = Question(asked.work, asked.job, self.limit_s, self._of_processor, hashes, news)
        return self._servant.ask(question, self.limit_s + CALL_OVERRUN_S)


class Lanes:
    """Runs jobs on a node's store. For one event loop only."""

    def __init__(self, node: ServedNode, reads: ChainReads, first: Work[None, None]) -> None:
        """`first` is run by each process before it is ready."""
        self._node = node
        self._reads = reads
        self.quick = Lane(node, CALL_QUICK_S, True, first)
        self.patient = Lane(node, CALL_TIMEOUT_S, False, first)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start what most calls need before any request is admitted; the other process starts with the first long
        job."""
        if self._has_processes:
            await self.quick.start()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.quick.close()
        self.patient.close()

    async def run(
        self, work: Work[Job, T], job: Job, sender: Sender, batches: tuple[PendingBatch, ...] = ()
    ) -> T:
        """Return the result of `work` for `job`. Raises RpcError if it takes too long or its sender has too many
        waiting, HttpError if the sender leaves, and whatever the work raises."""
        if not self._has_processes:
            return await self._run_here(work, job, batches)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._serve(lane)) for lane in (self.quick, self.patient)]
        asked = _Asked(sender.share, work, job, batches)
        self._enqueue(self.quick, asked)
        try:
            found: T = await unless_left(sender, _wait(asked.answer))
            return found
        finally:
            asked.answer.cancel()
            self.quick.queue.remove(asked.share, asked)
            self.patient.queue.remove(asked.share, asked)

    @property
    def _has_processes(self) -> bool:
        return isinstance(self._node.storage.store, LmdbStore)  # a memory store has no other readers

    async def _run_here(self, work: Work[Job, T], job: Job, batches: tuple[PendingBatch, ...]) -> T:
        def run() -> T:
            with self._reads.snapshot() as snapshot:
                node, budget = self._node, Stopwatch(CALL_TIMEOUT_S)
                return work(job, Desk(snapshot, node.network, budget, node.engine, batches))

        try:
            return await self._reads.in_thread(run)
        except OutOfTime:
            raise timed_out() from None

    async def _serve(self, lane: Lane) -> None:
        while True:
            asked = await lane.queue.next()
            if asked.answer.done():  # its sender has left
                continue
            try:
                if asked.purse is not None:
                    asked.purse.require_read()  # a trace may be 25 MB
                _settle(asked, await lane.run(asked))
            except OutOfTime:
                self._too_long(lane, asked)
            except Exception as error:
                _fail(asked, error)

    def _too_long(self, lane: Lane, asked: _Asked) -> None:
        if lane is self.patient:
            _fail(asked, timed_out())
            return
        try:
            self._enqueue(self.patient, asked)
        except LimitExceeded as error:
            _fail(asked, error)

    def _enqueue(self, lane: Lane, asked: _Asked) -> None:
        """Queue a job. Raises LimitExceeded."""
        lost = lane.queue.put(asked.share, asked)
        if lost is not None:
            _fail(lost, LimitExceeded("too many calls at once: try again", most=CALLS_WAITING_MAX))


def timed_out() -> RpcError:
    return RpcError(SERVER_ERROR, f"execution aborted (timeout = {CALL_TIMEOUT_S:g}s)")


async def _wait(answer: "asyncio.Future[T]") -> T:
    return await answer


def _settle(asked: _Asked, value: Any) -> None:
    if not asked.answer.done():
        asked.answer.set_result(value)


def _fail(asked: _Asked, error: Exception) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(error)
