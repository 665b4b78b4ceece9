"""Real nodes for the tests that use one: started as processes, driven through their public API."""

from collections.abc import Iterator

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.waiting import wait_for


@pytest.fixture(scope="session")
def market_node() -> Iterator[LocalNode]:
    """One node with the demo market, shared: every test trades with accounts of its own."""
    with LocalNode(demo=True) as node:
        with Client(node.url) as client:
            for coin in ("BTC", "ETH", "SOL"):
                wait_for(lambda coin=coin: all(client.book(coin)["levels"]), f"two sides of {coin}")
        yield node


@pytest.fixture
def wallet(request: pytest.FixtureRequest) -> LocalAccount:
    """The dev account that the test's module names as ACCOUNT."""
    return Account.from_key(dev_keys()[request.module.ACCOUNT])
