"""The stack words of a block, kept in registers while it runs.

Positions are relative to the top of the stack at the block's start: -1 is the top word then, 0 the first one above.
A value is a decimal number or the name of an LLVM value (`%v.7`).
"""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.layout import WORD

LIMB = 1 << 64


class Words:
    """`height` is relative to the block's start. A word that is not in `_values` is in memory."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._values: dict[int, str] = {}
        self._stored: dict[int, str] = {}  # the values that memory holds
        self.height = 0

    def word(self, position: int) -> str:
        """The word at `position`, 1 being the current top."""
        place = self.height - position
        value = self._values.get(place)
        if value is None:
            value = self._emitter.load("i256", self.address(place), 32)
            self._values[place] = self._stored[place] = value
        return value

    def pop(self, count: int) -> None:
        for _ in range(count):
            self.height -= 1
            self._values.pop(self.height, None)

    def push(self, value: str) -> None:
        self._values[self.height] = value
        self.height += 1

    def push_from_memory(self) -> None:
        """Push a word that has already been written to memory."""
        self._stored.pop(self.height, None)
        self.height += 1

    def swap(self, distance: int) -> None:
        top, other = self.word(1), self.word(1 + distance)
        self._values[self.height - 1], self._values[self.height - 1 - distance] = other, top

    def address(self, place: int) -> str:
        return self._emitter.at("%stack", WORD * place) if place else "%stack"

    def unsaved(self) -> list[tuple[int, str]]:
        """Positions and values of the words that are not in memory."""
        return [(place, value) for place, value in self._values.items() if self._stored.get(place) != value]

    def save(self, words: list[tuple[int, str]]) -> None:
        for place, value in words:
            self._emitter.store("i256", value, self.address(place), 32)
            self._stored[place] = value


def is_number(value: str) -> bool:
    return value[0] != "%"
