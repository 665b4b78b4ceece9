"""The trading page as a stranger uses it: real mouse and keyboard events on a real node with its demo market."""

import json
import re
from typing import Any

from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import (
    PHONE,
    Profile,
    connect_dev_key,
    enter_price_away_from_market,
    needs_chromium,
    seen,
)
from tests.functional.waiting import wait_for

pytestmark = needs_chromium


def test_a_stranger_trades_within_a_minute(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    connect_dev_key(page, 6)
    page.get_by_role("region", name="Account").get_by_role("button", name="Faucet").click()
    seen(page, "Test coins for gas")
    told, account = (page.locator(where).bounding_box() for where in (".toasts", "section.account"))
    assert told["x"] + told["width"] < account["x"], "what is told covers nothing of the account"

    # A post-only bid well below the market rests in the book and shows among the open orders.
    enter_price_away_from_market(page, 0.97)
    page.get_by_role("radio", name="ALO").click()
    page.locator("#ticket-amount").fill("0.01")
    page.get_by_role("button", name="Buy / long BTC").click()
    seen(page, "Buy 0.01 BTC placed")
    page.get_by_role("tab", name="Open orders").click()
    page.get_by_role("button", name="Cancel buy order").wait_for()

    # A market order from the keyboard alone: M, size, Ctrl+Enter.
    page.get_by_role("tab", name="Open orders").press("m")
    page.keyboard.type("0.02")
    page.keyboard.press("Control+Enter")
    seen(page, "Bought 0.02 BTC")
    page.get_by_role("tab", name="Positions").click()
    page.locator("#activity-table tbody tr").get_by_text("0.02", exact=True).wait_for()

    page.get_by_role("button", name="Close BTC at market").click()
    seen(page, "Sold 0.02 BTC")
    seen(page, "No open positions.")
    page.get_by_role("tab", name="Positions").press("x")
    page.get_by_role("dialog", name="Cancel all open orders?").wait_for()
    page.keyboard.press("Enter")
    seen(page, "Order cancelled")
    page.get_by_role("tab", name="Open orders").click()
    seen(page, "No open orders.")

    # Every fill leads to its transaction.
    page.get_by_role("tab", name="Fills").click()
    page.locator("#activity-table tbody tr a").first.click()
    page.get_by_role("heading", name="Transaction").wait_for()
    page.locator("main dl").first.wait_for()


def test_an_order_beyond_the_margin_is_named_before_it_is_sent(
    profile: Profile, market_node: LocalNode
) -> None:
    page = profile.open(market_node.url)
    connect_dev_key(page, 7)
    page.get_by_role("button", name="Mid", exact=True).click()
    page.locator("#ticket-amount").fill("100000")
    seen(page, "Not enough margin: at most ")


def test_the_chosen_theme_stays(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(9, 11, 16)"
    page.get_by_role("button", name="Light theme").click()
    assert page.evaluate(background) == "rgb(238, 240, 244)"
    page.reload()
    page.get_by_role("button", name="Dark theme").wait_for()
    assert page.evaluate(background) == "rgb(238, 240, 244)"


def test_a_refusal_is_said_in_words(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    connect_dev_key(page, 7)
    enter_price_away_from_market(page, 0.97)
    page.get_by_role("radio", name="IOC").click()
    page.locator("#ticket-amount").fill("0.01")
    page.keyboard.press("Control+Enter")
    seen(page, "Nothing to trade against at this price, so the order was cancelled.")


def test_leverage_is_set_on_the_chain_and_read_back(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    connect_dev_key(page, 8)
    page.get_by_title("Change leverage").click()
    page.get_by_role("button", name="5×", exact=True).click()
    page.get_by_role("button", name="Set 5×").click()
    seen(page, "BTC leverage is 5×")
    page.reload()
    page.get_by_title("Change leverage").get_by_text("5×").wait_for()


def test_a_click_in_the_book_fills_in_the_price(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    row = page.get_by_role("region", name="Order book").locator("button.bid").nth(3)
    row.wait_for()
    row.click()
    assert float(page.locator("#ticket-px").input_value()) > 0
    assert page.evaluate("document.activeElement.id") == "ticket-amount"


def test_every_shortcut_of_the_list_is_told(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    page.get_by_role("region", name="Market").wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Keyboard").wait_for(state="hidden")
    page.keyboard.press("/")
    page.get_by_role("textbox", name="Search markets").wait_for()
    page.keyboard.type("eth")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="ETH-USDC").wait_for()


def first_batch(client: Client, kinds: set[str]) -> int | None:
    """The first batch that holds an action of one of these kinds."""
    for seq in range(1, client.health()["batch"] + 1):
        if kinds & {tx["action"]["type"] for tx in client.explore(f"batch/{seq}")["txs"]}:
            return seq
    return None


def test_every_link_of_an_explorer_page_leads_somewhere(profile: Profile, market_node: LocalNode) -> None:
    with Client(market_node.url) as client:
        wait_for(lambda: client.health()["block"] > 2, "blocks")
        with_prices = wait_for(lambda: first_batch(client, {"oracle"}), "prices")
        with_orders = wait_for(lambda: first_batch(client, {"order", "batchModify"}), "orders")
    page = profile.open(market_node.url)
    for where in ("block/2", f"batch/{with_prices}", f"batch/{with_orders}"):
        page.goto(f"{market_node.url}/#/{where}")
        page.reload()
        page.locator("main dl").wait_for()
        links = page.locator("main .panel a.link").evaluate_all("all => [...new Set(all.map(a => a.hash))]")
        assert len(links) > 1
        for link in links[:8]:
            page.goto(f"{market_node.url}/{link}")
            page.reload()  # or the facts of the page before would do
            page.locator("main dl").wait_for()


# The head of a chain that is ten years old and of a slow line, written into the header for one measurement.
AFTER_YEARS = """() => {
  const shown = document.querySelectorAll("header .inc b, header .inc em, header .latency")
  const numbers = [...shown].map(e => [...e.childNodes].at(-1))
  const before = numbers.map(n => n.data)
  for (const [i, text] of ["31,536,000", "59 min", "4,000 ms"].entries()) numbers[i].data = text
  const width = document.documentElement.scrollWidth
  for (const [i, text] of before.entries()) numbers[i].data = text
  return width
}"""


def wait_until_all_fits(page: Any, width: int) -> None:
    """Charts follow a new width a moment later; what stays too wide fails, and so does what leaves no room to grow."""
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    assert page.evaluate(AFTER_YEARS) <= width
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def test_nothing_is_wider_than_the_screen(browser: Any, market_node: LocalNode) -> None:
    profile = Profile(browser, PHONE)
    page = profile.open(market_node.url)
    connect_dev_key(page, 9)
    page.evaluate("document.fonts.ready.then(() => true)")  # the fallback font is wider
    tabs = page.get_by_role("navigation", name="Sections")
    for width in (PHONE["width"], 360, 320):
        page.set_viewport_size({**PHONE, "width": width})
        for tab in ("Book", "Trade", "Positions", "Account", "Chart"):
            tabs.get_by_role("button", name=tab).click()
            wait_until_all_fits(page, width)
    for width in (761, 1001, 1024, 1241, 1381):  # where something more is shown
        page.set_viewport_size({"width": width, "height": 800})
        wait_until_all_fits(page, width)
    profile.close()


def test_the_page_says_that_the_node_is_gone_and_comes_back(browser: Any) -> None:
    profile = Profile(browser)
    with LocalNode() as node:
        page = profile.open(node.url)
        page.get_by_title("Round trip to the node").get_by_text("ms").wait_for()
        node.stop()
        seen(page, "The node is gone")
        node.start()
        page.get_by_role("alert").wait_for(state="hidden")
        page.get_by_title("Round trip to the node").get_by_text("ms").wait_for()
    profile.close()


def test_a_line_that_says_nothing_is_not_believed(profile: Profile, market_node: LocalNode) -> None:
    """The socket stays open and carries nothing. The page's clock is put forward, so that the test need not wait."""
    is_silent = False
    lines = []

    def carry(line: Any) -> None:
        server = line.connect_to_server()
        lines.append(line)
        line.on_message(lambda message: None if is_silent else server.send(message))
        server.on_message(lambda message: None if is_silent else line.send(message))

    page = profile.open("about:blank")
    page.route_web_socket(re.compile(r".*/ws$"), carry)
    page.clock.install()
    page.goto(market_node.url)
    with Client(market_node.url, key=dev_keys()[0]) as client:
        assert not client.open_orders() and not client.summary()["assetPositions"]
    connect_dev_key(page, 0)
    dot, old = (
        page.locator(".latency.open"),
        page.get_by_role("alert").filter(has_text="Prices on this page are old"),
    )
    dot.get_by_text("ms").wait_for()
    page.get_by_role("tab", name="Positions").press("f")
    seen(page, "There is nothing to close.")

    is_silent = True
    page.wait_for_timeout(300)
    page.clock.fast_forward(2600)  # 2.5 s of silence: the node is asked
    page.wait_for_timeout(300)
    assert dot.count() == 1
    with page.expect_request(lambda request: "openOrders" in (request.post_data or "")):
        page.clock.fast_forward(5100)  # 5 s later the answer is late: the dialog asks anew
    old.wait_for()
    assert dot.count() == 0
    page.clock.fast_forward(5100)  # and 5 s later the line is given up
    wait_for(lambda: page.wait_for_timeout(50) or len(lines) > 1, "another line")
    page.wait_for_timeout(500)
    old.wait_for()
    assert dot.count() == 0, "a line is open, and nothing has come through it"
    is_silent = False
    page.clock.fast_forward(10_100)  # what was asked on that line was lost: it is given up too
    dot.get_by_text("ms").wait_for()
    seen(page, "There is nothing to close.")
    old.wait_for(state="hidden")


def test_a_line_that_lags_behind_the_node_is_said_to_be_old(profile: Profile, market_node: LocalNode) -> None:
    """Messages come and come, ten seconds after their time, and the answer to a ping waits behind them."""

    def carry(line: Any) -> None:
        server = line.connect_to_server()
        line.on_message(server.send)
        pongs: list[str] = []

        def back(text: str) -> None:
            message = json.loads(text)
            if message["channel"] == "l2Book":
                message["data"]["time"] -= 10_000
            if message["channel"] == "pong":
                pongs.append(text)
            if message["channel"] != "pong" or len(pongs) == 1:
                line.send(json.dumps(message))

        server.on_message(back)

    page = profile.open("about:blank")
    page.route_web_socket(re.compile(r".*/ws$"), carry)
    page.clock.install()
    page.goto(market_node.url)
    page.locator(".latency.open").get_by_text("ms").wait_for()
    page.clock.fast_forward(15_100)  # the round trip is measured again
    page.wait_for_timeout(300)
    old = page.get_by_text("Prices on this page are old")
    assert old.count() == 0
    page.clock.fast_forward(5100)  # the answer is late, and the time that is asked for is 10 s ahead
    wait_for(lambda: page.clock.fast_forward(1000) or page.wait_for_timeout(200) or old.count(), "it is said")
    seen(page, "The line to the node is late")
