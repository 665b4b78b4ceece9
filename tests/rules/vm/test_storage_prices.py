"""What writes to one slot cost, on every engine: the table of EIP-3529, and the gas that a stipend must not buy."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pytest

from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import (
    FORKS,
    REFERENCE,
    BlockEnv,
    Engine,
    Evm,
    ExecutionResult,
    Message,
    TransactionEnv,
    execute,
)
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.jit.execution import Jit
from coinone.rules.vm.jit.policy import Limits
from coinone.rules.vm.native.execution import Native
from coinone.rules.vm.substate import Substate

CALLER, CONTRACT = b"\x11" * 20, b"\xcc" * 20
READ = bytes.fromhex("5f54505b")  # PUSH0 SLOAD POP JUMPDEST: makes slot 0 warm, and begins a compiled block
READ_GAS = 2 + 2_100 + 2 + 1

# The slot before the transaction, the words written to it, gas with two pushes for each write, refund.
EIP_3529 = (
    (0, (0, 0), 212, 0),
    (0, (0, 1), 20_112, 0),
    (0, (1, 0), 20_112, 19_900),
    (0, (1, 2), 20_112, 0),
    (0, (1, 1), 20_112, 0),
    (1, (0, 0), 3_012, 4_800),
    (1, (0, 1), 3_012, 2_800),
    (1, (0, 2), 3_012, 0),
    (1, (2, 0), 3_012, 4_800),
    (1, (2, 3), 3_012, 0),
    (1, (2, 1), 3_012, 2_800),
    (1, (2, 2), 3_012, 0),
    (1, (1, 0), 3_012, 4_800),
    (1, (1, 2), 3_012, 0),
    (1, (1, 1), 212, 0),
    (0, (1, 0, 1), 40_118, 19_900),
    (1, (0, 1, 0), 5_918, 7_600),
)


ENGINES = (REFERENCE, Native(), Jit(Limits(hot=1, at_once=True, keep=False)))
Run: TypeAlias = Callable[..., ExecutionResult]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def run(request: pytest.FixtureRequest) -> Run:
    return partial(run_on, request.param)


def writes(*words: int) -> bytes:
    return b"".join([bytes([0x60, word, 0x60, 0, 0x55]) for word in words])


def run_on(engine: Engine, code: bytes, slot: int, gas: int, static: bool = False) -> ExecutionResult:
    state = State(MemoryDatabase())
    state.set_account(CONTRACT, Account(1, 0))
    state.set_storage(CONTRACT, 0, slot)
    state.freeze()
    state.begin_transaction()
    block = BlockEnv(1, 1, 1, bytes(20), 30_000_000, 0, bytes(32), lambda number: bytes(32))
    rules = FORKS["Osaka"]
    substate = Substate([CONTRACT], rules.precompiles)
    evm = Evm(state, block, TransactionEnv(CALLER, 0), rules, None, substate, engine=engine)
    return execute(evm, Message(kinds.CALL, CALLER, CONTRACT, CONTRACT, code, 0, b"", gas, static=static))


@pytest.mark.parametrize("slot,words,gas,refund", EIP_3529)
def test_writes_to_a_warm_slot_cost_and_give_back_what_the_table_says(
    run: Run, slot: int, words: tuple[int, ...], gas: int, refund: int
) -> None:
    result = run(READ + writes(*words), slot, 100_000)
    assert (result.success, 100_000 - result.gas_left, result.refund) == (True, READ_GAS + gas, refund)


@pytest.mark.parametrize("slot,words,gas,refund", EIP_3529)
def test_a_cold_slot_costs_2_100_more_once(
    run: Run, slot: int, words: tuple[int, ...], gas: int, refund: int
) -> None:
    result = run(writes(*words), slot, 100_000)
    assert (100_000 - result.gas_left, result.refund) == (2_100 + gas, refund)


@pytest.mark.parametrize("behind", [b"", writes(2), b"\x5f\x50" * 100])
def test_a_write_needs_more_than_the_stipend_whatever_it_costs(run: Run, behind: bytes) -> None:
    """A write of what is there costs 100, but not below 2,301. What is jumped over changes nothing.

    The jump: PUSH1 1 PUSH2 end JUMPI costs 16, the JUMPDEST at the end 1.
    """
    start = READ + writes(1) + b"\x60\x01\x61"
    code = start + (len(start) + 3 + len(behind)).to_bytes(2, "big") + b"\x57" + behind + b"\x5b"
    before = READ_GAS + 6  # the pushes of the write
    assert not run(code, 1, before + 2_300).success
    assert run(code, 1, before + 2_301).gas_left == 2_301 - 100 - 17


@pytest.mark.parametrize("words", [(2, 3), (2, 1), (2, 0)])
def test_the_second_write_in_a_block_needs_the_stipend_too(run: Run, words: tuple[int, int]) -> None:
    """1 -> 2 costs 2,900; the second write 100, and the words 12. A hundred pops behind it cost 400."""
    code = READ + writes(*words) + b"\x5f\x50" * 100
    before = READ_GAS + 12 + 2_900
    assert not run(code, 1, before + 2_300).success
    assert run(code, 1, before + 2_301).gas_left == 2_301 - 100 - 400


def test_a_static_call_cannot_write_to_a_slot_in_use(run: Run) -> None:
    result = run(READ + writes(2), 1, 100_000, static=True)
    assert (result.success, result.gas_left) == (False, 0)
