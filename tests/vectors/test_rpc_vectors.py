"""ethereum/execution-apis: its test chain imported under Ethereum's rules, then every case of the methods we serve.

Each case is asked of a node process, and the answer compared with the recorded one: results as JSON values, errors by
code and, where recorded, data (their words are each client's own). A case marked `speconly` fixes only the shape: the
same fields must be there. Needs COINONE_DATA (ethereum-rpc/rpc_tests.tar.xz).
"""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from coinone.interfaces.api.ethereum.table import METHODS
from tests.vectors.ethereum_node import Chain, ask, unpack

pytestmark = pytest.mark.slow
NEEDS = "set COINONE_DATA to a folder with ethereum-rpc/rpc_tests.tar.xz (ethereum/execution-apis, tests/)"
EXCLUDED = {
    row["case"]: row["reason"]
    for row in tomllib.loads((Path(__file__).parent / "rpc_exclusions.toml").read_text())["excluded"]
}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    if "COINONE_DATA" not in os.environ:
        pytest.skip(NEEDS)
    archive = Path(os.environ["COINONE_DATA"], "ethereum-rpc", "rpc_tests.tar.xz")
    made = unpack(archive, tmp_path_factory.mktemp("ethereum"))
    made.command("init", str(made.folder / "genesis.json"))
    assert "54 blocks imported; head 54 0xd226371d0b" in made.import_all()
    return made


def test_every_case_of_the_methods_we_serve_is_answered_as_recorded(chain: Chain) -> None:
    """Each block's roots, gas and requests were compared during the import; its head is the one the cases speak of."""
    with chain.node() as address:
        problems, asked = _ask_all(address, chain.cases)
    assert problems == {}, f"{len(problems)} of {asked} cases"
    assert asked >= 142


def test_each_exclusion_names_a_case(chain: Chain) -> None:
    served = {name for name in chain.cases if name.split("/")[0] in METHODS}
    assert set(EXCLUDED) <= served


def test_a_second_import_finds_all_blocks_and_a_restart_serves_the_same_head(chain: Chain) -> None:
    assert "0 blocks imported; head 54" in chain.import_all()
    with chain.node() as address:
        question = '{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",false]}'
        assert ask(address, question)["result"]["hash"].startswith("0xd226371d0b")


def test_a_transaction_that_the_node_executed_can_be_traced(chain: Chain) -> None:
    """From block 42 on; gas as in its receipt, and the sender's nonce moves by one."""
    with chain.node() as address:
        for number in range(42, 55):
            for tx in _result(address, "eth_getBlockByNumber", hex(number), True)["transactions"]:
                receipt = _result(address, "eth_getTransactionReceipt", tx["hash"])
                options = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
                found = _result(address, "debug_traceTransaction", tx["hash"], options)
                assert found["post"][tx["from"]]["nonce"] == int(tx["nonce"], 16) + 1
                steps = _result(address, "debug_traceTransaction", tx["hash"])
                assert steps["gas"] == int(receipt["gasUsed"], 16)
                assert steps["failed"] == (receipt["status"] == "0x0")


def test_an_uncle_is_found_by_its_place_and_is_the_header_that_its_block_names(chain: Chain) -> None:
    with chain.node() as address:
        named = 0
        for number in range(55):
            for place, name in enumerate(
                _result(address, "eth_getBlockByNumber", hex(number), False)["uncles"]
            ):
                uncle = _result(address, "eth_getUncleByBlockNumberAndIndex", hex(number), hex(place))
                assert uncle["hash"] == name and "transactions" not in uncle
                named += 1
        assert named > 0
        assert _result(address, "eth_getUncleByBlockNumberAndIndex", "0x36", "0x0") is None


def _result(address: str, method: str, *params: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return ask(address, json.dumps(request))["result"]


def _ask_all(address: str, cases: dict[str, str]) -> tuple[dict[str, str], int]:
    problems, asked = {}, 0
    for name, text in sorted(cases.items()):
        if name.split("/")[0] not in METHODS or name in EXCLUDED:
            continue
        asked += 1
        lines = [line for line in text.splitlines() if line[:3] in (">> ", "<< ")]
        for question, expected in zip(lines[::2], lines[1::2], strict=True):
            answer = ask(address, question[3:])
            if not _agree(answer, json.loads(expected[3:]), "speconly" in text):
                problems[name] = f"{json.dumps(answer)[:600]} is not {expected[3:603]}"
    return problems, asked


def _agree(answer: dict[str, Any], expected: dict[str, Any], shape_only: bool) -> bool:
    if "error" in expected:
        have, want = answer.get("error", {}), expected["error"]
        return have.get("code") == want["code"] and want.get("data") in (None, have.get("data"))
    if shape_only:
        return "result" in answer and _shape(answer["result"]) == _shape(expected["result"])
    return answer.get("result") == expected["result"] and "result" in answer


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    return type(value)
