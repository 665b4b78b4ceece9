"""What is ready for Amsterdam, by hand: deep stack (EIP-8024), SLOTNUM (7843), sizes (7954), transfer logs (7708)."""

from dataclasses import replace

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.ethereum import EthereumTransaction
from coinone.base.primitives.errors import InvalidTransaction
from coinone.rules.chain.ethereum.execution import check_stateless
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import (
    FORKS,
    PREPARED,
    REFERENCE,
    BlockEnv,
    Engine,
    Evm,
    ExecutionResult,
    Log,
    Message,
    Rules,
    TransactionEnv,
    engine_named,
    execute,
)
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.errors import CodeTooLarge, InvalidOpcode, StackUnderflow
from coinone.rules.vm.instructions.deep_stack import depth_of, depths_of

RULES = PREPARED["Amsterdam"]
CALLER, CONTRACT, OTHER = b"\xaa" * 20, b"\x11" * 20, b"\x22" * 20
SYSTEM = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")  # EIP-4788
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
GAS = 20_000_000


def state_with(code: bytes, other: bytes = b"") -> State:
    state = State(MemoryDatabase())
    for address, its in ((CALLER, b""), (CONTRACT, code), (OTHER, other)):
        state.set_account(address, Account(1, 1_000))
        state.set_code(address, its)
    state.freeze()
    state.begin_transaction()
    return state


def run(
    code: bytes, value: int = 0, other: bytes = b"", rules: Rules = RULES, engine: Engine = REFERENCE
) -> ExecutionResult:
    state = state_with(code, other)
    block = BlockEnv(1, 9, 77, bytes(20), 30_000_000, 7, bytes(32), lambda n: bytes(32), slot_number=4_711)
    evm = Evm(state, block, TransactionEnv(CALLER, 9), rules, engine=engine)
    return execute(evm, Message(kinds.CALL, CALLER, CONTRACT, CONTRACT, code, value, b"", GAS))


def stack_after(code: str, words: int) -> list[int]:
    """The `words` topmost words after the code, the top first: each is stored, and all are returned."""
    store = b"".join([bytes([0x61, *(32 * n).to_bytes(2, "big"), 0x52]) for n in range(words)])
    result = run(bytes.fromhex(code) + store + b"\x61" + (32 * words).to_bytes(2, "big") + b"\x5f\xf3")
    assert result.error is None
    return [int.from_bytes(result.output[32 * n : 32 * n + 32], "big") for n in range(words)]


def test_dupn_copies_the_word_that_its_byte_names() -> None:
    # 17 words: a 1, then sixteen 0. Byte 0x80 = 128: (128 + 145) mod 256 = 17, so the 1 comes on top.
    assert stack_after("6001" + "5f" * 16 + "e680", 18) == [1] + [0] * 16 + [1]


def test_swapn_exchanges_the_top_with_the_word_below_the_named_depth() -> None:
    # 18 words: a 1, sixteen 0, a 2. Depth 17 below the top is the 1.
    assert stack_after("6001" + "5f" * 16 + "6002" + "e780", 18) == [1] + [0] * 16 + [2]


def test_exchange_exchanges_two_words_below_the_top() -> None:
    # Bottom to top 0, 1, 2. Byte 0x8e: 0x8e ^ 0x8f = 1 = 16 * 0 + 1, so places 0 + 2 and 1 + 2: 1 and 0 change places.
    assert stack_after("5f60016002e88e", 3) == [2, 0, 1]


def test_the_bytes_reach_every_depth_once_and_never_hide_an_instruction() -> None:
    hidden = {0x5B, *range(0x60, 0x80)}  # JUMPDEST, PUSH1 to PUSH32
    singles = [depth_of(byte) for byte in range(256) if not 90 < byte < 128]
    assert sorted(singles) == list(range(17, 236))
    pairs = [depths_of(byte) for byte in range(256) if not 81 < byte < 128]
    assert len(set(pairs)) == len(pairs) == 210
    assert all(2 <= first < second and first + second <= 32 for first, second in pairs)
    for byte in hidden:
        with pytest.raises(InvalidOpcode):
            depth_of(byte)
        with pytest.raises(InvalidOpcode):
            depths_of(byte)


@pytest.mark.parametrize("code", ["6001e680", "5f" * 17 + "e780", "5f5fe88e"])
def test_a_stack_that_is_not_so_deep_underflows(code: str) -> None:
    assert isinstance(run(bytes.fromhex(code)).error, StackUnderflow)


def test_a_jump_may_still_land_behind_such_an_opcode() -> None:
    # PUSH1 4, JUMP, DUPN, JUMPDEST: the byte after DUPN is a destination, as it was before the fork.
    assert run(bytes.fromhex("600456e65b")).error is None
    assert isinstance(run(bytes.fromhex("e65b")).error, InvalidOpcode)


def test_the_three_cost_what_dup_and_swap_cost() -> None:
    # PUSH0 costs 2, each of the three 3: 34 for 17 words, then 3; 2 more for the word that SWAPN and EXCHANGE need.
    assert GAS - run(bytes.fromhex("5f" * 17 + "e680")).gas_left == 37
    assert GAS - run(bytes.fromhex("5f" * 18 + "e780" + "e88e")).gas_left == 42


def test_slotnum_gives_the_blocks_slot_for_two_gas() -> None:
    assert stack_after("4b", 1) == [4_711]
    assert GAS - run(b"\x4b").gas_left == 2


def test_osaka_knows_none_of_them() -> None:
    for code in ("4b", "5f" * 17 + "e680", "5f" * 18 + "e780", "5f5f5fe88e"):
        assert isinstance(run(bytes.fromhex(code), rules=FORKS["Osaka"]).error, InvalidOpcode)
        assert run(bytes.fromhex(code)).error is None


@pytest.mark.parametrize(("size", "fits"), [(65_536, True), (65_537, False)])
def test_code_may_be_64_kib(size: int, fits: bool) -> None:
    # Init code: return `size` zero bytes of memory. 65,536 bytes cost 200 each to deploy: 13,107,200 of 20 million gas.
    init = b"\x62" + size.to_bytes(3, "big") + b"\x5f\xf3"
    state = state_with(b"")
    block = BlockEnv(1, 9, 77, bytes(20), 30_000_000, 7, bytes(32), lambda n: bytes(32))
    evm = Evm(state, block, TransactionEnv(CALLER, 9), RULES)
    created = b"\x33" * 20
    result = execute(evm, Message(kinds.CREATE, CALLER, created, created, init, 0, b"", GAS))
    assert isinstance(result.error, CodeTooLarge) is not fits
    assert (len(state.code(created)) == size) is fits


def test_init_code_may_be_128_kib() -> None:
    tx = EthereumTransaction(
        type=2, chain_id=1, nonce=0, max_fee_per_gas=9, max_priority_fee_per_gas=0, gas=1 << 24, to=None, value=0,
        data=bytes(131_073), v=0, r=1, s=1,
    )  # fmt: skip
    with pytest.raises(InvalidTransaction, match="max initcode size exceeded"):
        check_stateless(tx, 1, RULES)
    with pytest.raises(InvalidTransaction) as refused:
        check_stateless(replace(tx, data=bytes(131_072), gas=0), 1, RULES)
    assert "intrinsic gas too low" in str(refused.value)


def transfer(payer: bytes, payee: bytes, value: int) -> Log:
    return Log(SYSTEM, (TRANSFER, bytes(12) + payer, bytes(12) + payee), value.to_bytes(32, "big"))


def call(value: int, to: bytes) -> bytes:
    return b"\x5f\x5f\x5f\x5f\x60" + bytes([value]) + b"\x73" + to + b"\x5a\xf1"


def test_whoever_is_paid_leaves_a_log_before_its_code_runs() -> None:
    code = b"\x5f\x5f\xa0" + call(3, OTHER) + b"\x50" + call(0, OTHER) + b"\x00"
    own, others = Log(CONTRACT, (), b""), Log(OTHER, (), b"")
    result = run(code, value=5, other=b"\x5f\x5f\xa0")
    assert result.logs == (
        transfer(CALLER, CONTRACT, 5), own, transfer(CONTRACT, OTHER, 3), others, others,
    )  # fmt: skip
    assert run(code, value=5, other=b"\x5f\x5f\xa0", rules=FORKS["Osaka"]).logs == (own, others, others)
    assert keccak256(b"Transfer(address,address,uint256)") == TRANSFER


def test_a_payment_that_is_taken_back_leaves_no_log() -> None:
    assert run(call(3, OTHER) + b"\x00", other=b"\xfe").logs == ()


def test_paying_oneself_leaves_no_log() -> None:
    # With value, stop at once (the destination is byte 34); without, call oneself with a value of 3.
    paid_by_itself = b"\x34\x60\x22\x57" + call(3, CONTRACT) + b"\x00\x5b"
    assert run(paid_by_itself + b"\x00").logs == ()
    assert run(paid_by_itself + b"\x5f\x5f\xa0").logs == (Log(CONTRACT, (), b""),)


def test_selfdestruct_logs_what_it_sends_to_another() -> None:
    assert run(b"\x73" + OTHER + b"\xff").logs == (transfer(CONTRACT, OTHER, 1_000),)
    assert run(b"\x30\xff").logs == ()


def test_the_native_engine_leaves_the_fork_to_the_reference() -> None:
    output = run(b"\x4b\x5f\x52\x60\x20\x5f\xf3", engine=engine_named("native")).output
    assert output == (4_711).to_bytes(32, "big")
