"""Clients from npm, unmodified: scripts in tests/functional/clients/scripts print what they observed."""

import json

import pytest
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.npm import SCRIPTS, compiled, installed, told

pytestmark = pytest.mark.slow
ACCOUNT = 5
VIEM = "viem@2.57.20"
NKTKAS, CCXT = "@nktkas/hyperliquid@0.33.3", "ccxt@4.5.84"
HARDHAT = "hardhat@3.18.0"
SAFE = (
    "@safe-global/protocol-kit@8.0.7",
    "@safe-global/safe-contracts@1.4.1",
    "@safe-global/safe-deployments@1.37.63",
)
SAFE_OWNERS = (8, 9)  # dev accounts
SOLC = "solc@0.8.30"


def key_of(wallet: LocalAccount) -> str:
    return "0x" + wallet.key.hex().removeprefix("0x")


def test_nktkas_trades_listens_and_is_told_what_it_may_not(
    market_node: LocalNode, wallet: LocalAccount
) -> None:
    seen = told(installed(NKTKAS, VIEM), "nktkas.js", market_node.url, key_of(wallet))
    assert seen["market"]["asset"] == 2
    assert seen["market"]["filled"]["totalSz"] == "0.3", "a market order of the page's kind"
    assert seen["market"]["fills"] == ["0.3", "0.3"], "each order's fills put together"
    assert len(seen["streams"]) == 16 and all(seen["streams"])
    assert (
        seen["refusal"]
        == 'Invalid subscription {"type":"l2Book","coin":"NOPE","nSigFigs":null,"mantissa":null}'
    )
    assert "Trigger orders are not supported" in seen["stop"]
    assert seen["positions"] == 0, "no entry without its stop"


def test_ccxt_for_javascript_trades_and_watches(market_node: LocalNode, wallet: LocalAccount) -> None:
    seen = told(installed(CCXT), "ccxt.js", market_node.url, key_of(wallet), wallet.address)
    assert (seen["status"], seen["filled"], seen["crossed"], seen["history"]) == ("open", 0.05, False, True)


@pytest.fixture(scope="module")
def store() -> str:
    """The contract that the driver deploys, as it takes it."""
    abi, code = compiled(installed(SOLC), SCRIPTS / "Store.sol", "Store")
    return json.dumps({"abi": abi, "bytecode": code})


def test_hardhat_deploys_and_forks(store: str, market_node: LocalNode, wallet: LocalAccount) -> None:
    seen = told(installed(HARDHAT), "hardhat.js", market_node.rpc_url, key_of(wallet), store)
    assert seen == {"status": 1, "value": 42, "forked": 42}


def test_safes_kit_deploys_its_contracts_and_a_safe_that_two_must_sign_for(market_node: LocalNode) -> None:
    """The nine addresses and code hashes are those that Safe publishes for every chain."""
    keys = ["0x" + dev_keys()[owner].hex() for owner in SAFE_OWNERS]
    seen = told(installed(*SAFE, VIEM), "safe.js", market_node.rpc_url, *keys)
    assert seen.pop("differing") == []
    assert seen.pop("made") == ["1.4.1", 2, 2]
    assert (seen.pop("half"), seen.pop("paid"), seen.pop("received")) == (False, "success", 3 + 4)
    assert seen == {"threshold": 1, "message": True, "other": False}
