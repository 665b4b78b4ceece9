"""Real nodes for the tests that use one, started as processes and driven through their public API; and browsers."""

from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import Profile, chromium
from tests.functional.waiting import wait_for


@pytest.fixture(scope="session")
def market_node() -> Iterator[LocalNode]:
    """One node with the demo market, shared: every test trades with accounts of its own."""
    with LocalNode(demo=True) as node:
        with Client(node.url) as client:
            for coin in ("BTC", "ETH", "SOL"):
                wait_for(lambda coin=coin: all(client.book(coin)["levels"]), f"two sides of {coin}")
        yield node


@pytest.fixture(scope="session")
def quiet_node() -> Iterator[LocalNode]:
    """One node without the demo market, shared: its books hold what a test puts there, and takes away again. An account
    has four trading keys at most, and each browser profile makes one: no more than four tests connect one dev key."""
    with LocalNode() as node:
        yield node


@pytest.fixture
def maker(quiet_node: LocalNode) -> Iterator[Client]:
    """A trader whose orders leave the quiet node's books after the test."""
    with Client(quiet_node.url, key=dev_keys()[1]) as client:
        yield client
        client.cancel_all()


@pytest.fixture
def wallet(request: pytest.FixtureRequest) -> LocalAccount:
    """The dev account that the test's module names as ACCOUNT."""
    return Account.from_key(dev_keys()[request.module.ACCOUNT])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for a module. No longer: while it runs, no other test can use asyncio."""
    with chromium() as started:
        yield started


@pytest.fixture
def profile(browser: Any) -> Iterator[Profile]:
    """A fresh browser profile whose complaints fail the test."""
    made = Profile(browser)
    yield made
    made.close()
