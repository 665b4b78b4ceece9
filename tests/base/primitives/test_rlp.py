"""RLP against the examples of the Ethereum documentation and pyrlp; one spelling per item.

The official vectors run in tests/vectors/test_rlp_vectors.py.
"""

import pytest
import rlp as pyrlp
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.parameters import RLP_DEPTH_MAX
from coinone.base.primitives.rlp import check_items, decode, decode_int, encode, parts

items = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=20)


@given(items)
def test_encoding_agrees_with_pyrlp_and_is_read_back(item: object) -> None:
    data = encode(item)  # type: ignore[arg-type]
    assert data == pyrlp.encode(item)
    assert decode(data) == item


@given(st.lists(items, max_size=6))
def test_the_parts_of_a_list_are_its_items_as_they_are_encoded(item: list[object]) -> None:
    assert list(parts(encode(item))) == [encode(each) for each in item]  # type: ignore[arg-type]


@pytest.mark.parametrize("data", ["", "83616263", "c0c0", "c283", "c2b838"])
def test_what_is_no_whole_list_has_no_parts(data: str) -> None:
    with pytest.raises(DecodeError):
        list(parts(bytes.fromhex(data)))


@given(st.binary(max_size=40))
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        item = decode(data)
    except DecodeError:
        return
    assert encode(item) == data


@pytest.mark.parametrize(
    "data",
    [
        "",
        "8100",
        "817f",
        "b800",
        "b83700",
        "b90001ff",
        "8261",
        "c2c0",
        "f800",
        "f90000",
        "c180c0",
        "bfffffffffffffffff",
    ],
)
def test_another_spelling_or_a_short_input_is_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(data))


def test_deep_nesting_is_refused_before_it_can_exhaust_the_stack() -> None:
    nested: list[object] = []
    for _ in range(RLP_DEPTH_MAX - 1):
        nested = [nested]
    assert decode(encode(nested)) == nested  # type: ignore[arg-type]
    with pytest.raises(DecodeError, match="nested too deeply"):
        decode(encode([nested]))  # type: ignore[list-item]


def test_integers_have_no_leading_zero() -> None:
    assert decode_int(b"") == 0
    assert decode_int(b"\x04\x00") == 1024
    for wrong in (b"\x00", b"\x00\x01", [b"\x01"], b"\x01" * 33):
        with pytest.raises(DecodeError):
            decode_int(wrong)  # type: ignore[arg-type]


@given(st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=20))
def test_items_are_counted_as_they_are_decoded(item: object) -> None:
    def count(part: object) -> int:
        return 1 + sum(count(each) for each in part) if isinstance(part, list) else 1

    data = encode(item)
    check_items(data, count(item))
    with pytest.raises(LimitExceeded):
        check_items(data, count(item) - 1)
