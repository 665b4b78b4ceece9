"""MessagePack as Hyperliquid's clients sign it, in one encoding only.

The signature covers the bytes, so a value with two encodings would give one action two identities. The reader therefore
accepts only the shortest form of each length and integer, string keys, each key once, and none of: floats, binary,
extensions, nil, bytes after the value. The order of keys is the client's own and is kept.
(https://github.com/msgpack/msgpack/blob/master/spec.md)
"""

from collections.abc import Callable
from typing import TypeAlias, Union

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.parameters import MSGPACK_DEPTH_MAX

Value: TypeAlias = Union[int, bool, str, list["Value"], dict[str, "Value"]]
_Read: TypeAlias = tuple[Value, int]


def unpack(data: bytes) -> Value:
    """Decode the one value that fills `data`. Raises DecodeError."""
    value, end = _read(data, 0, MSGPACK_DEPTH_MAX)
    if end != len(data):
        raise DecodeError("msgpack: bytes after the value", extra=len(data) - end)
    return value


def pack(value: object) -> bytes:
    """Encode `value` in its one accepted encoding, maps in their own order. Raises DecodeError for other types.

    A key without a value (None) is left out, as Hyperliquid leaves it out of what is signed.
    """
    parts: list[bytes] = []
    _pack(value, parts.append)
    return b"".join(parts)


def _pack(value: object, put: Callable[[bytes], None]) -> None:
    if isinstance(value, str):
        put(_pack_str(value))
    elif isinstance(value, dict):
        pairs = [(key, item) for key, item in value.items() if item is not None]
        put(_length(len(pairs), 0x80, 15, 0xDE))
        for key, item in pairs:
            if not isinstance(key, str):
                raise DecodeError("msgpack: a key is a string")
            put(_pack_str(key))
            _pack(item, put)
    elif isinstance(value, bool):
        put(b"\xc3" if value else b"\xc2")
    elif isinstance(value, int):
        put(_SMALL[value] if 0 <= value < 0x80 else _pack_int(value))
    elif isinstance(value, (list, tuple)):
        put(_length(len(value), 0x90, 15, 0xDC))
        for item in value:
            _pack(item, put)
    else:
        raise DecodeError("msgpack: this type is never signed", type=type(value).__name__)


_SMALL = [bytes((number,)) for number in range(0x80)]
_TEXT_HEADS = [bytes((0xA0 | size,)) if size <= 31 else bytes((0xD9, size)) for size in range(0x100)]


def _pack_str(text: str) -> bytes:
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise DecodeError("msgpack: text is not Unicode") from error
    size = len(raw)
    return (_TEXT_HEADS[size] if size < 0x100 else _length(size, 0xA0, 31, 0xDA)) + raw


def _length(size: int, fix: int, fix_most: int, wide: int) -> bytes:
    if size <= fix_most:
        return bytes((fix | size,))
    if size < 0x10000:
        return bytes((wide,)) + size.to_bytes(2, "big")
    return bytes((wide + 1,)) + size.to_bytes(4, "big")


def _pack_int(value: int) -> bytes:
    if -0x20 <= value < 0x80:
        return (value & 0xFF).to_bytes(1, "big")
    if not -(1 << 63) <= value <= U64_MAX:
        raise DecodeError("msgpack: integer beyond 64 bits")
    first = 0xCC if value > 0 else 0xD0
    for power in range(4):
        size = 1 << power
        bits = 8 * size - (value < 0)
        if -(1 << bits) <= value < 1 << bits:
            return bytes((first + power,)) + value.to_bytes(size, "big", signed=value < 0)
    raise AssertionError("unreachable: the range was checked")


def _read(data: bytes, at: int, depth: int) -> _Read:
    """Read the value that begins at `at`; return it and the position after it."""
    if at >= len(data):
        raise DecodeError("msgpack: ends early")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first >= 0xE0:
        return first - 0x100, at + 1
    if 0xA0 <= first < 0xC0:
        return _text(data, at + 1, first & 31)
    if first < 0x90:
        return _map(data, at + 1, first & 15, depth)
    if first < 0xA0:
        return _list(data, at + 1, first & 15, depth)
    reader = _LONG_FORMS.get(first)
    if reader is None:
        raise DecodeError("msgpack: type never signed", code=hex(first))
    return reader(data, at + 1, depth)


def _number(data: bytes, at: int, size: int, signed: bool = False) -> int:
    if at + size > len(data):
        raise DecodeError("msgpack: ends early")
    return int.from_bytes(data[at : at + size], "big", signed=signed)


def _text(data: bytes, at: int, size: int) -> tuple[str, int]:
    if at + size > len(data):
        raise DecodeError("msgpack: ends early")
    try:
        return data[at : at + size].decode(), at + size
    except UnicodeDecodeError as error:
        raise DecodeError("msgpack: text is not UTF-8") from error


def _list(data: bytes, at: int, count: int, depth: int) -> _Read:
    if depth == 0:
        raise DecodeError("msgpack: nested too deeply", most=MSGPACK_DEPTH_MAX)
    items: list[Value] = []
    for _ in range(count):
        item, at = _read(data, at, depth - 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, count: int, depth: int) -> _Read:
    if depth == 0:
        raise DecodeError("msgpack: nested too deeply", most=MSGPACK_DEPTH_MAX)
    result: dict[str, Value] = {}
    for _ in range(count):
        key, at = _read(data, at, 0)
        if not isinstance(key, str):
            raise DecodeError("msgpack: a key is a string")
        if key in result:
            raise DecodeError("msgpack: key given twice", key=key)
        result[key], at = _read(data, at, depth - 1)
    return result, at


def _unsigned(size: int) -> Callable[[bytes, int, int], _Read]:
    least = 0x80 if size == 1 else 1 << (4 * size)

    def read(data: bytes, at: int, depth: int) -> _Read:
        value = _number(data, at, size)
        if value < least:
            raise DecodeError("msgpack: integer longer than needed")
        return value, at + size

    return read


def _signed(size: int) -> Callable[[bytes, int, int], _Read]:
    most = -0x20 if size == 1 else -(1 << (4 * size - 1))

    def read(data: bytes, at: int, depth: int) -> _Read:
        value = _number(data, at, size, signed=True)
        if value >= most:
            raise DecodeError("msgpack: integer longer than needed")
        return value, at + size

    return read


def _sized(
    bytes_of_size: int, least: int, body: Callable[[bytes, int, int, int], _Read]
) -> Callable[[bytes, int, int], _Read]:
    def read(data: bytes, at: int, depth: int) -> _Read:
        size = _number(data, at, bytes_of_size)
        if size < least:
            raise DecodeError("msgpack: length longer than needed")
        if size > len(data) - at:
            raise DecodeError("msgpack: ends early")
        return body(data, at + bytes_of_size, size, depth)

    return read


def _boolean(value: bool) -> Callable[[bytes, int, int], _Read]:
    return lambda data, at, depth: (value, at)


def _long_text(data: bytes, at: int, size: int, depth: int) -> _Read:
    return _text(data, at, size)


_LONG_FORMS: dict[int, Callable[[bytes, int, int], _Read]] = {
    0xC2: _boolean(False),
    0xC3: _boolean(True),
    0xCC: _unsigned(1),
    0xCD: _unsigned(2),
    0xCE: _unsigned(4),
    0xCF: _unsigned(8),
    0xD0: _signed(1),
    0xD1: _signed(2),
    0xD2: _signed(4),
    0xD3: _signed(8),
    0xD9: _sized(1, 32, _long_text),
    0xDA: _sized(2, 0x100, _long_text),
    0xDB: _sized(4, 0x10000, _long_text),
    0xDC: _sized(2, 16, _list),
    0xDD: _sized(4, 0x10000, _list),
    0xDE: _sized(2, 16, _map),
    0xDF: _sized(4, 0x10000, _map),
}
