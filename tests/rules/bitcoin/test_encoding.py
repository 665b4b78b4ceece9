"""Compact sizes and the reader."""

import pytest

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.rules.bitcoin.encoding import COMPACT_SIZE_MAX, ByteReader, compact_size


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (0, "00"),
        (252, "fc"),
        (253, "fdfd00"),
        (65_535, "fdffff"),
        (65_536, "fe00000100"),
        (COMPACT_SIZE_MAX, "fe00000002"),
    ],
)
def test_a_length_has_its_shortest_form(number: int, data: str) -> None:
    assert compact_size(number).hex() == data
    reader = ByteReader(bytes.fromhex(data))
    assert reader.compact_size() == number
    reader.finish()


@pytest.mark.parametrize(
    "data", ["fd0000", "fdfc00", "fe00000000", "feffff0000", "ff0000000000000000", "ffffffffff00000000"]
)
def test_a_longer_form_of_a_length_is_refused(data: str) -> None:
    with pytest.raises(DecodeError, match="shortest"):
        ByteReader(bytes.fromhex(data)).compact_size()


@pytest.mark.parametrize("data", ["fe01000002", "feffffffff", "ff0000000001000000", "ffffffffffffffffff"])
def test_a_length_beyond_core_s_is_refused(data: str) -> None:
    with pytest.raises(LimitExceeded):
        ByteReader(bytes.fromhex(data)).compact_size()


def test_a_count_that_the_bytes_cannot_hold_is_refused_before_anything_is_read() -> None:
    with pytest.raises(DecodeError, match="more items than bytes"):
        ByteReader(bytes.fromhex("fe00000001") + bytes(40)).count(41)


@pytest.mark.parametrize("data", ["", "fd", "fd00", "fe000000", "ff00000000000000"[:-2]])
def test_an_end_inside_a_length_is_refused(data: str) -> None:
    with pytest.raises(DecodeError, match="ends too early"):
        ByteReader(bytes.fromhex(data)).compact_size()


def test_bytes_behind_the_end_are_refused() -> None:
    reader = ByteReader(b"\x01\x02")
    reader.integer(1)
    with pytest.raises(DecodeError, match="behind the end"):
        reader.finish()
