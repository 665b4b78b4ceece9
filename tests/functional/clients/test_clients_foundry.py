"""Foundry's `forge` and `anvil`, unmodified, as their npm packages ship them: deploying to a node and forking it."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from web3 import Web3

from coinone.interfaces.client.local import LocalNode, free_ports
from contracts import anvil
from tests.functional.clients.npm import NODE, compiled, installed
from tests.functional.contracts.contracts import TOKEN, Chain
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
ACCOUNT = 4
SOURCES = Path(__file__).parent / "scripts"
FORGE, VERSION = "@foundry-rs/forge-linux-amd64", "1.7.1"
SOLC = "solc@0.8.30"
CREATE2_PROXY = Web3.to_checksum_address("0x4e59b44847b379578588920ca78fbf26c0b4956c")  # in our genesis


class Forge:
    """A project of Foundry with the sources beside this test, whose compiler is npm's."""

    def __init__(self, folder: Path, node: LocalNode) -> None:
        self._program = str(installed(f"{FORGE}@{VERSION}") / FORGE / "bin" / "forge")
        self._folder, self._url = folder, node.rpc_url
        modules = installed(SOLC)
        sources = folder / "src"
        shutil.copytree(SOURCES / "foundry", sources)
        shutil.copy(SOURCES / "Store.sol", sources)
        compiler = folder / "solc"
        line = shlex.join([str(NODE), str(sources / "solc.js")])
        compiler.write_text(f'#!/bin/sh\nNODE_PATH={shlex.quote(str(modules))} exec {line} "$@"\n')
        compiler.chmod(0o755)
        settings = {"solc": str(compiler), "offline": True, "evm_version": "cancun", "optimizer": True}
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        (folder / "foundry.toml").write_text("[profile.default]\n" + "\n".join(lines))

    def __call__(self, command: str, *arguments: str, url: str = "--rpc-url", **variables: str) -> str:
        done = subprocess.run(
            [self._program, command, url, self._url, *arguments], cwd=self._folder, text=True,
            env={**os.environ, **variables}, capture_output=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"forge {command}: {done.stdout}{done.stderr}"
        return done.stdout

    def sent(self) -> dict[str, Any]:
        """What the last script sent, and its receipts, as forge wrote it down."""
        (found,) = self._folder.glob("broadcast/Deploy.s.sol/*/run-latest.json")
        return dict(json.loads(found.read_text()))


@pytest.fixture(scope="module")
def forge(market_node: LocalNode, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(tmp_path_factory.mktemp("forge"), market_node)


@pytest.fixture
def chain(market_node: LocalNode, wallet: LocalAccount) -> Chain:
    return Chain(market_node.rpc_url, wallet)


def test_forge_creates_a_contract_and_tests_it_in_a_fork(
    forge: Forge, chain: Chain, wallet: LocalAccount
) -> None:
    signing = ("--private-key", wallet.key.hex(), "--broadcast", "--json")
    made = json.loads(forge("create", "src/Store.sol:Store", *signing, "--constructor-args", "42"))
    assert made["deployer"] == wallet.address
    receipt = chain.web3.eth.get_transaction_receipt(made["transactionHash"])
    assert (receipt["status"], receipt["contractAddress"]) == (1, made["deployedTo"])
    told = json.loads(forge("test", "--json", url="--fork-url", STORE=made["deployedTo"]))
    (suite,) = told.values()
    assert [each["status"] for each in suite["test_results"].values()] == ["Success"]


def test_forge_broadcasts_a_script_with_create2(forge: Forge, chain: Chain, wallet: LocalAccount) -> None:
    forge("script", "src/Deploy.s.sol:Deploy", "--private-key", wallet.key.hex(), "--broadcast")
    sent = forge.sent()
    kinds = [each["transactionType"] for each in sent["transactions"]]
    assert kinds == ["CREATE", "CREATE2", "CALL", "CALL"]
    assert [receipt["status"] for receipt in sent["receipts"]] == ["0x1"] * 4
    assert Web3.to_checksum_address(sent["receipts"][1]["to"]) == CREATE2_PROXY
    for each, value in zip(sent["transactions"][:2], (3, 4), strict=True):
        store = Web3.to_checksum_address(each["contractAddress"])
        data = chain.web3.eth.call({"to": store, "data": Web3.keccak(text="get()")[:4]})
        assert int.from_bytes(data) == value


@pytest.fixture
def fork(market_node: LocalNode) -> Iterator[Web3]:
    """anvil, begun at the node's newest block."""
    (port,) = free_ports(1)
    program = anvil.program_in(installed(anvil.PACKAGE))
    process = subprocess.Popen(anvil.command(program, port, fork_url=market_node.rpc_url))
    try:
        web3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
        wait_for(web3.is_connected, "an answer from anvil")
        yield web3
    finally:
        process.kill()
        process.wait()


def test_a_call_in_anvils_fork_costs_what_it_costs_the_node(
    chain: Chain, request: pytest.FixtureRequest
) -> None:
    """The same call from the same state, by revm in the fork and by our machine: equal gas, logs and value."""
    artifact = compiled(installed(SOLC), SOURCES / "Store.sol", "Store")
    store = chain.deploy(artifact, 41)
    fork: Web3 = request.getfixturevalue("fork")  # begun only now, when the contract is there
    assert fork.eth.chain_id == chain.web3.eth.chain_id
    token = {"to": TOKEN, "data": Web3.keccak(text="totalSupply()")[:4]}
    assert int.from_bytes(fork.eth.call(token)) > 0
    copy = fork.eth.contract(store.address, abi=artifact[0])
    assert copy.functions.get().call() == 41
    done = fork.eth.wait_for_transaction_receipt(copy.functions.set(42).transact({"from": chain.address}))
    assert (copy.functions.get().call(), store.functions.get().call()) == (42, 41)
    ours = chain.do(store.functions.set(42))
    assert ours["gasUsed"] == done["gasUsed"]
    assert [log["data"] for log in ours["logs"]] == [log["data"] for log in done["logs"]]
