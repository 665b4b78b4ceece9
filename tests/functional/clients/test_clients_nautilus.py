"""nautilus_trader, unmodified: its adapter has no address setting, so Hyperliquid's host name leads to a node."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client import Client
from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.fixed_hosts import leading
from tests.functional.clients.venv import environment, told
from tests.functional.waiting import wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        sys.version_info < (3, 12), reason="nautilus_trader's finished adapters want Python 3.12"
    ),
]
ACCOUNT = 6
HOST = "api.hyperliquid-testnet.xyz"  # built into the adapter
EVENTS = """
OrderInitialized OrderSubmitted OrderAccepted OrderFilled PositionOpened
OrderInitialized OrderSubmitted OrderAccepted OrderPendingUpdate OrderUpdated OrderPendingCancel OrderCanceled
OrderInitialized OrderSubmitted OrderAccepted OrderFilled PositionClosed
"""


def test_nautilus_hears_a_market_trades_moves_and_cancels_an_order(
    wallet: LocalAccount, tmp_path: Path
) -> None:
    programs = environment("nautilus_trader==1.231.0")
    with LocalNode(demo=True, arguments=("--allow-host", HOST)) as node:
        with Client(node.url) as client:
            wait_for(lambda: all(client.book("SOL")["levels"]), "two sides of SOL")
        stream = f"{node.url.replace('http', 'ws')}/ws"
        with leading((HOST,), node.port, tmp_path) as variables:
            script, key = "nautilus_once.py", wallet.key.hex()
            seen = told(programs, tmp_path, script, stream, key, **variables)
    assert seen["instruments"][:3] == [f"{coin}-USD-PERP.HYPERLIQUID" for coin in ("BTC", "ETH", "SOL")]
    assert sorted(seen["heard"]) == ["book", "quote", "trade"]
    assert sorted(seen["events"]) == sorted(EVENTS.split()), "in whatever order the strategy was told"
    assert Decimal(seen["net"]) == 0
    assert seen["balances"].keys() == {"USDC"} and Decimal(seen["balances"]["USDC"]) > 0
