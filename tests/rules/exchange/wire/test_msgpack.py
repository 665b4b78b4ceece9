"""Our msgpack against the msgpack library: equal on everything a client signs, stricter on the rest."""

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.primitives.errors import DecodeError
from coinone.rules.exchange.wire import pack, unpack

VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=8), inner, max_size=20),
    max_leaves=30,
)


def depth(value: object) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


@settings(max_examples=100)
@given(VALUES)
def test_packing_gives_the_librarys_bytes_and_unpacking_gives_the_value_back(value: object) -> None:
    packed = msgpack.packb(value)
    assert pack(value) == packed
    if depth(value) <= 6:
        assert unpack(packed) == value
    else:
        with pytest.raises(DecodeError):
            unpack(packed)


def test_a_key_without_a_value_is_left_out_wherever_it_stands() -> None:
    orders = [{"a": 0, "c": None}, {"a": 1}]
    assert pack({"type": "order", "orders": orders, "builder": None}) == msgpack.packb(
        {"type": "order", "orders": [{"a": 0}, {"a": 1}]}
    )
    with pytest.raises(DecodeError):
        pack([None])


@pytest.mark.parametrize("size", [0, 15, 16, 31, 32, 255, 256, 65535, 65536])
def test_lengths_at_the_limits_of_their_forms(size: int) -> None:
    for value in ("x" * size, [1] * size, {str(n): n for n in range(size)}):
        assert pack(value) == msgpack.packb(value)
        assert unpack(pack(value)) == value


@pytest.mark.parametrize("power", range(65))
def test_integers_at_the_limits_of_their_forms(power: int) -> None:
    for value in {2**power - 1, 2**power, -(2**power), -(2**power) - 1}:
        if -(2**63) <= value < 2**64:
            assert pack(value) == msgpack.packb(value)
            assert unpack(pack(value)) == value


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_what_unpacks_packs_to_the_same_bytes(data: bytes) -> None:
    try:
        value = unpack(data)
    except DecodeError:
        return
    assert pack(value) == data


@pytest.mark.parametrize("value", [1.0, None, b"x", 2**64, -(2**63) - 1, {1: 2}, object(), "\ud800"])
def test_what_no_client_signs_is_not_packed(value: object) -> None:
    with pytest.raises(DecodeError):
        pack(value)
