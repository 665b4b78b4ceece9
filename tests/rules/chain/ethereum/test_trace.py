"""Traces in geth's forms, for small programs whose every step is written down here."""

from dataclasses import replace
from typing import Any

import pytest

from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.errors import LimitExceeded, NotSupported
from coinone.rules.chain.ethereum.trace import trace_call, trace_transaction
from coinone.rules.chain.ethereum.transaction import EthereumTransaction, sign_transaction
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv

OSAKA = FORKS["Osaka"]
KEY = b"\1" * 32
SENDER, CONTRACT, OTHER, COINBASE = address_of(KEY), b"\x0b" * 20, b"\x0c" * 20, b"\xdd" * 20
ENV = BlockEnv(1, 5, 77, COINBASE, 30_000_000, 7, bytes(32), lambda number: bytes(32))
STORE = "60075f5500"  # slot 0 := 7
CALL_OTHER = "5f5f5f5f6002" + "73" + OTHER.hex() + "61ffff" + "f1" + "00"  # value 2, 65,535 gas
TX = EthereumTransaction(2, 1, 0, 10, 3, 200_000, CONTRACT, 5, b"\xab")


def world(code: str, other: str = "") -> State:
    state = State(MemoryDatabase())
    state.set_account(SENDER, Account(0, 10**18))
    for address, text in ((CONTRACT, code), (OTHER, other)):
        state.set_account(address, Account(1, 100))
        state.set_code(address, bytes.fromhex(text))
    state.freeze()
    return state


def traced(state: State, tx: EthereumTransaction = TX, **options: Any) -> dict[str, Any]:
    return trace_transaction(state, ENV, sign_transaction(tx, KEY), OSAKA, options=options)


def x(data: bytes) -> str:
    return "0x" + data.hex()


def test_the_struct_logger_tells_each_step_and_its_price() -> None:
    state = world(STORE)
    result = traced(state)
    gas = 200_000 - 21_000 - 16
    word = "0x" + "00" * 31
    assert result == {
        "gas": 21_016 + 3 + 2 + 22_100,
        "failed": False,
        "returnValue": "0x",
        "structLogs": [
            {"pc": 0, "op": "PUSH1", "gas": gas, "gasCost": 3, "depth": 1, "stack": []},
            {"pc": 2, "op": "PUSH0", "gas": gas - 3, "gasCost": 2, "depth": 1, "stack": ["0x7"]},
            {
                "pc": 3,
                "op": "SSTORE",
                "gas": gas - 5,
                "gasCost": 22_100,
                "depth": 1,
                "stack": ["0x7", "0x0"],
                "storage": {word + "00": word + "07"},
            },
            {"pc": 4, "op": "STOP", "gas": gas - 22_105, "gasCost": 0, "depth": 1, "stack": []},
        ],
    }
    assert state.freeze().is_empty, "tracing leaves no trace"


def test_memory_and_returned_data_are_listed_where_asked_for() -> None:
    """In words of 32 bytes with 0x, as execution-apis has it; returned data from the call on."""
    steps = traced(
        world("60075f52" + "6020" * 2 + "5f5f" + "73" + OTHER.hex() + "5afa" + "00", "602a5f5260205ff3"),
        enableMemory=True,
        enableReturnData=True,
    )["structLogs"]
    seven, answer = "0x" + "00" * 31 + "07", "0x" + "00" * 31 + "2a"
    (call,) = [step for step in steps if step["op"] == "STATICCALL"]
    assert call["memory"] == [seven] and "returnData" not in call
    last = steps[-1]
    assert (last["op"], last["depth"]) == ("STOP", 1)
    assert last["memory"] == [seven, answer] and last["returnData"] == answer


def test_the_struct_logger_names_the_error_where_it_struck_and_goes_on_in_the_caller() -> None:
    result = traced(world(CALL_OTHER, "fe"))
    steps = [(step["op"], step["depth"], step.get("error")) for step in result["structLogs"]]
    assert steps[-3:] == [("CALL", 1, None), ("INVALID", 2, "invalid opcode"), ("STOP", 1, None)]
    call = result["structLogs"][-3]
    assert call["gasCost"] == 65_535 + 2_600 + 9_000
    assert result["failed"] is False
    assert result["structLogs"][-2]["gas"] == 65_535 + 2_300


def test_the_call_tracer_draws_the_tree_of_messages() -> None:
    result = traced(world(CALL_OTHER, "00"), tracer="callTracer")
    used = 4 * 2 + 3 * 3 + 2_600 + 9_000 - 2_300  # of the stipend nothing is used: it comes back
    assert result == {
        "type": "CALL",
        "from": x(SENDER),
        "to": x(CONTRACT),
        "value": "0x5",
        "gas": hex(200_000),
        "gasUsed": hex(21_016 + used),
        "input": "0xab",
        "calls": [
            {
                "type": "CALL",
                "from": x(CONTRACT),
                "to": x(OTHER),
                "value": "0x2",
                "gas": hex(65_535 + 2_300),
                "gasUsed": "0x0",
                "input": "0x",
            }
        ],
    }


def test_the_call_tracer_shows_who_calls_whom_under_delegatecall_and_static_calls_without_value() -> None:
    inner = "5f5f5f5f73" + OTHER.hex() + "61ffff"
    calls = traced(world(inner + "f4" + inner + "fa" + "00"), tracer="callTracer")["calls"]
    assert [(c["type"], c["from"], c["to"], c.get("value")) for c in calls] == [
        ("DELEGATECALL", x(CONTRACT), x(OTHER), "0x5"),
        ("STATICCALL", x(CONTRACT), x(OTHER), None),
    ]


def test_the_call_tracer_shows_logs_only_of_frames_that_stand() -> None:
    log = "5f5fa0"
    state = world(log + CALL_OTHER, log + "5f5ffd")
    result = traced(state, tracer="callTracer", tracerConfig={"withLog": True})
    assert result["logs"] == [{"address": x(CONTRACT), "topics": [], "data": "0x", "position": "0x0"}]
    assert result["calls"][0]["error"] == "execution reverted"
    assert "logs" not in result["calls"][0]
    assert "calls" not in traced(state, tracer="callTracer", tracerConfig={"onlyTopCall": True})


def test_the_call_tracer_shows_creations_and_ends_of_contracts() -> None:
    # init code: SELFDESTRUCT to OTHER
    init = bytes.fromhex("73" + OTHER.hex() + "ff")
    result = traced(world(""), replace(TX, to=None, data=init), tracer="callTracer")
    assert (result["type"], result["input"]) == ("CREATE", x(init))
    (ending,) = result["calls"]
    assert (ending["type"], ending["from"], ending["to"]) == ("SELFDESTRUCT", result["to"], x(OTHER))
    assert ending["value"] == "0x5"


def test_the_prestate_tracer_shows_what_was_touched_as_it_was() -> None:
    state = world(STORE)
    state.set_storage(CONTRACT, 0, 9)
    state.freeze()
    slot = "0x" + "00" * 32
    expected = {
        x(SENDER): {"balance": hex(10**18)},
        x(CONTRACT): {
            "balance": "0x64",
            "nonce": 1,
            "code": "0x" + STORE,
            "storage": {slot: "0x" + "00" * 31 + "09"},
        },
    }
    assert traced(state, tracer="prestateTracer") == expected
    diff = traced(state, tracer="prestateTracer", tracerConfig={"diffMode": True})
    assert diff["pre"] == expected
    assert diff["post"][x(CONTRACT)] == {"balance": "0x69", "storage": {slot: "0x" + "00" * 31 + "07"}}
    assert diff["post"][x(SENDER)]["nonce"] == 1
    assert set(diff["post"]) == {x(SENDER), x(CONTRACT), x(COINBASE)}


def test_a_call_is_traced_without_signature_and_unknown_tracers_are_refused() -> None:
    state = world(STORE)
    request = CallRequest(SENDER, CONTRACT)
    diff = trace_call(
        state, ENV, request, OSAKA, options={"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
    )
    assert list(diff["post"][x(CONTRACT)]) == ["storage"]
    with pytest.raises(NotSupported, match="unknown tracer"):
        trace_call(state, ENV, request, OSAKA, options={"tracer": "noTracer"})
    assert state.freeze().is_empty


# 1 MB of memory, then for ever: CALL(gas, 0x0c.., 0, 0, 1 MB, 0, 0), each for about 100 gas once it is warm
_FLOOD = "5f620fffe052" + "5b" + "5f5f620fffe05f5f73" + OTHER.hex() + "5af1506006" + "56"


@pytest.mark.parametrize("tracer", [{"tracer": "callTracer"}, {"enableMemory": True}])
def test_a_trace_that_lists_the_same_megabyte_again_and_again_is_ended(tracer: dict[str, Any]) -> None:
    tx = replace(TX, gas=16_000_000)
    with pytest.raises(LimitExceeded, match="trace too long"):
        traced(world(_FLOOD), tx, **tracer)


def test_a_trace_of_too_many_steps_is_ended() -> None:
    with pytest.raises(LimitExceeded, match="too many steps"):
        traced(world("5b5f56"), replace(TX, gas=16_000_000), disableStack=True)
