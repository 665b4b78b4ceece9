"""Timetable: whose time comes next, of any number of accounts that wait for a moment each.

A binary heap of (time, account number) that knows where each account stands, so that an account's entry is moved or
taken out by itself: every change costs the heap's depth (20 steps for a million), looking at the earliest costs
nothing, and no entry that has been called off stays behind. Like the lists of holders.py it follows from state (the
table `schedule`), so it is never journalled: undo and loading write the table, and the table keeps this.
"""


class Timetable:
    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []  # (time in ms, account number)
        self._places: dict[int, int] = {}  # account number -> place in the heap

    def __len__(self) -> int:
        return len(self._heap)

    def first_due(self, now: int) -> int | None:
        """The account that waits for the earliest time, the lowest number first, if that time has come."""
        if not self._heap or self._heap[0][0] > now:
            return None
        return self._heap[0][1]

    def put(self, number: int, time_ms: int) -> None:
        """Let the account wait for `time_ms`, and no longer for another time."""
        self.drop(number)
        self._heap.append((time_ms, number))
        self._rise(len(self._heap) - 1)

    def drop(self, number: int) -> None:
        """Let the account wait no longer, if it did."""
        place = self._places.pop(number, None)
        if place is None:
            return
        last = self._heap.pop()
        if place < len(self._heap):
            self._heap[place] = last
            self._sink(place)
            self._rise(place)

    def _rise(self, place: int) -> None:
        """Bring the entry at `place` above all that come later."""
        entry = self._heap[place]
        while place and entry < self._heap[(place - 1) // 2]:
            self._set(place, self._heap[(place - 1) // 2])
            place = (place - 1) // 2
        self._set(place, entry)

    def _sink(self, place: int) -> None:
        """Bring the entry at `place` below all that come earlier."""
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
