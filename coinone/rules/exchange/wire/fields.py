"""Fields of signed actions, each read as its type: every field named, none unknown, none missing.

Only the form is checked here: numbers are scaled to integers, whatever market they name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from coinone.base.primitives.errors import DecodeError, InvalidInput
from coinone.base.primitives.integers import INT64_MAX, U64_MAX
from coinone.base.primitives.parameters import ORDERS_PER_ACTION_MAX, USER_TEXT_MAX
from coinone.base.primitives.parse import parse_bytes, parse_decimal
from coinone.base.primitives.units import QUOTE_DECIMALS
from coinone.rules.exchange.wire.trades import WIRE_DECIMALS

ASSET_MAX = 2**31 - 1

Fields: TypeAlias = Mapping[str, Any]
Reader: TypeAlias = Callable[[Any], Any]


class Shape:
    """The fields of an L1 action in order, each with its reader, and `make`, which builds the action from them.

    Optional fields are passed by name, if present.
    """

    def __init__(self, make: Callable[..., Any], required: dict[str, Reader], **optional: Reader) -> None:
        self.make = make
        self.required = required
        self.optional = optional
        self._names = ("type", *required)

    def __call__(self, fields: Fields) -> Any:
        exactly(fields, self._names, tuple(self.optional))
        values = [read(fields[name]) for name, read in self.required.items()]
        more = {name: read(fields[name]) for name, read in self.optional.items() if name in fields}
        return self.make(*values, **more)


def exactly(fields: Fields, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Raise DecodeError for a missing or an unknown field."""
    for name in required:
        if name not in fields:
            raise DecodeError("field missing", name=name)
    if len(fields) > len(required):
        for name in fields:
            if name not in required and name not in optional:
                raise DecodeError("unknown field", name=name)


def mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DecodeError("map expected", at=what)
    return value


def items(value: object) -> list[Any]:
    """The items of an action, at most the maximum number."""
    if not isinstance(value, list):
        raise DecodeError("list expected")
    if not 0 < len(value) <= ORDERS_PER_ACTION_MAX:
        raise wrong_number(len(value))
    return value


def wrong_number(count: int) -> DecodeError:
    return DecodeError("number of items in an action", have=count, most=ORDERS_PER_ACTION_MAX)


def integer(value: object, most: int = U64_MAX) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise DecodeError("integer expected", most=most)
    return value


def thousand(value: object) -> int:
    """A small number, at most 1,000."""
    return integer(value, 1_000)


def asset(value: object) -> int:
    return integer(value, ASSET_MAX)


def boolean(value: object) -> bool:
    if type(value) is not bool:
        raise DecodeError("true or false expected")
    return value


def text(value: object) -> str:
    if not isinstance(value, str) or len(value) > USER_TEXT_MAX:
        raise DecodeError("short text expected")
    return value


def cloid(value: object) -> int:
    number = int.from_bytes(parse_bytes(value, 16), "big")
    if number == 0:
        raise InvalidInput("cloid must not be zero")
    return number


def scaled(value: object) -> int:
    """A price or size in 1e-8; zero is well-formed and refused later, by the market."""
    number = parse_decimal(value, WIRE_DECIMALS)
    if number > INT64_MAX:
        raise DecodeError("number too large")
    return number


def amount(value: object) -> int:
    """A positive amount of the quote token in 1e-6."""
    number = parse_decimal(value, QUOTE_DECIMALS)
    if not 0 < number < 2**62:
        raise InvalidInput("amount out of range")
    return number


def as_it_is(value: object) -> object:
    """Return the value unchanged, for `make` to read."""
    return value
