"""Bitcoin's byte order, lengths and hash.

Integers are little-endian. A length or count is a *compact size*: one byte below 253, else a byte that says whether
2, 4 or 8 follow. Each has one spelling, the shortest (Core's ReadCompactSize).
"""

import hashlib

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.types import Hash32

COMPACT_SIZE_MAX = 0x02000000  # Core's MAX_SIZE: no length or count is larger
_WIDTHS = {0xFD: 2, 0xFE: 4, 0xFF: 8}  # of the integer behind this byte
_LEAST = {2: 0xFD, 4: 1 << 16, 8: 1 << 32}  # what needs so many bytes


def hash256(data: bytes) -> Hash32:
    """SHA-256 twice: Bitcoin's hash of headers, transactions and nodes of Merkle trees."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def compact_size(number: int) -> bytes:
    assert 0 <= number <= COMPACT_SIZE_MAX, "no length in Bitcoin is so large"
    if number < 0xFD:
        return bytes((number,))
    return (
        b"\xfd" + number.to_bytes(2, "little") if number < 1 << 16 else b"\xfe" + number.to_bytes(4, "little")
    )


def sized(data: bytes) -> bytes:
    """`data` behind its length."""
    return compact_size(len(data)) + data


class ByteReader:
    """Reads a byte string from the front. Raises DecodeError where it ends too early."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise DecodeError("bitcoin: ends too early", want=size, have=len(part))
        self._at += size
        return part

    def integer(self, width: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(width), "little", signed=signed)

    def compact_size(self) -> int:
        first = self.integer(1)
        if first < 0xFD:
            return first
        width = _WIDTHS[first]
        number = self.integer(width)
        if number < _LEAST[width]:
            raise DecodeError("bitcoin: length not in its shortest form", have=number)
        if number > COMPACT_SIZE_MAX:
            raise LimitExceeded("bitcoin: length too large", have=number, most=COMPACT_SIZE_MAX)
        return number

    def sized(self) -> bytes:
        return self.take(self.compact_size())

    def count(self, least: int) -> int:
        """How many items follow, each of at least so many bytes: no more than there is room for."""
        number = self.compact_size()
        if number * least > self.left:
            raise DecodeError("bitcoin: more items than bytes", have=number, left=self.left)
        return number

    def finish(self) -> None:
        if self.left:
            raise DecodeError("bitcoin: bytes behind the end", have=self.left)
