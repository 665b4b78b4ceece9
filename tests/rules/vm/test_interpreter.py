"""The interpreter's own promises: depth, limits, what a failed frame leaves behind."""

import sys

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import (
    FORKS,
    BlockEnv,
    Evm,
    ExecutionResult,
    Message,
    TransactionEnv,
    engine_named,
    execute,
)
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.errors import InvalidJump, InvalidOpcode, OutOfMemory, Revert, StackUnderflow
from coinone.rules.vm.frame import Rules
from coinone.rules.vm.program import Program

CALLER, CONTRACT, OTHER = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
OSAKA = FORKS["Osaka"]
ENV = BlockEnv(1, 5, 77, bytes(20), 30_000_000, 7, bytes(32), lambda number: bytes(32))


def machine(rules: Rules = OSAKA, **options: object) -> Evm:
    state = State(MemoryDatabase())
    for address in (CALLER, CONTRACT, OTHER):
        state.set_account(address, Account(1, 10**18))
    state.begin_transaction()
    return Evm(state, ENV, TransactionEnv(CALLER, 9), rules, **options)  # type: ignore[arg-type]


def run(evm: Evm, code: str, gas: int = 1_000_000, data: bytes = b"", value: int = 0) -> ExecutionResult:
    return execute(
        evm, Message(kinds.CALL, CALLER, CONTRACT, CONTRACT, bytes.fromhex(code), value, data, gas)
    )


def test_contracts_nest_1024_deep_on_a_flat_python_stack() -> None:
    # slot 0 counts frames; each calls itself with all the gas it may pass on
    code = "60016000540160005560006000600060006000305af150"
    evm = machine()
    evm.state.set_code(CONTRACT, bytes.fromhex(code))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(_stack()) + 60)
    try:
        result = run(evm, code, gas=10**13)
    finally:
        sys.setrecursionlimit(limit)
    assert result.success
    assert evm.state.storage(CONTRACT, 0) == 1025  # the first, and 1,024 below it


def _stack() -> list[object]:
    frame, frames = sys._getframe(), []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back  # type: ignore[assignment]
    return frames  # type: ignore[return-value]


def test_code_that_runs_off_its_end_stops() -> None:
    result = run(machine(), "6001")
    assert result.success and result.gas_left == 1_000_000 - 3


def test_a_push_cut_short_by_the_end_of_code_reads_zeros() -> None:
    # at the end PUSH2 0xff.. is 0xff00; before it: nothing can see that value, but the frame must not fail
    assert run(machine(), "61ff").success


def test_a_jump_into_the_data_of_a_push_is_refused() -> None:
    result = run(machine(), "600356605b00")  # PUSH1 3, JUMP, PUSH1 0x5b: the 5b at 4 is data
    assert isinstance(result.error, InvalidJump) and result.gas_left == 0
    result = run(machine(), "600456605b00")
    assert isinstance(result.error, InvalidJump)
    assert run(machine(), "6004565b5b00").success


@pytest.mark.parametrize("size", range(1, 33))
def test_jump_destinations_are_found_behind_pushes_of_every_size(size: int) -> None:
    program = Program(bytes([0x5F + size]) + b"\x5b" * size + b"\x5b")
    assert [program.is_destination(i) for i in range(size + 3)] == [False] * (size + 1) + [True, False]


def test_an_undefined_byte_is_an_invalid_opcode_and_so_is_one_of_a_later_fork() -> None:
    assert isinstance(run(machine(), "0c").error, InvalidOpcode)
    assert isinstance(run(machine(FORKS["Prague"]), "60011e").error, InvalidOpcode)  # CLZ
    assert run(machine(), "60011e").success


def test_a_stack_too_short_ends_the_frame() -> None:
    assert isinstance(run(machine(), "600101").error, StackUnderflow)


def test_a_revert_hands_back_gas_and_output_and_undoes_everything() -> None:
    evm = machine()
    result = run(evm, "6001600055600060006000a060206000fd", value=5)
    assert isinstance(result.error, Revert)
    assert result.gas_left > 900_000 and result.output == bytes(32)
    assert evm.state.storage(CONTRACT, 0) == 0 and result.logs == ()
    assert evm.state.balance(CONTRACT) == 10**18
    assert evm.substate.warm_slot(CONTRACT, 0), "the slot is cold again"


def test_an_endless_loop_is_stopped_by_the_budget_and_leaves_no_trace_after_a_revert_to_the_snapshot() -> (
    None
):
    left = 100

    def budget() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise LimitExceeded("too many steps")

    evm = machine(budget=budget)
    snapshot = evm.state.snapshot()
    with pytest.raises(LimitExceeded):
        run(evm, "60016000555b600556", gas=10**15)
    evm.state.revert(snapshot)
    assert evm.state.storage(CONTRACT, 0) == 0


def test_the_memory_of_all_live_frames_together_is_capped() -> None:
    from dataclasses import replace

    small = replace(OSAKA, memory_cap=10_000)
    grow = "5f6120005200"  # MSTORE at 0x2000: 8,224 bytes
    assert run(machine(small), grow).success
    # the same, after growing 3,232 bytes in the caller and calling OTHER, which grows 8,224 more
    evm = machine(small)
    evm.state.set_code(OTHER, bytes.fromhex(grow))
    calls = "5f610c8052" + "5f5f5f5f5f73" + OTHER.hex() + "5af1" + "5f5260205ff3"
    result = run(evm, calls)
    assert result.success and result.output == bytes(32), "the call failed, its caller went on"
    assert isinstance(run(machine(small), "5f614e205200").error, OutOfMemory)
    assert evm.memory_used == 0


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_where_gas_has_no_cap_a_frame_may_hold_more_than_gas_buys_elsewhere(engine: str) -> None:
    # MLOAD at 0x081fffe0: 0x08200000 bytes (130 MiB), 4,259,840 words, for 3 * words + words ** 2 / 512
    # gas; PUSH4, MLOAD and POP cost 3 + 3 + 2
    made = engine_named(engine)
    cancun = run(machine(FORKS["Cancun"], engine=made), "63081fffe05150", gas=10**11)
    osaka = run(machine(engine=made), "63081fffe05150", gas=10**11)
    assert cancun.success and 10**11 - cancun.gas_left == 12_779_520 + 4_259_840**2 // 512 + 8
    assert isinstance(osaka.error, OutOfMemory)


def test_large_call_data_is_seen_whole_and_the_caller_may_grow_its_memory_afterwards() -> None:
    # OTHER returns the last word of its data and its size; the caller put 7 into the last word of 8,192 bytes
    evm = machine()
    evm.state.set_code(OTHER, bytes.fromhex("6020360335" + "5f52" + "36602052" + "60405ff3"))
    calls = "6007611fe052" + "60405f6120005f73" + OTHER.hex() + "5afa"
    grow_and_return = "5061300051" + "60405ff3"
    result = run(evm, calls + grow_and_return)
    assert result.output == (7).to_bytes(32, "big") + (0x2000).to_bytes(32, "big")


def test_a_precompile_of_the_chain_is_called_like_one_of_the_fork() -> None:
    address = (0x0800).to_bytes(20, "big")
    seen = []

    def precompile(data: bytes, gas: int) -> tuple[int, bytes]:
        seen.append(data)
        return 1_234, b"\x2a".rjust(32, b"\0")

    evm = machine(precompiles={**OSAKA.precompiles, address: precompile})
    evm.substate.warm_address(address)
    # STATICCALL(gas, 0x0800, 0, 4, 0, 32) and return the word
    result = run(evm, "6020600060046000610800" + "5afa" + "50" + "60206000f3")
    assert result.output == (42).to_bytes(32, "big") and seen == [bytes(4)]
    # 5 pushes 15, GAS 2, call 100, memory 3, precompile 1,234, POP 2, 2 pushes 6
    assert 1_000_000 - result.gas_left == 15 + 2 + 100 + 3 + 1_234 + 2 + 6


def test_a_precompile_that_asks_too_much_fails_the_call_and_takes_its_gas() -> None:
    address = (0x0800).to_bytes(20, "big")
    evm = machine(precompiles={address: lambda data, gas: (gas + 1, b"x")})
    # CALL with 500 gas, then return its result
    result = run(evm, "60006000600060006000" + "610800" + "6101f4" + "f1" + "60005260206000f3")
    assert result.output == bytes(32)
    # cold 2,600, 500 lost; pushes 10 * 3, MSTORE 3, memory 3
    assert 1_000_000 - result.gas_left == 2_600 + 500 + 10 * 3 + 6
