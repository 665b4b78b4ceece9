"""The interpreter beside Ethereum's own executable specification (package `ethereum-execution`, CC0).

Random programs run on both: results, gas, logs, storage and transient effects must be equal. Single
instructions get operands from the edges of their ranges, where mistakes live.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from ethereum.forks.osaka.fork_types import Account as SpecAccount
from ethereum.forks.osaka.state import State as SpecState
from ethereum.forks.osaka.state import TransientStorage, get_storage, set_account
from ethereum.forks.osaka.vm import BlockEnvironment, TransactionEnvironment
from ethereum.forks.osaka.vm import Message as SpecMessage
from ethereum.forks.osaka.vm.instructions import Ops
from ethereum.forks.osaka.vm.interpreter import process_message_call
from ethereum.trace import OpStart, TraceEvent, set_evm_trace
from ethereum_types.bytes import Bytes, Bytes20, Bytes32
from ethereum_types.numeric import U64, U256, Uint
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.crypto.keccak import keccak256
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv, Evm, Message, TransactionEnv, execute
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.opcodes import OSAKA
from coinone.rules.vm.substate import Substate
from coinone.rules.vm.tracing import Tracer
from coinone.rules.vm.tracing.struct_logger import StructLogger

CALLER, CONTRACT, OTHER, COINBASE = [bytes([n]) * 20 for n in (0xAA, 0xBB, 0xCC, 0xDD)]
BALANCE = 10**18
DATA = bytes(range(1, 101))
GAS = 200_000
NUMBER = 1_000
HASHES = [keccak256(bytes([n])) for n in range(256)]  # of blocks 744 to 999
# The other contract: store 7 at slot 1, log its call data size, return 64 bytes, the first word being its caller.
OTHER_CODE = bytes.fromhex("6007600155" + "366000a0" + "33600052" + "60406000f3")


@dataclass(frozen=True)
class Outcome:
    success: bool
    gas_left: int
    refund: int
    output: bytes
    logs: tuple[tuple[bytes, tuple[bytes, ...], bytes], ...]
    slots: tuple[int, ...]
    balances: tuple[int, ...]


WATCHED_SLOTS = [(address, slot) for address in (CONTRACT, OTHER) for slot in range(8)]
WATCHED_ACCOUNTS = (CALLER, CONTRACT, OTHER)


def run_ours(code: bytes, tracer: Tracer | None = None) -> Outcome:
    state = State(MemoryDatabase())
    for address in WATCHED_ACCOUNTS:
        state.set_account(address, Account(1, BALANCE))
    state.set_code(CONTRACT, code)
    state.set_code(OTHER, OTHER_CODE)
    state.freeze()
    state.begin_transaction()
    block = BlockEnv(
        1, NUMBER, 77, COINBASE, 30_000_000, 7, b"\5" * 32, lambda n: HASHES[n - NUMBER + len(HASHES)]
    )
    rules = FORKS["Osaka"]
    evm = Evm(state, block, TransactionEnv(CALLER, 9), rules, None, Substate(_warm()), tracer)
    message = Message(kinds.CALL, CALLER, CONTRACT, CONTRACT, code, 5, DATA, GAS)
    result = execute(evm, message)
    return Outcome(
        result.success,
        result.gas_left,
        result.refund if result.success else 0,
        result.output,
        tuple([tuple(log) for log in result.logs]),
        tuple([state.storage(*slot) for slot in WATCHED_SLOTS]),
        tuple([state.balance(address) for address in WATCHED_ACCOUNTS]),
    )


def run_specs(code: bytes) -> Outcome:
    state = SpecState()
    codes = {CALLER: b"", CONTRACT: code, OTHER: OTHER_CODE}
    for address, account_code in codes.items():
        set_account(state, Bytes20(address), SpecAccount(Uint(1), U256(BALANCE), Bytes(account_code)))
    block = BlockEnvironment(
        chain_id=U64(1),
        state=state,
        block_gas_limit=Uint(30_000_000),
        block_hashes=[Bytes32(one) for one in HASHES],
        coinbase=Bytes20(COINBASE),
        number=Uint(NUMBER),
        base_fee_per_gas=Uint(7),
        time=U256(77),
        prev_randao=Bytes32(b"\5" * 32),
        excess_blob_gas=U64(0),
        parent_beacon_block_root=Bytes32(bytes(32)),
    )
    transaction = TransactionEnvironment(
        origin=Bytes20(CALLER),
        gas_price=Uint(9),
        gas=Uint(GAS),
        access_list_addresses=set(),
        access_list_storage_keys=set(),
        transient_storage=TransientStorage(),
        blob_versioned_hashes=(),
        authorizations=(),
        index_in_block=None,
        tx_hash=None,
    )
    message = SpecMessage(
        block_env=block,
        tx_env=transaction,
        caller=Bytes20(CALLER),
        target=Bytes20(CONTRACT),
        current_target=Bytes20(CONTRACT),
        gas=Uint(GAS),
        value=U256(5),
        data=Bytes(DATA),
        code_address=Bytes20(CONTRACT),
        code=Bytes(code),
        depth=Uint(0),
        should_transfer_value=True,
        is_static=False,
        accessed_addresses={Bytes20(address) for address in _warm()},
        accessed_storage_keys=set(),
        disable_precompiles=False,
        parent_evm=None,
    )
    result = process_message_call(message)
    slots = [
        int(get_storage(state, Bytes20(address), Bytes32(slot.to_bytes(32, "big"))))
        for address, slot in WATCHED_SLOTS
    ]
    return Outcome(
        result.error is None,
        int(result.gas_left),
        int(result.refund_counter),
        bytes(result.return_data),
        tuple([(bytes(x.address), tuple(map(bytes, x.topics)), bytes(x.data)) for x in result.logs]),
        tuple(slots),
        tuple([_spec_balance(state, address) for address in WATCHED_ACCOUNTS]),
    )


def _spec_balance(state: SpecState, address: bytes) -> int:
    from ethereum.forks.osaka.state import get_account

    return int(get_account(state, Bytes20(address)).balance)


def _warm() -> list[bytes]:
    return [CALLER, CONTRACT, COINBASE, *FORKS["Osaka"].precompiles]


def push(word: int) -> bytes:
    data = word.to_bytes(max(1, (word.bit_length() + 7) // 8), "big")
    return bytes([0x5F + len(data)]) + data


EDGES = sorted(
    {
        value % 2**256
        for power in (0, 1, 5, 7, 8, 16, 31, 32, 63, 64, 127, 128, 160, 248, 254, 255, 256)
        for value in (2**power - 1, 2**power, 2**power + 1, -(2**power), 2**256 - 2**power)
    }
)
WORDS = st.one_of(st.sampled_from(EDGES), st.integers(0, 2**256 - 1), st.integers(0, 300))

# Ending, jumping, and instructions whose operands are places are left to the program test.
PURE = [
    row
    for row in OSAKA
    if row.outputs == 1 and (row.code < 0x20 or row.name in ("CALLDATALOAD", "BLOCKHASH"))
]


@settings(max_examples=100)
@given(row=st.sampled_from(PURE), words=st.lists(WORDS, min_size=3, max_size=3))
def test_an_instruction_computes_what_the_specification_computes(row, words) -> None:  # type: ignore[no-untyped-def]
    operands = b"".join([push(word) for word in words[: row.inputs]])
    code = operands + bytes([row.code]) + bytes.fromhex("60005260206000f3")  # return the result
    ours = run_ours(code)
    assert ours == run_specs(code)
    assert ours.success


SMALL = st.one_of(st.integers(0, 96), st.sampled_from([2**16, 2**32, 2**255]))
ADDRESSES = st.sampled_from(
    [int.from_bytes(address, "big") for address in (CALLER, CONTRACT, OTHER, COINBASE)]
    + [0, 1, 2, 4, 5, 9, 0x100]
)
PIECES = st.one_of(
    WORDS.map(push),
    SMALL.map(push),
    SMALL.map(push),
    ADDRESSES.map(push),
    st.sampled_from([bytes([row.code]) for row in OSAKA if not 0x60 <= row.code <= 0x7F]),
    st.integers(0, 255).map(lambda code: bytes([code])),
    # Whole phrases that random bytes would hardly spell
    st.tuples(st.integers(0, 7), SMALL).map(lambda p: push(p[1]) + push(p[0]) + b"\x55"),  # SSTORE
    st.tuples(st.integers(0, 96), WORDS).map(lambda p: push(p[1]) + push(p[0]) + b"\x52"),  # MSTORE
    st.tuples(ADDRESSES, st.integers(0, 9), st.sampled_from([0xF1, 0xF2])).map(  # CALL, CALLCODE
        lambda p: push(64) + push(0) + push(64) + push(0) + push(p[1]) + push(p[0]) + b"\x5a" + bytes([p[2]])
    ),
    st.tuples(ADDRESSES, st.sampled_from([0xF4, 0xFA])).map(  # DELEGATECALL, STATICCALL
        lambda p: push(64) + push(0) + push(64) + push(0) + push(p[0]) + b"\x5a" + bytes([p[1]])
    ),
    st.tuples(st.integers(0, 40), st.integers(0, 3)).map(  # CREATE2 of what is in memory
        lambda p: push(7) + push(p[0]) + push(0) + push(p[1]) + b"\xf5"
    ),
)
# A full stack to begin with, or random instructions would soon find it empty.
PROGRAMS = st.tuples(
    st.lists(st.one_of(SMALL, SMALL, WORDS), min_size=12, max_size=24).map(
        lambda words: b"".join(map(push, words))
    ),
    st.lists(PIECES, min_size=1, max_size=40).map(b"".join),
).map(b"".join)


@settings(max_examples=100)
@given(PROGRAMS)
def test_a_random_program_ends_as_the_specification_says(code: bytes) -> None:
    assert run_ours(code) == run_specs(code)


@pytest.mark.slow
@settings(max_examples=4_000)
@given(PROGRAMS)
def test_thousands_of_random_programs_end_as_the_specification_says(code: bytes) -> None:
    assert run_ours(code) == run_specs(code)


@settings(max_examples=50)
@given(PROGRAMS)
def test_the_struct_logger_sees_the_steps_that_the_specification_takes(code: bytes) -> None:
    expected = []

    def note(evm: Any, event: TraceEvent, /, **_: object) -> None:
        if isinstance(event, OpStart):
            depth = int(evm.message.depth) + 1
            stack = [hex(int(word)) for word in evm.stack]
            expected.append((int(evm.pc), event.op.value, int(evm.gas_left), depth, stack))

    before = set_evm_trace(note)
    try:
        run_specs(code)
    finally:
        set_evm_trace(before)
    logger = StructLogger()
    run_ours(code, logger)
    codes = {row.name: row.code for row in OSAKA}
    ours = [
        (step["pc"], codes.get(step["op"]), step["gas"], step["depth"], step["stack"])
        for step in logger.entries
    ]
    # The specification knows no 0xFE and sees no STOP where code has simply ended.
    assert [step for step in ours if step[1] not in (None, 0xFE, 0x00)] == [
        step for step in expected if step[1] != 0x00
    ]


def test_the_opcode_table_names_what_the_specification_names() -> None:
    renamed = {"KECCAK": "KECCAK256", "INVALID": "INVALID"}
    specified = {op.value: renamed.get(op.name, op.name) for op in Ops}
    ours = {row.code: row.name for row in OSAKA if row.name != "INVALID"}  # 0xFE is no instruction there
    assert ours == specified
