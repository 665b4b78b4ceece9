"""Compiled contracts beside the reference: what the native interpreter is held against, with everything compiled."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.vm import FORKS
from coinone.rules.vm.jit.execution import Jit
from coinone.rules.vm.jit.policy import Limits
from tests.rules.vm.native import test_native_calls as calls
from tests.rules.vm.native import test_native_programs as plain
from tests.rules.vm.native.programs import against, push, random_word, run_both, run_random

RETURN_TOP = bytes.fromhex("60005260206000f3")
PURE = [row for row in FORKS["Osaka"].opcodes if row.outputs == 1 and row.code < 0x20]


@pytest.fixture(autouse=True, scope="module")
def _everything_is_compiled() -> Iterator[None]:
    with against(Jit(Limits(hot=1, at_once=True, keep=False)).execute):
        yield


test_every_byte_that_is_no_opcode_is_invalid_on_both = (
    plain.test_every_byte_that_is_no_opcode_is_invalid_on_both
)
test_the_stack_ends_at_1024_words = plain.test_the_stack_ends_at_1024_words
test_every_amount_of_gas_ends_a_program_alike = (
    plain.test_every_amount_of_gas_ends_a_program_at_the_same_place
)
test_memory_grows_and_is_clean_in_each_frame = plain.test_memory_grows_and_is_clean_in_each_frame
test_memory_beyond_what_gas_can_buy = plain.test_memory_beyond_what_gas_can_buy_is_out_of_gas
test_many_slots_and_notes_make_the_tables_grow = plain.test_many_slots_and_notes_make_the_tables_grow
test_logs_of_different_shapes_keep_their_order = plain.test_logs_of_different_shapes_keep_their_order
test_a_young_chain_knows_no_hash_of_a_block_ahead = plain.test_a_young_chain_knows_no_hash_of_a_block_ahead
test_calls_nest_1024_deep = plain.test_calls_nest_1024_deep
test_a_failing_frame_takes_everything_back = (
    plain.test_a_failing_frame_takes_its_storage_warmth_and_refund_back
)
test_every_amount_of_gas_ends_a_tree_of_calls_alike = (
    calls.test_every_amount_of_gas_ends_a_tree_of_calls_alike
)
test_a_failed_caller_makes_what_it_called_cold_again = (
    calls.test_a_failed_caller_makes_what_it_called_cold_again
)


@pytest.mark.parametrize("row", PURE, ids=lambda row: row.name)
def test_an_instruction_computes_what_the_reference_computes(row) -> None:  # type: ignore[no-untyped-def]
    """On words that come out of the call data, so that nothing is known when the contract is compiled."""
    random = Random(row.code)
    code = b"".join([push(32 * n) + b"\x35" for n in range(row.inputs)]) + bytes([row.code]) + RETURN_TOP
    for _ in range(300):
        data = b"".join([random_word(random).to_bytes(32, "big") for _ in range(row.inputs)])
        assert run_both([code], data=data).success


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_a_random_world_of_contracts_ends_alike(seed: int) -> None:
    run_random(seed)


# Programs whose blocks meet in unusual ways; the comment says what is special.
SHAPES = {
    "jumpdests in a row": b"\x60\x05\x56\xfe\xfe" + b"\x5b" * 5 + push(7) + push(1) + b"\x55",
    "a jump to the middle of them": b"\x60\x06\x56\xfe\xfe" + b"\x5b" * 5 + push(7) + push(1) + b"\x55",
    "a jump into the data of a push": push(4) + b"\x56\x60\x5b\x00",
    "a destination that is computed": push(2) + push(5) + b"\x01\x56\xfe\x5b" + push(3) + push(1) + b"\x55",
    "one that comes from call data": b"\x5f\x35\x56" + b"\xfe" * 28 + b"\x5b" + push(3) + push(1) + b"\x55",
    "a conditional jump nowhere, taken": push(1) + push(9) + b"\x57" + push(1) + push(1) + b"\x55",
    "a conditional jump nowhere, not taken": b"\x5f" + push(9) + b"\x57" + push(1) + push(1) + b"\x55",
    "a condition that is a comparison": push(3) + push(5) + b"\x10\x15\x60\x0a\x57\x00\x5b" + push(1) * 2 + b"\x55",
    "a push that the end of the code cuts off": push(1) + push(2) + b"\x01\x7f\xff\xff",
    "the last byte is a destination": push(3) + b"\x56\x5b",
    "code that looks at itself": push(40) + b"\x5f\x5f\x39" + push(40) + b"\x5f\x20" + push(1) + b"\x55\x5b\x5b"
    + b"\x38\x5f\x52\x59\x58\x5a" + push(64) + b"\x5f\xf3",
    "gas in the middle of a block": b"\x5a" + push(9) + push(1) + b"\x55\x5a\x5a\x03" + push(2) + b"\x55\x5a" + push(3)
    + b"\x55" + push(5) + b"\x51\x5a" + push(4) + b"\x55",
    "the byte that leads to compiled code": push(1) + push(2) + b"\x01\x0c",
    "and a jump to it": push(5) + b"\x56\xfe\xfe\x5b\x0c",
    "words swapped back": push(1) + push(2) + push(3) + b"\x91\x90\x91\x90\x80\x91" + RETURN_TOP,
    "the same words again and again": push(7) + b"\x80\x81\x82\x83" * 9 + b"\x01\x02\x03" * 8 + RETURN_TOP,
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("offset", [31, 0, 2**64 + 31, 2**255])
def test_unusual_shapes_end_alike_with_any_gas(shape: str, offset: int) -> None:
    data = offset.to_bytes(32, "big")
    for gas in (*range(130), 2_302, 22_106, 25_000, 100_000):
        run_both([SHAPES[shape]], gas=gas, data=data)


def test_a_block_longer_than_is_compiled_in_one_goes_on_in_the_next() -> None:
    body = b"".join([push(n) + b"\x01" for n in range(900)])
    assert run_both([push(0) + body + RETURN_TOP]).output == (899 * 450).to_bytes(32, "big")


def test_a_full_stack_ends_a_block_where_it_ends_the_interpreter() -> None:
    # Word by word in a loop, two in a block: PUSH1 1, JUMPDEST, DUP1, DUP1, PUSH1 2, JUMP
    run_both([push(1) + b"\x5b\x80\x80\x60\x02\x56"], gas=100_000)
    run_both([push(1) * 1023 + b"\x5b\x80\x50\x80\x80"], gas=100_000)
