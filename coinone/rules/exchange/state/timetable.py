"""Timetable: the accounts whose time comes next, for any number of accounts that each wait for a time.

A binary heap of (time, account number) with an index of places, so that an account's entry can be moved or removed
directly: every change costs the heap's depth (20 steps for a million), reading the earliest costs nothing, and no
cancelled entry remains. Like the lists of holders.py it follows from state (the table `schedule`), so it is never
journalled: undo and loading write the table, and the table maintains this.
"""

from heapq import heappop, heappush


class Timetable:
    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []  # (time in ms, account number)
        self._places: dict[int, int] = {}  # account number -> place in the heap

    def __len__(self) -> int:
        return len(self._heap)

    def due(self, now: int, most: int) -> list[int]:
        """The first `most` accounts whose time has come, by time and number.

        A later entry is below an earlier one in the heap, so only the children of those found are examined.
        """
        found: list[int] = []
        edge = [(self._heap[0], 0)] if self._is_due(0, now) else []  # entries and their places
        while edge and len(found) < most:
            (_, number), place = heappop(edge)
            found.append(number)
            for child in (2 * place + 1, 2 * place + 2):
                if self._is_due(child, now):
                    heappush(edge, (self._heap[child], child))
        return found

    def _is_due(self, place: int, now: int) -> bool:
        return place < len(self._heap) and self._heap[place][0] <= now

    def put(self, number: int, time_ms: int) -> None:
        """Set the account's time to `time_ms`, replacing an earlier one."""
        self.drop(number)
        self._heap.append((time_ms, number))
        self._rise(len(self._heap) - 1)

    def drop(self, number: int) -> None:
        """Remove the account's time, if it has one."""
        place = self._places.pop(number, None)
        if place is None:
            return
        last = self._heap.pop()
        if place < len(self._heap):
            self._heap[place] = last
            self._sink(place)
            self._rise(place)

    def _rise(self, place: int) -> None:
        """Move the entry at `place` above all that come later."""
        entry = self._heap[place]
        while place and entry < self._heap[(place - 1) // 2]:
            self._set(place, self._heap[(place - 1) // 2])
            place = (place - 1) // 2
        self._set(place, entry)

    def _sink(self, place: int) -> None:
        """Move the entry at `place` below all that come earlier."""
        entry, count = self._heap[place], len(self._heap)
        while 2 * place + 1 < count:
            child = 2 * place + 1
            if child + 1 < count and self._heap[child + 1] < self._heap[child]:
                child += 1
            if entry <= self._heap[child]:
                break
            self._set(place, self._heap[child])
            place = child
        self._set(place, entry)

    def _set(self, place: int, entry: tuple[int, int]) -> None:
        self._heap[place] = entry
        self._places[entry[1]] = place
