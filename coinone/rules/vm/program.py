"""Code made ready to run: padded, and with its jump destinations known.

A JUMPDEST byte inside the data of a PUSH is no destination, so the code is read once from its start. That
reading is a regular expression, which steps over pushes at C speed, and is put off until the first jump:
init code often has none. Results are kept by code, because the same contracts run again and again.
"""

import re
from functools import lru_cache

from coinone.base.primitives.limits import VM_PROGRAM_CACHE

_PUSH0, _PUSH32 = 0x5F, 0x7F
_JUMPDEST = 0x5B
_PADDING = bytes(33)  # a PUSH32 as last byte still reads zeros, and running off the end meets STOP


def _pattern() -> re.Pattern[bytes]:
    codes = range(_PUSH0 + 1, _PUSH32 + 1)
    pushes = [re.escape(bytes((code,))) + b".{%d}" % (code - _PUSH0) for code in codes]
    return re.compile(b"|".join([re.escape(bytes((_JUMPDEST,))), *pushes]), re.DOTALL)


_MARKS = _pattern()


class Program:
    """`code` is padded with zeros; `size` is its true length."""

    __slots__ = ("_destinations", "code", "size")

    def __init__(self, code: bytes) -> None:
        self.code = code + _PADDING
        self.size = len(code)
        self._destinations: bytearray | None = None

    def is_destination(self, position: int) -> bool:
        """Whether a jump may land there."""
        if self._destinations is None:
            self._destinations = _find_destinations(self.code, self.size)
        return position < self.size and self._destinations[position] == 1


def _find_destinations(code: bytes, size: int) -> bytearray:
    marks = bytearray(size)
    for match in _MARKS.finditer(code):
        start = match.start()
        if code[start] == _JUMPDEST:
            marks[start] = 1
    return marks


@lru_cache(maxsize=VM_PROGRAM_CACHE)
def program_of(code: bytes) -> Program:
    """The program of that code; remembered."""
    return Program(code)
