"""Records: what the types of fields say is what is written, by hand here, and nothing else is read."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import pytest

from coinone.base.primitives import rlp
from coinone.base.primitives.codecs import Codec
from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.records import (
    Tagged,
    codec_of,
    decode,
    decode_field,
    encode,
    encoded_fields,
    record,
)
from coinone.base.primitives.types import (
    I64,
    U16,
    U64,
    Address,
    Between,
    Count,
    Hash32,
    Size,
    Trailing,
    Unsigned,
    Unwritten,
    Wrapped,
)


class Side(Enum):
    BID = 1
    ASK = 2


@record
@dataclass(frozen=True, slots=True)
class Point:
    x: U16
    y: I64


@record
@dataclass(frozen=True, slots=True)
class Everything:
    number: U64
    name: Hash32
    side: Side
    flag: bool
    nearby: Point
    maybe: Point | None
    address: Address | None
    pairs: Annotated[tuple[tuple[U16, bytes], ...], Count(2)]
    inside: Annotated[Point, Wrapped(20)]
    share: Annotated[int, Between(5, 300)]
    text: Annotated[bytes, Size(1, 3)]
    computed: Annotated[int, Unwritten()] = 7


@record
@dataclass(frozen=True, slots=True)
class Ended:
    first: U16
    last: Annotated[Hash32 | None, Trailing()] = None


NAME = bytes(range(32))
SOME = Everything(
    1_000, NAME, Side.ASK, True, Point(0, -1), None, bytes(20), ((3, b"\x05"),), Point(9, 1), 256, b"ab"
)
MINUS_ONE, ONE = b"\xff" * 8, bytes(7) + b"\x01"
ITEMS: list[Any] = [
    b"\x03\xe8", NAME, b"\x02", b"\x01", [b"", MINUS_ONE], b"", bytes(20), [[b"\x03", b"\x05"]],
    rlp.encode([b"\x09", ONE]), b"\x01\x00", b"ab",
]  # fmt: skip


def changed(place: int, item: Any) -> bytes:
    return rlp.encode([item if number == place else old for number, old in enumerate(ITEMS)])


def test_a_record_is_the_list_of_its_fields_each_as_its_type_says() -> None:
    assert encode(SOME) == rlp.encode(ITEMS)
    assert decode(Everything, rlp.encode(ITEMS)) == SOME


@pytest.mark.parametrize(
    ("place", "item", "field"),
    [
        (0, b"\x00\x01", "number"),  # a leading zero
        (0, b"\x01" * 9, "number"),
        (0, [], "number"),
        (1, NAME[1:], "name"),
        (2, b"\x03", "side"),
        (2, b"", "side"),
        (3, b"\x02", "flag"),
        (4, [b"\x01\x00\x00", ONE], "nearby.x"),
        (4, [b"", ONE[1:]], "nearby.y"),
        (4, [b"", ONE, b""], "nearby"),
        (5, [b"", b""], "maybe.y"),
        (6, bytes(19), "address"),
        (7, [[b"", b""]] * 3, "pairs"),
        (7, [[b""]], "pairs"),
        (7, [[b"", []]], "pairs"),
        (8, rlp.encode([b"\x09"]), "inside"),
        (8, rlp.encode([b"\x09", ONE]) + b"\x00", "inside"),
        (8, [b"\x09", ONE], "inside"),
        (9, b"\x04", "share"),
        (9, b"\x01\x2d", "share"),
        (10, b"", "text"),
        (10, b"abcd", "text"),
    ],
)
def test_what_does_not_fit_a_field_is_refused_by_its_name(place: int, item: Any, field: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode(Everything, changed(place, item))
    assert refused.value.details["field"] == field


def test_the_limit_of_what_is_wrapped_holds_before_it_is_read() -> None:
    with pytest.raises(LimitExceeded, match="point too large") as refused:
        decode(Everything, changed(8, b"\xc0" * 21))
    assert refused.value.details == {"have": 21, "most": 20, "field": "inside"}


@pytest.mark.parametrize("items", [ITEMS[:-1], [*ITEMS, b""], []])
def test_another_number_of_fields_is_refused(items: list[Any]) -> None:
    with pytest.raises(DecodeError, match="wrong number of fields"):
        decode(Everything, rlp.encode(items))


def test_a_trailing_field_is_left_out_where_it_is_none() -> None:
    assert encode(Ended(1)) == rlp.encode([1]) and decode(Ended, rlp.encode([1])) == Ended(1)
    assert decode(Ended, encode(Ended(1, NAME))) == Ended(1, NAME)
    with pytest.raises(DecodeError):  # it has one spelling
        decode(Ended, rlp.encode([1, b""]))


@pytest.mark.parametrize("value", [Point(-1, 0), Point(1 << 16, 0), Ended(1, NAME[1:])])
def test_a_value_wider_than_its_field_is_not_written(value: Any) -> None:
    with pytest.raises(AssertionError):
        encode(value)


def test_fields_are_encoded_one_by_one_for_hashes() -> None:
    assert encoded_fields(SOME) == [rlp.encode(item) for item in ITEMS]
    assert encoded_fields(SOME, "text", "number") == [rlp.encode(b"ab"), rlp.encode(1_000)]
    assert decode_field(Everything, list(rlp.parts(encode(SOME))), "share") == 256


def test_a_class_that_does_not_say_how_it_is_written_is_no_record() -> None:
    @dataclass
    class Vague:
        number: int

    with pytest.raises(AssertionError, match="does not say how it is written"):
        record(Vague)


def test_a_codec_of_ones_own_is_taken() -> None:
    upside_down = Codec(lambda text: rlp.encode(text[::-1]), lambda item: rlp.decode_bytes(item)[::-1])
    codec = codec_of(tuple[Annotated[bytes, upside_down], ...])
    assert codec.encode((b"abc",)) == rlp.encode([b"cba"]) and codec.decode([b"cba"]) == (b"abc",)


def test_one_of_several_records_goes_by_its_tag() -> None:
    shapes: Tagged[Point | Ended] = Tagged({1: Point, 2: Ended})
    assert shapes.encode(Ended(5)) == b"\x02" + encode(Ended(5))
    assert shapes.decode(b"\x01" + encode(Point(1, 2))) == Point(1, 2)
    for spoiled in (b"", b"\x03\xc0", b"\x02" + encode(Point(1, 2))):
        with pytest.raises(DecodeError):
            shapes.decode(spoiled)


def test_widths_are_those_of_the_types() -> None:
    for width in (1, 2, 4, 8, 32):
        codec, most = codec_of(Annotated[int, Unsigned(width)]), 2 ** (8 * width) - 1
        assert codec.encode(most) == rlp.encode(most) and codec.decode(b"\xff" * width) == most
        with pytest.raises(DecodeError):
            codec.decode(b"\x01" + b"\xff" * width)
