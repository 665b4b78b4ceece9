"""SipHash-2-4 of 24 bytes, jitted: the hash of tables whose keys strangers choose.

Without its 128-bit key nobody can find inputs that collide in the table (J.-P. Aumasson, D. J. Bernstein,
"SipHash: a fast short-input PRF", 2012). Nothing that nodes must agree on may depend on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coinone.base.primitives.jit import njit

Key = tuple[int, int]
"""The two 64-bit halves of a key, each as a signed number."""

PUBLIC_KEY: Key = (0, 0)
"""A fixed key for tests and tools, which receive no input from strangers. It protects nothing."""

_C0, _C1 = np.uint64(0x736F6D6570736575), np.uint64(0x646F72616E646F6D)  # "somepseudorandomlygeneratedbytes"
_C2, _C3 = np.uint64(0x6C7967656E657261), np.uint64(0x7465646279746573)
_LENGTH = np.uint64(24 << 56)
_LAST = np.uint64(0xFF)


@njit(forceinline=True, cache=False)
def _turned(word: Any, bits: int) -> Any:
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@njit(forceinline=True, cache=False)
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 += v1
    v1 = _turned(v1, 13) ^ v0
    v0 = _turned(v0, 32)
    v2 += v3
    v3 = _turned(v3, 16) ^ v2
    v0 += v3
    v3 = _turned(v3, 21) ^ v0
    v2 += v1
    v1 = _turned(v1, 17) ^ v2
    v2 = _turned(v2, 32)
    return v0, v1, v2, v3


@njit(forceinline=True, cache=False)
def _taken(state: Any, word: Any) -> Any:
    v0, v1, v2, v3 = state
    v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3 ^ word))
    return v0 ^ word, v1, v2, v3


@njit("int64(int64, int64, int64, int64, int64)", error_model="numpy")
def siphash(key_0: int, key_1: int, first: int, second: int, third: int) -> Any:
    """SipHash-2-4 of three words, the input in little-endian order."""
    k0, k1 = np.uint64(key_0), np.uint64(key_1)
    state = (k0 ^ _C0, k1 ^ _C1, k0 ^ _C2, k1 ^ _C3)
    state = _taken(state, np.uint64(first))
    state = _taken(state, np.uint64(second))
    state = _taken(state, np.uint64(third))
    v0, v1, v2, v3 = _taken(state, _LENGTH)
    v0, v1, v2, v3 = _round(*_round(*_round(*_round(v0, v1, v2 ^ _LAST, v3))))
    return np.int64(v0 ^ v1 ^ v2 ^ v3)
