"""How the fields of records are written in RLP and read back; which type has which codec: records.py.

Each reader takes one spelling of a value and no other.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, LimitExceeded

NONE = rlp.encode(b"")  # what an absent value is written as
_SMALL = tuple(rlp.encode(value) for value in range(0x80))
_PREFIX = tuple(bytes((0x80 + size,)) for size in range(33))  # of an integer of so many bytes


class Codec(NamedTuple):
    """How values of one type are written and read. `decode` raises DecodeError, or LimitExceeded."""

    encode: Callable[[Any], bytes]  # to RLP
    decode: Callable[[rlp.Item], Any]


def unsigned(width: int) -> Codec:
    """An integer of at most `width` bytes, without leading zeros."""
    bound = 1 << 8 * width

    def encode(value: int) -> bytes:
        assert 0 <= value < bound, "an integer wider than its field"
        if value < 0x80:
            return _SMALL[value]
        size = (value.bit_length() + 7) // 8
        return _PREFIX[size] + value.to_bytes(size, "big")

    def decode(item: rlp.Item) -> int:
        if type(item) is bytes and len(item) <= width and item[:1] != b"\0":
            return int.from_bytes(item, "big")
        return rlp.decode_int(item, width)  # says what is wrong

    return Codec(encode, decode)


def between(least: int, most: int) -> Codec:
    """An integer in a range, without leading zeros."""
    write, read = unsigned((most.bit_length() + 7) // 8)

    def decode(item: rlp.Item) -> int:
        value: int = read(item)
        if not least <= value <= most:
            raise DecodeError("rlp: integer out of range", have=value, least=least, most=most)
        return value

    return Codec(write, decode)


def fixed(width: int, signed: bool) -> Codec:
    """An integer in exactly `width` bytes."""

    def encode(value: int) -> bytes:
        return rlp.encode(value.to_bytes(width, "big", signed=signed))

    def decode(item: rlp.Item) -> int:
        return int.from_bytes(rlp.decode_bytes(item, width), "big", signed=signed)

    return Codec(encode, decode)


def exactly(size: int) -> Codec:
    """A byte string of `size` bytes."""
    prefix = rlp.encode(bytes(size))[:-size]
    assert size > 1, "a single byte may be its own encoding"

    def encode(value: bytes) -> bytes:
        assert len(value) == size, "a byte string of another size than its field"
        return prefix + value

    def decode(item: rlp.Item) -> bytes:
        if type(item) is bytes and len(item) == size:
            return item
        return rlp.decode_bytes(item, size)  # says what is wrong

    return Codec(encode, decode)


def sized(least: int, most: int) -> Codec:
    """A byte string of `least` to `most` bytes; that of what is written is not looked at."""

    def decode(item: rlp.Item) -> bytes:
        if type(item) is bytes and least <= len(item) <= most:
            return item
        raise DecodeError(
            "rlp: length out of range", have=len(rlp.decode_bytes(item)), least=least, most=most
        )

    return Codec(rlp.encode, decode)


def boolean() -> Codec:
    return Codec(lambda value: rlp.encode(int(value)), _decode_bool)


def enumerated(kind: type[Enum]) -> Codec:
    """A member of `kind` as the one byte of its value."""
    members = {member.value: member for member in kind}

    def decode(item: rlp.Item) -> Enum:
        number = rlp.decode_int(item, 1)
        if number not in members:
            raise DecodeError(f"no such {kind.__name__}", have=number)
        return members[number]

    return Codec(lambda value: rlp.encode(value.value), decode)


def optional(inner: Codec) -> Codec:
    """`inner`, and the empty string for None."""
    write, read = inner

    def encode(value: Any) -> bytes:
        return NONE if value is None else write(value)

    def decode(item: rlp.Item) -> Any:
        return None if item == b"" else read(item)

    return Codec(encode, decode)


def many(inner: Codec, most: int | None) -> Codec:
    """A list of any length, or of at most `most` items."""
    write, read = inner

    def decode(item: rlp.Item) -> tuple[Any, ...]:
        parts = rlp.decode_list(item)
        if most is not None and len(parts) > most:
            raise DecodeError("rlp: too many items", have=len(parts), most=most)
        return tuple([read(part) for part in parts])

    return Codec(lambda values: rlp.encode_joined(map(write, values)), decode)


def pair(first: Codec, second: Codec) -> Codec:
    """A list of exactly two."""
    (write_first, read_first), (write_second, read_second) = first, second

    def encode(values: tuple[Any, Any]) -> bytes:
        return rlp.encode_joined((write_first(values[0]), write_second(values[1])))

    def decode(item: rlp.Item) -> tuple[Any, Any]:
        parts = rlp.decode_list(item, 2)
        return read_first(parts[0]), read_second(parts[1])

    return Codec(encode, decode)


def wrapped(
    name: str, whole: Callable[[Any], bytes], read: Callable[[rlp.Item], Any], most: int | None
) -> Codec:
    """A byte string that holds an encoding of at most `most` bytes, as `whole` gives it."""

    def decode(item: rlp.Item) -> Any:
        data = rlp.decode_bytes(item)
        if most is not None and len(data) > most:
            raise LimitExceeded(f"{name} too large", have=len(data), most=most)
        return read(rlp.decode(data))

    return Codec(lambda value: rlp.encode(whole(value)), decode)


def _decode_bool(item: rlp.Item) -> bool:
    number = rlp.decode_int(item, 1)
    if number > 1:
        raise DecodeError("rlp: not a bool", have=number)
    return number == 1
