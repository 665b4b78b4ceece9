"""Trading keys in the page: they outlive a tab, each browser has its own, and each can be revoked from any other."""

from collections.abc import Iterator
from typing import Any

import pytest

from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import (
    Profile,
    connect_dev_key,
    enter_price_away_from_market,
    needs_chromium,
    seen,
    use_dev_key,
)

pytestmark = needs_chromium
ACCOUNT = 7


@pytest.fixture
def devices(browser: Any) -> Iterator[tuple[Profile, Profile]]:
    """Two browsers that share nothing."""
    desk, phone = Profile(browser), Profile(browser)
    yield desk, phone
    desk.close()
    phone.close()


def place(page: Any) -> None:
    enter_price_away_from_market(page, 0.95)
    page.locator("#ticket-amount").fill("0.001")
    page.keyboard.press("Control+Enter")


def test_a_key_outlives_the_last_tab_and_serves_all_tabs(
    devices: tuple[Profile, Profile], market_node: LocalNode
) -> None:
    desk, _ = devices
    first = desk.open(market_node.url)
    connect_dev_key(first, ACCOUNT)
    first.close()
    tabs = [desk.open(market_node.url) for _ in range(2)]
    for page in tabs:
        use_dev_key(page, ACCOUNT)
        page.get_by_role("dialog").wait_for(state="hidden")
        place(page)
        seen(page, "Buy 0.001 BTC placed")
    assert "0x" not in tabs[0].evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")

    # What one tab gives up, the others have no more.
    tabs[0].get_by_role("button", name="Wallet").click()
    tabs[0].get_by_role("button", name="Revoke trading key").click()
    seen(tabs[0], "Trading key revoked")
    for page in tabs:
        page.get_by_role("button", name="Enable one-click trading").wait_for()


def test_each_browser_has_its_own_key_and_can_revoke_the_others(
    devices: tuple[Profile, Profile], market_node: LocalNode
) -> None:
    desk, phone = (device.open(market_node.url) for device in devices)
    connect_dev_key(desk, ACCOUNT + 1)
    connect_dev_key(phone, ACCOUNT + 1)
    for page in (desk, phone):
        place(page)
        seen(page, "Buy 0.001 BTC placed")

    desk.get_by_role("button", name="Wallet").click()
    others = desk.get_by_role("region", name="Other trading keys")
    others.get_by_role("button", name="Revoke page").click()
    seen(desk, "Trading key revoked")
    place(phone)
    seen(phone, "Deposit first, or enable trading again")
    phone.get_by_role("button", name="Enable one-click trading").wait_for()
    place(desk)
    seen(desk, "Buy 0.001 BTC placed")


def test_disconnecting_takes_the_key_out_of_the_browser(
    devices: tuple[Profile, Profile], market_node: LocalNode
) -> None:
    desk, _ = devices
    page = desk.open(market_node.url)
    connect_dev_key(page, ACCOUNT + 2)
    page.get_by_role("button", name="Wallet").click()
    page.get_by_role("button", name="Disconnect").click()
    use_dev_key(page, ACCOUNT + 2)
    page.get_by_role("button", name="Enable trading").wait_for()
    with Client(market_node.url, key=dev_keys()[ACCOUNT + 2]) as client:
        agents = client.info("extraAgents", user=client.account)
    assert len(agents) == 1 and agents[0]["name"].startswith("page ")
