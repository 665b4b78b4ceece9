"""Other accounts on the native interpreter: what it has read of them, what Python changes, and which engine runs."""

import pytest

from coinone.rules.vm.addresses import DELEGATION_PREFIX
from coinone.rules.vm.native.machine import SLICE
from tests.rules.vm.native.programs import ABSENT, CONTRACTS, NATIVE, push, run_both, world

BALANCE, SELFBALANCE, SIZE, HASH = b"\x31", b"\x47", b"\x3b", b"\x3f"
FIRST, SECOND, THIRD = [b"\x73" + address for address in CONTRACTS]
NOBODY = b"\x73" + ABSENT
TOO_MUCH = 10**30
RETURN_0 = push(32) + b"\x5f\xf3"


def call(to: bytes, value: int = 0, gas: bytes = b"\x5a", data: int = 0, room: int = 0) -> bytes:
    return push(room) + b"\x5f" + push(data) + b"\x5f" + push(value) + to + gas + b"\xf1"


def note(slot: int) -> bytes:
    """Store what is on top, so that a difference shows."""
    return push(slot) + b"\x55"


GAS_LEFT = b"\x5a" + note(9)


@pytest.mark.parametrize("look", [BALANCE, SIZE, HASH])
def test_an_account_made_warm_and_cold_again_costs_the_same_next_time(look: bytes) -> None:
    # The second contract looks at somebody and fails, so they are cold again. Then Python warms them: a payment that
    # the first contract cannot afford touches the account. Looking at it after that is cheap.
    second = NOBODY + look + b"\x50\x5f\x5f\xfd"
    first = call(SECOND) + b"\x50" + call(NOBODY, TOO_MUCH) + note(5) + NOBODY + look + note(6) + GAS_LEFT
    assert run_both([first, second], gas=1_000_000).success


def test_a_payment_that_is_taken_back_is_not_seen_afterwards() -> None:
    # Paid, the second contract looks at its balance, then fails: the coins are back.
    second = b"\x30" + BALANCE + b"\x50\x5f\x5f\xfd"
    first = call(SECOND, 3) + note(5) + SECOND + BALANCE + note(6) + b"\x30" + BALANCE + note(7) + GAS_LEFT
    assert run_both([first, second], gas=1_000_000).success


def test_a_payment_is_seen_by_whoever_looks() -> None:
    second = b"\x30" + BALANCE + note(5) + FIRST + BALANCE + note(6) + SELFBALANCE + note(7)
    first = SELFBALANCE + note(3) + SECOND + BALANCE + note(4)
    first += call(SECOND, 3) + note(5) + SELFBALANCE + note(6) + SECOND + BALANCE + note(7)
    assert run_both([first, second], gas=1_000_000).success


def test_frames_at_one_depth_know_their_own_balance() -> None:
    look = SELFBALANCE + note(5)
    first = call(SECOND, 1) + b"\x50" + call(SECOND) + b"\x50" + call(THIRD) + b"\x50" + GAS_LEFT
    assert run_both([first, look, look], gas=1_000_000).success


def test_a_new_contract_is_seen_with_its_code() -> None:
    # Its init code looks at itself (no code yet), then deploys one byte.
    init = b"\x30" + SIZE + b"\x50" + push(0x60) + b"\x5f\x53" + push(1) + b"\x5f\xf3"
    put = push(int.from_bytes(init.ljust(32, b"\0"), "big")) + b"\x5f\x52"
    create = put + push(len(init)) + b"\x5f\x5f\xf0"
    first = create + b"\x80" + SIZE + note(5) + b"\x80" + HASH + note(6) + note(7) + GAS_LEFT
    assert run_both([first], gas=1_000_000).success


WRITES = {
    "a payment": call(THIRD, 1),
    "a creation": b"\x5f\x5f\x5f\xf0",
    "an end": FIRST + b"\xff",
    "a slot": b"\x60\x01\x60\x01\x55",
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("between", [0, 1, 3])
def test_nothing_is_written_under_a_static_call_however_deep(write: str, between: int) -> None:
    # The second contract calls itself with a byte of data less each time, then writes; the first calls it statically.
    inner = b"\x36\x15\x60\xff\x57" + b"\x5f\x5f\x60\x01\x36\x03\x5f\x5f\x30\x5a\xf1" + b"\x5f\x52" + RETURN_0
    code = (
        inner.replace(b"\x60\xff", bytes([0x60, len(inner)]))
        + b"\x5b"
        + WRITES[write]
        + b"\x5f\x52"
        + RETURN_0
    )
    static = push(32) + b"\x5f" + push(between) + b"\x5f" + SECOND + b"\x5a\xfa"
    first = static + note(5) + b"\x5f\x51" + note(6) + THIRD + BALANCE + note(7) + GAS_LEFT
    assert run_both([first, code], gas=3_000_000).success


@pytest.mark.parametrize("ending", ["00", "5f5ffd", "fe"])
@pytest.mark.parametrize("write", ["a payment", "a creation", "an end"])
def test_a_tree_of_calls_that_comes_to_need_python_ends_alike(write: str, ending: str) -> None:
    # Each frame stores, logs and calls itself with one byte of data less; the last one needs Python. On the way back
    # every frame logs again, and ends as it may.
    log = b"\x36\x5f\x5f\xa1"
    size = b"\x60\x01\x36\x03"  # data size - 1
    before = b"\x36\x15\x60\xff\x57" + log + b"\x36\x36\x55"
    inner = b"\x5f\x5f" + size + b"\x5f\x5f\x30\x5a\xf1" + b"\x36\x60\x40\x01\x55" + b"\x3d" + note(3) + log
    body = before + inner + bytes.fromhex(ending)
    code = body.replace(b"\x60\xff", bytes([0x60, len(body)])) + b"\x5b" + WRITES[write] + b"\x50" + log
    first = call(SECOND, data=6) + note(5) + call(SECOND, data=3) + note(6) + GAS_LEFT
    result = run_both([first, code], gas=5_000_000)
    assert bool(result.logs) == (ending == "00")


def test_a_failing_call_takes_back_only_its_own_logs_and_refunds() -> None:
    # Both clear a slot and log; the second then needs Python, and fails. 4,800: the first one's slot, cleared.
    clear = b"\x5f\x60\x01\x55" + b"\x5f\x5f\xa0"
    second = clear + call(THIRD, 1) + b"\x50" + clear + b"\x5f\x5f\xfd"
    result = run_both([clear + call(SECOND) + note(5), second], gas=1_000_000)
    assert len(result.logs) == 1 and result.refund == 4_800


PRECOMPILES = {
    "identity": (4, 40),
    "a hash": (2, 64),
    "a point that is none": (6, 64),
    "a signature that is none": (1, 128),
    "an exponentiation": (5, 99),
}


@pytest.mark.parametrize("kind", [0xF1, 0xF2, 0xF4, 0xFA])
@pytest.mark.parametrize("name", PRECOMPILES)
def test_precompiled_contracts_answer_calls_of_every_kind(name: str, kind: int) -> None:
    address, size = PRECOMPILES[name]
    value = b"\x5f" if kind in (0xF1, 0xF2) else b""
    fill = b"".join([push(2**255 - n) + push(32 * n) + b"\x52" for n in range(4)])
    for gas in (b"\x5a", push(20), push(0)):
        asked = push(20) + push(200) + push(size) + push(3) + value + push(address) + gas + bytes([kind])
        look = note(5) + b"\x3d" + note(6) + push(192) + b"\x51" + note(7) + b"\x3d\x5f\x61\x01\x00\x3e"
        again = b"\x59\x5f\x20" + note(8) + GAS_LEFT
        assert run_both([fill + (asked + look + again) * 2], gas=64_000_000).success


def test_a_delegation_to_a_precompiled_contract_runs_no_code() -> None:
    # EIP-7702: "the precompile is not executed", the call succeeds with nothing. Identity would return the word.
    identity = DELEGATION_PREFIX + bytes(19) + b"\x04"
    first = push(7) + b"\x5f\x52" + call(SECOND, data=32, room=32) + note(5) + b"\x3d\x5f\x52" + RETURN_0
    result = run_both([first, identity])
    assert result.success and result.output == bytes(32), "no data came back"
    direct = run_both([first.replace(SECOND, b"\x60\x04")])
    assert direct.output == (32).to_bytes(32, "big")


def test_a_delegate_that_machine_code_made_warm_is_warm_for_python() -> None:
    delegation = DELEGATION_PREFIX + CONTRACTS[2]
    touch = THIRD + BALANCE + b"\x50"
    for before in (b"", touch, touch + SECOND + SIZE + b"\x50"):
        first = before + (call(SECOND) + b"\x50" + GAS_LEFT) * 2 + touch + GAS_LEFT
        assert run_both([first, delegation, b"\x5a" + note(4)], gas=1_000_000).success


def test_a_budget_is_asked_in_calls_made_in_machine_code() -> None:
    class Enough(Exception):
        pass

    looks = []

    def budget() -> None:
        looks.append(1)
        if len(looks) == 6:
            raise Enough

    for_ever = b"\x5b\x5f\x56"
    calls_itself_in_a_loop = b"\x5b" + push(0) * 5 + b"\x30" + push(400_000) + b"\xf1\x50\x5f\x56"
    for codes in ([call(SECOND), for_ever], [calls_itself_in_a_loop]):
        looks.clear()
        evm, message = world(codes, "Osaka", 2**50)
        evm.budget = budget
        with pytest.raises(Enough):
            NATIVE.execute(evm, message)


def test_a_budget_is_asked_seldom() -> None:
    # The called contract loops until nearly 10 million gas are gone: a look at each 500,000 or so, and at each message.
    looks: list[int] = []
    evm, message = world([call(SECOND), b"\x5b\x5f\x56"], "Osaka", 10_000_000)
    evm.budget = lambda: looks.append(1)
    assert NATIVE.execute(evm, message).gas_left < 160_000
    assert 10_000_000 // SLICE - 1 <= len(looks) <= 2 * 10_000_000 // SLICE
