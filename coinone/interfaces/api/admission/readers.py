"""Run long reads off the event loop: in a few threads, shared fairly between senders.

Histories, logs, old states and explorer pages all wait here. Senders take turns, so that one sender's reads delay
others by one read only; long reads are queued again for each part of their work (logs.py). Reads of senders that have
left, or that do not read their answers, are skipped.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.fair_queue import FairQueue
from coinone.interfaces.api.admission.sender import PURSE, SHARE
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.limits import QUERIES_WAITING_MAX, READS_PER_SENDER_MAX

T = TypeVar("T")
READER_THREADS = 2  # so that many callers cannot starve the making of batches of processor time
_Waiting = tuple[Callable[[], Any], "asyncio.Future[Any]", TokenBucket | None]


class Readers:
    """The reading threads and their queue. For one event loop only."""

    def __init__(self, threads: int = READER_THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, "api-read")
        self._queue: FairQueue[_Waiting] = FairQueue(QUERIES_WAITING_MAX, READS_PER_SENDER_MAX)
        self._free = threads
        self._closed = False

    def close(self) -> None:
        """Stop the threads; waiting reads are cancelled."""
        self._closed = True
        self._begin()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work`, run in the sender's turn. Raises LimitExceeded if too many wait."""
        who, waiting = SHARE.get(), (work, asyncio.get_running_loop().create_future(), PURSE.get())
        lost = self._queue.put(who, waiting)
        if lost is not None and not lost[1].done():
            lost[1].set_exception(LimitExceeded("too many reads at once: wait for answers first"))
        self._begin()
        try:
            result: T = await waiting[1]
        except asyncio.CancelledError:  # its sender has left
            self._queue.remove(who, waiting)
            raise
        return result

    def _begin(self) -> None:
        while (self._free or self._closed) and len(self._queue):
            work, answer, purse = self._queue.pop()
            if self._closed:
                answer.cancel()
            if answer.done() or not _is_read(purse, answer):  # sender left, or does not read answers
                continue
            self._free -= 1
            running = answer.get_loop().run_in_executor(self._threads, work)
            running.add_done_callback(partial(self._end, answer))

    def _end(self, answer: "asyncio.Future[Any]", done: "asyncio.Future[Any]") -> None:
        self._free += 1
        error = None if done.cancelled() else done.exception()
        if answer.done():
            pass
        elif done.cancelled():
            answer.cancel()
        elif error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(done.result())
        self._begin()


def _is_read(purse: TokenBucket | None, answer: "asyncio.Future[Any]") -> bool:
    """Whether the sender reads its answers; if not, the answer is set to that error."""
    try:
        if purse is not None:
            purse.require_read()
    except LimitExceeded as error:
        answer.set_exception(error)
    return not answer.done()
