"""Rounding by name, and the jitted 128-bit muldiv against Python's own unbounded integers."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.fixed128 import muldiv_down_jit, muldiv_up_jit
from coinone.base.primitives.integers import (
    INT64_MAX,
    INT64_MIN,
    check_int64,
    div_down,
    div_toward_zero,
    div_up,
    muldiv_down,
    muldiv_up,
)

int64 = st.integers(-INT64_MAX, INT64_MAX)


def test_minus_seven_halves_rounds_to_the_side_each_name_promises() -> None:
    assert (div_down(-7, 2), div_up(-7, 2), div_toward_zero(-7, 2)) == (-4, -3, -3)
    assert (div_down(7, 2), div_up(7, 2), div_toward_zero(7, -2)) == (3, 4, -3)


@given(int64, int64, st.integers(1, INT64_MAX))
def test_muldiv_agrees_with_exact_fractions(a: int, b: int, c: int) -> None:
    exact = Fraction(a) * b / c
    assert muldiv_down(a, b, c) == floor(exact)
    assert muldiv_up(a, b, c) == ceil(exact)


@given(int64, int64, st.integers(1, INT64_MAX))
def test_the_jitted_twin_agrees_wherever_the_result_fits(a: int, b: int, c: int) -> None:
    assume(abs(muldiv_down(a, b, c)) < INT64_MAX and abs(muldiv_up(a, b, c)) < INT64_MAX)
    assert muldiv_down_jit(a, b, c) == muldiv_down(a, b, c)
    assert muldiv_up_jit(a, b, c) == muldiv_up(a, b, c)


def test_the_jitted_twin_survives_a_product_of_126_bits() -> None:
    # (2^63 - 1)^2 / (2^63 - 1): the product needs 126 bits, the result is the factor itself.
    assert muldiv_down_jit(INT64_MAX, INT64_MAX, INT64_MAX) == INT64_MAX
    assert muldiv_up_jit(-INT64_MAX, INT64_MAX, INT64_MAX) == -INT64_MAX


@pytest.mark.parametrize("value", [INT64_MIN - 1, INT64_MAX + 1])
def test_a_value_beyond_64_bits_is_refused(value: int) -> None:
    with pytest.raises(InvalidInput, match="does not fit 64 bits"):
        check_int64("price", value)
    assert check_int64("price", INT64_MIN) == INT64_MIN
