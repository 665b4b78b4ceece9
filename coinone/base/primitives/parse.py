"""Strict parsers for numbers, addresses and bytes in text.

Python's own parsers are too lenient for money: `int()` takes " 12_0 " and full-width digits, `bytes.fromhex`
takes spaces, `Decimal` takes "1e9" and "NaN". Each parser here accepts one spelling and raises
DecodeError for the rest. Ethereum's forms follow the JSON-RPC specification (hex quantities without
leading zeros, data with an even number of digits); decimals follow the exchange wire format.
"""

import re

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import U256_MAX
from coinone.base.primitives.parameters import DECIMAL_TEXT_MAX
from coinone.base.primitives.types import Address, Hash32

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})", re.ASCII)
_DATA = re.compile(r"0x[0-9a-fA-F]*", re.ASCII)  # by pairs it takes 40 ms for 1 MiB instead of 1.4
_JSON_NAMES = {  # JSON's names of values that are not text
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
}
_DECIMAL = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)


def parse_quantity(text: object, most: int = U256_MAX) -> int:
    """A JSON-RPC quantity such as "0x1f". Raises DecodeError."""
    if not isinstance(text, str) or not _QUANTITY.fullmatch(text):
        raise DecodeError('quantity must be hex such as "0x1f", without leading zeros', have=_clip(text))
    value = int(text, 16)
    if value > most:
        raise DecodeError("quantity too large", most=hex(most))
    return value


def parse_bytes(text: object, size: int | None = None) -> bytes:
    """JSON-RPC data such as "0x00ff", of exactly `size` bytes where given. Raises DecodeError."""
    if not isinstance(text, str) or len(text) % 2 or not _DATA.fullmatch(text):
        raise DecodeError("data must be 0x followed by an even number of hex digits", have=_clip(text))
    if size is not None and len(text) != 2 + 2 * size:
        raise DecodeError("data has the wrong length", want=size, have=(len(text) - 2) // 2)
    return bytes.fromhex(text[2:])


def parse_address(text: object) -> Address:
    """A 20-byte address in hex; the mixed-case checksum is not required. Raises DecodeError."""
    return parse_bytes(text, 20)


def parse_hash(text: object) -> Hash32:
    """A 32-byte hash in hex. Raises DecodeError."""
    return parse_bytes(text, 32)


def parse_decimal(text: object, decimals: int) -> int:
    """A non-negative decimal such as "0.0147", as an integer of 10^-decimals units.

    No sign, exponent, spaces or digits other than 0-9; trailing zeros are allowed, lost digits are not.
    Raises DecodeError.
    """
    if not isinstance(text, str) or len(text) > DECIMAL_TEXT_MAX:
        raise DecodeError("decimal string expected", have=_clip(text))
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise DecodeError("not a plain decimal number", have=_clip(text))
    whole, fraction = match.group(1), (match.group(2) or "").rstrip("0")
    if len(fraction) > decimals:
        raise DecodeError("too many decimals", most=decimals, have=len(fraction))
    return int(whole + fraction.ljust(decimals, "0"))


def format_decimal(value: int, decimals: int) -> str:
    """The shortest decimal text of `value` units of 10^-decimals: no trailing zeros, no "-0"."""
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    whole, fraction = digits[:-decimals], digits[-decimals:].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def format_figure(value: int, decimals: int) -> str:
    """A decimal text that always has a point ("1.0", "30135.0"), as Hyperliquid's API writes prices, sizes and amounts;
    some of its clients split on the point."""
    text = format_decimal(value, decimals)
    return text if "." in text else text + ".0"


def format_quantity(value: int) -> str:
    """The JSON-RPC quantity of a non-negative integer."""
    assert value >= 0, "a quantity is not negative"
    return hex(value)


def format_bytes(data: bytes) -> str:
    """The JSON-RPC text of data."""
    return "0x" + data.hex()


def _clip(value: object) -> str:
    text = value if isinstance(value, str) else _JSON_NAMES.get(type(value), type(value).__name__)
    return text if len(text) <= 40 else text[:37] + "..."
