"""ethereum/execution-apis: its test chain imported under Ethereum's rules, then every case of the methods we serve.

Each case is asked through the product's own dispatcher and the answer compared with the recorded one: results as
JSON values, errors by code and, where recorded, data (their words are each client's own). A case marked `speconly`
fixes only the shape: the same fields must be there. Needs COINONE_DATA (ethereum-rpc/rpc_tests.tar.xz).
"""

import asyncio
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from coinone.interfaces.api.ethereum.table import METHODS
from coinone.interfaces.api.guard import Caller
from coinone.interfaces.api.weights import Weights
from tests.vectors.ethereum_node import EthereumNode, Files, read_files

PURSE = Weights(1).purse("127.0.0.1")  # a local program pays nothing that it would feel
pytestmark = pytest.mark.slow
NEEDS = "set COINONE_DATA to a folder with ethereum-rpc/rpc_tests.tar.xz (ethereum/execution-apis, tests/)"
EXCLUDED = {
    row["case"]: row["reason"]
    for row in tomllib.loads((Path(__file__).parent / "rpc_exclusions.toml").read_text())["excluded"]
}


@pytest.fixture(scope="module")
def files() -> Files:
    if "COINONE_DATA" not in os.environ:
        pytest.skip(NEEDS)
    return read_files(Path(os.environ["COINONE_DATA"], "ethereum-rpc", "rpc_tests.tar.xz"))


@pytest.fixture(scope="module")
def node(files: Files) -> EthereumNode:
    return EthereumNode(files)


def test_the_whole_chain_is_imported(node: EthereumNode, files: Files) -> None:
    """Each block's roots, gas and requests were compared on the way; the last is the one the cases speak of."""
    assert node.chain.head.number == len(files.blocks) == 54
    assert len(node.chain.imported) == 13


def test_every_case_of_the_methods_we_serve_is_answered_as_recorded(node: EthereumNode, files: Files) -> None:
    problems, asked = asyncio.run(_ask_all(node, files))
    assert problems == {}, f"{len(problems)} of {asked} cases"
    assert asked >= 68


def test_each_exclusion_names_a_case(files: Files) -> None:
    served = {name for name in files.cases if name.split("/")[0] in METHODS}
    assert set(EXCLUDED) <= served


async def _ask_all(node: EthereumNode, files: Files) -> tuple[dict[str, str], int]:
    dispatcher = node.dispatcher()
    problems, asked = {}, 0
    for name, text in sorted(files.cases.items()):
        if name.split("/")[0] not in METHODS or name in EXCLUDED:
            continue
        asked += 1
        lines = [line for line in text.splitlines() if line[:3] in (">> ", "<< ")]
        for question, expected in zip(lines[::2], lines[1::2], strict=True):
            answer = json.loads(await dispatcher.answer(question[3:].encode(), Caller.PROGRAM, PURSE))
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
