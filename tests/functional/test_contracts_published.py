"""What viem and Safe's own package assume of a chain, asked of a node: the contracts that genesis carries for them."""

import json
import subprocess

import pytest
from web3 import Web3

from coinone.interfaces.client.local import LocalNode
from tests.functional.npm import NODE, installed

pytestmark = pytest.mark.slow
PACKAGES = ("viem@2.57.20", "@safe-global/safe-singleton-factory@2.0.0")
TOKEN = "0x00000000000000000000000000000000c0110001"

# viem takes the address of Multicall3 from its own description of Ethereum.
_MULTICALL = """
import { createPublicClient, http, parseAbi } from "viem";
import { mainnet } from "viem/chains";
const [, , url, token] = process.argv;
const client = createPublicClient({ transport: http(url) });
const abi = parseAbi(["function decimals() view returns (uint8)", "function missing() view returns (uint8)"]);
const multicallAddress = mainnet.contracts.multicall3.address;
const calls = ["decimals", "missing"].map((functionName) => ({ address: token, abi, functionName }));
const answers = await client.multicall({ multicallAddress, contracts: calls });
console.log(JSON.stringify(answers.map((answer) => answer.status === "success" ? answer.result : answer.error.name)));
"""
_FACTORY = """
import { getSingletonFactoryInfo } from "@safe-global/safe-singleton-factory";
console.log(JSON.stringify(getSingletonFactoryInfo(1)));
"""


def run(program: str, *arguments: str) -> object:
    modules = installed(*PACKAGES)
    script = modules.parent / "script.mjs"
    script.write_text(program)
    done = subprocess.run(
        [str(NODE), str(script), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_viem_reads_several_contracts_in_one_call(market_node: LocalNode) -> None:
    assert run(_MULTICALL, market_node.rpc_url, TOKEN) == [6, "ContractFunctionExecutionError"]


def test_the_safe_factory_is_where_its_package_says_and_holds_what_its_transaction_deploys(
    market_node: LocalNode,
) -> None:
    info = run(_FACTORY)
    assert isinstance(info, dict)
    code = Web3(Web3.HTTPProvider(market_node.rpc_url)).eth.get_code(info["address"])
    # the transaction's data ends with the code that stays: 69 bytes behind 14 that put them there
    assert len(code) == 69 and code.hex() in info["transaction"]
