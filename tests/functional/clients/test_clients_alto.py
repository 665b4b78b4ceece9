"""alto, an ERC-4337 bundler from npm, unmodified, with permissionless.js and viem as those who ask it."""

import pytest

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode, free_ports
from tests.functional.clients.npm import installed, told

pytestmark = pytest.mark.long
PACKAGES = (
    "@pimlico/alto@0.0.20",
    "permissionless@0.4.1",
    "viem@2.44.4",  # the newest whose `ox` is permissionless.js's
    "@account-abstraction/contracts@0.8.0",
)
DEPLOYER, EXECUTOR = 7, 8  # dev accounts


def test_alto_carries_operations_of_new_accounts_and_of_a_delegated_one(market_node: LocalNode) -> None:
    """Each of three operations pays 5 + 6 wei; the first also makes its account, the third delegates (EIP-7702)."""
    keys = ["0x" + dev_keys()[account].hex() for account in (DEPLOYER, EXECUTOR)]
    (port,) = free_ports(1)
    seen = told(installed(*PACKAGES), "alto.js", market_node.rpc_url, *keys, str(port))
    assert seen["entry"], "the EntryPoint's address is the one that every chain has"
    assert seen["operations"] == [{"success": True, "status": "success", "through": True}] * 3
    assert (seen["delegation"], seen["paid"]) == (True, 3 * (5 + 6))
    assert "reverted" in seen["refusal"], "more than the account has"
