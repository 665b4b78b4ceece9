"""The account numbers in use, for work that visits all accounts in small steps.

Numbers rise and are never reused, and removed accounts leave gaps. They are kept by blocks of 64, only those that are
not empty, so that the next numbers after any are found without a walk over gaps.
"""

from bisect import bisect_left, insort

_BLOCK = 64


class Numbers:
    def __init__(self) -> None:
        self._members: dict[int, list[int]] = {}  # block -> its numbers, in rising order
        self._blocks: list[int] = []  # in rising order

    def add(self, number: int) -> None:
        block = number // _BLOCK
        if block not in self._members:
            self._members[block] = []
            insort(self._blocks, block)
        insort(self._members[block], number)

    def drop(self, number: int) -> None:
        block = number // _BLOCK
        self._members[block].remove(number)
        if not self._members[block]:
            del self._members[block]
            del self._blocks[bisect_left(self._blocks, block)]

    def after(self, number: int) -> list[int]:
        """The next numbers in use above `number`, in rising order: at most 64, and none only if there are none."""
        place = bisect_left(self._blocks, number // _BLOCK)
        for block in self._blocks[place : place + 2]:
            found = [member for member in self._members[block] if member > number]
            if found:
                return found
        return []
