"""The page's list of what came to an account and went from it, other than by trades."""

import json
import re
import time
from typing import Any

from coinone.interfaces.api.exchange.json.events import ledger_json
from coinone.interfaces.client.local import LocalNode
from coinone.rules.exchange.events.events import LedgerUpdate
from coinone.rules.exchange.instruments.config import QUOTE_SYSTEM_ADDRESS
from tests.functional.page.pages import Profile, needs_chromium, use_dev_key

pytestmark = needs_chromium

NOBODY, NO_HASH = bytes(20), bytes(32)
OTHER, ONE_TRANSACTION = b"\x22" * 20, b"\x09" * 32


def rows_of(account: bytes) -> list[dict[str, Any]]:
    """One of each kind, as the node makes them, newest last; and two deposits by one transaction."""
    now = int(time.time() * 1000)
    told = [
        ("levy", -5_000_000, NOBODY, NO_HASH),
        ("covered", 1_500_000_000, NOBODY, NO_HASH),
        ("proceeds", -7_000_000, NOBODY, NO_HASH),
        ("opening", -1_000_000, NOBODY, NO_HASH),
        ("receive", 250_000_000, OTHER, b"\x07" * 32),
        ("send", -30_000_000, OTHER, b"\x08" * 32),
    ]
    rows = [LedgerUpdate(1, now + i, account, kind, *rest) for i, (kind, *rest) in enumerate(told)]
    deposit = LedgerUpdate(1, now + 9, account, "deposit", 100_000_000, QUOTE_SYSTEM_ADDRESS, ONE_TRANSACTION)
    return [ledger_json(row) for row in [*rows, deposit, deposit]]


def tell(page: Any) -> None:
    """Put these rows into the first message of the account's ledger."""

    def pass_on(line: Any) -> None:
        server = line.connect_to_server()
        line.on_message(server.send)

        def back(message: Any) -> None:
            told = json.loads(message)
            if told["channel"] == "userNonFundingLedgerUpdates":
                user = bytes.fromhex(told["data"]["user"][2:])
                told["data"]["nonFundingLedgerUpdates"] = rows_of(user)
                message = json.dumps(told)
            line.send(message)

        server.on_message(back)

    page.route_web_socket(re.compile(r".*/ws$"), pass_on)
    page.reload()


def test_transfers_say_what_they_did_and_with_whom(profile: Profile, quiet_node: LocalNode) -> None:
    page = profile.open(quiet_node.url)
    tell(page)
    use_dev_key(page, 5)
    page.get_by_role("button", name="Enable trading").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Transfers").click()
    rows = page.locator("#activity-table tbody tr")
    rows.nth(7).wait_for()
    shown = [[cell.strip() for cell in rows.nth(at).locator("td").all_inner_texts()] for at in range(8)]
    assert [(name, amount, other) for name, _, amount, other, _ in shown] == [
        ("Deposit", "+100.00 USDC", "–"),
        ("Deposit", "+100.00 USDC", "–"),
        ("Sent", "−30.00 USDC", "to 0x2222…2222"),
        ("Received", "+250.00 USDC", "from 0x2222…2222"),
        ("Opening the account", "−1.00 USDC", "–"),
        ("To the insurance fund", "−7.00 USDC", "–"),
        ("Debt paid by others", "+1,500.00 USDC", "–"),
        ("Share of others’ debts", "−5.00 USDC", "–"),
    ]
    assert rows.nth(3).get_by_role("link").first.get_attribute("href") == "#/account/0x" + "22" * 20
