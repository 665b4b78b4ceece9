"""Many small reads, one visit to the executor.

A read of exchange rows takes microseconds on the executor's thread, but getting there and back costs two thread
switches, up to milliseconds under load. So reads that arrive while a visit is under way wait and make the next
one together: alone, a read goes at once; a hundred at a time cost about as much as one. Whoever asks for much at once
delays others by one read of theirs: senders take turns, each has a bounded number waiting, and what its sender has left
is not read.
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
R = TypeVar("R", covariant=True)  # what a read is given


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    who: Hashable
    read: Callable[[Any], Any]
    answer: "asyncio.Future[Any]"


class InThread(Protocol):
    """Runs a long read of the store beside the event loop."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]: ...


class Queried(Protocol[R]):
    """A node, as far as it is asked here."""

    async def query(self, fn: Callable[[R], T]) -> T: ...


class Queries(Generic[R]):
    """Runs reads on a node's executor. On one event loop only."""

    def __init__(self, node: Queried[R]) -> None:
        self._node = node
        self._waiting: FairQueue[_Asked] = FairQueue(QUERIES_WAITING_MAX, READS_PER_SENDER_MAX)
        self._visit: asyncio.Task[None] | None = None

    async def run(self, read: Callable[[R], T]) -> T:
        """The result of `read` between two batches. Raises LimitExceeded if too many wait."""
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
        except asyncio.CancelledError:  # its sender leaves
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
        """Those whose turn it is, and who have not left."""
        taken: list[_Asked] = []
        while len(self._waiting) and len(taken) < QUERIES_PER_VISIT:
            asked = self._waiting.pop()
            if not asked.answer.done():
                taken.append(asked)
        return taken

    async def _visit_with(self, taken: list[_Asked]) -> int:
        """Answer the first of them; returns how many were."""

        def visit(reader: object) -> list[Any]:
            results, until = [], time.perf_counter() + QUERY_VISIT_S
            for asked in taken:
                results.append(None if asked.answer.done() else _attempt(asked.read, reader))
                if time.perf_counter() > until:
                    break
            return results

        try:
            results = await self._node.query(visit)
        except Exception as error:  # the executor refused: everybody who asked is told
            results = [error] * len(taken)
        for asked, result in zip(taken, results, strict=False):
            if asked.answer.done():  # its sender went away
                continue
            if isinstance(result, Exception):
                asked.answer.set_exception(result)
            else:
                asked.answer.set_result(result)
        return len(results)


def _attempt(read: Callable[[Any], Any], reader: object) -> Any:
    """A read's result or its exception: one that fails must not spoil the others'."""
    try:
        return read(reader)
    except Exception as error:
        return error
