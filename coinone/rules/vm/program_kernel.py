"""Find jump destinations, jitted."""

import numpy as np
import numpy.typing as npt

from coinone.base.primitives.jit import njit

_JUMPDEST = 0x5B
_PUSH1, _PUSH32 = 0x60, 0x7F


@njit('uint8[::1](Bytes(uint8, 1, "C"), int64)')
def find_destinations(code: bytes, size: int) -> npt.NDArray[np.uint8]:
    """A flag for each of the first `size` bytes: 1 for a valid jump destination."""
    marks = np.zeros(size, dtype=np.uint8)
    position = 0
    while position < size:
        byte = code[position]
        if byte == _JUMPDEST:
            marks[position] = 1
        elif _PUSH1 <= byte <= _PUSH32:
            position += byte - _PUSH1 + 1
        position += 1
    return marks
