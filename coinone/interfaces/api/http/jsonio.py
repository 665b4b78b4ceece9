"""Decode and encode JSON at the interface's border.

msgspec is strict where Python's own decoder is lenient: it refuses NaN, 1e999, broken UTF-8, lone surrogates and
trailing bytes, and keeps integers beyond 2^64 exact. Three rules are added here. Depth is bounded, because code that
walks a request recurses. A repeated key is refused, because two readers of one signed request must never see two
values. And since one thread reads the requests of all clients, the cost of a body is bounded by its size: brackets and
other parts that slow a reader down are counted before it is parsed.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.interfaces.api.limits import (
    JSON_BRACKETS_MAX,
    JSON_DEPTH_MAX,
    JSON_INTEGER_DIGITS_MAX,
    JSON_PARTS_MAX,
)

# A string of any content; an unterminated one extends to the end, in a single match.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_DIGITS = bytes(b"0"[0] if byte in b"0123456789" else b" "[0] for byte in range(256))
_LONG_INTEGER = b"0" * (JSON_INTEGER_DIGITS_MAX + 1)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def decode(data: bytes) -> Any:
    """Parse a request body. Raises DecodeError (malformed) or LimitExceeded (too deep, or too many parts)."""
    _check_parts(data)
    try:
        value = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError("malformed JSON") from error
    if isinstance(value, dict | list) and not _is_plain(data, value):
        _refuse_repeated_keys(data)
    return value


def _is_plain(data: bytes, value: Any) -> bool:
    """Whether there is certainly no repeated key and no oversized integer: without escapes, the body has as many
    colons as its value encoded again; with a repeated key one would be missing. A tenth of the cost of searching."""
    return (
        b"\\" not in data
        and _LONG_INTEGER not in data.translate(_DIGITS)
        and encode(value).count(b":") == data.count(b":")
    )


def _check_parts(data: bytes) -> None:
    """Raise LimitExceeded for too many parts. Characters in strings count too, which no valid request comes near."""
    opened = data.count(b"[") + data.count(b"{")
    if opened > JSON_BRACKETS_MAX:
        raise LimitExceeded("JSON of too many lists and objects", most=JSON_BRACKETS_MAX)
    parts = data.count(b",") + data.count(b":") + data.count(b"\\")
    if parts > JSON_PARTS_MAX or data.count(b'"') > 2 * JSON_PARTS_MAX:
        raise LimitExceeded("JSON of too many parts", most=JSON_PARTS_MAX)
    if opened > JSON_DEPTH_MAX:
        _check_depth(data)


def _check_depth(data: bytes) -> None:
    """Check the depth before decoding: a C decoder recurses too, and relies on the interpreter's limit, which a
    library may raise."""
    depth = 0
    # Without escapes, every second piece between quotation marks is a string.
    outside = _STRING.sub(b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    for bracket in outside.translate(None, _NO_BRACKETS):
        if bracket in b"[{":
            depth += 1
            if depth > JSON_DEPTH_MAX:
                raise LimitExceeded("JSON nested too deeply", most=JSON_DEPTH_MAX)
        else:
            depth -= 1


def _object(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise DecodeError("an object repeats a key")


def _small_integer(digits: str) -> int:
    if len(digits) > JSON_INTEGER_DIGITS_MAX:
        raise DecodeError("integer too large")
    return 0


# Built once. It only looks for repeated keys and oversized integers: values come from msgspec.
_repeated = json.JSONDecoder(object_pairs_hook=_object, parse_int=_small_integer, parse_float=lambda _: 0.0)


def _refuse_repeated_keys(data: bytes) -> None:
    _repeated.decode(data.decode("utf-8"))
