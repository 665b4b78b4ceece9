"""Cancel all and Flatten ask the node itself: the account's streams may lag seconds behind what rests."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import Profile, choose, connect_dev_key, needs_chromium, order, seen, send

pytestmark = needs_chromium
KEY = 9
ACCOUNT_STREAMS = ("openOrders", "clearinghouseState", "webData2", "webData3")


@pytest.fixture
def trader(quiet_node: LocalNode) -> Iterator[Client]:
    with Client(quiet_node.url, key=dev_keys()[KEY]) as client:
        yield client
        client.cancel_all()


@pytest.fixture
def late_page(profile: Profile, quiet_node: LocalNode, trader: Client) -> Any:
    """The page of an account that holds nothing, of which the stream tells nothing new from then on."""
    is_late = False

    def carry(line: Any) -> None:
        server = line.connect_to_server()
        line.on_message(server.send)

        def back(text: str) -> None:
            if not (is_late and json.loads(text)["channel"] in ACCOUNT_STREAMS):
                line.send(text)

        server.on_message(back)

    page = profile.open("about:blank")
    page.route_web_socket(re.compile(r".*/ws$"), carry)
    page.goto(quiet_node.url)
    connect_dev_key(page, KEY)
    choose(page, "SOL")
    page.get_by_role("tab", name="Open orders").click()
    seen(page, "No open orders.")
    is_late = True
    return page


def test_an_order_that_the_stream_has_not_told_is_cancelled_with_all(late_page: Any, trader: Client) -> None:
    order(late_page, "1", "150")
    send(late_page)
    seen(late_page, "Buy 1 SOL placed")
    seen(late_page, "No open orders.")
    late_page.get_by_role("tab", name="Open orders").press("x")
    dialog = late_page.get_by_role("dialog", name="Cancel all open orders?")
    dialog.get_by_text("One order in SOL.").wait_for()
    late_page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    seen(late_page, "Order cancelled")
    assert trader.open_orders() == []


def test_cancel_all_stays_until_nothing_rests(late_page: Any, trader: Client) -> None:
    """What came while the dialog was open is not told by it until it has cancelled the others."""
    trader.order("SOL", True, 1, "150")
    late_page.get_by_role("tab", name="Open orders").press("x")
    dialog = late_page.get_by_role("dialog", name="Cancel all open orders?")
    dialog.get_by_text("One order in SOL.").wait_for()
    trader.order("SOL", True, 1, "151")
    trader.order("SOL", True, 1, "152")
    late_page.keyboard.press("Enter")
    dialog.get_by_text("These are still open.").wait_for()
    dialog.get_by_text("2 orders in SOL.").wait_for()
    dialog.get_by_role("button", name="Cancel all").click()
    dialog.wait_for(state="hidden")
    assert trader.open_orders() == []


def test_what_the_stream_has_not_told_is_flattened(late_page: Any, trader: Client, maker: Client) -> None:
    maker.order("SOL", False, 1, "190.5")
    trader.order("SOL", True, 1, "190.5", tif="Ioc")
    trader.order("SOL", True, 1, "150")
    maker.order("SOL", True, 1, "189.5")
    late_page.get_by_role("tab", name="Open orders").press("f")
    dialog = late_page.get_by_role("dialog", name="Flatten")
    dialog.get_by_text("Cancels one open order and closes these positions at market:").wait_for()
    dialog.get_by_role("button", name="Close everything").click()
    dialog.wait_for(state="hidden")
    assert trader.open_orders() == [] and trader.summary()["assetPositions"] == []
