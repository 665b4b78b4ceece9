"""Read hex as geth does: the prefix may be 0X; an empty string is no bytes and, as a quantity, zero.

The readers of base/primitives/parse.py accept one spelling; what else they refuse, geth refuses too. A fixed length (an
address, a hash) and a block's number have no empty form.
"""

from typing import Any

from coinone.base.primitives import parse
from coinone.base.primitives.integers import U64_MAX, U256_MAX
from coinone.base.primitives.types import Address, Hash32


def read_quantity(value: Any, most: int = U256_MAX) -> int:
    """Read a quantity. Raises DecodeError."""
    return 0 if value == "" else parse.parse_quantity(_prefixed(value), most)


def read_number(value: Any, most: int = U64_MAX) -> int:
    """Read a quantity that must not be empty. Raises DecodeError."""
    return parse.parse_quantity(_prefixed(value), most)


def read_bytes(value: Any, size: int | None = None) -> bytes:
    """Read bytes. Raises DecodeError."""
    return b"" if value == "" and size is None else parse.parse_bytes(_prefixed(value), size)


def read_address(value: Any) -> Address:
    """Read an address. Raises DecodeError."""
    return parse.parse_address(_prefixed(value))


def read_hash(value: Any) -> Hash32:
    """Read a hash. Raises DecodeError."""
    return parse.parse_hash(_prefixed(value))


def _prefixed(value: Any) -> Any:
    return "0x" + value[2:] if isinstance(value, str) and value.startswith("0X") else value
