"""A queue in which everybody has the same share, however much one asks for.

Whoever waits is served in turns: one item of each, whatever the order they came in. Nobody may have more
than a bounded number waiting, and where the whole queue is full, room is made by the one who has most.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable, Mapping, Sized
from typing import Generic, TypeVar

from coinone.base.primitives.errors import LimitExceeded

T = TypeVar("T")


def greediest(held: Mapping[Hashable, Sized], own: int, refusal: Exception) -> Hashable:
    """Who has most of a full store, and makes room there for somebody who has `own`. Raises `refusal` where nobody has
    more than the newcomer would have then: equals do not push each other out."""
    greedy = max(held, key=lambda each: len(held[each]))
    if len(held[greedy]) <= own + 1:
        raise refusal
    return greedy


class FairQueue(Generic[T]):
    """On one event loop only."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._waiting: OrderedDict[Hashable, deque[T]] = OrderedDict()
        self._size = 0
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return self._size

    def put(self, who: Hashable, item: T) -> T | None:
        """Let `item` wait. Returns the item, of another, that lost its place to it. Raises LimitExceeded."""
        own = len(self._waiting.get(who, ()))
        if own >= self._most_each:
            raise LimitExceeded("too many calls at once: wait for answers first", most=self._most_each)
        lost = self._make_room(own) if self._size >= self._most else None
        self._waiting.setdefault(who, deque()).append(item)
        self._size += 1
        self._filled.set()
        return lost

    async def next(self) -> T:
        """The item whose turn it is; waits for one."""
        await self._filled.wait()
        return self.pop()

    def pop(self) -> T:
        """The item whose turn it is; there is one."""
        who, items = next(iter(self._waiting.items()))
        item = items.popleft()
        self._waiting.move_to_end(who)
        self._shrunk(who)
        return item

    def put_back(self, who: Hashable, item: T, had_turn: bool) -> None:
        """An item that was taken and not served: it is the next one of its owner again, who is the next one too without
        having `had_turn`."""
        self._waiting.setdefault(who, deque()).appendleft(item)
        self._waiting.move_to_end(who, last=had_turn)
        self._size += 1
        self._filled.set()

    def remove(self, who: Hashable, item: T) -> None:
        """Its owner left; nothing happens if its turn has come already."""
        items = self._waiting.get(who, ())
        if item in items:
            self._waiting[who].remove(item)
            self._shrunk(who)

    def _make_room(self, own: int) -> T:
        refusal = LimitExceeded("too many calls at once: try again", most=self._most)
        greedy = greediest(self._waiting, own, refusal)
        item = self._waiting[greedy].pop()
        self._shrunk(greedy)
        return item

    def _shrunk(self, who: Hashable) -> None:
        self._size -= 1
        if not self._waiting[who]:
            del self._waiting[who]
        if not self._size:
            self._filled.clear()
