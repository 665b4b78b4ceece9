"""Plans of eth_simulateV1 and the blocks made of them. What geth answers for 61 plans is in tests/vectors."""

from typing import Any

import pytest

from coinone.base.primitives.errors import CoinoneError
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.simulation.answer import block_answer
from coinone.interfaces.api.ethereum.simulation.plan import laid_out, read_plan
from coinone.interfaces.api.ethereum.simulation.run import WIPED_SLOTS_MAX, Simulation
from coinone.interfaces.api.ethereum.simulation.surroundings import OwnSurroundings
from coinone.rules.chain.imported.header import EMPTY_OMMERS, EthereumHeader, with_fields
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.seal import seal
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS

RICH, CONTRACT, OTHER = "0x" + "ca" * 20, "0x" + "c0" * 20, "0x" + "0e" * 20
PARENT = with_fields(
    EthereumHeader(
        bytes(32), EMPTY_OMMERS, b"\x77" * 20, bytes(32), bytes(32), bytes(32), bytes(256), 0, 10, 30_000_000, 0,
        1000, b"", bytes(32), bytes(8), 7,
    )
)  # fmt: skip
COUNTS = "5f545f5260205ff3"  # returns slot 0
FORWARDS = "5f5f5f5f47" + "73" + OTHER[2:] + "5af1"  # pays all its coins to OTHER


def database(slots: int = 0) -> MemoryDatabase:
    made = MemoryDatabase()
    state = State(made)
    state.set_balance(bytes.fromhex(RICH[2:]), 10**18)
    for slot in range(slots):
        state.set_storage(bytes.fromhex(CONTRACT[2:]), slot, 1)
    made.write(seal(made, state.freeze()).changes)
    return made


def simulated(*blocks: dict[str, Any], rows: MemoryDatabase | None = None, **options: bool) -> list[Any]:
    plan = read_plan({"blockStateCalls": list(blocks), **options}, 5)
    around = OwnSurroundings("Osaka", FORKS["Osaka"].precompiles)
    rows = rows or database()
    run = Simulation(plan, PARENT, rows, around, 5, lambda number: bytes([number]) * 32, lambda: None)
    return [block_answer(block, plan.full) for block in run.run()]


def code(text: str) -> dict[str, Any]:
    return {"stateOverrides": {CONTRACT: {"code": "0x" + text}}}


def call(**fields: Any) -> dict[str, Any]:
    return {"from": RICH, "to": CONTRACT, **fields}


def refused(*blocks: dict[str, Any], **options: bool) -> int:
    with pytest.raises(RpcError) as caught:
        simulated(*blocks, **options)
    return caught.value.code


def test_numbers_and_times_rise_and_gaps_are_filled() -> None:
    plan = read_plan({"blockStateCalls": [{}, {"blockOverrides": {"number": "0xe", "time": "0x7d0"}}]}, 5)
    # block 10 of 1000 s; 11, then 12 and 13 in the gap, each 12 s later, then 14 as named
    assert [(b.number, b.time) for b in laid_out(plan, 10, 1000)] == [
        (11, 1012),
        (12, 1024),
        (13, 1036),
        (14, 2000),
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"number": "0xa"}, -38020),
        ({"time": "0x3e8"}, -38021),
        ({"number": hex(10 + 257)}, -38026),
    ],
)
def test_blocks_out_of_order_and_too_many_are_refused(fields: dict[str, str], code: int) -> None:
    assert refused({"blockOverrides": fields}) == code


def test_a_block_sees_what_the_one_before_it_left() -> None:
    # PUSH1 9, PUSH0, SSTORE; then the code is another one, and the slot is still there
    first, second = simulated(code("60095f55") | {"calls": [call()]}, code(COUNTS) | {"calls": [call()]})
    assert first["calls"][0]["status"] == "0x1"
    assert int(second["calls"][0]["returnData"], 16) == 9
    assert second["parentHash"] == first["hash"] and first["parentHash"] == "0x" + PARENT.hash.hex()


def test_a_call_knows_the_hashes_of_simulated_blocks() -> None:
    returns = "600143034060005260206000f3"  # BLOCKHASH of NUMBER - 1
    first, second = simulated({}, code(returns) | {"calls": [call()]})
    assert second["calls"][0]["returnData"] == first["hash"]


def test_payments_are_logs_where_they_are_asked_for_and_those_of_a_failed_frame_are_not() -> None:
    paid = code(FORWARDS) | {"calls": [call(value="0x5")]}
    [block] = simulated(paid, traceTransfers=True)
    logs = block["calls"][0]["logs"]
    assert [int(log["data"], 16) for log in logs] == [5, 5]
    assert [log["topics"][2][-40:] for log in logs] == [CONTRACT[2:], OTHER[2:]]
    assert simulated(paid)[0]["calls"][0]["logs"] == []
    failing = code(FORWARDS + "fe") | {"calls": [call(value="0x5")]}
    [block] = simulated(failing, traceTransfers=True)
    assert block["calls"][0]["logs"] == [] and block["calls"][0]["error"]["code"] == -32015


def test_without_validation_nothing_is_paid_for_gas_and_with_it_the_base_fee_counts() -> None:
    assert simulated({"calls": [call()]})[0]["baseFeePerGas"] == "0x0"
    assert refused({"calls": [call()]}, validation=True) == -38012
    [block] = simulated({"calls": [call(maxFeePerGas="0x7")]}, validation=True)
    assert (block["baseFeePerGas"], block["calls"][0]["gasUsed"]) == ("0x7", hex(21_000))


@pytest.mark.parametrize(
    ("fields", "validation", "code"),
    [
        ({"nonce": "0x5", "maxFeePerGas": "0x7"}, True, -38011),
        ({"gas": "0x5207"}, False, -38013),
        ({"value": hex(10**18 + 1)}, False, -38014),
        ({"gas": hex(30_000_001)}, False, -38015),
        ({"maxPriorityFeePerGas": "0x1"}, False, -32602),
        ({"to": None, "input": "0x" + "00" * 49_153}, False, -38025),
        ({"authorizationList": []}, False, -32603),
    ],
)
def test_a_call_that_cannot_begin_ends_the_simulation_with_its_code(
    fields: dict[str, Any], validation: bool, code: int
) -> None:
    assert refused({"calls": [call(**fields)]}, validation=validation) == code


def test_all_calls_together_have_the_gas_of_one_eth_call() -> None:
    # an invalid instruction takes what there is: 30 M, 20 M, then nothing is left to begin with
    greedy = code("fe")
    assert refused(*[greedy | {"calls": [call()]}] * 3) == -38013


def test_withdrawals_are_paid_and_stand_in_the_block() -> None:
    row = {"index": "0x1", "validatorIndex": "0x2", "address": OTHER, "amount": "0x3"}
    shows = "73" + OTHER[2:] + "315f5260205ff3"  # BALANCE of OTHER
    first, second = simulated({"blockOverrides": {"withdrawals": [row]}}, code(shows) | {"calls": [call()]})
    assert first["withdrawals"] == [row]
    assert int(second["calls"][0]["returnData"], 16) == 3 * 10**9  # gwei


def test_a_whole_storage_is_replaced_unless_it_is_too_large() -> None:
    replaced = {CONTRACT: {"code": "0x" + COUNTS, "state": {}}}
    block = {"stateOverrides": replaced, "calls": [call()]}
    assert int(simulated(block, rows=database(slots=3))[0]["calls"][0]["returnData"], 16) == 0
    with pytest.raises(RpcError, match="too much storage to be replaced"):
        simulated(block, rows=database(slots=WIPED_SLOTS_MAX + 1))


def test_malformed_plans_are_refused() -> None:
    for wrong in (
        None,
        [],
        {"blockStateCalls": []},
        {"blockStateCalls": {}},
        {"blockStateCalls": [1]},
        {"blockStateCalls": [{}], "validation": 1},
        {"blockStateCalls": [{"calls": [None]}]},
        {"blockStateCalls": [{"blockOverrides": {"withdrawals": [{}]}}]},
        {"blockStateCalls": [{}] * 257},
    ):
        with pytest.raises(CoinoneError):
            read_plan(wrong, 5)
