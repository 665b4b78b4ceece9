"""The one reader and writer of JSON at the border.

msgspec is strict where Python's own decoder is kind: it refuses NaN, 1e999, broken UTF-8, lone surrogates and
trailing bytes, and keeps integers beyond 2^64 exact. Two rules are added here. Depth is bounded, because code
that walks a request recurses. A repeated key is refused, because two readers of one signed request must never
see two values.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.interfaces.api.limits import JSON_DEPTH_MAX, JSON_INTEGER_DIGITS_MAX

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def decode(data: bytes) -> Any:
    """Parse a request body. Raises DecodeError (malformed) or LimitExceeded (too deep)."""
    try:
        value = _decode(data)
        _check_depth(value, JSON_DEPTH_MAX)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError("malformed JSON") from error
    except RecursionError as error:
        raise LimitExceeded("JSON nested too deeply", most=JSON_DEPTH_MAX) from error
    if isinstance(value, dict | list):
        _refuse_repeated_keys(data)
    return value


def _check_depth(value: object, left: int) -> None:
    if isinstance(value, dict):
        children: Any = value.values()
    elif isinstance(value, list):
        children = value
    else:
        return
    if left == 0:
        raise LimitExceeded("JSON nested too deeply", most=JSON_DEPTH_MAX)
    for child in children:
        if isinstance(child, dict | list):
            _check_depth(child, left - 1)


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
