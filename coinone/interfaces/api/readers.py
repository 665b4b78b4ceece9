"""Long reads beside the interface's event loop: few threads, in which every sender has the same share.

Histories, logs, old states and explorer pages all wait here. One sender's reads take turns with everybody else's, so
that they delay others by one of their own; the long ones come back for each part of their work (log_methods.py).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.fair_queue import FairQueue
from coinone.interfaces.api.limits import QUERIES_WAITING_MAX
from coinone.interfaces.api.sender import SHARE

T = TypeVar("T")
READER_THREADS = 2  # so that many callers cannot starve the batches of processor time
_Waiting = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Readers:
    """On one event loop only."""

    def __init__(self, threads: int = READER_THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, "api-read")
        self._queue: FairQueue[_Waiting] = FairQueue(QUERIES_WAITING_MAX, QUERIES_WAITING_MAX)
        self._free = threads
        self._closed = False

    def close(self) -> None:
        """Who still waits is cancelled."""
        self._closed = True
        self._begin()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, when the sender's turn has come. Raises LimitExceeded where too many wait."""
        waiting: _Waiting = (work, asyncio.get_running_loop().create_future())
        lost = self._queue.put(SHARE.get(), waiting)
        if lost is not None and not lost[1].done():
            lost[1].set_exception(LimitExceeded("too many reads at once: wait for answers first"))
        self._begin()
        result: T = await waiting[1]
        return result

    def _begin(self) -> None:
        while (self._free or self._closed) and len(self._queue):
            work, answer = self._queue.pop()
            if self._closed:
                answer.cancel()
            if answer.done():  # who asked has left
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
