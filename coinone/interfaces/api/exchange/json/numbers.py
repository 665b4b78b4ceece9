"""Encode integers as the decimal strings of the exchange API.

Every figure is written by `format_figure`, which answers to orders use too. Nothing is rounded here except where a
function says so: those figures inform people, and no rule reads them back.
"""

from coinone.base.primitives.parse import format_figure
from coinone.base.primitives.units import QUOTE_DECIMALS

RATE_DECIMALS = 9
FEE_RATE_DECIMALS = 7


def money(value: int) -> str:
    """Micro-quote units as a decimal string."""
    return format_figure(value, QUOTE_DECIMALS)


def rate(value: int) -> str:
    """A funding rate or premium of 10^-9."""
    return format_figure(value, RATE_DECIMALS)


def fee_rate(value: int) -> str:
    """A fee rate of 10^-7 of the notional."""
    return format_figure(value, FEE_RATE_DECIMALS)


def quotient(numerator: int, denominator: int, decimals: int) -> str:
    """numerator / denominator truncated to `decimals` towards zero; "0.0" for a zero denominator."""
    if denominator == 0:
        return "0.0"
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    return format_figure(sign * (abs(numerator) * 10**decimals // abs(denominator)), decimals)


def round_significant(px: int, figures: int, mantissa: int, up: bool) -> int:
    """`px` rounded to a multiple of `mantissa` in its `figures`-th significant digit: for grouped books."""
    step = mantissa * int("1" + "0" * max(len(str(px)) - figures, 0))
    return -(-px // step) * step if up else px // step * step
