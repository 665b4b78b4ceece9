"""RLP, Ethereum's serialisation: an item is bytes or a list of items (Yellow Paper, appendix B).

The decoder accepts the one canonical encoding only: a hash over bytes that had two spellings would
give one transaction two identities.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias, Union

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.parameters import RLP_DEPTH_MAX

Item: TypeAlias = Union[bytes, list["Item"]]
Encodable: TypeAlias = Union[bytes, int, Sequence["Encodable"]]


_STRING = tuple(bytes((0x80 + size,)) for size in range(56))  # prefixes of short strings and lists
_LIST = tuple(bytes((0xC0 + size,)) for size in range(56))


def encode(item: Encodable) -> bytes:
    """Encode bytes, a non-negative int (big endian without leading zeros), or a sequence of these."""
    if isinstance(item, bytes):
        data = item
    elif isinstance(item, int):
        data = encode_int(item)
    elif isinstance(item, bytearray):
        data = bytes(item)
    else:
        return encode_joined([encode(part) for part in item])
    size = len(data)
    if size == 1 and data[0] < 0x80:
        return data
    return (_STRING[size] if size < 56 else _long_prefix(size, 0x80)) + data


def encode_joined(items: Iterable[bytes]) -> bytes:
    """Encode a list whose items are already encoded."""
    body = b"".join(items)
    size = len(body)
    return (_LIST[size] if size < 56 else _long_prefix(size, 0xC0)) + body


def encode_int(value: int) -> bytes:
    """The integer's RLP string: big endian, no leading zero, zero is empty."""
    assert value >= 0, "RLP has no negative integers"
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode(data: bytes) -> Item:
    """Decode one item that fills `data` exactly. Raises DecodeError."""
    items = _items(data, 0, len(data), RLP_DEPTH_MAX)
    if len(items) != 1:
        raise DecodeError("rlp: one item expected", have=len(items))
    return items[0]


def check_items(data: bytes, most: int) -> int:
    """Limit the number of items in untrusted bytes, nested ones included, before decoding: decoding an item of one byte
    takes as long as one of a thousand. Returns the number. Raises LimitExceeded or DecodeError."""
    at, count = 0, 0
    while at < len(data):
        count += 1
        if count > most:
            raise LimitExceeded("rlp: too many items", most=most)
        first = data[at]
        if first < 0x80:
            at += 1
        elif first < 0xC0:
            at = _span(data, at, len(data), 0x80)[1]
        else:
            at = _span(data, at, len(data), 0xC0)[0]
    return count


def parts(data: bytes) -> Iterator[bytes]:
    """Split the list that fills `data` into its items, each still encoded and not checked inside. Raises
    DecodeError."""
    if not data or data[0] < 0xC0:
        raise DecodeError("rlp: list expected, bytes found")
    at, end = _span(data, 0, len(data), 0xC0)
    if end != len(data):
        raise DecodeError("rlp: bytes after the item", extra=len(data) - end)
    while at < end:
        first = data[at]
        stop = at + 1 if first < 0x80 else _span(data, at, end, 0x80 if first < 0xC0 else 0xC0)[1]
        yield data[at:stop]
        at = stop


def decode_int(data: Item, bytes_max: int = 32) -> int:
    """An integer from its RLP string. Raises DecodeError on a list, a leading zero, or too many bytes."""
    if not isinstance(data, bytes):
        raise DecodeError("rlp: integer expected, list found")
    if len(data) > bytes_max:
        raise DecodeError("rlp: integer too long", have=len(data), most=bytes_max)
    if data[:1] == b"\x00":
        raise DecodeError("rlp: integer with a leading zero")
    return int.from_bytes(data, "big")


def decode_bytes(data: Item, size: int | None = None) -> bytes:
    """A byte string, of exactly `size` bytes where given. Raises DecodeError."""
    if not isinstance(data, bytes):
        raise DecodeError("rlp: bytes expected, list found")
    if size is not None and len(data) != size:
        raise DecodeError("rlp: wrong length", want=size, have=len(data))
    return data


def decode_list(data: Item, size: int | None = None) -> list[Item]:
    """A list, of exactly `size` items where given. Raises DecodeError."""
    if not isinstance(data, list):
        raise DecodeError("rlp: list expected, bytes found")
    if size is not None and len(data) != size:
        raise DecodeError("rlp: wrong number of fields", want=size, have=len(data))
    return data


def _long_prefix(length: int, offset: int) -> bytes:
    if length < 256:
        return bytes((offset + 56, length))
    size = encode_int(length)
    return bytes((offset + 55 + len(size),)) + size


def _items(data: bytes, at: int, end: int, depth: int) -> list[Item]:
    """The items that fill `data` from `at` to `end`."""
    items: list[Item] = []
    while at < end:
        first = data[at]
        if first < 0x80:
            body, stop = at, at + 1
        elif first < 0xB8:  # a short string, as nearly all are
            body, stop = at + 1, at + first - 0x7F
            if stop > end:
                raise DecodeError("rlp: ends early", want=first - 0x80, have=end - body)
            if first == 0x81 and data[body] < 0x80:
                raise DecodeError("rlp: single byte with a needless prefix")
        elif first < 0xC0:
            body, stop = _span(data, at, end, 0x80)
        elif depth == 0:
            raise DecodeError("rlp: nested too deeply", most=RLP_DEPTH_MAX)
        else:
            body, stop = _span(data, at, end, 0xC0)
        items.append(data[body:stop] if first < 0xC0 else _items(data, body, stop, depth - 1))
        at = stop
    return items


def _span(data: bytes, start: int, end: int, offset: int) -> tuple[int, int]:
    """Start and end of the payload of the string or list at `start`."""
    short = data[start] - offset
    if short <= 55:
        body, length = start + 1, short
    else:
        body = start + 1 + (short - 55)
        size = data[start + 1 : min(body, end)]
        if len(size) != short - 55 or size[:1] == b"\x00":
            raise DecodeError("rlp: bad length")
        length = int.from_bytes(size, "big")
        if length <= 55:
            raise DecodeError("rlp: long form for a short length")
    if body + length > end:
        raise DecodeError("rlp: ends early", want=length, have=max(0, end - body))
    return body, body + length
