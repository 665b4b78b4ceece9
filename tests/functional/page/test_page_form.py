"""The page is accessible, usable on a phone held sideways, small, and plain in its errors."""

from typing import Any

import pytest

from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.npm import installed
from tests.functional.page.pages import (
    PAGES,
    PHONE,
    Profile,
    connect_dev_key,
    enter_price_away_from_market,
    needs_chromium,
    seen,
)
from tests.functional.waiting import wait_for

pytestmark = needs_chromium
AXE = "axe-core@4.14.1"
LANDSCAPE = {"width": 844, "height": 390}
TRADE_MAX, EXPLORER_MAX = 200_000, 140_000  # bytes of a first visit by gzip, fonts and all
LOADED = """() => performance.getEntriesByType('resource')
  .filter(({ name }) => /\\.(js|css|woff2|svg)$/.test(name))
  .map(({ name, encodedBodySize, decodedBodySize }) => [new URL(name).pathname, encodedBodySize, decodedBodySize])"""


@pytest.fixture(scope="module")
def axe() -> str:
    return (installed(AXE) / "axe-core" / "axe.min.js").read_text()


def violations(page: Any, axe: str) -> list[str]:
    """Rules of axe-core that the page breaks, with the elements; all impacts."""
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{rule['impact']}: {rule['id']}: {node['html'][:120]} {node['any'][0]['message'] if node['any'] else ''}"
        for rule in found
        for node in rule["nodes"]
    ]


def test_axe_finds_nothing_in_either_theme(profile: Profile, market_node: LocalNode, axe: str) -> None:
    page = profile.open(market_node.url)
    page.get_by_role("region", name="Market").get_by_text("BTC-USDC").wait_for()
    for theme in ("Light", "Dark"):
        page.get_by_role("button", name=f"{theme} theme").click()
        page.wait_for_timeout(300)  # colours fade into each other
        assert violations(page, axe) == []
    page.get_by_role("button", name="Connect", exact=True).click()
    page.wait_for_timeout(300)
    assert violations(page, axe) == []
    page.keyboard.press("Escape")

    connect_dev_key(page, 4)
    enter_price_away_from_market(page, 0.97)
    page.locator("#ticket-amount").fill("0.01")
    page.keyboard.press("Control+Enter")
    seen(page, "Buy 0.01 BTC placed")
    for name in ("Open orders", "Fills", "Transfers", "Positions"):
        page.get_by_role("tab", name=name).click()
        assert violations(page, axe) == []
    page.get_by_role("radio", name="Market", exact=True).click()
    page.locator("#ticket-amount").fill("300")
    seen(page, "Beyond the visible book")
    for theme in ("Light", "Dark"):
        page.get_by_role("button", name=f"{theme} theme").click()
        page.wait_for_timeout(300)
        assert violations(page, axe) == []
    for opener in ("Wallet", "Keyboard shortcuts", "Deposit"):
        page.get_by_role("button", name=opener).first.click()
        page.get_by_role("dialog").wait_for()
        page.wait_for_timeout(300)
        assert violations(page, axe) == []
        page.keyboard.press("Escape")
    for where in ("explorer", "block/1", "batch/1", "account/0x" + "12" * 20, "foo"):
        page.goto(f"{market_node.url}/#/{where}")
        page.locator("main h1").wait_for()
        assert violations(page, axe) == []


def test_axe_finds_nothing_on_a_phone(browser: Any, market_node: LocalNode, axe: str) -> None:
    profile = Profile(browser, PHONE)
    page = profile.open(market_node.url)
    connect_dev_key(page, 4)
    tabs = page.get_by_role("navigation", name="Sections")
    for size in (PHONE, LANDSCAPE):
        page.set_viewport_size(size)
        for tab in ("Book", "Trade", "Positions", "Account", "Chart"):
            tabs.get_by_role("button", name=tab).click()
            assert violations(page, axe) == []
    profile.close()


def test_a_phone_on_its_side_has_room_for_each_section(browser: Any, market_node: LocalNode) -> None:
    profile = Profile(browser, LANDSCAPE)
    page = profile.open(market_node.url)
    connect_dev_key(page, 4)
    tabs = page.get_by_role("navigation", name="Sections")
    sections = {
        "Chart": page.get_by_role("region", name="Price chart"),
        "Book": page.get_by_role("region", name="Order book"),
        "Positions": page.get_by_role("region", name="Positions, orders and history"),
        "Account": page.get_by_role("region", name="Account"),
        "Trade": page.get_by_role("form", name="Order"),
    }
    for tab, section in sections.items():
        tabs.get_by_role("button", name=tab).click()
        section.wait_for()
        box = section.bounding_box()
        assert box["width"] > 300 and min(box["y"] + box["height"], 390) - box["y"] > 230, (tab, box)
        assert page.evaluate("document.documentElement.scrollWidth") <= LANDSCAPE["width"]
    # Book and ticket stand beside each other: a price can be taken from one into the other.
    page.get_by_role("radio", name="Limit", exact=True).click()
    page.get_by_role("region", name="Order book").locator("button.bid").first.click()
    assert float(page.locator("#ticket-px").input_value()) > 0
    profile.close()


@pytest.mark.parametrize(
    ("where", "heading", "most"),
    [("", "Trade BTC-USDC", TRADE_MAX), ("#/explorer", "Newest blocks", EXPLORER_MAX)],
    ids=["trade", "explorer"],
)
def test_the_first_visit_is_light(
    profile: Profile, market_node: LocalNode, where: str, heading: str, most: int
) -> None:
    page = profile.open(f"{market_node.url}/{where}")
    page.get_by_role("heading", name=heading).wait_for()
    page.evaluate("document.fonts.ready.then(() => true)")
    loaded = page.evaluate(LOADED)
    assert len(loaded) >= 4, loaded
    assert all(sent < whole for name, sent, whole in loaded if name.endswith((".js", ".css"))), loaded
    assert sum(size_by_gzip(name) for name in ["/index.html", *(name for name, _, _ in loaded)]) < most, (
        loaded
    )


def test_there_is_one_policy_of_what_a_page_may_load(profile: Profile, market_node: LocalNode) -> None:
    """In the header, as a second one in the page could differ; and it lets in nothing inline."""
    page = profile.open(market_node.url)
    answer = page.request.get(market_node.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "ws:" not in policy
    assert "http-equiv" not in answer.text()


def size_by_gzip(name: str) -> int:
    form = PAGES / f"{name.lstrip('/')}.gz"
    return (form if form.is_file() else PAGES / name.lstrip("/")).stat().st_size


def test_the_explorer_brings_no_chart_and_the_kit_nothing_of_either(
    profile: Profile, market_node: LocalNode
) -> None:
    """A page's code is loaded when it is first gone to, and not twice."""
    page = profile.open(f"{market_node.url}/#/kit")
    page.get_by_role("heading", name="Kit", exact=True).wait_for()

    def scripts() -> list[str]:
        return [name for name, _, _ in page.evaluate(LOADED) if "Trade" in name or "Explorer" in name]

    assert scripts() == []
    page.get_by_role("link", name="Explorer").click()
    page.get_by_role("heading", name="Newest blocks").wait_for()
    assert scripts() and not any("Trade" in name for name in scripts())
    page.get_by_role("link", name="Trade", exact=True).click()
    page.get_by_role("region", name="Order book").wait_for()
    loaded = scripts()
    assert any("Trade" in name for name in loaded) and len(loaded) == len(set(loaded))


def test_a_page_that_cannot_be_loaded_says_so(profile: Profile, market_node: LocalNode) -> None:
    """The node ends after the page was opened: going to another page must not leave an empty screen."""
    page = profile.open(f"{market_node.url}/#/explorer")
    page.get_by_role("heading", name="Newest blocks").wait_for()
    page.route("**/assets/Trade-*", lambda route: route.abort())
    page.get_by_role("link", name="Trade", exact=True).click()
    seen(page, "The node does not answer, so this page cannot be shown.")
    page.unroute("**/assets/Trade-*")
    page.get_by_role("button", name="Load again").click()
    page.get_by_role("region", name="Order book").wait_for()


def test_axe_finds_nothing_in_the_kit(profile: Profile, market_node: LocalNode, axe: str) -> None:
    page = profile.open(f"{market_node.url}/#/kit")
    for theme in ("Light", "Dark"):
        page.get_by_role("button", name=f"{theme} theme").click()
        for tone in ("good", "plain", "notice", "warn"):
            page.get_by_role("button", name=tone, exact=True).click()
        page.wait_for_timeout(400)
        assert violations(page, axe) == []
        page.get_by_role("button", name="Dialog", exact=True).click()
        page.wait_for_timeout(200)
        assert violations(page, axe) == []
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")


def test_the_book_moves_without_laying_the_page_out(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    bars = page.get_by_role("region", name="Order book").locator(".bar")
    bars.first.wait_for()
    styles = bars.evaluate_all("all => all.map(bar => bar.getAttribute('style'))")
    assert all("scaleX(" in style and "width" not in style for style in styles), styles


def test_addresses_that_lead_nowhere_are_told_in_words(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    for where, words in {
        "account/0x12": "An account is named by its address: 0x and 40 digits.",
        "tx/0x12": "A transaction is named by its hash: 0x and 64 digits.",
        "block/abc": "A block is named by its number or its hash",
        "batch/-1": "A batch is named by its number.",
        "foo/bar": "There is no such page.",
    }.items():
        page.goto(f"{market_node.url}/#/{where}")
        seen(page, words)
        assert page.title() == "Nothing here · Coinone"
    found = page.request.get(f"{market_node.url}/nonexistent", headers={"accept": "text/html"})
    assert found.status == 404 and "Trading page" in found.text()


def test_the_title_is_that_of_the_page(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    page.wait_for_function("() => /^[\\d,.]+ · BTC · Coinone$/.test(document.title)")
    page.get_by_role("link", name="Explorer").click()
    page.wait_for_function("() => document.title === 'Explorer · Coinone'")
    page.goto(f"{market_node.url}/#/block/1")
    page.wait_for_function("() => document.title === 'Block 1 · Coinone'")
    page.get_by_role("link", name="Trade", exact=True).click()
    page.wait_for_function("() => /BTC · Coinone$/.test(document.title)")


def test_the_header_marks_the_link_that_a_page_belongs_to(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    for where, marked in {
        "": ["page", None],
        "explorer": [None, "page"],
        "block/1": [None, "true"],
        "proof": [None, "true"],
        "kit": [None, None],
        "nowhere": [None, None],
    }.items():
        page.goto(f"{market_node.url}/#/{where}")
        page.wait_for_function(f"() => location.hash.slice(2) === {where!r}")

        def are_marked(marked: list[str | None] = marked) -> bool:
            page.wait_for_timeout(20)  # the page follows its address a moment later
            return [link.get_attribute("aria-current") for link in links.all()] == marked

        wait_for(are_marked, f"{where!r} marks {marked}")


def test_what_is_told_on_a_small_phone_covers_nothing_of_the_form(
    browser: Any, market_node: LocalNode
) -> None:
    profile = Profile(browser, {"width": 320, "height": 568})
    page = profile.open(market_node.url)
    connect_dev_key(page, 4)
    page.get_by_role("navigation", name="Sections").get_by_role("button", name="Trade").click()
    page.wait_for_timeout(300)
    toast = page.locator(".toast").first.bounding_box()
    form = page.get_by_role("form", name="Order").bounding_box()
    assert toast["y"] >= 0 and toast["y"] + toast["height"] <= form["y"]
    profile.close()


def test_arrows_choose_in_a_radio_group_which_is_one_tab_stop(
    profile: Profile, market_node: LocalNode
) -> None:
    page = profile.open(market_node.url)
    radio = {name: page.get_by_role("radio", name=name) for name in ("Limit", "Market", "GTC", "IOC", "ALO")}
    radio["GTC"].focus()
    for key, chosen in (
        ("ArrowRight", "IOC"),
        ("ArrowDown", "ALO"),
        ("ArrowRight", "GTC"),
        ("ArrowLeft", "ALO"),
    ):
        page.keyboard.press(key)
        assert radio[chosen].is_checked()
        assert radio[chosen].evaluate("each => each === document.activeElement")
    for name in ("GTC", "IOC", "ALO"):
        assert radio[name].get_attribute("tabindex") == ("0" if name == "ALO" else "-1")
    radio["Limit"].focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.title") == "Change leverage", "not the other radio"
    radio["Limit"].focus()
    page.keyboard.press("ArrowUp")
    assert radio["Market"].is_checked()
