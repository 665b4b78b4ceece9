"""The proof of an account in the browser: it holds for what the node has, and fails for what it does not."""

import json
from typing import Any

from eth_account import Account

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import Profile, connect_dev_key, needs_chromium, seen
from tests.functional.page.test_page_form import axe as axe
from tests.functional.page.test_page_form import violations

pytestmark = needs_chromium
KEY = 3
ADDRESS = Account.from_key(dev_keys()[KEY]).address.lower()


def test_an_account_is_proven_in_the_browser(profile: Profile, market_node: LocalNode, axe: str) -> None:
    page = profile.open(market_node.url)
    connect_dev_key(page, KEY)
    page.get_by_role("link", name="Prove this account").click()
    seen(page, "Proven")
    assert page.title().startswith("Proof of an account 0x")
    steps = page.get_by_role("region", name="Steps of the proof").get_by_role("listitem")
    assert steps.count() == 5 and all(text.startswith("✓") for text in steps.all_inner_texts())
    seen(page, "1,000,000.00 USDC")
    shown = page.get_by_role("region", name="Block", exact=True)
    block_hash = shown.locator("code").inner_text()
    compared = shown.get_by_role("textbox")
    compared.fill(block_hash.upper().replace("0X", "0x"))
    seen(page, "The same block")
    compared.fill("0x" + "00" * 32)
    seen(page, "Another block")
    for theme in ("Light", "Dark"):
        page.get_by_role("button", name=f"{theme} theme").click()
        page.wait_for_timeout(300)
        assert violations(page, axe) == []


def test_what_the_node_makes_up_is_not_proven(profile: Profile, market_node: LocalNode) -> None:
    """One bit of the balance: the account no longer stands in the tree, and nothing of it is shown."""
    page = profile.open(f"{market_node.url}/#/proof")

    def bend(route: Any) -> None:
        if "accountProof" not in (route.request.post_data or ""):
            return route.continue_()
        response = route.fetch()
        answer = response.json()
        leaf = answer["account"]["leaf"]
        at = leaf.index(ADDRESS[2:]) + 60  # in the columns behind the address
        answer["account"]["leaf"] = leaf[:at] + ("0" if leaf[at] != "0" else "1") + leaf[at + 1 :]
        return route.fulfill(response=response, body=json.dumps(answer))

    page.route("**/info", bend)
    page.get_by_role("textbox", name="Address").fill(ADDRESS)
    page.get_by_role("button", name="Check").click()
    seen(page, "Not proven")
    steps = page.get_by_role("region", name="Steps of the proof").get_by_role("listitem").all_inner_texts()
    assert [text[0] for text in steps] == ["✓", "✕", "·", "·", "·"]
    assert page.get_by_role("region", name="Account", exact=True).count() == 0


def test_an_address_without_an_account_is_told_in_words(profile: Profile, market_node: LocalNode) -> None:
    profile.allow("422")
    page = profile.open(f"{market_node.url}/#/proof/0x{'77' * 20}")
    seen(page, "The last block has no account of this address.")
