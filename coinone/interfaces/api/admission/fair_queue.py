"""A fair queue: every sender gets the same share, however many items it queues.

Senders are served in turns: one item of each, whatever the order of arrival. Each sender may have only a bounded number
of waiting items, and when the whole queue is full, the sender with the most items loses one.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.owners import greediest, site_of

T = TypeVar("T")


class FairQueue(Generic[T]):
    """A fair queue for one event loop. Turns go to sites first (owners.py), then to the senders of a site: a
    thousand IPv6 addresses of one site do not get a thousand turns."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._waiting: OrderedDict[Hashable, OrderedDict[Hashable, deque[T]]] = OrderedDict()  # by site
        self._sizes: dict[Hashable, int] = {}  # items per site
        self._size = 0
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return self._size

    def put(self, who: Hashable, item: T) -> T | None:
        """Queue `item`; return another sender's item if that was displaced. Raises LimitExceeded."""
        own = len(self._of(who))
        if own >= self._most_each:
            raise LimitExceeded("too many calls at once: wait for answers first", most=self._most_each)
        lost = self._make_room(who, own) if self._size >= self._most else None
        self._places(who).append(item)
        self._grown(site_of(who), 1)
        return lost

    async def next(self) -> T:
        """Wait for the next item in turn and return it."""
        await self._filled.wait()
        return self.pop()

    def pop(self) -> T:
        """Return the next item in turn; the queue must not be empty."""
        site, those = next(iter(self._waiting.items()))
        who, items = next(iter(those.items()))
        item = items.popleft()
        those.move_to_end(who)
        self._waiting.move_to_end(site)
        self._shrunk(who)
        return item

    def put_back(self, who: Hashable, item: T, had_turn: bool) -> None:
        """Return an item that was taken and not served to the front of its owner's queue; the owner is next in turn
        again unless it `had_turn`."""
        self._places(who).appendleft(item)
        self._waiting[site_of(who)].move_to_end(who, last=had_turn)
        self._waiting.move_to_end(site_of(who), last=had_turn)
        self._grown(site_of(who), 1)

    def remove(self, who: Hashable, item: T) -> None:
        """Remove the item of a sender that left; does nothing if it has been taken already."""
        items = self._of(who)
        if item in items:
            items.remove(item)
            self._shrunk(who)

    def _of(self, who: Hashable) -> deque[T]:
        those = self._waiting.get(site_of(who))
        return those.get(who, deque()) if those is not None else deque()

    def _places(self, who: Hashable) -> deque[T]:
        return self._waiting.setdefault(site_of(who), OrderedDict()).setdefault(who, deque())

    def _make_room(self, who: Hashable, own: int) -> T:
        refusal = LimitExceeded("too many calls at once: try again", most=self._most)
        site, mine = max(self._sizes, key=self._sizes.__getitem__), site_of(who)
        if site == mine or self._sizes[site] <= self._sizes.get(mine, 0) + 1:
            if mine not in self._waiting:
                raise refusal
            site, greedy = mine, greediest(self._waiting[mine], own, refusal)
        else:
            those = self._waiting[site]
            greedy = max(those, key=lambda each: len(those[each]))
        item = self._waiting[site][greedy].pop()
        self._shrunk(greedy)
        return item

    def _grown(self, site: Hashable, by: int) -> None:
        self._size += by
        self._sizes[site] = self._sizes.get(site, 0) + by
        if self._size:
            self._filled.set()
        else:
            self._filled.clear()

    def _shrunk(self, who: Hashable) -> None:
        site = site_of(who)
        self._grown(site, -1)
        if not self._waiting[site][who]:
            del self._waiting[site][who]
        if not self._waiting[site]:
            del self._waiting[site], self._sizes[site]
