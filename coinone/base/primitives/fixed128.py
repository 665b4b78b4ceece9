"""Jitted `muldiv` with a 128-bit intermediate: the fast twin of `integers.muldiv_down/up`.

Numba and NumPy wrap int64 products silently, so a product that may exceed 63 bits never appears in a
kernel: it goes through these two functions. The product is built from 32-bit halves, the quotient by
binary long division (64 steps only when the product really needs more than 63 bits).
"""

import numpy as np

from coinone.base.primitives.jit import njit

_LOW32 = np.uint64(0xFFFFFFFF)
_SHIFT32 = np.uint64(32)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_TOP = np.uint64(63)


@njit("UniTuple(uint64, 2)(uint64, uint64)", inline="always")
def _multiply(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The 128-bit product as (high, low)."""
    a_high, a_low = a >> _SHIFT32, a & _LOW32
    b_high, b_low = b >> _SHIFT32, b & _LOW32
    low = a_low * b_low
    middle = a_high * b_low + (low >> _SHIFT32)
    other = a_low * b_high + (middle & _LOW32)
    high = a_high * b_high + (middle >> _SHIFT32) + (other >> _SHIFT32)
    return high, (other << _SHIFT32) | (low & _LOW32)


@njit("UniTuple(uint64, 2)(uint64, uint64, uint64)")
def _divide(high: np.uint64, low: np.uint64, divisor: np.uint64) -> tuple[np.uint64, np.uint64]:
    """(quotient, remainder) of a 128-bit number by a divisor below 2^63; the quotient fits 64 bits."""
    quotient, remainder = _ZERO, high
    for _ in range(64):
        remainder = (remainder << _ONE) | (low >> _TOP)
        low = low << _ONE
        quotient = quotient << _ONE
        if remainder >= divisor:
            remainder -= divisor
            quotient |= _ONE
    return quotient, remainder


@njit("int64(int64, int64, int64)")
def muldiv_down_jit(a: int, b: int, c: int) -> int:
    """floor(a * b / c) for c > 0 and |a|, |b| < 2^63; the caller guarantees that the result fits int64."""
    negative = (a < 0) != (b < 0)
    high, low = _multiply(np.uint64(abs(a)), np.uint64(abs(b)))
    divisor = np.uint64(c)
    if high == _ZERO:
        quotient, remainder = low // divisor, low % divisor
    else:
        quotient, remainder = _divide(high, low, divisor)
    if negative:
        return -np.int64(quotient) - (1 if remainder != _ZERO else 0)  # type: ignore[return-value]
    return np.int64(quotient)  # type: ignore[return-value]


@njit("int64(int64, int64, int64)")
def muldiv_up_jit(a: int, b: int, c: int) -> int:
    """ceil(a * b / c) for c > 0 and |a|, |b| < 2^63; the caller guarantees that the result fits int64."""
    return -muldiv_down_jit(-a, b, c)
