"""The page reports the true outcome of an order: filled in part, answered, or with the answer lost.

The node has no demo market, so each book holds what a test put there.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import Profile, book_row, needs_chromium, opened, order, seen, send

pytestmark = needs_chromium


@contextmanager
def lost_answers(page: Any, arrives: bool) -> Iterator[None]:
    """Every answer of /exchange is lost on its way; what was asked arrives, or does not."""

    def lose(route: Any) -> None:
        if arrives:
            route.fetch()
        route.abort()

    page.route("**/exchange", lose)
    yield
    page.unroute("**/exchange")


def test_an_order_whose_answer_is_lost_is_told_as_the_chain_has_it(
    profile: Profile, quiet_node: LocalNode
) -> None:
    page = opened(profile, quiet_node, 3)
    with lost_answers(page, arrives=True):
        order(page, "1", "180")
        signed = send(page)
        assert len(signed["action"]["orders"][0]["c"]) == 34, "an order carries a client id of 16 bytes"
        assert 0 < signed["expiresAfter"] - signed["nonce"] < 20_000
        seen(page, "Buy 1 SOL placed")
        seen(page, "as the chain says")
        page.get_by_text("Outcome unknown").wait_for(state="hidden")
        page.get_by_role("tab", name="Open orders").click()
        page.get_by_role("button", name="Cancel buy order").click()
        seen(page, "Order cancelled")
        seen(page, "No open orders.")
    assert page.get_by_text("refused").count() == 0


def test_an_order_that_never_arrived_is_not_sent_again_before_that_is_certain(
    profile: Profile, quiet_node: LocalNode
) -> None:
    page = opened(profile, quiet_node, 3)
    with lost_answers(page, arrives=False):
        order(page, "1", "180")
        send(page)
        seen(page, "Outcome unknown")
        assert page.get_by_role("button", name="Sending").is_disabled()
        seen(page, "Buy 1 SOL: not placed")
    with Client(quiet_node.url, key=dev_keys()[3]) as client:
        assert client.open_orders() == []


def test_a_transfer_whose_answer_is_lost_is_asked_for(profile: Profile, quiet_node: LocalNode) -> None:
    page = opened(profile, quiet_node, 0)
    with lost_answers(page, arrives=True):
        page.get_by_role("region", name="Account").get_by_role("button", name="Deposit / withdraw").click()
        page.get_by_role("dialog").get_by_role("radio", name="Withdraw").click()
        page.get_by_placeholder("Amount in USDC").fill("12")
        page.get_by_role("dialog").get_by_role("button", name="Withdraw", exact=True).click()
        seen(page, "Withdrawal on its way")
    with lost_answers(page, arrives=False):
        page.get_by_role("region", name="Account").get_by_role("button", name="Deposit / withdraw").click()
        page.get_by_role("dialog").get_by_role("radio", name="Withdraw").click()
        page.get_by_placeholder("Amount in USDC").fill("12")
        page.get_by_role("dialog").get_by_role("button", name="Withdraw", exact=True).click()
        seen(page, "It may still arrive")


def with_told_fills(page: Any) -> Callable[..., None]:
    """Load the page anew, on a stream to which the test can add fills of the account: returns what adds one."""
    lines: list[tuple[Any, str]] = []

    def pass_on(line: Any) -> None:
        server = line.connect_to_server()
        line.on_message(server.send)

        def back(message: Any) -> None:
            line.send(message)
            told = json.loads(message)
            if told["channel"] == "userFills":
                lines.append((line, told["data"]["user"]))

        server.on_message(back)

    page.route_web_socket(re.compile(r".*/ws$"), pass_on)
    page.reload()
    while not lines:
        page.wait_for_timeout(50)

    def tell(**fill: Any) -> None:
        (line, user), now = lines[0], int(time.time() * 1000)
        data = {"isSnapshot": False, "user": user, "fills": [{**FILL, "time": now, **fill}]}
        line.send(json.dumps({"channel": "userFills", "data": data}))

    return tell


# As the node's exchange/json/events.py makes them: a close outside the book has order 0 and no transaction.
FILL = {
    "coin": "SOL", "px": "150.0", "sz": "5.0", "side": "A", "startPosition": "5.0", "closedPnl": "12.5", "fee": "0.0",
    "hash": "0x" + "00" * 32, "oid": 0, "feeToken": "USDC", "twapId": None,
}  # fmt: skip
LIQUIDATION = {"liquidatedUser": "0x" + "12" * 20, "markPx": "150.0", "method": "market"}


def test_a_close_that_nobody_ordered_is_told_as_what_it_was(profile: Profile, quiet_node: LocalNode) -> None:
    page = opened(profile, quiet_node, 4)
    tell = with_told_fills(page)
    tell(dir="Auto-Deleveraging", crossed=False, tid=10**9)
    seen(page, "Deleveraged: sold 5 SOL")
    tell(dir="Close Long", crossed=True, tid=10**9 + 1, sz="2.0", oid=7, liquidation=LIQUIDATION)
    seen(page, "Liquidated: sold 2 SOL")
    assert page.get_by_text("Resting order").count() == 0
    # One whose resting order met somebody's liquidation has an order to look at, and no transaction.
    tell(dir="Open Short", crossed=False, tid=10**9 + 2, sz="3.0", oid=8, liquidation=LIQUIDATION)
    seen(page, "Resting order sold 3 SOL")
    page.get_by_role("tab", name="Fills").click()
    rows = page.locator("#activity-table tbody tr")
    for what in ("Deleveraged", "Liquidated"):
        row = rows.filter(has=page.get_by_text(what, exact=True))
        row.wait_for()
        assert row.get_by_role("link").count() == 0
    rows.get_by_role("link", name="order 8").wait_for()


def test_an_order_that_is_taken_in_part_is_told_in_part(
    profile: Profile, quiet_node: LocalNode, maker: Client
) -> None:
    maker.order("SOL", False, 1, "190.5")
    page = opened(profile, quiet_node, 4)
    order(page, "3", "191")
    send(page)
    seen(page, "Bought 1 of 3 SOL")
    seen(page, "the rest waits in the book at 191.00")

    with Client(quiet_node.url, key=dev_keys()[4]) as client:
        client.cancel_all()
    maker.order("SOL", False, "0.75", "190.5")
    order(page, "2")
    seen(page, "The book holds 0.75 SOL within the limit: the rest would be cancelled.")
    send(page)
    seen(page, "Bought 0.75 of 2 SOL")
    seen(page, "the rest was cancelled")


def test_flatten_says_what_is_left(profile: Profile, quiet_node: LocalNode, maker: Client) -> None:
    maker.order("SOL", False, 1, "190.5")
    page = opened(profile, quiet_node, 5)
    order(page, "1")
    send(page)
    seen(page, "Bought 1 SOL")
    maker.order("SOL", True, "0.4", "190")
    book_row(page, "bid", 0).wait_for()
    page.get_by_role("tab", name="Positions").press("f")
    dialog = page.get_by_role("dialog", name="Flatten")
    dialog.get_by_role("button", name="Close everything").click()
    dialog.get_by_text("Not flat").wait_for()
    dialog.get_by_text("0.6", exact=True).wait_for()
    maker.order("SOL", True, 1, "190")
    dialog.get_by_role("button", name="Close the rest").click()
    dialog.wait_for(state="hidden")
    seen(page, "No open positions.")
