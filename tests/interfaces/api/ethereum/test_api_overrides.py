"""Overrides of eth_call: accounts, slots, block fields and the addresses of precompiled contracts."""

from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.ethereum.calls.trials import CallJob, CallResult, Purpose, try_out
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.json.overrides import read_overrides, state_with
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.layers import Layer
from coinone.rules.state.seal import seal
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv

CALLER, CONTRACT, OTHER = b"\xca" * 20, b"\xc0" * 20, b"\x0e" * 20
SHA256 = (2).to_bytes(20, "big")
RETURN = "5f5260205ff3"  # PUSH0 MSTORE PUSH1 20 PUSH0 RETURN: the word on the stack
READ_SLOT = bytes.fromhex("5f54" + RETURN)  # PUSH0 SLOAD: slot 0
RULES = FORKS["Osaka"]


def database() -> MemoryDatabase:
    """A contract that returns its slot 0, where 7 stands; slot 1 holds 8."""
    made = MemoryDatabase()
    state = State(made)
    state.set_code(CONTRACT, READ_SLOT)
    state.set_storage(CONTRACT, 0, 7)
    state.set_storage(CONTRACT, 1, 8)
    made.write(seal(made, state.freeze()).changes)
    return made


def run(
    accounts: Any = None,
    fields: Any = None,
    to: bytes = CONTRACT,
    value: int = 0,
    layers: tuple[Layer, ...] = (),
    data: bytes = b"",
    purpose: Purpose = Purpose.CALL,
    offer: int = 0,
) -> CallResult:
    env = BlockEnv(1, 10, 1000, OTHER, 30_000_000, 0, bytes(32), lambda number: bytes([number]) * 32)
    overrides = read_overrides(accounts, fields)
    request = CallRequest(CALLER, to, data=data, value=value, gas=1_000_000, fee_cap=offer)
    trial = CallJob(request, purpose, 10, env, "Osaka", overrides)
    return try_out(trial, state_with(database(), layers, overrides), RULES.precompiles)


def word(value: int) -> str:
    return f"0x{value:064x}"


def name(address: bytes) -> str:
    return "0x" + address.hex()


def answered(verdict: CallResult) -> int:
    assert verdict.error is None
    return int.from_bytes(verdict.output, "big")


def test_without_overrides_a_call_sees_what_is_there() -> None:
    assert answered(run()) == 7


def test_single_slots_are_replaced_by_a_diff_and_all_of_them_by_a_state() -> None:
    assert answered(run({name(CONTRACT): {"stateDiff": {word(0): word(99)}}})) == 99
    assert answered(run({name(CONTRACT): {"stateDiff": {word(1): word(99)}}})) == 7
    assert answered(run({name(CONTRACT): {"state": {word(0): word(99)}}})) == 99
    assert answered(run({name(CONTRACT): {"state": {word(1): word(99)}}})) == 0


def test_a_replaced_storage_hides_what_waits_in_pending_layers_too() -> None:
    pending = State(database())
    pending.set_storage(CONTRACT, 0, 55)
    layers = (pending.freeze(),)
    assert answered(run(layers=layers)) == 55
    assert answered(run({name(CONTRACT): {"state": {}}}, layers=layers)) == 0


def test_code_and_balance_are_replaced() -> None:
    # PUSH1 2a ; and a transfer that the caller can only pay with the balance it is given
    assert answered(run({name(OTHER): {"code": "0x602a" + RETURN}}, to=OTHER)) == 42
    poor = run(to=OTHER, value=5).error
    assert poor is not None and poor.startswith("err: insufficient funds for gas * price + value: address 0x")
    assert poor.endswith("have 0 want 5 (supplied gas 1000000)")
    assert run({name(CALLER): {"balance": "0x5"}}, to=OTHER, value=5).error is None


@pytest.mark.parametrize(
    ("opcode", "fields", "expected"),
    [
        ("43", {"number": "0x4d2"}, 1234),
        ("42", {"time": "0x4d2"}, 1234),
        ("45", {"gasLimit": "0x4d2"}, 1234),
        ("41", {"feeRecipient": "0x" + "00" * 18 + "04d2"}, 1234),
        ("44", {"prevRandao": word(1234)}, 1234),
        ("48", {"baseFeePerGas": "0x4d2"}, 1234),
        ("4a", {"blobBaseFee": "0x4d2"}, 1234),
        ("43", {"difficulty": "0x1"}, 10),
    ],
)
def test_contracts_see_the_block_they_are_told(opcode: str, fields: Any, expected: int) -> None:
    # NUMBER, TIMESTAMP, GASLIMIT, COINBASE, PREVRANDAO, BASEFEE, BLOBBASEFEE
    assert answered(run({name(OTHER): {"code": "0x" + opcode + RETURN}}, fields, to=OTHER)) == expected


def test_a_precompiled_contract_moves_and_its_old_place_runs_as_an_account() -> None:
    # sha256("") as in FIPS 180-4's examples
    digest = 0xE3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855
    move = {name(SHA256): {"movePrecompileToAddress": name(OTHER), "code": "0x602a" + RETURN}}
    assert answered(run(move, to=OTHER)) == digest
    assert answered(run(move, to=SHA256)) == 42


def test_what_is_no_precompiled_contract_does_not_move() -> None:
    verdict = run({name(CONTRACT): {"movePrecompileToAddress": name(OTHER)}})
    assert verdict.error == f"account {name(CONTRACT)} is not a precompile"


def test_an_access_list_names_slots_and_other_accounts_but_not_what_is_warm_anyway() -> None:
    # SLOAD 0, then BALANCE of 0x0e..0e: the contract is listed for its slot, the other for itself
    code = "5f5450" + "73" + OTHER.hex() + "3150" + "73" + CALLER.hex() + "31" + RETURN
    verdict = run(
        {name(CONTRACT): {"code": "0x" + code}}, {"feeRecipient": name(SHA256)}, purpose=Purpose.ACCESS_LIST
    )
    assert verdict.access_list == ((OTHER, ()), (CONTRACT, (0,)))


@pytest.mark.parametrize(
    ("accounts", "fields"),
    [
        ([], None),
        ({"0x12": {}}, None),
        ({name(OTHER): {"balance": "12"}}, None),
        ({name(OTHER): {"balance": hex(2**256)}}, None),
        ({name(OTHER): {"nonce": hex(2**64)}}, None),
        ({name(OTHER): {"code": "0x1"}}, None),
        ({name(OTHER): {"state": {}, "stateDiff": {}}}, None),
        ({name(OTHER): {"stateDiff": {word(0): "0x1"}}}, None),
        ({"0x" + "ab" * 20: {}, "0x" + "AB" * 20: {}}, None),
        ({name(bytes([n // 256, n % 256] + [9] * 18)): {} for n in range(1001)}, None),
        (None, {"number": -1}),
        (None, {"beaconRoot": word(1)}),
        (None, {"withdrawals": []}),
        (None, "0x1"),
    ],
)
def test_malformed_overrides_are_refused(accounts: Any, fields: Any) -> None:
    with pytest.raises((InvalidInput, RpcError)):
        read_overrides(accounts, fields)


def test_fields_that_we_do_not_know_change_nothing_as_in_geth() -> None:
    assert answered(run({name(CONTRACT): {"colour": "0x1"}}, {"weather": "0x1"})) == 7


def test_null_overrides_nothing() -> None:
    fields = dict.fromkeys(("number", "time", "beaconRoot", "withdrawals"))
    account = dict.fromkeys(("balance", "nonce", "code", "state", "stateDiff", "movePrecompileToAddress"))
    assert answered(run({name(CONTRACT): account}, fields)) == 7


def test_a_base_fee_that_the_sender_pretends_holds_for_what_it_offers() -> None:
    verdict = run(fields={"baseFeePerGas": "0x64"}, offer=99)
    assert verdict.error is not None and "maxFeePerGas: 99, baseFee: 100" in verdict.error
