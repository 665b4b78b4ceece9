"""Group many small reads into one visit to the executor.

A read of exchange rows takes microseconds on the executor's thread, but getting there and back costs two thread
switches, up to milliseconds under load. So reads that arrive during a visit wait and share the next one: a single read
runs immediately; a hundred together cost about as much as one. A sender of many reads delays others by one read only:
senders take turns, each has a bounded number waiting, and reads of senders that have left are skipped.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.fair_queue import FairQueue
from coinone.interfaces.api.admission.sender import SHARE
from coinone.interfaces.api.limits import (
    QUERIES_PER_VISIT,
    QUERIES_WAITING_MAX,
    QUERY_VISIT_S,
    READS_PER_SENDER_MAX,
)

T = TypeVar("T")
R = TypeVar("R", covariant=True)  # the reader that a read gets


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    who: Hashable
    read: Callable[[Any], Any]
    answer: "asyncio.Future[Any]"


class InThread(Protocol):
    """Runs a long read of the store in another thread, off the event loop."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]: ...


class Queried(Protocol[R]):
    """The part of a node that is queried here."""

    async def query(self, fn: Callable[[R], T]) -> T: ...


class Queries(Generic[R]):
    """Runs reads on a node's executor. For one event loop only."""

    def __init__(self, node: Queried[R]) -> None:
        self._node = node
        self._waiting: FairQueue[_Asked] = FairQueue(QUERIES_WAITING_MAX, READS_PER_SENDER_MAX)
        self._visit: asyncio.Task[None] | None = None

    async def run(self, read: Callable[[R], T]) -> T:
        """Return the result of `read`, run between two batches. Raises LimitExceeded if too many wait."""
        asked = _Asked(SHARE.get(), read, asyncio.get_running_loop().create_future())
        lost = self._waiting.put(asked.who, asked)
        if lost is not None and not lost.answer.done():
            lost.answer.set_exception(
                LimitExceeded("node is overloaded, try again", most=QUERIES_WAITING_MAX)
            )
        if self._visit is None:
            self._visit = asyncio.create_task(self._visits())
        try:
            result: T = await asked.answer
        except asyncio.CancelledError:  # its sender has left
            self._waiting.remove(asked.who, asked)
            raise
        return result

    async def _visits(self) -> None:
        try:
            while asked := self._take():
                count = await self._visit_with(asked)
                served = {one.who for one in asked[:count]}
                for left_over in reversed(asked[count:]):
                    self._waiting.put_back(left_over.who, left_over, left_over.who in served)
        finally:
            self._visit = None

    def _take(self) -> list[_Asked]:
        """The reads that are next in turn, without those whose senders have left."""
        taken: list[_Asked] = []
        while len(self._waiting) and len(taken) < QUERIES_PER_VISIT:
            asked = self._waiting.pop()
            if not asked.answer.done():
                taken.append(asked)
        return taken

    async def _visit_with(self, taken: list[_Asked]) -> int:
        """Answer the first of them; return how many were answered."""

        def visit(reader: object) -> list[Any]:
            results, until = [], time.perf_counter() + QUERY_VISIT_S
            for asked in taken:
                results.append(None if asked.answer.done() else _attempt(asked.read, reader))
                if time.perf_counter() > until:
                    break
            return results

        try:
            results = await self._node.query(visit)
        except Exception as error:  # the executor refused: every caller gets its error
            results = [error] * len(taken)
        for asked, result in zip(taken, results, strict=False):
            if asked.answer.done():  # its sender has left
                continue
            if isinstance(result, Exception):
                asked.answer.set_exception(result)
            else:
                asked.answer.set_result(result)
        return len(results)


def _attempt(read: Callable[[Any], Any], reader: object) -> Any:
    """A read's result or its exception: a failing read must not affect the others."""
    try:
        return read(reader)
    except Exception as error:
        return error
