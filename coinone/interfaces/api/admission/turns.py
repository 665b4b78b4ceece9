"""Long work on the interface's thread, which serves everybody: after some rows of it others have a turn.

Rows are counted, not time: a turn costs everything that waits on the event loop, so small work gives none away.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

from coinone.interfaces.api.limits import WS_ROWS_PER_TURN

T = TypeVar("T")


class Turns:
    """Of one piece of work; `before` is called each time before others have their turn."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        self._rows = 0

    async def each(self, rows: Iterable[T]) -> AsyncIterator[T]:
        for row in rows:
            yield row
            if self._is_over(1):
                await asyncio.sleep(0)

    async def collect(self, rows: Iterable[T]) -> list[T]:
        """For rows that are made as they are asked for."""
        return [row async for row in self.each(rows)]

    async def after(self, rows: int) -> None:
        """Something was made that took as long as so many rows."""
        if self._is_over(rows):
            await asyncio.sleep(0)

    def _is_over(self, rows: int) -> bool:
        self._rows += rows
        if self._rows < WS_ROWS_PER_TURN:
            return False
        self._rows = 0
        self._before()
        return True
