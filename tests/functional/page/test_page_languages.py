"""The page in each of its languages: the browser's, or a chosen one, with the common actions in each."""

from typing import Any

import pytest

from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import DESK, PHONE, Profile, needs_chromium, send
from tests.functional.page.test_page_form import LOADED, TRADE_MAX, size_by_gzip, violations
from tests.functional.page.test_page_form import axe as axe

pytestmark = needs_chromium
# Language of the browser, `lang` of the page, and its words for: Trade, Connect, Use dev key, Enable trading, "placed"
LANGUAGES = {
    "zh": ("zh-TW", "zh-CN", "交易", "连接", "使用开发密钥", "启用交易", "已挂单"),
    "ja": ("ja-JP", "ja", "取引", "接続", "開発キーを使う", "取引を有効にする", "発注しました"),
    "ko": ("ko-KR", "ko", "거래", "연결", "개발 키 사용", "거래 활성화", "접수됨"),
}
KEYS = {"zh": 5, "ja": 6, "ko": 7}


@pytest.mark.parametrize("name", LANGUAGES)
def test_an_order_is_placed_in_the_language_of_the_browser(
    browser: Any, market_node: LocalNode, axe: str, name: str
) -> None:
    language, tag, trade, connect, use_key, enable, placed = LANGUAGES[name]
    profile = Profile(browser, language=language)
    page = profile.open(market_node.url)
    page.get_by_role("link", name=trade, exact=True).wait_for()
    assert page.locator("html").get_attribute("lang") == tag
    page.wait_for_function("() => /^[\\d,.]+ · BTC · Coinone$/.test(document.title)")
    page.locator("h1").wait_for(state="attached")
    assert violations(page, axe) == []

    page.get_by_role("button", name=connect, exact=True).click()
    page.get_by_role("dialog").get_by_role("combobox").select_option(str(KEYS[name]))
    page.get_by_role("button", name=use_key).click()
    page.get_by_role("dialog").get_by_role("button", name=enable, exact=True).click()
    page.get_by_role("dialog").wait_for(state="detached")
    px = page.get_by_role("region").locator("button.bid .px").last.inner_text()
    page.locator("#ticket-px").fill(f"{float(px.replace(',', '')) * 0.97:,.0f}.0")
    page.locator("#ticket-amount").fill("0.01")
    action = send(page)["action"]
    assert action["orders"][0]["s"] == "0.01" and "," not in action["orders"][0]["p"]
    page.locator(".toast").get_by_text(placed).wait_for()
    assert violations(page, axe) == []
    profile.close()


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_first_visit_in_another_language_is_light_too(
    browser: Any, market_node: LocalNode, name: str
) -> None:
    profile = Profile(browser, language=LANGUAGES[name][0])
    page = profile.open(market_node.url)
    page.get_by_role("link", name=LANGUAGES[name][2], exact=True).wait_for()
    page.locator("button.bid").first.wait_for()
    page.evaluate("document.fonts.ready.then(() => true)")
    loaded = [path for path, _, _ in page.evaluate(LOADED)]
    assert any(f"/{name}-" in path for path in loaded), loaded
    assert sum(size_by_gzip(path) for path in ["/index.html", *loaded]) < TRADE_MAX, loaded
    profile.close()


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_language_makes_the_page_wider_than_the_screen(
    browser: Any, market_node: LocalNode, name: str
) -> None:
    for viewport in (DESK, {"width": 1024, "height": 768}, PHONE):
        profile = Profile(browser, viewport, LANGUAGES[name][0])
        page = profile.open(market_node.url)
        page.locator("#ticket-px").wait_for(state="attached")
        width = page.evaluate("document.documentElement.scrollWidth")
        header = page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('header'))")
        assert width <= viewport["width"] and header <= 0, (viewport, width, header)
        profile.close()


def test_a_language_is_chosen_at_once_and_stays(profile: Profile, market_node: LocalNode) -> None:
    page = profile.open(market_node.url)
    page.locator("#ticket-amount").fill("0.25")
    page.get_by_role("combobox", name="Language").select_option("ja")
    page.get_by_role("link", name="取引", exact=True).wait_for()
    page.get_by_role("region", name="板").wait_for()
    assert page.locator("#ticket-amount").input_value() == "0.25", "what is typed stays"
    page.reload()
    page.get_by_role("link", name="取引", exact=True).wait_for()
    page.get_by_role("combobox", name="言語").select_option("en")
    page.get_by_role("link", name="Trade", exact=True).wait_for()
    assert page.locator("html").get_attribute("lang") == "en"


def test_a_phone_has_the_choice_in_the_account(browser: Any, market_node: LocalNode) -> None:
    profile = Profile(browser, PHONE)
    page = profile.open(market_node.url)
    page.get_by_role("navigation", name="Sections").get_by_role("button", name="Account").click()
    page.get_by_role("region", name="Account").get_by_role("combobox", name="Language").select_option("ko")
    page.get_by_role("navigation", name="구역").wait_for()
    profile.close()


def test_a_language_that_cannot_be_loaded_leaves_the_page_as_it_is(
    profile: Profile, market_node: LocalNode
) -> None:
    page = profile.open(market_node.url)
    page.route("**/assets/zh-*", lambda route: route.abort())
    choice = page.get_by_role("combobox", name="Language")
    choice.select_option("zh")
    page.wait_for_function("() => document.querySelector('header select').value === 'en'")
    assert page.get_by_role("link", name="Trade", exact=True).is_visible()
