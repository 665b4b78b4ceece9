"""Type aliases for numbers and byte strings, with their widths.

Byte strings are immutable `bytes`; hexadecimal text exists only where input is parsed (`parse.py`). The annotations of
a type say how records.py encodes it, and mean nothing to other code.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An integer of at most so many bytes, in as few as it needs."""

    width: int


@dataclass(frozen=True, slots=True)
class Between:
    """An integer from `least` to `most`, in as few bytes as it needs."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """An integer in exactly so many bytes; two's complement where it is signed."""

    width: int
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """How long a byte string may be."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many items a list may have."""

    most: int


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Written as a byte string that holds the encoding: what has a hash or a limit of its own."""

    most: int | None = None


@dataclass(frozen=True, slots=True)
class Trailing:
    """The last field, left out where it is None."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Not part of the encoding: constant, or computed from the rest."""


U8: TypeAlias = Annotated[int, Unsigned(1)]
U16: TypeAlias = Annotated[int, Unsigned(2)]
U32: TypeAlias = Annotated[int, Unsigned(4)]
U64: TypeAlias = Annotated[int, Unsigned(8)]
U256: TypeAlias = Annotated[int, Unsigned(32)]
I64: TypeAlias = Annotated[int, Fixed(8, signed=True)]

Address: TypeAlias = Annotated[bytes, Size(20, 20)]
Hash32: TypeAlias = Annotated[bytes, Size(32, 32)]
Signature65: TypeAlias = Annotated[bytes, Size(65, 65)]  # r, s, v

ZERO_ADDRESS: Address = bytes(20)
ZERO_HASH: Hash32 = bytes(32)
