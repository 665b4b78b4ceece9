"""Many small reads, one visit to the executor.

A read of exchange rows takes microseconds on the executor's thread, but getting there and back costs two thread
switches, up to milliseconds under load. So reads that arrive while a visit is under way wait and make the next
one together: alone, a read goes at once; a hundred at a time cost about as much as one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.limits import QUERIES_PER_VISIT, QUERIES_WAITING_MAX, QUERY_VISIT_S

T = TypeVar("T")
R = TypeVar("R", covariant=True)  # what a read is given
_Asked = tuple[Callable[[Any], Any], "asyncio.Future[Any]"]


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
        self._waiting: list[_Asked] = []
        self._visit: asyncio.Task[None] | None = None

    async def run(self, read: Callable[[R], T]) -> T:
        """The result of `read` between two batches. Raises LimitExceeded if too many wait."""
        if len(self._waiting) >= QUERIES_WAITING_MAX:
            raise LimitExceeded("node is overloaded, try again", most=QUERIES_WAITING_MAX)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((read, answer))
        if self._visit is None:
            self._visit = asyncio.create_task(self._visits())
        return await answer

    async def _visits(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:QUERIES_PER_VISIT], self._waiting[QUERIES_PER_VISIT:]
                self._waiting = asked[await self._visit_with(asked) :] + self._waiting
        finally:
            self._visit = None

    async def _visit_with(self, asked: list[_Asked]) -> int:
        """Answer the first of them; returns how many were."""

        def visit(reader: object) -> list[Any]:
            results, until = [], time.perf_counter() + QUERY_VISIT_S
            for read, _ in asked:
                results.append(_attempt(read, reader))
                if time.perf_counter() > until:
                    break
            return results

        try:
            results = await self._node.query(visit)
        except Exception as error:  # the executor refused: everybody who asked is told
            results = [error] * len(asked)
        for (_, answer), result in zip(asked, results, strict=False):
            if answer.done():  # its caller went away
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
        return len(results)


def _attempt(read: Callable[[Any], Any], reader: object) -> Any:
    """A read's result or its exception: one that fails must not spoil the others'."""
    try:
        return read(reader)
    except Exception as error:
        return error
