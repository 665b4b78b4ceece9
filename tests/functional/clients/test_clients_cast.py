"""Foundry's `cast`, unmodified, as its npm package ships it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from web3 import Web3

from coinone.interfaces.client.local import LocalNode
from coinone.node.networks import load_network
from tests.functional.clients.npm import installed

pytestmark = pytest.mark.slow
ACCOUNT = 4
PACKAGE, VERSION = "@foundry-rs/cast-linux-amd64", "1.7.1"
TOKEN = "0x00000000000000000000000000000000c0110001"
SYSTEM_ADDRESS = "0x2000000000000000000000000000000000000000"
REWARD_POOL = "0x00000000000000000000000000000000c0110002"
UNTOUCHED = "0x8626f6940e2eb28930efb4cef49b2d1f2c9c1199"  # dev's account 19, a demo trader: it pays no gas


def installed_cast() -> str:
    """A cast that is there already, or the pinned one from npm."""
    found = os.environ.get("COINONE_CAST") or shutil.which("cast")
    return found or str(installed(f"{PACKAGE}@{VERSION}") / PACKAGE / "bin" / "cast")


@pytest.fixture(scope="module")
def cast(market_node: LocalNode) -> Callable[..., str]:
    program = installed_cast()

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [program, *arguments, "--rpc-url", market_node.rpc_url],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"cast {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    return run


def test_cast_reads_the_chain(cast: Callable[..., str]) -> None:
    assert cast("chain-id") == "926002"
    first = int(cast("block-number"))
    block = json.loads(cast("block", "latest", "--json"))
    assert first <= int(block["number"], 16) <= int(cast("block-number")) and block["miner"] == REWARD_POOL
    assert int(cast("balance", UNTOUCHED)) == 1_000 * 10**18 and cast("nonce", UNTOUCHED) == "0"
    assert int(cast("gas-price")) == 60_000_000 + 1  # dev's base fee and the suggested tip


def test_cast_sends_coins(cast: Callable[..., str], wallet: LocalAccount) -> None:
    receiver = "0x" + "c4" * 20
    before = int(cast("balance", receiver))
    sent: Any = json.loads(
        cast("send", receiver, "--value", "12345", "--private-key", wallet.key.hex(), "--json")
    )
    assert int(sent["status"], 16) == 1
    assert int(cast("balance", receiver)) == before + 12345
    assert cast("tx", sent["transactionHash"], "value") == "12345"


def test_cast_calls_and_moves_the_quote_token(cast: Callable[..., str], wallet: LocalAccount) -> None:
    def held(owner: str) -> int:
        return int(cast("call", TOKEN, "balanceOf(address)(uint256)", owner).split()[0])

    assert cast("call", TOKEN, "decimals()(uint8)") == "6"
    before, owed = held(wallet.address), held(SYSTEM_ADDRESS)
    done = json.loads(
        cast(
            "send", TOKEN, "transfer(address,uint256)", SYSTEM_ADDRESS, "20000000",
            "--private-key", wallet.key.hex(), "--json",
        )
    )  # fmt: skip
    assert int(done["status"], 16) == 1
    assert (held(wallet.address), held(SYSTEM_ADDRESS)) == (before - 20_000_000, owed + 20_000_000)
    number = str(int(done["blockNumber"], 16))
    found = cast(
        "logs", "--from-block", number, "--to-block", number, "Transfer(address,address,uint256)", "--json"
    )
    assert any(log["transactionHash"] == done["transactionHash"] for log in json.loads(found))


def test_cast_reads_code_and_storage_proofs(cast: Callable[..., str]) -> None:
    """Solidity keeps a token's total supply, its first variable, in slot 0."""
    assert cast("code", TOKEN) == "0x" + load_network("dev").quote_token.code.hex()
    proof = json.loads(cast("proof", TOKEN, "0x0"))
    supply = int(cast("call", TOKEN, "totalSupply()(uint256)").split()[0])
    (slot,) = proof["storageProof"]
    assert proof["address"].lower() == TOKEN and int(slot["value"], 16) == supply > 0
    assert keccak(proof["accountProof"][0]) in state_roots(cast)
    assert keccak(slot["proof"][0]) == proof["storageHash"]
    assert keccak(cast("code", TOKEN)) == proof["codeHash"]


def keccak(data: str) -> str:
    return Web3.to_hex(Web3.keccak(hexstr=data))


def state_roots(cast: Callable[..., str]) -> set[str]:
    """Of the newest blocks: the proof was of one of them."""
    newest = int(cast("block-number"))
    return {
        json.loads(cast("block", str(number), "--json"))["stateRoot"]
        for number in range(max(0, newest - 2), newest + 1)
    }
