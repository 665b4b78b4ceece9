"""What viem and Safe's own package assume of a chain, asked of a node: the contracts that genesis carries for them."""

import json
import subprocess

import pytest
from eth_abi import encode
from eth_account.signers.local import LocalAccount
from web3 import Web3

from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.npm import NODE, artifact, installed
from tests.functional.contracts.contracts import Chain

pytestmark = pytest.mark.slow
ACCOUNT = 7
PACKAGES = ("viem@2.57.20", "@safe-global/safe-singleton-factory@2.0.0")
ACCOUNT_ABSTRACTION = "@account-abstraction/contracts"
CREATE2_PROXY = Web3.to_checksum_address("0x4e59b44847b379578588920ca78fbf26c0b4956c")
# Where ERC-4337's bundlers and wallets look for EntryPoint 0.8 on every chain, and the salt that leads there
ENTRY_POINT = Web3.to_checksum_address("0x4337084d9e255ff0702461cf8895ce9e3b5ff108")
ENTRY_POINT_SALT = bytes.fromhex("0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9")
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


def test_the_published_entry_point_comes_to_its_usual_address(
    market_node: LocalNode, wallet: LocalAccount
) -> None:
    """It is asked for its EIP-712 domain separator, which holds the chain id and its own address."""
    chain = Chain(market_node.rpc_url, wallet)
    eth = chain.web3.eth
    abi, code = artifact(
        installed(f"{ACCOUNT_ABSTRACTION}@0.8.0"), f"{ACCOUNT_ABSTRACTION}/artifacts/EntryPoint.json"
    )
    if not eth.get_code(ENTRY_POINT):  # another test of this run may have laid it
        receipt = chain.send(
            {"to": CREATE2_PROXY, "value": 0, "data": ENTRY_POINT_SALT + bytes.fromhex(code[2:])}
        )
        assert receipt["status"] == 1
    kind = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    words = [Web3.keccak(text=text) for text in (kind, "ERC4337", "1")]
    layout = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    separator = Web3.keccak(encode(layout, [*words, eth.chain_id, ENTRY_POINT]))
    assert eth.contract(ENTRY_POINT, abi=abi).functions.getDomainSeparatorV4().call() == separator
