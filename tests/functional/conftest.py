"""Real nodes for the tests that use one, started as processes and driven through their public API; and browsers."""

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client import Client, Refused, round_price
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import Profile, chromium
from tests.functional.waiting import wait_for

NO_AGENT = "0x" + "00" * 20  # approved under a name, it removes the trading key of that name


@pytest.fixture(scope="session")
def demo_node() -> Iterator[LocalNode]:
    with LocalNode(demo=True) as node:
        with Client(node.url) as client:
            for coin in ("BTC", "ETH", "SOL"):
                wait_for(lambda coin=coin: all(client.book(coin)["levels"]), f"two sides of {coin}")
        yield node


@pytest.fixture(scope="module")
def market_node(demo_node: LocalNode) -> Iterator[LocalNode]:
    """One node with the demo market, shared: every test of a module trades with accounts of its own, and the next
    module finds all of them empty. An account has four trading keys at most, and each browser profile makes one: no
    more than four tests of a module connect one dev key."""
    yield demo_node
    empty_accounts(demo_node)


@pytest.fixture(scope="session")
def quiet_node() -> Iterator[LocalNode]:
    """One node without the demo market, shared: its books hold what a test puts there, and takes away again. As nobody
    empties its accounts, no more than four tests of all modules connect one dev key."""
    with LocalNode() as node:
        yield node


def empty_accounts(node: LocalNode) -> None:
    """Leave no order, no trading key and no position on any dev account of a node with the demo market."""
    for key in dev_keys():
        with Client(node.url, key=key) as client:
            client.cancel_all()
            for agent in client.info("extraAgents", user=client.account):
                client.approve_agent(NO_AGENT, agent["name"])
            wait_for(lambda client=client: close_positions(client), f"{client.account} without a position")
            assert not client.open_orders()


def close_positions(client: Client) -> bool:
    """Whether the account has no position; one that it has is closed as far as the book allows."""
    positions = [each["position"] for each in client.summary()["assetPositions"]]
    for position in positions:
        size, market = Decimal(position["szi"]), client.markets()[position["coin"]]
        far = Decimal(client.mids()[market.name]) * Decimal("0.96" if size > 0 else "1.04")
        with suppress(Refused):  # makers may be away at this moment
            price = round_price(far, market.size_decimals)
            client.order(market.name, size < 0, abs(size), price, "Ioc", reduce_only=True)
    return not positions


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
