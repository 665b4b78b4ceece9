"""The wallet moves to another account while an action waits: the action ends for the account that began it.

A signature may take minutes, an answer seconds, and a wallet moves with one click meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client import Client
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import Profile, enter_price_away_from_market, needs_chromium, seen
from tests.functional.page.test_page_wallet import ANNOUNCE, SLOW, Wallet
from tests.functional.waiting import wait_for

pytestmark = needs_chromium


class Desk:
    """A page whose wallet holds two funded accounts and is on the first."""

    def __init__(self, profile: Profile, node: LocalNode) -> None:
        self._wallet = Wallet(node.rpc_url)
        self.first, self.second = self._wallet.account, Account.create()
        self.node = node
        with Client(node.url) as client:
            for each in (self.first, self.second):
                client.rpc("coinone_faucet", each.address)
                funded = lambda who=each: float(client.summary(who.address)["withdrawable"]) > 0  # noqa: E731
                wait_for(funded, "the faucet's coins")
        self.page = profile.open(node.url, ANNOUNCE, {"walletRequest": self._wallet.request})
        self.page.get_by_role("button", name="Connect", exact=True).click()
        self.page.get_by_role("button", name="Test Wallet").click()

    def move(self, account: LocalAccount) -> None:
        self.page.evaluate("account => window.moveTo(account)", account.address)
        self.page.get_by_role("button", name=f"Wallet Test Wallet {short(account).lower()}").wait_for()

    @contextmanager
    def moves_before_signing(self) -> Iterator[None]:
        """What is begun inside is signed by the first account when the wallet is on the second."""
        self.page.evaluate(SLOW)
        yield
        wait_for(lambda: self.page.evaluate("window.answer !== undefined"), "the wallet is asked to sign")
        self.move(self.second)
        self.page.evaluate("window.answer(); delete window.answer")

    @contextmanager
    def moves_before_the_answer(self, to_see: str = "Withdrawable") -> Iterator[None]:
        """What is begun inside arrives at the node; it is answered when the page shows the second account."""
        held: list[tuple[Any, Any]] = []
        self.page.route("**/exchange", lambda route: held.append((route, route.fetch())))
        yield
        wait_for(lambda: self.page.wait_for_timeout(50) or held, "the request")
        self.move(self.second)
        seen(self.page, to_see)
        route, answer = held[0]
        route.fulfill(response=answer)
        self.page.unroute("**/exchange")

    def told(self, title: str) -> None:
        """The toast of this title names the first account, as the second one is shown."""
        toast = self.page.locator(".toast").filter(has_text=title).first
        toast.get_by_text(f"For {short(self.first).lower()}, which is not the account shown now.").wait_for()


def short(account: LocalAccount) -> str:
    return f"{account.address[:6]}…{account.address[-4:]}"


@pytest.fixture
def desk(profile: Profile, market_node: LocalNode) -> Desk:
    return Desk(profile, market_node)


def test_what_was_begun_for_an_account_ends_for_that_one(desk: Desk) -> None:
    page, first, second = desk.page, desk.first.address, desk.second.address
    buy = page.get_by_role("button", name="Buy / long BTC")
    enable = page.get_by_role("button", name="Enable one-click trading")
    with Client(desk.node.url, key=bytes(desk.second.key)) as client:
        # A trading key is approved by the first account and is the first's, now and after a reload.
        with desk.moves_before_signing():
            page.get_by_role("button", name="Enable trading").click()
        desk.told("One-click trading is on")
        assert [len(client.info("extraAgents", user=user)) for user in (first, second)] == [1, 0]
        page.get_by_role("dialog").get_by_role("button", name="Enable trading").wait_for()
        page.keyboard.press("Escape")
        enable.wait_for()
        desk.move(desk.first)
        buy.wait_for()

        # An order is answered as resting: whether it traded is asked of the account that placed it.
        enter_price_away_from_market(page, 0.97)
        page.locator("#ticket-amount").fill("0.01")
        with desk.moves_before_the_answer():
            buy.click()
        desk.told("Buy 0.01 BTC placed")
        assert page.get_by_text("not placed").count() == 0

        # To flatten the first account closes nothing of the second's.
        client.order("BTC", True, "0.002", round(float(client.mids()["BTC"]) * 1.03), tif="Ioc")
        desk.move(desk.first)
        page.get_by_role("tab", name="Positions").press("f")
        with desk.moves_before_the_answer(to_see="Closes these positions at market"):
            page.get_by_role("dialog").get_by_role("button", name="Close everything").click()
        desk.told("Order cancelled")
        page.wait_for_timeout(1000)
        assert page.get_by_text("Order refused").count() == 0, "the second account has no key: it was tried"
        assert page.get_by_text("Sold").count() == 0
        assert [each["position"]["szi"] for each in client.summary()["assetPositions"]] == ["0.002"]
        page.keyboard.press("Escape")

        # A revoked key is out of the browser.
        desk.move(desk.first)
        page.get_by_role("button", name="Wallet Test Wallet").click()
        with desk.moves_before_signing():
            page.get_by_role("button", name="Revoke trading key").click()
        desk.told("Trading key revoked")
        assert client.info("extraAgents", user=first) == []
        page.keyboard.press("Escape")
        desk.move(desk.first)
        enable.wait_for()
