"""Targets in four bytes, against Core's own cases."""

import pytest

from coinone.base.primitives.errors import DecodeError
from coinone.rules.bitcoin.target import bits_of, target_of, work_of

REFUSED = None
CORE_CASES = [  # Core's arith_uint256_tests.cpp, bignum_SetCompact: bits, value, bits of the value
    *[(bits, REFUSED, 0) for bits in (0, 0x00123456, 0x01003456, 0x02000056, 0x03000000, 0x04000000)],
    *[(bits, REFUSED, 0) for bits in (0x00923456, 0x01803456, 0x02800056, 0x03800000, 0x04800000)],
    (0x01123456, 0x12, 0x01120000),
    (0x01FEDCBA, REFUSED, 0),  # negative
    (0x02123456, 0x1234, 0x02123400),
    (0x03123456, 0x123456, 0x03123456),
    (0x04123456, 0x12345600, 0x04123456),
    (0x04923456, REFUSED, 0),  # negative
    (0x05009234, 0x92340000, 0x05009234),
    (0x20123456, 0x123456 << 232, 0x20123456),
    (0xFF123456, REFUSED, 0),  # overflow
]


@pytest.mark.parametrize(("bits", "value", "again"), CORE_CASES)
def test_core_reads_and_writes_these_the_same(bits: int, value: int | None, again: int) -> None:
    if value is REFUSED:
        with pytest.raises(DecodeError):
            target_of(bits)
    else:
        assert target_of(bits) == value
        assert bits_of(value) == again


@pytest.mark.parametrize(
    ("bits", "fits"),
    [(0x220000FF, True), (0x22000100, False), (0x2100FFFF, True), (0x21010000, False), (0x23000001, False)],
)
def test_a_target_of_257_bits_is_one_too_wide(bits: int, fits: bool) -> None:
    """Core's three conditions: a size of 34 has one byte of room, 33 two, more than 34 none."""
    if fits:
        assert target_of(bits).bit_length() == 256
    else:
        with pytest.raises(DecodeError, match="wider than 256 bits"):
            target_of(bits)


def test_a_leading_bit_that_reads_as_a_sign_moves_one_byte_on() -> None:
    assert bits_of(0x80) == 0x02008000  # Core: "num = 0x80"
    assert target_of(bits_of(0x80)) == 0x80


def test_work_is_the_hashes_that_a_target_takes() -> None:
    assert work_of(0x1D00FFFF) == 0x100010001  # the chain work of Bitcoin's first block
    assert work_of(0x207FFFFF) == 2  # regtest's: every second hash
    assert work_of(0x03000001) == 2**255  # two of 2^256 hashes are at most 1
