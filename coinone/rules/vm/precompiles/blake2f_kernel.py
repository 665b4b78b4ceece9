"""The rounds of BLAKE2b's compression function as machine code."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coinone.base.primitives.jit import njit

_IV = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)

_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    dtype=np.int64,
)

_COLUMNS_AND_DIAGONALS = np.array(
    [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ],
    dtype=np.int64,
)


@njit("uint64(uint64, uint64)", inline="always")
def _rotate_right(word: Any, bits: Any) -> Any:
    return (word >> np.uint64(bits)) | (word << np.uint64(64 - bits))


@njit("void(int64, uint64[::1], uint64[::1], uint64[::1], boolean)")
def compress(
    rounds: int,
    state: npt.NDArray[np.uint64],
    block: npt.NDArray[np.uint64],
    offset: npt.NDArray[np.uint64],
    final: bool,
) -> None:
    """Mix `block` into `state`, in place."""
    v = np.empty(16, dtype=np.uint64)
    v[:8] = state
    v[8:] = _IV
    v[12] ^= offset[0]
    v[13] ^= offset[1]
    if final:
        v[14] = ~v[14]
    for round_number in range(rounds):
        schedule = _SIGMA[round_number % 10]
        for i in range(8):
            a, b, c, d = _COLUMNS_AND_DIAGONALS[i]
            v[a] = v[a] + v[b] + block[schedule[2 * i]]
            v[d] = _rotate_right(v[d] ^ v[a], 32)
            v[c] = v[c] + v[d]
            v[b] = _rotate_right(v[b] ^ v[c], 24)
            v[a] = v[a] + v[b] + block[schedule[2 * i + 1]]
            v[d] = _rotate_right(v[d] ^ v[a], 16)
            v[c] = v[c] + v[d]
            v[b] = _rotate_right(v[b] ^ v[c], 63)
    for i in range(8):
        state[i] ^= v[i] ^ v[i + 8]
