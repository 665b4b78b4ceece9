"""The one reader and writer of JSON at the border.

msgspec is strict where Python's own decoder is kind: it refuses NaN, 1e999, broken UTF-8, lone surrogates and
trailing bytes, and keeps integers beyond 2^64 exact. Two rules are added here. Depth is bounded, because code
that walks a request recurses. A repeated key is refused, because two readers of one signed request must never
see two values.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.interfaces.api.limits import JSON_DEPTH_MAX, JSON_INTEGER_DIGITS_MAX

# A string, whatever it holds (one that never ends reaches to the end, in one go), or a bracket.
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def decode(data: bytes) -> Any:
    """Parse a request body. Raises DecodeError (malformed) or LimitExceeded (too deep)."""
    _check_depth(data)
    try:
        value = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError("malformed JSON") from error
    if isinstance(value, dict | list):
        _refuse_repeated_keys(data)
    return value


def _check_depth(data: bytes) -> None:
    """Before decoding: a C decoder recurses too, and trusts the interpreter's limit, which a library may lift."""
    if data.count(b"[") + data.count(b"{") <= JSON_DEPTH_MAX:
        return
    depth = 0
    for token in _BRACKETS.finditer(data):
        first = token.group()[0]
        if first in b"[{":
            depth += 1
            if depth > JSON_DEPTH_MAX:
                raise LimitExceeded("JSON nested too deeply", most=JSON_DEPTH_MAX)
        elif first in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise DecodeError("an object repeats a key")


def _small_integer(digits: str) -> int:
    if len(digits) > JSON_INTEGER_DIGITS_MAX:
        raise DecodeError("integer too large")
    return 0


# Built once. It only looks for repeated keys and oversized integers: values come from msgspec.
_repeated = json.JSONDecoder(object_pairs_hook=_object, parse_int=_small_integer, parse_float=lambda _: 0.0)


def _refuse_repeated_keys(data: bytes) -> None:
    _repeated.decode(data.decode("utf-8"))
