"""Prices, estimates and commands of the page are the chain's: what is signed is what is shown.

The node has no demo market, so each book holds what a test put there. SOL has two decimals of size and its oracle
stands at 190.
"""

import json

from eth_account import Account

from coinone.interfaces.client import Client
from coinone.interfaces.client.actions import Order
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import (
    Profile,
    book_row,
    choose,
    connect_dev_key,
    needs_chromium,
    opened,
    order,
    seen,
    send,
)
from tests.functional.waiting import wait_for

pytestmark = needs_chromium


def test_grouping_the_book_changes_no_price(profile: Profile, quiet_node: LocalNode, maker: Client) -> None:
    for px in ("190.21", "190.4", "193.5", "205"):
        maker.order("SOL", False, 1, px)
    for px in ("189.79", "189.6", "186.2"):
        maker.order("SOL", True, 1, px)
    page = opened(profile, quiet_node, 2)
    book = page.get_by_role("region", name="Order book")
    for step, best in (("10", "200.00"), ("1", "191.00"), ("0.1", "190.30"), ("0.01", "190.21")):
        book.get_by_role("combobox").select_option(label=step)
        row = book_row(page, "ask", 0)
        row.get_by_text(best, exact=True).wait_for()
        row.click()
        assert float(page.locator("#ticket-px").input_value()) == float(best)

    book.get_by_role("combobox").select_option(label="10")
    book_row(page, "ask", 0).get_by_text("200.00", exact=True).wait_for()
    # What is not asked from a row is the book as it is: bid 189.79, ask 190.21, middle 190.
    page.get_by_role("button", name="Mid", exact=True).click()
    assert page.locator("#ticket-px").input_value() == "190"
    page.get_by_role("button", name="Best", exact=True).click()
    assert page.locator("#ticket-px").input_value() == "189.79"
    book_row(page, "bid", 0).click()
    order(page, "0.5", page.locator("#ticket-px").input_value())
    signed = send(page)
    assert signed["action"]["orders"][0]["p"] == "180", "the grouped bid that was clicked: 189.79 rounds down"
    seen(page, "Buy 0.5 SOL placed")

    # A market order is limited 5% through the best ask, 190.21 * 1.05 = 199.72, whatever the ladder shows.
    order(page, "0.5")
    page.get_by_text("199.72 (5% away)").wait_for()
    assert send(page)["action"]["orders"][0]["p"] == "199.72"
    seen(page, "Bought 0.5 SOL")
    page.get_by_text("at 190.21").first.wait_for()


def test_the_middle_of_a_book_of_one_tick_does_not_trade(
    profile: Profile, quiet_node: LocalNode, maker: Client
) -> None:
    maker.order("SOL", False, 1, "190.01")
    maker.order("SOL", True, 1, "190")
    page = opened(profile, quiet_node, 2)
    book_row(page, "ask", 0).get_by_text("190.01", exact=True).wait_for()
    for side, px in (("Buy", "190"), ("Sell", "190.01")):
        page.get_by_role("radio", name=f"{side} /").click()
        page.get_by_role("button", name="Mid", exact=True).click()
        assert page.locator("#ticket-px").input_value() == px


def test_another_market_takes_no_price_along(profile: Profile, quiet_node: LocalNode) -> None:
    page = opened(profile, quiet_node, 2)
    order(page, "1", "190")
    choose(page, "ETH")
    assert page.locator("#ticket-px").input_value() == page.locator("#ticket-amount").input_value() == ""


def test_what_the_fields_show_is_what_is_signed(profile: Profile, quiet_node: LocalNode) -> None:
    page = opened(profile, quiet_node, 5, "ETH")
    for size, px, signed_size, signed_px in (
        ("1,010.50", "700", "1010.5", "700"),
        ("10", "1,102.5", "10", "1102.5"),
        ("0,5", "700,5", "0.5", "700.5"),
    ):
        order(page, size, px)
        shown = page.locator("#ticket-amount").input_value(), page.locator("#ticket-px").input_value()
        assert shown == (size, px)
        (signed,) = send(page)["action"]["orders"]
        assert (signed["s"], signed["p"]) == (signed_size, signed_px)
        seen(page, f"Buy {signed_size} ETH placed")
    with Client(quiet_node.url, key=dev_keys()[5]) as client:
        client.cancel_all()


def test_the_last_lot_of_a_great_size_is_signed(profile: Profile, quiet_node: LocalNode) -> None:
    """ETH has four decimals of size. 2048.0008 * 10,000 is 20480007.999999996 in floats."""
    page = opened(profile, quiet_node, 7, "ETH")
    order(page, "2048.0008", "700")
    assert send(page)["action"]["orders"][0]["s"] == "2048.0008"
    seen(page, "Buy 2048.0008 ETH placed")
    with Client(quiet_node.url, key=dev_keys()[7]) as client:
        client.cancel_all()


def test_a_number_that_cannot_be_read_is_not_signed(profile: Profile, quiet_node: LocalNode) -> None:
    page = opened(profile, quiet_node, 5, "ETH")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/exchange" in request.url else None)
    for size, px, words in (
        ("1,234", "100", "Size: 1,234 can mean 1234 or 1.234: write one of them"),
        ("10k", "100", "Size: 10k is no number like 1234.5"),
        ("1.23456", "100", "Size: at most 4 decimals"),
        ("1", "1,234", "Price: 1,234 can mean 1234 or 1.234: write one of them"),
        ("1", "100-", "Price: 100- is no number like 1234.5"),
    ):
        order(page, "", px)
        page.locator("#ticket-amount").press_sequentially(size)
        assert page.locator("#ticket-amount").input_value() == size
        seen(page, words)
        page.keyboard.press("Control+Enter")
        seen(page, "Order not sent")
    assert sent == []


def test_an_amount_to_withdraw_is_read_as_the_fields_of_an_order_are(
    profile: Profile, quiet_node: LocalNode
) -> None:
    page = opened(profile, quiet_node, 5)
    page.get_by_role("region", name="Account").get_by_role("button", name="Deposit / withdraw").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Withdraw").click()
    amount = dialog.get_by_role("textbox")
    for text, words in (("1,234", "1,234 can mean 1234 or 1.234"), ("10k", "10k is no number like 1234.5")):
        amount.fill(text)
        assert dialog.get_by_role("button", name=words).is_disabled()
    amount.fill("1,234.50")
    with page.expect_request("**/exchange") as sent:
        dialog.get_by_role("button", name="Withdraw", exact=True).click()
    assert json.loads(sent.value.post_data)["action"]["amount"] == "1234.5"
    seen(page, "Withdrawal on its way")


def test_estimates_beyond_the_visible_book_are_bounds(
    profile: Profile, quiet_node: LocalNode, maker: Client
) -> None:
    prices = [f"{190.01 + tick / 100:.2f}" for tick in range(25)]  # the node tells 20 levels
    maker.orders([Order(2, False, "0.1", px) for px in prices])
    page = opened(profile, quiet_node, 6)
    book_row(page, "ask", 0).wait_for()
    order(page, "2.4")
    seen(page, "Beyond the visible book (2 SOL)")
    # Limit 190.01 * 1.05 = 199.51. By hand: 2 at an average of 190.105, 0.4 at 199.51 at worst, fee 0.045%:
    # (380.21 + 79.804) * 0.00045 = 0.2070.
    page.get_by_text("up to 0.207 USDC").wait_for()
    order(page, "2")
    page.get_by_text("Beyond the visible book").wait_for(state="hidden")
    page.get_by_text("0.1711 USDC").wait_for()  # 380.21 * 0.00045


def test_the_leverage_is_the_chains_before_and_after_connecting(
    profile: Profile, quiet_node: LocalNode
) -> None:
    with Client(quiet_node.url) as client:
        nobody = client.info("activeAssetData", user="0x" + "00" * 20, coin="BTC")["leverage"]["value"]
        new = client.info("activeAssetData", user=Account.from_key(dev_keys()[7]).address, coin="BTC")
    page = profile.open(quiet_node.url)
    button = page.get_by_title("Change leverage")
    button.get_by_text(f"{nobody}×").wait_for()
    connect_dev_key(page, 7)
    button.get_by_text(f"{new['leverage']['value']}×").wait_for()


def test_a_makers_fill_leads_to_the_makers_order(
    profile: Profile, quiet_node: LocalNode, maker: Client
) -> None:
    page = opened(profile, quiet_node, 8)
    order(page, "2", "190", side="Sell")
    send(page)
    seen(page, "Sell 2 SOL placed")
    maker.order("SOL", True, "0.5", "190")
    seen(page, "Resting order sold 0.5 SOL")
    page.get_by_role("tab", name="Fills").click()
    page.locator("#activity-table tbody tr").first.get_by_role("link", name="order ").click()
    facts = page.locator("main dl")
    facts.get_by_text("sell", exact=True).wait_for()
    facts.get_by_text("open", exact=True).wait_for()
    trades = page.get_by_role("region", name="Trades")
    trades.get_by_text("maker", exact=True).wait_for()
    trades.get_by_role("link").click()
    page.get_by_role("heading", name="Transaction").wait_for()
    page.get_by_text("filled 0.5 at 190").wait_for()
    with Client(quiet_node.url, key=dev_keys()[8]) as client:
        client.cancel_all()


def test_cancelling_everything_is_asked_first_and_keys_can_be_turned_off(
    profile: Profile, quiet_node: LocalNode
) -> None:
    with Client(quiet_node.url, key=dev_keys()[9]) as client:
        for px in ("180", "181"):
            client.order("SOL", True, 1, px)
        page = opened(profile, quiet_node, 9)
        tab = page.get_by_role("tab", name="Open orders")
        tab.get_by_text("2").wait_for()
        tab.press("x")
        dialog = page.get_by_role("dialog", name="Cancel all open orders?")
        dialog.wait_for()
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        assert len(client.open_orders()) == 2
        tab.press("?")
        page.get_by_role("checkbox", name="Keys without Ctrl work").click()
        page.keyboard.press("Escape")
        page.reload()
        tab.press("x")
        assert dialog.count() == 0
        tab.click()
        page.get_by_role("button", name="Cancel all").click()
        page.keyboard.press("Enter")
        seen(page, "2 orders cancelled")
        wait_for(lambda: client.open_orders() == [], "no orders")
