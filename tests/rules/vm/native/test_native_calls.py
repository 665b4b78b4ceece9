"""Calls that stay in machine code: from the second time on, plain code is called without coming back to Python."""

import pytest

from tests.rules.vm.native.programs import CONTRACTS, push, run_both

CALL, DELEGATECALL, STATICCALL = 0xF1, 0xF4, 0xFA
STORE_GAS = b"\x5a" + push(3) + b"\x55"
BODIES = {
    "nothing": b"\x00"[:0],
    "storage cleared and set": push(0) + push(1) + b"\x55" + push(9) + push(2) + b"\x55" + push(2) + b"\x54\x50",
    "a counter": push(5) + b"\x54" + b"\x60\x01\x01" + push(5) + b"\x55",
    "transient": push(7) + b"\x5c" + b"\x60\x01\x01" + push(7) + b"\x5d" + push(7) + b"\x5c\x5f\x52",
    "a log": b"\x30" + push(20) + push(5) + b"\xa1",
    "who and what": b"\x30\x33\x34\x36\x38\x59\x47\x3d" + b"".join([push(32 * i) + b"\x52" for i in range(8)]),
    "call data": b"\x36\x5f\x5f\x37",
    "much memory": b"\x5a" + push(5000) + b"\x52",
    "dirty memory read": push(4000) + b"\x51\x5f\x52" + push(2**256 - 1) + push(4000) + b"\x52",
    "another contract": push(64) + push(10) + push(9) + push(3) + push(0) + b"\x73" + CONTRACTS[2] + b"\x5a\xf1"
    + b"\x3d\x5f\x5f\x3e" + push(40) + b"\x52",
    "a balance": b"\x30\x31\x5f\x52",
    "itself, until gas ends": push(0) * 5 + b"\x30\x5a\xf1\x50",
}  # fmt: skip
ENDINGS = {
    "stop": b"\x00",
    "return": push(300) + push(3) + b"\xf3",
    "return little": push(3) + push(1) + b"\xf3",
    "revert": push(200) + push(0) + b"\xfd",
    "invalid": b"\xfe",
    "underflow": b"\x01\x01\x01\x01\x01\x01\x01\x01\x01",
}
# What follows each call: note its success and what it returned, all of it.
LOOK = push(6) + b"\x54\x01" + push(6) + b"\x55\x3d\x5f\x61\x01\x00\x3e\x59\x5f\x20" + push(7) + b"\x55"


def caller(kind: int, gas: bytes, turns: int = 3) -> bytes:
    """A loop of calls of the second contract, with data and room for a result."""
    value = push(0) if kind == CALL else b""
    call = push(70) + push(33) + push(45) + push(5) + value + b"\x73" + CONTRACTS[1] + gas + bytes([kind])
    body = call + LOOK + STORE_GAS
    return push(turns) + b"\x5b" + body + b"\x60\x01\x90\x03\x80" + b"\x60\x02\x57" + push(400) + b"\x5f\xf3"


THIRD = b"".join([
    push(1) + push(8) + b"\x54\x01" + push(8) + b"\x55",
    b"\x33\x5f\x52\x5a" + push(32) + b"\x52" + push(50) + push(7),
])  # fmt: skip


@pytest.mark.parametrize("kind", [CALL, DELEGATECALL, STATICCALL])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_calls_end_alike_whatever_the_callee_does(kind: int, body: str, ending: str) -> None:
    callee = BODIES[body] + ENDINGS[ending]
    for third in (b"\xf3", b"\xfd"):
        for gas in (b"\x5a", push(200_000), push(2_300)):
            run_both([caller(kind, gas), callee, THIRD + third], gas=2_000_000, data=bytes(range(64)))


@pytest.mark.parametrize("kind", [CALL, DELEGATECALL, STATICCALL])
def test_a_static_frame_stays_static_through_calls(kind: int) -> None:
    middle = push(0) * 5 + b"\x73" + CONTRACTS[2] + b"\x5a\xf1" + b"\x5f\x52" + push(32) + b"\x5f\xf3"
    for third in (
        push(1) + push(1) + b"\x55",
        push(1) + push(1) + b"\x5d",
        b"\x5f\x5f\xa0",
        b"\x5f\x5f\x5f\xf0",
    ):
        run_both([caller(kind, b"\x5a"), middle, third], gas=2_000_000)


def test_a_failed_caller_makes_what_it_called_cold_again() -> None:
    # The first contract calls the second (which calls the third and then fails), then the third, in turns.
    second = push(0) * 5 + b"\x73" + CONTRACTS[2] + b"\x5a\xf1" + b"\x5f\x5f\xfd"
    two = b"".join([push(0) * 5 + b"\x73" + CONTRACTS[n] + b"\x5a\xf1\x50" + STORE_GAS for n in (1, 2, 1, 2)])
    assert run_both([two, second, STORE_GAS], gas=2_000_000).success


def test_every_amount_of_gas_ends_a_tree_of_calls_alike() -> None:
    callee = BODIES["another contract"] + BODIES["a log"] + ENDINGS["return"]
    for gas in range(20_000, 160_000, 1_733):
        run_both([caller(CALL, b"\x5a"), callee, THIRD + b"\xf3"], gas=gas)


def test_a_log_that_outgrows_the_buffer_within_a_call_is_kept() -> None:
    callee = push(70_000) + push(0) + b"\xa0"
    result = run_both([caller(CALL, b"\x5a", 4), callee + b"\x00"], gas=9_000_000)
    assert [len(log.data) for log in result.logs] == [70_000] * 4
