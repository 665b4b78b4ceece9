"""What the native interpreter reads out of Python's dictionaries without asking Python, and when it must ask."""

from collections import defaultdict
from collections.abc import Callable

import pytest

from coinone.base.primitives.errors import StorageError
from coinone.rules.state.account import Account
from coinone.rules.vm import Evm, Message
from coinone.rules.vm.addresses import DELEGATION_PREFIX
from coinone.rules.vm.native import execution, misses
from coinone.rules.vm.native.layout import ExitStatus
from coinone.rules.vm.native.machine import Machine
from tests.rules.vm.native.programs import ABSENT, CONTRACTS, NATIVE, compare, push, world

SECOND, NOBODY = b"\x73" + CONTRACTS[1], b"\x73" + ABSENT
RETURN_TOP = b"\x5f\x52" + push(32) + b"\x5f\xf3"
SLOAD, SSTORE, BALANCE, HASH, GAS = b"\x54", b"\x55", b"\x31", b"\x3f", b"\x5a"


def call(to: bytes) -> bytes:
    """With room for a word of output; whether it went well is dropped."""
    return push(32) + b"\x5f\x5f\x5f\x5f" + to + GAS + b"\xf1\x50"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ExitStatus]:
    """What Python was asked for, by the one machine that there is."""
    statuses: list[ExitStatus] = []

    def provide(machine: Machine, status: int) -> int:
        statuses.append(ExitStatus(status))
        return misses.provide(machine, status)

    monkeypatch.setattr(execution, "provide", provide)
    monkeypatch.setattr(NATIVE, "_idle", defaultdict(list))
    return statuses


def run(evm: Evm, message: Message) -> bytes:
    """Its output; the state is as before afterwards, but for what it has read."""
    before, warm = evm.state.snapshot(), evm.substate.snapshot()
    result = NATIVE.execute(evm, message)
    assert result.success
    evm.state.revert(before)
    evm.substate.revert(warm)
    return result.output


LIMBS = (1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**64 + 1, 2**127, 2**160 - 1, 2**192, 2**255, 2**256 - 1)


@pytest.mark.parametrize("value", [0, *LIMBS, *[n << 64 for n in (1, 2**64 - 1)], 0x0123456789ABCDEF << 100])
def test_a_word_that_the_state_knows_is_read_and_written_whole(value: int, asked: list[ExitStatus]) -> None:
    evm, message = world([push(1) + SLOAD + b"\x80" + push(2) + SSTORE + RETURN_TOP], "Osaka", 100_000)
    evm.state.set_storage(message.target, 1, value)
    evm.state.begin_transaction()
    result = NATIVE.execute(evm, message)
    assert int.from_bytes(result.output, "big") == value
    assert evm.state.storage(message.target, 2) == value
    assert asked == []


def test_slots_of_the_access_list_are_warm_and_others_are_not(asked: list[ExitStatus]) -> None:
    # `world` makes slot 2 warm. EIP-2929: 100 gas warm, 2,100 cold; then PUSH, GAS and SUB, which cost 3, 2 and 3.
    one, two = (GAS + push(slot) + SLOAD + b"\x50" + GAS + b"\x90\x03" for slot in (1, 2))
    evm, message = world([one + two + b"\x90\x03" + RETURN_TOP], "Osaka", 100_000)
    assert int.from_bytes(run(evm, message), "big") == 2_000
    assert asked == []


def test_python_is_asked_for_the_original_of_a_slot_once_the_transaction_has_written(
    asked: list[ExitStatus],
) -> None:
    # The slot held 7 when the transaction began, and 9 since: 7 again costs 100 and gives 2,800 back (EIP-2200, 3529).
    evm, message = world([push(1) + SLOAD + b"\x50" + push(7) + push(1) + SSTORE], "Osaka", 100_000)
    evm.state.set_storage(message.target, 1, 9)
    result = compare(evm, message)
    assert result.refund == 5_000 - 2_100 - 100
    assert asked == [ExitStatus.STORAGE_MISS]


def test_a_slot_that_was_never_looked_at_is_asked_for_once(asked: list[ExitStatus]) -> None:
    evm, message = world([push(77) + SLOAD + RETURN_TOP], "Osaka", 100_000)
    assert run(evm, message) == run(evm, message) == bytes(32)
    assert asked == [ExitStatus.STORAGE_MISS]


def answers(word: int) -> bytes:
    return push(word) + RETURN_TOP


def test_a_called_contract_is_known_to_the_next_message(asked: list[ExitStatus]) -> None:
    first = call(SECOND) + b"\x5f\x51" + RETURN_TOP
    evm, message = world([first, answers(5)], "Osaka", 100_000)
    assert int.from_bytes(run(evm, message), "big") == 5
    assert asked == [ExitStatus.CALLEE_MISS]
    assert int.from_bytes(run(evm, message), "big") == 5
    assert asked == [ExitStatus.CALLEE_MISS]
    evm.state.set_code(CONTRACTS[1], answers(6))
    assert int.from_bytes(run(evm, message), "big") == 6, "other code, so another program"
    assert asked == [ExitStatus.CALLEE_MISS] * 2


@pytest.mark.parametrize("account", [None, Account(), Account(1, 0), Account(0, 2**200)])
def test_an_account_without_code_is_told_from_one_that_is_not_there(
    account: Account | None, asked: list[ExitStatus]
) -> None:
    look = NOBODY + HASH + b"\x5f\x52" + NOBODY + BALANCE + push(32) + b"\x52" + push(64) + b"\x5f\xf3"
    evm, message = world([call(NOBODY) + look], "Osaka", 1_000_000)
    run(evm, message)  # the state and the machine now know that nobody is there
    asked.clear()
    evm.state.set_account(ABSENT, account)
    compare(evm, message)
    assert (asked == []) == (account is None)


def test_code_is_a_delegation_under_some_rules_and_no_program_under_others(asked: list[ExitStatus]) -> None:
    # Cancun knows no delegations: 0xEF is an invalid opcode, so nothing is returned. One machine runs all three.
    codes = [call(SECOND) + b"\x5f\x51" + RETURN_TOP, DELEGATION_PREFIX + CONTRACTS[2], answers(5)]
    outputs = [run(*world(codes, fork, 1_000_000)) for fork in ("Cancun", "Osaka", "Cancun")]
    assert [int.from_bytes(output, "big") for output in outputs] == [0, 5, 0]


def test_an_error_while_slots_are_written_back_comes_through() -> None:
    evm, message = world([push(5) + push(1) + SSTORE], "Osaka", 100_000)

    def broken(address: bytes, slot: bytes, value: int) -> None:
        raise StorageError("the disk is gone")

    set_word: Callable[..., None] = evm.state.set_word
    evm.state.set_word = broken  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        NATIVE.execute(evm, message)
    evm.state.set_word = set_word  # type: ignore[method-assign]
    assert NATIVE.execute(evm, message).success, "the machine can be used again"
