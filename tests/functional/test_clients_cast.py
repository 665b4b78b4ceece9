"""Foundry's `cast`, unmodified, as its npm package ships it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client.local import LocalNode
from tests.functional.npm import installed

pytestmark = pytest.mark.slow
ACCOUNT = 4
PACKAGE, VERSION = "@foundry-rs/cast-linux-amd64", "1.7.1"
TOKEN = "0x00000000000000000000000000000000c0110001"
SYSTEM_ADDRESS = "0x2000000000000000000000000000000000000000"


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


def test_cast_reads_the_chain(cast: Callable[..., str], wallet: LocalAccount) -> None:
    assert cast("chain-id") == "926002"
    assert int(cast("block-number")) >= 0
    assert int(cast("balance", wallet.address)) > 10**20
    assert int(cast("gas-price")) > 0
    assert json.loads(cast("block", "latest", "--json"))["number"]


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
    assert cast("code", TOKEN).startswith("0x60") or len(cast("code", TOKEN)) > 10
    proof = json.loads(cast("proof", TOKEN, "0x0"))
    assert proof["accountProof"] and proof["address"].lower() == TOKEN
