"""Integer division whose rounding is in the name.

Python's `//` floors towards minus infinity while the EVM truncates towards zero, and a bare `/`
makes a float; so money code calls these functions instead. `fixed128.py` holds the jitted twins.
"""

from coinone.base.primitives.errors import InvalidInput

U64_MAX = 2**64 - 1
U256_MAX = 2**256 - 1
INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1


def div_down(numerator: int, denominator: int) -> int:
    """Quotient rounded towards minus infinity."""
    return numerator // denominator


def div_up(numerator: int, denominator: int) -> int:
    """Quotient rounded towards plus infinity."""
    return -(-numerator // denominator)


def div_toward_zero(numerator: int, denominator: int) -> int:
    """Quotient rounded towards zero, as the EVM's SDIV does."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def clamp(value: int, low: int, high: int) -> int:
    """The value nearest to `value` that lies between `low` and `high`."""
    return max(low, min(value, high))


def muldiv_down(a: int, b: int, c: int) -> int:
    """a * b / c rounded towards minus infinity, without intermediate overflow."""
    return a * b // c


def muldiv_up(a: int, b: int, c: int) -> int:
    """a * b / c rounded towards plus infinity, without intermediate overflow."""
    return -(-(a * b) // c)


def check_int64(name: str, value: int) -> int:
    """Return `value`, or raise InvalidInput if a signed 64-bit row cannot hold it."""
    if not INT64_MIN <= value <= INT64_MAX:
        raise InvalidInput(f"{name} does not fit 64 bits", have=value)
    return value


def round_half_even(numerator: int, denominator: int) -> int:
    """The nearest integer to a ratio with a positive denominator; a tie goes to the even one."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient
