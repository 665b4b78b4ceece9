"""Numbers and orders as they go over the wire."""

from decimal import Decimal

import pytest
from hyperliquid.utils.signing import float_to_wire
from hypothesis import given
from hypothesis import strategies as st

from coinone.interfaces.client import Order, actions, round_price, round_size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        ("1.50", "1.5"),
        ("100", "100"),
        (Decimal("1E+3"), "1000"),
        (0.1, "0.1"),
        (1e-5, "0.00001"),
        ("-0.0", "0"),
        ("0.000", "0"),
        (-2.5, "-2.5"),
    ],
)
def test_a_number_has_one_spelling(value: actions.Number, text: str) -> None:
    assert actions.decimal_text(value) == text


# Doubles below 2^25 are at most 2^-28 = 3.7e-9 apart: what has eight decimals is told from its neighbours.
@given(
    st.integers(0, 8).flatmap(
        lambda decimals: st.tuples(st.integers(0, 2**25 * 10**decimals), st.just(decimals))
    )
)
def test_numbers_are_spelled_as_the_sdk_spells_them(number: tuple[int, int]) -> None:
    units, decimals = number
    value = Decimal(units).scaleb(-decimals)
    assert actions.decimal_text(float(value)) == float_to_wire(float(value))
    assert actions.decimal_text(value) == float_to_wire(float(value))


@pytest.mark.parametrize("value", ["1e", "NaN", float("inf"), "", "1_0x"])
def test_what_is_no_number_is_refused(value: actions.Number) -> None:
    with pytest.raises(ValueError, match="number"):
        actions.decimal_text(value)


@pytest.mark.parametrize(
    ("price", "size_decimals", "rounded"),
    [
        # Hyperliquid's documentation, "Tick and lot size": 1234.5 is valid, 1234.56 is not (figures);
        # 0.001234 is valid, 0.0012345 is not (decimals) with szDecimals 0; 123456 is valid: an integer.
        ("1234.56", 0, "1234.6"),
        ("0.0012345", 0, "0.001234"),
        ("123456", 0, "123456"),
        ("123456.7", 0, "123457"),
        ("0.01234", 1, "0.01234"),
        ("0.012345", 2, "0.0123"),
        ("97000.4", 5, "97000"),
    ],
)
def test_a_price_is_rounded_to_the_tick_rule(price: str, size_decimals: int, rounded: str) -> None:
    assert round_price(price, size_decimals) == Decimal(rounded)


def test_a_size_is_rounded_down_to_lots() -> None:
    assert round_size("0.123456", 5) == Decimal("0.12345")
    assert round_size("0.000009", 5) == 0


def test_an_orders_keys_stand_in_the_order_that_is_signed() -> None:
    wire = Order(1, True, "2", "3", cloid="0x" + "1" * 32).wire()
    assert list(wire) == ["a", "b", "p", "s", "r", "t", "c"]
    assert "c" not in Order(1, True, "2", "3").wire()


def test_client_order_ids_are_16_bytes_and_new() -> None:
    names = {actions.new_cloid() for _ in range(1000)}
    assert len(names) == 1000 and all(len(name) == 34 for name in names)
