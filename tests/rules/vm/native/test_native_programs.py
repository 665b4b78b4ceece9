"""The native interpreter beside the reference: results, gas, refunds, logs and states must be equal."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.vm import FORKS
from coinone.rules.vm.errors import OutOfGas, StackOverflow, StackUnderflow
from tests.rules.vm.native.programs import CONTRACTS, EDGES, push, random_word, run_both, run_random

RETURN_TOP = bytes.fromhex("60005260206000f3")
PURE = [row for row in FORKS["Osaka"].opcodes if row.outputs == 1 and row.code < 0x20]
WORDS = st.one_of(
    st.sampled_from(EDGES), st.integers(0, 2**256 - 1), st.randoms(use_true_random=False).map(random_word)
)


@pytest.mark.parametrize("row", PURE, ids=lambda row: row.name)
def test_an_instruction_computes_what_the_reference_computes(row) -> None:  # type: ignore[no-untyped-def]
    random = Random(row.code)
    # One program for many operands: each result is stored in a slot of its own.
    for _ in range(15):
        body = b""
        for slot in range(20):
            operands = [random_word(random) for _ in range(row.inputs)]
            body += b"".join(map(push, operands)) + bytes([row.code]) + push(slot) + b"\x55"
        assert run_both([body], gas=10_000_000).success


@settings(max_examples=100)
@given(row=st.sampled_from(PURE), words=st.lists(WORDS, min_size=3, max_size=3))
def test_an_instruction_agrees_at_whatever_operands_are_found(row, words) -> None:  # type: ignore[no-untyped-def]
    code = b"".join([push(word) for word in words[: row.inputs]]) + bytes([row.code]) + RETURN_TOP
    assert run_both([code]).success


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_a_random_world_of_contracts_ends_alike(seed: int) -> None:
    run_random(seed)


def test_every_byte_that_is_no_opcode_is_invalid_on_both() -> None:
    for fork, rules in FORKS.items():
        known = {row.code for row in rules.opcodes}
        for byte in sorted(set(range(256)) - known):
            assert not run_both([bytes([byte])], fork).success


def test_the_stack_ends_at_1024_words() -> None:
    full = push(1) * 1024
    assert run_both([full]).success
    assert isinstance(run_both([full + push(1)]).error, StackOverflow)
    assert isinstance(run_both([full + b"\x80"]).error, StackOverflow)
    assert run_both([full + b"\x9f"]).success
    for opcode, below in ((0x01, 1), (0x50, 0), (0x8F, 15), (0x9F, 16), (0xA4, 5), (0xF1, 6)):
        assert isinstance(run_both([push(1) * below + bytes([opcode])]).error, StackUnderflow)


def test_every_amount_of_gas_ends_a_program_at_the_same_place() -> None:
    code = bytes.fromhex("600160025560005460205260403760806000206000526020600060006000fd")
    for gas in range(0, 26_000, 37):
        run_both([code], gas=gas)


def test_memory_grows_and_is_clean_in_each_frame() -> None:
    # The second contract leaves 64 KB full of ones behind; the first then reads memory it never wrote.
    dirty = push(2**256 - 1) + push(64_000) + b"\x52" + push(2**256 - 1) + push(0) + b"\x52"
    call = push(0) * 4 + push(0) + push(int.from_bytes(CONTRACTS[1], "big")) + b"\x5a\xf1"
    clean = (
        call + push(63_968) + b"\x51" + push(0) + b"\x55" + call + push(64_000) + b"\x51" + push(1) + b"\x55"
    )
    assert run_both([clean, dirty], gas=1_000_000).success


def test_memory_beyond_what_gas_can_buy_is_out_of_gas() -> None:
    for offset in (2**20, 2**32 - 32, 2**32, 2**64 - 1, 2**64, 2**256 - 1):
        for code in (b"\x51", b"\x5f\x5f\x39", push(1) + b"\x20", push(32) + b"\xf3", b"\x53"):
            assert isinstance(run_both([push(32) + push(offset) + code]).error, OutOfGas | StackUnderflow)


def test_many_slots_and_notes_make_the_tables_grow() -> None:
    # 3,000 cells in a loop: PUSH n; JUMPDEST; DUP1 DUP1 TSTORE; PUSH1 1 SWAP1 SUB; DUP1 PUSH 3 JUMPI
    loop = bytes.fromhex("610bb8" + "5b" + "80805d" + "6001900380" + "6003" + "57")
    check = push(2999) + b"\x5c" + push(0) + b"\x55"
    assert run_both([loop + check], gas=5_000_000).success


def test_a_log_larger_than_the_buffer_is_kept_whole() -> None:
    result = run_both([push(7) + push(100_000) + push(0) + b"\xa1"], gas=5_000_000)
    assert len(result.logs[0].data) == 100_000


def test_logs_of_different_shapes_keep_their_order() -> None:
    code = b"".join(
        [push(n) + push(n % 3 * 9) + push(0) + b"\xa1" + push(n) + push(0) + b"\xa0" for n in range(60)]
    )
    assert len(run_both([code], gas=1_000_000).logs) == 120


def test_calls_nest_1024_deep() -> None:
    call_self = push(0) * 5 + b"\x30\x5a\xf1" + push(0) + b"\x55"
    run_both([call_self], gas=2**62)


def test_a_failing_frame_takes_its_storage_warmth_and_refund_back() -> None:
    callee = push(0) + push(1) + b"\x55" + push(9) + push(5) + b"\x55" + push(3) + push(3) + b"\x5d"
    call = (
        push(0) * 5 + push(int.from_bytes(CONTRACTS[1], "big")) + push(60_000) + b"\xf1" + push(0) + b"\x55"
    )
    for ending in (b"\x5f\x5f\xfd", b"\xfe", b"\x00"):
        assert run_both([call + call, callee + ending], gas=1_000_000).success


def test_a_young_chain_knows_no_hash_of_a_block_ahead() -> None:
    """Also where the distance to a number near 2**256 wraps to that of a block long ago."""
    for number in (0, 1, 2, 255, 256, 257, 300):
        near = [n % 2**256 for n in range(number - 258, number + 3)]
        words = [*near[:4], *near[-6:], 0, *[2**256 - n for n in (1, 2, 254, 255, 256, 257, 258)]]
        code = b"".join([push(asked) + b"\x40" + push(slot) + b"\x55" for slot, asked in enumerate(words)])
        assert run_both([code], gas=1_000_000, number=number).success
