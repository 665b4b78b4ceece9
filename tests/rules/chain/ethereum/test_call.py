"""Calls and estimates: they compute what would happen and change nothing."""

from dataclasses import replace
from typing import Any

import pytest

from coinone.base.forms.ethereum import Authorization
from coinone.base.primitives.errors import InvalidTransaction, LimitExceeded
from coinone.rules.chain.ethereum.access import create_access_list
from coinone.rules.chain.ethereum.call import ExecutionFailed, call, estimate_gas
from coinone.rules.chain.ethereum.trace import trace_call
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv
from coinone.rules.vm.revert_reason import revert_reason

OSAKA = FORKS["Osaka"]
CALLER, CONTRACT, OTHER = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
ENV = BlockEnv(1, 5, 77, bytes(20), 30_000_000, 7, bytes(32), lambda number: bytes(32))
REQUEST = CallRequest(CALLER, CONTRACT)
# Error("no"): selector, offset 32, length 2, text
REASON = (
    bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (2).to_bytes(32, "big") + b"no".ljust(32, b"\0")
)


def world(code: str, other: str = "") -> State:
    state = State(MemoryDatabase())
    state.set_account(CALLER, Account(0, 10**18))
    for address, text in ((CONTRACT, code), (OTHER, other)):
        state.set_account(address, Account(1, 0))
        state.set_code(address, bytes.fromhex(text))
    state.freeze()
    return state


def reverting() -> str:
    """Code that reverts with REASON, which stands behind it."""
    return "6064600a5f3960645ffd" + REASON.hex()


def test_a_call_sees_what_it_wrote_and_leaves_no_trace() -> None:
    state = world("60075f555f545f5260205ff3")  # store 7, return it
    result = call(state, ENV, replace(REQUEST, value=3), OSAKA)
    assert result.output == (7).to_bytes(32, "big")
    assert state.freeze().is_empty


def test_a_call_hands_on_the_reason_of_a_revert() -> None:
    result = call(world(reverting()), ENV, REQUEST, OSAKA)
    assert not result.success and result.output == REASON
    assert revert_reason(result.output) == "no"


def test_a_call_that_could_not_start_is_refused_and_one_too_long_is_stopped() -> None:
    state = world("5b5f56")
    with pytest.raises(InvalidTransaction, match="insufficient funds"):
        call(state, ENV, replace(REQUEST, value=10**18 + 1), OSAKA)
    with pytest.raises(InvalidTransaction, match="intrinsic gas"):
        call(state, ENV, replace(REQUEST, gas=20_000), OSAKA)

    def stop() -> None:
        raise LimitExceeded("time is up")

    with pytest.raises(LimitExceeded):
        call(state, ENV, REQUEST, OSAKA, budget=stop)
    assert state.freeze().is_empty


def least_by_trying(state: State, request: CallRequest, start: int) -> int:
    gas = start
    while not call(state, ENV, replace(request, gas=gas), OSAKA).success:
        gas += 1
    return gas


def test_an_estimate_counts_what_a_call_must_hold_back() -> None:
    # CONTRACT passes all it may to OTHER, which burns 6,000 JUMPDESTs and must succeed
    inner = "5b" * 6_000 + "00"
    outer = "5f5f5f5f5f73" + OTHER.hex() + "5af1" + "602257" + "5f5ffd" + "5b00"
    state = world(outer, inner)
    used = call(state, ENV, REQUEST, OSAKA).gas_used
    estimate = estimate_gas(state, ENV, REQUEST, OSAKA)
    assert estimate == least_by_trying(state, REQUEST, used) > used


def test_an_estimate_covers_gas_that_is_refunded_afterwards() -> None:
    state = world("5f5f5500")  # clear slot 0
    state.set_storage(CONTRACT, 0, 1)
    state.freeze()
    used = call(state, ENV, REQUEST, OSAKA).gas_used
    estimate = estimate_gas(state, ENV, REQUEST, OSAKA)
    assert estimate == least_by_trying(state, REQUEST, used - 1) > used


def test_a_transfer_needs_21000_and_what_always_fails_has_no_estimate() -> None:
    state = world(reverting())
    assert estimate_gas(state, ENV, CallRequest(CALLER, b"\xee" * 20, value=1), OSAKA) == 21_000
    with pytest.raises(ExecutionFailed, match="execution reverted") as failed:
        estimate_gas(state, ENV, REQUEST, OSAKA)
    assert failed.value.output == REASON


def test_an_estimate_tries_no_more_gas_than_the_caller_can_pay_for() -> None:
    state = world("5b" * 50_000 + "00")
    price = 10**18 // 60_000
    with pytest.raises(InvalidTransaction, match=r"gas required exceeds allowance \(60000\)"):
        estimate_gas(state, ENV, replace(REQUEST, fee_cap=price, tip_cap=price), OSAKA)
    assert estimate_gas(state, ENV, replace(REQUEST, fee_cap=7, tip_cap=7), OSAKA) == 71_000


def test_an_estimate_needs_more_than_the_value_alone_where_a_price_is_named() -> None:
    request = replace(REQUEST, fee_cap=7, value=10**18)
    with pytest.raises(InvalidTransaction, match="insufficient funds for transfer"):
        estimate_gas(world("00"), ENV, request, OSAKA)


# What a message offers to pay. ENV's base fee is 7; NAME is CALLER's address as web3.py spells it.
NAME = "0x0A0A0a0a0a0a0a0A0a0a0A0a0A0A0A0a0a0a0a0a"
SHOWN = "5f5260205ff3"  # returns the word on the stack


def word_shown(code: str, env: BlockEnv = ENV, **fields: int) -> int:
    result = call(world(code + SHOWN), env, replace(REQUEST, gas=100_000, **fields), OSAKA)
    return int.from_bytes(result.output, "big")


@pytest.mark.parametrize(
    ("fee_cap", "tip_cap", "price"),
    [(20, 20, 20), (20, 3, 10), (9, 5, 9), (7, 0, 7), (0, 0, 0)],  # the lesser of the cap and 7 + tip
)
def test_a_call_sees_the_effective_price_of_its_gas(fee_cap: int, tip_cap: int, price: int) -> None:
    assert word_shown("3a", fee_cap=fee_cap, tip_cap=tip_cap) == price


def test_the_caller_has_paid_for_its_gas_while_the_message_runs() -> None:
    assert word_shown("33" + "31", fee_cap=20, tip_cap=3) == 10**18 - 100_000 * 10
    assert word_shown("33" + "31") == 10**18


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"fee_cap": 6},
            f"max fee per gas less than block base fee: address {NAME}, maxFeePerGas: 6, baseFee: 7",
        ),
        (
            {"fee_cap": 8, "tip_cap": 9},
            f"max priority fee per gas higher than max fee per gas: address {NAME}, "
            "maxPriorityFeePerGas: 9, maxFeePerGas: 8",
        ),
        (
            {"tip_cap": 1},
            f"max priority fee per gas higher than max fee per gas: address {NAME}, "
            "maxPriorityFeePerGas: 1, maxFeePerGas: 0",
        ),
        (
            {"fee_cap": 10**13, "value": 1},
            f"insufficient funds for gas * price + value: address {NAME} have {10**18} want {10**18 + 1}",
        ),
        (
            {"value": 10**18 + 1},
            f"insufficient funds for gas * price + value: address {NAME} have {10**18} want {10**18 + 1}",
        ),
        ({"gas": 20_000}, "intrinsic gas too low: have 20000, want 21000"),
    ],
)
def test_what_a_message_offers_is_judged_in_the_words_of_geth(fields: dict[str, int], words: str) -> None:
    state = world("00")
    with pytest.raises(InvalidTransaction) as caught:
        call(state, ENV, replace(REQUEST, **{"gas": 100_000, **fields}), OSAKA)
    assert str(caught.value) == words
    assert state.freeze().is_empty


AGREED = Authorization(0, CONTRACT, 0, 0, 1, 1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"to": None, "data": bytes(49_153)},  # 1,536 words and one byte
            "max initcode size exceeded: code size 49153 limit 49152",
        ),
        (
            {"to": None, "authorizations": (AGREED,)},
            f"EIP-7702 transaction cannot be used to create contract (sender {NAME})",
        ),
        ({"authorizations": ()}, f"EIP-7702 transaction with empty auth list (sender {NAME})"),
    ],
)
def test_what_no_transaction_may_be_no_trial_runs(fields: dict[str, Any], words: str) -> None:
    state = world("00")
    request = replace(REQUEST, **fields)
    for trial in (call, create_access_list, trace_call):
        with pytest.raises(InvalidTransaction) as caught:
            trial(state, ENV, request, OSAKA)
        assert str(caught.value) == words
    with pytest.raises(InvalidTransaction) as caught:
        estimate_gas(state, ENV, request, OSAKA)
    assert str(caught.value) == f"failed with {2**24} gas: {words}"  # the most that Osaka allows
    assert state.freeze().is_empty


def test_what_a_transaction_may_just_be_a_trial_runs() -> None:
    """Init code of 49,152 bytes; an authorization whose signature holds for nobody, which is left out."""
    assert call(world("00"), ENV, replace(REQUEST, to=None, data=bytes(49_152)), OSAKA).success
    assert call(world("00"), ENV, replace(REQUEST, authorizations=(AGREED,)), OSAKA).success


def test_blobs_that_nothing_is_offered_for_cost_nothing() -> None:
    """A caller with 5 wei has no 131,072 x 3 for a blob: its balance was below zero, which is our fault."""
    state = world("33315f5260205ff3")  # return the caller's balance
    state.set_account(CALLER, Account(0, 5))
    request = replace(REQUEST, blob_hashes=(b"\x01" + bytes(31),))
    assert call(state, replace(ENV, blob_base_fee=3), request, OSAKA).output == (5).to_bytes(32, "big")
