"""The strict readers of numbers and hex refuse input that Python's own readers accept."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.parse import (
    format_decimal,
    format_figure,
    parse_address,
    parse_bytes,
    parse_decimal,
    parse_quantity,
)

# Python takes every one of these: int(" 12_0 "), int("１２"), bytes.fromhex("aa bb"), Decimal("1e9").
TOO_KIND = ["", " 12", "1_0", "１２", "-1", "+1", "1e9", "NaN", "Infinity", ".5", "5.", "0x10", "1,5", "1\n"]


@pytest.mark.parametrize("text", [*TOO_KIND, None, 1, 1.5, True, "9" * 33])
def test_a_decimal_is_plain_digits_or_refused(text: object) -> None:
    with pytest.raises(DecodeError):
        parse_decimal(text, 6)


@pytest.mark.parametrize(
    "text", ["", "0x", "0x00", "0x01", "12", "0x_1f", "0xg", "0X1", "0x" + "f" * 65, 5, "0x１"]
)
def test_a_quantity_is_hex_without_leading_zeros_or_refused(text: object) -> None:
    with pytest.raises(DecodeError):
        parse_quantity(text)


@pytest.mark.parametrize(
    "text",
    [
        "aa",
        "0xa",
        "0x" + "0" * 1_000_001,
        "0xaa\n",
        "0x\u0661\u0661",
        "x",
        "0",
        "0xaa bb",
        "0xgg",
        None,
        "0x\n",
    ],
)
def test_data_is_whole_bytes_or_refused(text: object) -> None:
    with pytest.raises(DecodeError):
        parse_bytes(text)


def test_the_specification_examples_of_quantities_parse() -> None:
    # Examples of the Ethereum JSON-RPC specification: 0x41 is 65, 0x400 is 1024, 0x0 is zero.
    assert [parse_quantity(text) for text in ("0x41", "0x400", "0x0")] == [65, 1024, 0]
    assert parse_bytes("0x") == b""
    assert parse_address("0x" + "Ab" * 20) == b"\xab" * 20


def test_lost_digits_are_an_error_and_trailing_zeros_are_not() -> None:
    assert parse_decimal("1670.10", 2) == 167010
    assert parse_decimal("0.0147", 4) == 147
    with pytest.raises(DecodeError, match="too many decimals"):
        parse_decimal("0.01471", 4)


def test_minus_zero_and_trailing_zeros_are_never_printed() -> None:
    assert [format_decimal(v, 2) for v in (0, -5, 100, 105, -250)] == ["0", "-0.05", "1", "1.05", "-2.5"]
    assert format_decimal(7, 0) == "7"


def test_figures_always_have_a_point() -> None:
    """As in Hyperliquid's answers: "30135.0", "0.0"."""
    assert [format_figure(v, 1) for v in (301_350, 0, -5)] == ["30135.0", "0.0", "-0.5"]
    assert format_figure(7, 0) == "7.0"


@given(st.integers(0, 10**20), st.integers(0, 8))
def test_decimal_text_is_read_back_as_written(value: int, decimals: int) -> None:
    text = format_decimal(value, decimals)
    assert parse_decimal(text, decimals) == value
    assert Decimal(text) == Decimal(value).scaleb(-decimals)
