"""Yield the interface's thread, which serves all clients, during long work: after a number of rows.

Rows are counted instead of time: yielding lets everything on the event loop run first, so small work never yields.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

from coinone.interfaces.api.limits import WS_ROWS_PER_TURN

T = TypeVar("T")


class Turns:
    """The turns of one piece of work; `before` is called before each yield."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        self._rows = 0

    async def each(self, rows: Iterable[T]) -> AsyncIterator[T]:
        for row in rows:
            yield row
            if self._is_over(1):
                await asyncio.sleep(0)

    async def collect(self, rows: Iterable[T]) -> list[T]:
        """Collect rows that are made lazily."""
        return [row async for row in self.each(rows)]

    async def after(self, rows: int) -> None:
        """Count work that took as long as so many rows."""
        if self._is_over(rows):
            await asyncio.sleep(0)

    def _is_over(self, rows: int) -> bool:
        self._rows += rows
        if self._rows < WS_ROWS_PER_TURN:
            return False
        self._rows = 0
        self._before()
        return True
