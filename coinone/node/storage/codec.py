"""Encode frozen dataclasses as rows: MessagePack lists in field order, decoded by the class's annotations.

Integers beyond 64 bits (client order ids have 128) are stored as signed big-endian bytes.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, TypeVar, get_type_hints

import msgspec

from coinone.base.primitives.errors import StorageError

T = TypeVar("T")

encode_fields: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode
"""Encode a row from its fields in order, with integers as `plain_int` gives them."""

_INT64 = range(-(2**63), 2**64)  # the integers of MessagePack


def encode_row(row: object) -> bytes:
    return encode_fields(_plain(row))


def plain_int(value: int) -> int | bytes:
    """An integer as a row stores it."""
    return value if value in _INT64 else value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def decode_row(kind: type[T], data: bytes) -> T:
    """Decode a row. Raises StorageError if another version of the class wrote it."""
    try:
        made: T = _built(kind, msgspec.msgpack.decode(data))
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise StorageError(f"a row is no {kind.__name__}: rebuild the history") from error
    return made


def fingerprint(kinds: tuple[type, ...], columns: tuple[tuple[str, ...], ...]) -> bytes:
    """A hash of these classes' fields and these columns, which changes with any of them."""
    shapes = [
        (kind.__name__, [(field.name, _type_name(field.type)) for field in fields(kind)]) for kind in kinds
    ]
    return blake2b(repr((shapes, columns)).encode(), digest_size=4).hexdigest().encode()


def _type_name(kind: Any) -> str:
    """A type's name without its module, so that rows stay readable when a class moves."""
    return kind.__name__ if isinstance(kind, type) else str(kind)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return [_plain(getattr(value, field.name)) for field in fields(value)]
    return plain_int(value) if type(value) is int else value


def _built(kind: type[T], parts: list[Any]) -> T:
    readers = _readers(kind)  # type: ignore[arg-type]
    values = [read(part) for read, part in zip(readers, parts, strict=True)]
    return kind(*values)


@cache
def _readers(kind: type) -> tuple[Callable[[Any], Any], ...]:
    hints = get_type_hints(kind)
    return tuple(_reader(hints[field.name]) for field in fields(kind))


def _reader(hint: Any) -> Callable[[Any], Any]:
    if is_dataclass(hint):
        return lambda part: _built(hint, part)  # type: ignore[arg-type]
    if hint is int:
        return lambda part: int.from_bytes(part, "big", signed=True) if isinstance(part, bytes) else part
    return lambda part: part
