"""The page behind a remote address, whose request weight per minute is limited and may run out.

The page never shows a completed action as refused, nor missing data as empty, and it does not use the weight up alone.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from coinone.interfaces.api.limits import REQUEST_WEIGHT_PER_MINUTE
from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.api.relay import TRUSTING, Relay, use_up
from tests.functional.page.pages import (
    Profile,
    choose,
    connect_dev_key,
    needs_chromium,
    opened,
    order,
    seen,
    send,
    use_dev_key,
)
from tests.functional.waiting import wait_for

pytestmark = needs_chromium


QUARTER = REQUEST_WEIGHT_PER_MINUTE // 4


class Far:
    """A node, and the way on which an address beyond this machine reaches it."""

    def __init__(self, node: LocalNode, lines: Relay) -> None:
        self.node = node
        self.lines = lines
        self.url = lines.url


@pytest.fixture(scope="module")
def strict_node() -> Iterator[LocalNode]:
    with LocalNode(arguments=TRUSTING) as node:
        yield node


@pytest.fixture(scope="module")
def stingy_node() -> Iterator[LocalNode]:
    """One with the demo market that gives an address a quarter of what others give it."""
    with LocalNode(demo=True, arguments=(*TRUSTING, "--request-weight", str(QUARTER))) as node:
        yield node


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """Another one in each test, with all of its weight."""
    return f"203.0.113.{zlib.crc32(request.node.name.encode()) % 256}"


@pytest.fixture
def far(strict_node: LocalNode, address: str) -> Iterator[Far]:
    with Relay(strict_node.port, address) as lines:
        yield Far(strict_node, lines)


@pytest.fixture
def far_and_stingy(stingy_node: LocalNode, address: str) -> Iterator[Far]:
    with Relay(stingy_node.port, address) as lines:
        yield Far(stingy_node, lines)


@pytest.fixture
def profile(browser: Any) -> Iterator[Profile]:
    """One whose requests may be answered 429."""
    made = Profile(browser)
    made.allow("status of 429")
    yield made
    made.close()


@contextmanager
def used_up_after(page: Any, path: str, url: str, answers: bool = False) -> Iterator[list[str]]:
    """Each request of `path` arrives; then the address has nothing left. Its answer comes, or is lost."""
    arrived = []

    def carry(route: Any) -> None:
        answer = route.fetch()
        asked = route.request.post_data or ""
        if path != "**/rpc" or "eth_sendRawTransaction" in asked:
            arrived.append(asked)
            use_up(url)
        if answers:
            route.fulfill(response=answer)
        else:
            route.abort()

    page.route(path, carry)
    yield arrived
    page.unroute(path)


@contextmanager
def kept_out_of_weight(url: str) -> Iterator[None]:
    """Something else at the address asks all the time, so that nothing is left for the page."""
    is_over = Event()

    def ask() -> None:
        while not is_over.wait(0.02):
            use_up(url)

    use_up(url)
    asking = Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        is_over.set()
        asking.join()


def toasts(page: Any) -> str:
    text: str = page.locator(".toasts").inner_text()
    return text


def test_an_order_that_was_done_is_not_told_as_refused_once_the_address_is_out_of_weight(
    profile: Profile, far: Far
) -> None:
    page = opened(profile, far, 3)
    with used_up_after(page, "**/exchange", far.url):
        order(page, "1", "180")
        send(page)
        seen(page, "Outcome unknown")
        assert page.get_by_role("button", name="Sending").is_disabled()
        seen(page, "Buy 1 SOL placed")
        seen(page, "as the chain says")
        page.get_by_text("Outcome unknown").wait_for(state="hidden")
    with Client(far.node.url, key=dev_keys()[3]) as client:
        assert client.cancel_all() == 1
    assert "refused" not in toasts(page)


def test_a_cancel_that_was_done_is_not_told_as_refused_once_the_address_is_out_of_weight(
    profile: Profile, far: Far
) -> None:
    page = opened(profile, far, 3)
    order(page, "1", "180")
    send(page)
    page.get_by_role("tab", name="Open orders").click()
    with used_up_after(page, "**/exchange", far.url):
        page.get_by_role("button", name="Cancel buy order").click()
        seen(page, "Outcome unknown")
        seen(page, "Order cancelled")
        page.get_by_text("Outcome unknown").wait_for(state="hidden")
    assert "refused" not in toasts(page)


def test_a_deposit_that_was_sent_is_not_told_as_failed_once_the_address_is_out_of_weight(
    profile: Profile, far: Far
) -> None:
    with Client(far.node.url, key=dev_keys()[6]) as client:
        client.withdraw("100")
        wait_for(lambda: client.token_balance() >= 100, "the withdrawal")
    page = opened(profile, far, 6)
    with used_up_after(page, "**/rpc", far.url, answers=True) as sent:
        page.get_by_role("region", name="Account").get_by_role("button", name="Deposit / withdraw").click()
        dialog = page.get_by_role("dialog", name="Deposit and withdraw")
        dialog.get_by_placeholder("Amount in USDC").fill("100")
        dialog.get_by_role("button", name="Deposit", exact=True).click()
        seen(page, "Deposit arrived")
    assert len(sent) == 1
    assert "failed" not in toasts(page)


def test_an_order_that_the_address_has_no_weight_for_is_told_apart_from_the_account_s_credits(
    profile: Profile, far: Far
) -> None:
    page = opened(profile, far, 8)
    order(page, "1", "180")
    use_up(far.url)
    send(page)
    seen(page, "Order refused")
    seen(page, "Nothing was done. The node takes no more from this internet address for a moment")
    with Client(far.node.url, key=dev_keys()[8]) as client:
        assert client.open_orders() == []


def test_what_the_node_refuses_to_tell_is_not_shown_as_an_empty_account(profile: Profile, far: Far) -> None:
    url = far.url
    with Client(far.node.url, key=dev_keys()[2]) as other:
        other.order("SOL", False, 2, "190")
    with Client(far.node.url, key=dev_keys()[4]) as client:
        client.order("SOL", True, 2, "190")
        client.order("SOL", True, 1, "150")
    connect_dev_key(profile.open(url), 4)  # so that this browser has a trading key
    page = profile.open(url)
    choose(page, "SOL")
    page.get_by_role("region", name="Order book").get_by_text("150").first.wait_for()
    table = page.locator("#activity-table")
    with kept_out_of_weight(url):
        use_dev_key(page, 4)
        page.keyboard.press("Escape")
        seen(page, "Loading your positions")
        seen(page, "Some of this page is missing or old")
        assert page.locator("form dl").first.inner_text().split() == ["Available", "…", "Position", "…"]
        account = page.get_by_role("region", name="Account")
        assert account.locator("strong").inner_text().split() == ["…", "USDC"]
        page.get_by_role("tab", name="Positions").press("f")
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("it is not known what there is to close").wait_for()
        assert dialog.get_by_role("button", name="Close everything").count() == 0
        page.keyboard.press("Escape")
        page.get_by_role("tab", name="Positions").press("x")
        dialog.get_by_text("it is not known what there is to cancel").wait_for()
        page.keyboard.press("Escape")
        for tab, words in (("Open orders", "orders"), ("Fills", "fills"), ("Transfers", "transfers")):
            page.get_by_role("tab", name=tab).click()
            table.get_by_text(f"Loading your {words}").wait_for()
        page.get_by_role("tab", name="Positions").click()
    table.get_by_role("button", name="Close SOL at market").wait_for()
    page.get_by_text("Some of this page is missing or old").wait_for(state="hidden")
    page.get_by_role("tab", name="Open orders").click()
    table.get_by_role("button", name="Cancel buy order").wait_for()
    page.get_by_role("tab", name="Positions").press("f")
    page.get_by_role("dialog").get_by_text("Cancels one open order and closes").wait_for()


def test_after_a_break_of_the_line_nothing_is_flattened_by_what_was_told_before(
    profile: Profile, far: Far
) -> None:
    """The socket breaks and the address is out of weight when it comes again: what is shown is old."""
    page = opened(profile, far, 5)
    page.get_by_role("tab", name="Positions").press("f")
    seen(page, "There is nothing to close.")
    page.keyboard.press("Escape")
    with kept_out_of_weight(far.url):
        far.lines.cut()
        seen(page, "Some of this page is missing or old")
        page.get_by_role("tab", name="Positions").press("f")
        seen(page, "it is not known what there is to close")
        assert page.get_by_text("There is nothing to close.").count() == 0
    seen(page, "There is nothing to close.")


def test_an_open_page_lives_on_a_quarter_of_the_weight_of_its_address(
    profile: Profile, far_and_stingy: Far
) -> None:
    """So three tabs of an address leave a quarter of it. The node itself counts: it gives a quarter, of which 5 come
    back each second, and refuses nothing. A page that asked for 1,680 a minute was refused after 13 s."""
    statuses: list[int] = []
    page = profile.open(far_and_stingy.url)
    page.on("response", lambda answer: statuses.append(answer.status))
    connect_dev_key(page, 8)
    choose(page, "SOL")
    order(page, "1", side="Buy")
    send(page)
    seen(page, "Bought 1 SOL")
    page.get_by_role("tab", name="Fills").click()
    choose(page, "BTC")  # the position's prices come by another stream
    for _ in range(30):
        page.wait_for_timeout(1000)
        assert 429 not in statuses
        assert page.get_by_text("Some of this page is missing or old").count() == 0
    block, shown = far_and_stingy.node, page.get_by_title("Included: in a block").inner_text()
    with Client(block.url) as client:
        assert client.health()["block"] - int("".join(filter(str.isdigit, shown.split("block")[1]))[:9]) <= 3


@pytest.mark.parametrize("where", ["block/1", "block/latest", "explorer", "account/0x" + "f3" * 20])
def test_a_page_of_the_explorer_lives_on_a_quarter_too(
    profile: Profile, far_and_stingy: Far, where: str
) -> None:
    statuses: list[int] = []
    page = profile.open(f"{far_and_stingy.url}/#/{where}")
    page.on("response", lambda answer: statuses.append(answer.status))
    page.wait_for_timeout(15_000)
    assert set(statuses) <= {200, 304}


def test_a_page_that_nobody_sees_asks_for_nothing(profile: Profile, far: Far) -> None:
    hideable = "Object.defineProperty(document, 'hidden', { get: () => window.isAway === true })"
    asked: list[str] = []
    page = profile.open(far.url, hideable)
    use_dev_key(page, 7)
    seen(page, "Enable trading")
    page.wait_for_timeout(1000)
    page.evaluate("window.isAway = true")
    page.on("request", lambda request: asked.append(request.post_data or request.url))
    page.wait_for_timeout(11_000)  # twice as long as the shortest pause
    assert asked == []
    page.evaluate("window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))")
    wait_for(lambda: page.wait_for_timeout(100) or asked, "the chain's time is asked for")
