"""What the border's JSON reader refuses, from the list of what lenient readers let through."""

import contextlib
import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.primitives.errors import DecodeError, InvalidInput, LimitExceeded
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.limits import BODY_BYTES_MAX, JSON_BRACKETS_MAX, JSON_DEPTH_MAX, JSON_PARTS_MAX


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        b'{"a":1}x',
        b"[01]",
        b'["\\ud800"]',
        b'["\xff"]',
        b"\xef\xbb\xbf{}",
        b"[" + b"9" * 400 + b"]",
        b"[1,]",
        b"{'a':1}",
        b"\x00",
    ],
)
def test_malformed_text_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        jsonio.decode(body)


def test_integers_beyond_64_bits_stay_exact() -> None:
    assert jsonio.decode(b"[18446744073709551616, 18446744073709551617]") == [2**64, 2**64 + 1]


def test_a_repeated_key_is_refused_at_any_depth() -> None:
    for body in (
        b'{"a":1,"a":1}',
        b'[{"b":{"c":1,"c":2}}]',
        b'{"a":1,"\\u0061":2}',
        b'{"a":1,"a":"\\u003a"}',  # as many colons as what it says, written again
        b'{"a":{"b":1,"c":":::"},"a":"::::"}',
    ):
        with pytest.raises(DecodeError):
            jsonio.decode(body)


def test_equal_keys_of_different_objects_are_fine() -> None:
    assert jsonio.decode(b'[{"a":1},{"a":2}]') == [{"a": 1}, {"a": 2}]


def test_the_order_of_keys_is_kept() -> None:
    assert list(jsonio.decode(b'{"z":1,"a":2,"m":3}')) == ["z", "a", "m"]


def test_depth_is_bounded_long_before_the_interpreter_gives_up() -> None:
    deepest = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
    jsonio.decode(deepest)
    for depth in (JSON_DEPTH_MAX + 1, 500, 100_000):
        with pytest.raises(LimitExceeded):
            jsonio.decode(b"[" * depth + b"]" * depth)


def test_depth_is_bounded_even_where_a_library_lifted_the_interpreters_limit() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        with pytest.raises(LimitExceeded):
            jsonio.decode(b"[" * 1_000_000)
    finally:
        sys.setrecursionlimit(limit)


def test_brackets_inside_strings_are_no_depth() -> None:
    assert jsonio.decode(b'["' + b'\\"[' * 100 + b'"]') == ['"[' * 100]
    assert jsonio.decode(b'["' + b"[" * 100 + b'"]') == ["[" * 100]
    with pytest.raises(LimitExceeded):  # nor do they take depth away
        jsonio.decode(b'["]",' * 30 + b"1" + b"]" * 30)
    with pytest.raises(DecodeError):
        jsonio.decode(b'"' + b'\\"[' * 16_000)  # never ends, and is not read twice
    with pytest.raises(DecodeError):
        jsonio.decode(b'["' + b"[" * 100)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        jsonio.decode(body)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", ":", "\\u003a"]), st.sampled_from(['":"', "1", '"\\u003a"']))
    )
)
def test_a_repeated_key_is_found_whatever_else_there_is(pairs: list[tuple[str, str]]) -> None:
    body = "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
    keys = [json.loads(f'"{key}"') for key, _ in pairs]
    if len(set(keys)) == len(keys):
        assert list(jsonio.decode(body.encode())) == keys
    else:
        with pytest.raises(DecodeError):
            jsonio.decode(body.encode())


def test_what_clients_send_is_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for repeated keys took 6 ms of a thousand modifies, ten times what reading them did."""

    def never(data: bytes) -> None:
        raise AssertionError("looked at key by key")

    monkeypatch.setattr(jsonio, "_refuse_repeated_keys", never)
    modify = {
        "oid": 2**63,
        "order": {"a": 0, "p": "50000", "t": {"limit": {"tif": "Gtc"}}, "c": "0x" + "0" * 32},
    }
    for body in (
        {"action": {"type": "batchModify", "modifies": [modify] * 1000}},
        [1, -1, 1.5, 2**70, "a:b", None],
    ):
        assert jsonio.decode(json.dumps(body).encode()) == body


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100)
@given(_values)
def test_the_standard_librarys_text_reads_back_the_same(value: Any) -> None:
    assert jsonio.decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize("part", [b"[],", b"{},", b'"",', b"0,", b'"a":1,', b'"', b"\\n", b"1.5,", b":"])
def test_a_body_full_of_small_parts_is_refused_before_it_is_parsed(
    part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one thread's time: 350,000 empty lists fit a body, and a reader stops at each."""

    def never(data: bytes) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(jsonio, "_decode", never)
    monkeypatch.setattr(jsonio, "_check_depth", never)
    with pytest.raises(LimitExceeded, match="too many"):
        jsonio.decode(b"[" + part * ((BODY_BYTES_MAX - 1) // len(part)))


def test_a_thousand_orders_and_a_batch_of_a_thousand_calls_are_far_below_the_bounds() -> None:
    order = {
        "a": 0,
        "b": True,
        "p": "50000",
        "s": "0.01",
        "r": False,
        "t": {"limit": {"tif": "Gtc"}},
        "c": "0x0",
    }
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_call",
        "params": [{"to": "0x0", "data": "0x0"}, "latest"],
    }
    for body in ({"action": {"type": "order", "orders": [order] * 1000}}, [call] * 1000):
        raw = json.dumps(body).encode()
        assert jsonio.decode(raw) == body
        assert 4 * (raw.count(b"[") + raw.count(b"{")) < JSON_BRACKETS_MAX
        assert 3 * (raw.count(b",") + raw.count(b":")) < JSON_PARTS_MAX
