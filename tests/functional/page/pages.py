"""Chromium before a node's pages: one browser a test module, one fresh profile a page.

What the browser complains about (errors in the page, breaches of the content security policy) fails the test
that caused it. Requests that fail because a test stopped the node or cut the line are no complaint, nor is a
transaction that no block contains yet.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
PAGES = Path(__file__).parents[3] / "coinone" / "interfaces" / "api" / "static"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

needs_chromium = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.skipif(not (PAGES / "index.html").is_file(), reason="pages not built: run web/build.py"),
]


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Profile:
    """One browser profile: opens pages and collects what the browser complains about."""

    def __init__(self, browser: Any, viewport: dict[str, int] = DESK, language: str = "en-US") -> None:
        self._context = browser.new_context(viewport=viewport, locale=language)
        self.complaints: list[str] = []
        self._allowed: list[str] = []

    def allow(self, text: str) -> None:
        """A complaint with this text is what the test is about, and fails nothing."""
        self._allowed.append(text)

    def open(self, url: str, script: str = "", exposed: dict[str, Callable[..., Any]] | None = None) -> Any:
        page = self._context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        for name, function in (exposed or {}).items():
            page.expose_function(name, function)
        if script:
            page.add_init_script(script)
        page.goto(url)
        return page

    def close(self) -> None:
        self._context.close()
        left = [text for text in self.complaints if not any(word in text for word in self._allowed)]
        assert not left, left

    def _hear(self, message: Any) -> None:
        url = message.location["url"]
        stopped = "ERR_CONNECTION" in message.text or "ERR_FAILED" in message.text
        young = "/explorer/tx/" in url and "404" in message.text
        if message.type == "error" and not stopped and not young:
            self.complaints.append(f"{message.text} {url}")


def connect_dev_key(page: Any, index: int) -> None:
    """Connect with a public key and let a trading key of this browser trade for it."""
    use_dev_key(page, index)
    page.get_by_role("button", name="Enable trading").click()
    seen(page, "One-click trading is on")
    page.get_by_role("dialog").wait_for(state="hidden")  # a key pressed before would be the dialog's


def use_dev_key(page: Any, index: int) -> None:
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("dialog").get_by_role("combobox").select_option(str(index))
    page.get_by_role("button", name="Use dev key").click()


def seen(page: Any, text: str) -> None:
    """Wait until the page shows this text; if it does not, fail with what it says instead."""
    from playwright.sync_api import TimeoutError as TooLate

    try:
        page.get_by_text(text).first.wait_for()
    except TooLate as late:
        said = page.locator("dialog, .toasts, [role=alert]").all_inner_texts()
        raise AssertionError(f"not shown: {text!r}; dialogs and messages: {said}") from late


def enter_price_away_from_market(page: Any, factor: float) -> None:
    page.get_by_role("button", name="Mid", exact=True).click()
    px = float(page.locator("#ticket-px").input_value())
    page.locator("#ticket-px").fill(str(round(px * factor)))


def opened(profile: Profile, node: Any, key: int, coin: str = "SOL") -> Any:
    """The page with dev key `key`, trading, on the market of `coin`."""
    page = profile.open(node.url)
    connect_dev_key(page, key)
    choose(page, coin)
    return page


def choose(page: Any, coin: str) -> None:
    page.get_by_role("region", name="Market").get_by_role("button").click()
    page.get_by_role("textbox", name="Search markets").fill(coin)
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"{coin}-USDC").wait_for()


def order(page: Any, size: str, price: str | None = None, side: str = "Buy") -> None:
    """Write an order: a limit order if there is a price."""
    page.get_by_role("radio", name="Market" if price is None else "Limit").click()
    page.get_by_role("radio", name=f"{side} /").click()
    if price is not None:
        page.locator("#ticket-px").fill(price)
    page.locator("#ticket-amount").fill(size)


def send(page: Any) -> dict[str, Any]:
    """Send the order with the keyboard; what was signed."""
    with page.expect_request("**/exchange") as sent:
        page.keyboard.press("Control+Enter")
    body: dict[str, Any] = json.loads(sent.value.post_data)
    return body


def book_row(page: Any, side: str, place: int) -> Any:
    """A row of the order book, counted from the best price."""
    rows = page.get_by_role("region", name="Order book").locator(f"button.{side}")
    return rows.nth(place) if side == "bid" else rows.nth(-1 - place)
