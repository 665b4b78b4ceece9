"""Traces in geth's forms, for small programs whose every step is written down here."""

from dataclasses import replace
from typing import Any

import pytest

from coinone.base.crypto.secp256k1 import address_of
from coinone.base.forms.ethereum import EthereumTransaction, sign_transaction
from coinone.base.primitives.errors import InvalidInput, LimitExceeded, NotSupported
from coinone.rules.chain.ethereum.trace import trace_call, trace_transaction
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv
from coinone.rules.vm.tracing.flat_call_tracer import TracedPlace

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
    with pytest.raises(InvalidInput, match="configuration must be an object"):
        trace_call(state, ENV, request, OSAKA, options={"tracer": "callTracer", "tracerConfig": []})
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


def test_steps_behind_the_limit_are_not_listed_and_the_run_goes_on() -> None:
    whole = traced(world(STORE))
    cut = traced(world(STORE), limit=2)
    assert cut == {**whole, "structLogs": whole["structLogs"][:2]}
    assert traced(world(STORE), limit=0) == traced(world(STORE), limit=None) == whole
    for wrong in (-1, "2", True):
        with pytest.raises(InvalidInput, match="limit must be a number of steps"):
            traced(world(STORE), limit=wrong)


def test_the_prestate_leaves_out_code_and_storage_and_lists_what_is_absent_as_told() -> None:
    def pre(**config: Any) -> dict[str, Any]:
        return traced(world("5f54" + STORE), tracer="prestateTracer", tracerConfig=config)

    assert set(pre()[x(CONTRACT)]) == {"balance", "nonce", "code"}
    assert set(pre(disableCode=True)[x(CONTRACT)]) == {"balance", "nonce"}
    assert x(COINBASE) not in pre() and pre(includeEmpty=True)[x(COINBASE)] == {"balance": "0x0"}
    state = world("5f54" + STORE)
    state.set_storage(CONTRACT, 0, 3)
    state.freeze()
    assert "storage" in traced(state, tracer="prestateTracer")[x(CONTRACT)]
    off = {"disableStorage": True}
    assert "storage" not in traced(state, tracer="prestateTracer", tracerConfig=off)[x(CONTRACT)]


def test_the_flat_tracer_lists_each_frame_with_its_place() -> None:
    # CONTRACT calls the identity contract with nothing, then OTHER with 2 wei, which reverts
    identity = "5f5f5f5f6004" + "61ffff" + "fa" + "50"
    place = TracedPlace(b"\x01" * 32, 5, b"\x02" * 32, 3)
    tx = sign_transaction(TX, KEY)
    state = world(identity + CALL_OTHER, "5f5ffd")
    config = {"convertParityErrors": True}

    def listed(**config: Any) -> list[dict[str, Any]]:
        options = {"tracer": "flatCallTracer", "tracerConfig": config}
        return trace_transaction(state, ENV, tx, OSAKA, options=options, place=place)

    root, other = listed(**config)
    assert root["action"] == {
        "callType": "call", "from": x(SENDER), "to": x(CONTRACT), "gas": "0x30d40", "value": "0x5", "input": "0xab",
    }  # fmt: skip
    assert (root["type"], root["traceAddress"], root["subtraces"]) == ("call", [], 1)
    assert (root["blockNumber"], root["transactionPosition"]) == (5, 3)
    assert (root["blockHash"], root["transactionHash"]) == ("0x" + "01" * 32, "0x" + "02" * 32)
    assert other["traceAddress"] == [0] and other["error"] == "Reverted"
    assert other["action"]["value"] == "0x2"
    # PUSH0 PUSH0 REVERT: 2 + 2 gas
    assert other["result"] == {"gasUsed": "0x4", "output": "0x"}
    assert listed()[1]["error"] == "execution reverted"
    three = listed(includePrecompiles=True)
    assert [each["traceAddress"] for each in three] == [[], [0], [1]]
    assert three[1]["action"]["callType"] == "staticcall" and three[1]["action"]["value"] == "0x0"


def test_the_flat_tracer_shows_creations_and_endings() -> None:
    # CREATE of "SELFDESTRUCT to OTHER" (as init code), with 7 wei
    init = "73" + OTHER.hex() + "ff"
    create = f"7f{init.ljust(64, '0')}5f52" + f"60{len(init) // 2:02x}5f6007f000"
    _, made, ended = traced(world(create), tracer="flatCallTracer")
    assert made["type"] == "create" and made["action"]["creationMethod"] == "create"
    assert made["action"]["init"] == "0x" + init and made["result"]["code"] == "0x"
    assert ended["type"] == "suicide" and ended["result"] is None
    assert ended["action"] == {
        "address": made["result"]["address"], "balance": "0x7", "refundAddress": x(OTHER)
    }  # fmt: skip


def test_functions_are_counted_by_selector_and_size_but_not_precompiled_contracts() -> None:
    # MSTORE a selector; call OTHER with 4 and with 36 bytes, identity with 4
    call = "5f5f60{size:02x}5f5f73{to}61fffff150"
    code = "63aabbccdd60e01b5f52" + "".join(
        call.format(size=size, to=to)
        for size, to in ((4, OTHER.hex()), (36, OTHER.hex()), (4, "00" * 19 + "04"))
    )
    assert traced(world(code), tracer="4byteTracer") == {"0xaabbccdd-0": 1, "0xaabbccdd-32": 1}


def test_nothing_and_several_tracers_at_once() -> None:
    assert traced(world(STORE), tracer="noopTracer") == {}
    config = {"callTracer": None, "prestateTracer": {"diffMode": True}, "noopTracer": {}}
    both = traced(world(STORE), tracer="muxTracer", tracerConfig=config)
    assert both["callTracer"] == traced(world(STORE), tracer="callTracer")
    alone = traced(world(STORE), tracer="prestateTracer", tracerConfig={"diffMode": True})
    assert both["prestateTracer"] == alone and both["noopTracer"] == {}
    for wrong in ({"muxTracer": {}}, {"jsTracer": {}}):
        with pytest.raises(NotSupported, match="unknown tracer"):
            traced(world(STORE), tracer="muxTracer", tracerConfig=wrong)
    with pytest.raises(LimitExceeded):
        traced(world(STORE), tracer="muxTracer", tracerConfig={str(n): {} for n in range(17)})


def test_the_erc7562_tracer_tells_what_validation_may_not_do() -> None:
    # SLOAD 1, SSTORE 2, TSTORE 3, EXTCODESIZE OTHER (not followed by ISZERO), GAS (not before a call), KECCAK of 0..31
    reads = "600154" + "505f600255" + "5f60035d" + "73" + OTHER.hex() + "3b50" + "5a50" + "60205f20" + "50"
    tree = traced(world(reads + CALL_OTHER, "fe"), tracer="erc7562Tracer")
    assert tree["accessedSlots"] == {
        "reads": {f"0x{1:064x}": ["0x" + "00" * 32]},
        "writes": {f"0x{2:064x}": 1},
        "transientReads": {},
        "transientWrites": {f"0x{3:064x}": 1},
    }
    assert tree["extCodeAccessInfo"] == [x(OTHER)]
    assert tree["contractSize"] == {x(OTHER): {"contractSize": 1, "opcode": 0x3B}}
    # SLOAD, SSTORE, TSTORE, EXTCODESIZE, GAS, KECCAK256, CALL, STOP; PUSH, POP and their like are ignored
    assert tree["usedOpcodes"] == dict.fromkeys(
        ("0x54", "0x55", "0x5d", "0x3b", "0x5a", "0x20", "0xf1", "0x0"), 1
    )
    assert tree["keccak"] == ["0x" + "00" * 32] and tree["outOfGas"] is False
    [below] = tree["calls"]
    assert below["usedOpcodes"] == {"0xfe": 1} and below["outOfGas"] is False
    endless = traced(world(CALL_OTHER, "5b5f56"), tracer="erc7562Tracer")
    assert endless["calls"][0]["outOfGas"] is True


def test_gas_before_a_call_and_a_size_that_is_only_compared_with_nothing_are_no_offence() -> None:
    code = "73" + OTHER.hex() + "3b1550" + "5f5f5f5f5f73" + OTHER.hex() + "5af100"
    tree = traced(world(code), tracer="erc7562Tracer")
    assert tree["extCodeAccessInfo"] == [] and "0x5a" not in tree["usedOpcodes"]
    config = {"ignoredOpcodes": ["0xf1"]}
    seen = traced(world(code), tracer="erc7562Tracer", tracerConfig=config)["usedOpcodes"]
    assert "0xf1" not in seen and seen["0x5f"] == 5
