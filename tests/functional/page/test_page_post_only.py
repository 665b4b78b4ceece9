"""What the page says of post-only orders: before they are sent, when they are refused, and of their trades.

The quiet node's oracle of SOL, and so its mark, stands at 190. Fees are 0.015 % of the maker, 0.045 % of the taker.
"""

from typing import Any

from coinone.interfaces.client import Client
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import Profile, book_row, needs_chromium, opened, order, seen, send

pytestmark = needs_chromium
WARNING = "If it meets an order of its batch at the middle of the book or worse, it pays the taker’s fee."


def post_only(page: Any, size: str, price: str, side: str = "Buy") -> str:
    """Write a post-only order; what the form says of its fee and of what is in doubt."""
    order(page, size, price, side)
    page.get_by_role("radio", name="ALO").click()
    fee = page.locator("form dl").last.locator("div").filter(has_text="Fee").inner_text()
    doubt = page.locator("form .doubt")
    return " ".join([fee, *doubt.all_inner_texts()]).replace("\n", " ")


def test_a_post_only_order_has_two_fees_where_its_price_is_worse_than_the_mark(
    profile: Profile, quiet_node: LocalNode
) -> None:
    """By hand: 18,500 * 0.00015 = 2.775; 19,500 * 0.00015 = 2.925, * 0.00045 = 8.775; 19,000 * 0.00045 = 8.55."""
    page = opened(profile, quiet_node, 6)
    assert "May meet an order of the same batch" in page.get_by_role("radio", name="ALO").get_attribute(
        "title"
    )
    assert post_only(page, "100", "185") == "Fee 2.775 USDC"
    assert post_only(page, "100", "195") == f"Fee 2.925, up to 8.775 USDC {WARNING}"
    assert post_only(page, "100", "195", "Sell") == "Fee 2.925 USDC"
    assert post_only(page, "100", "185", "Sell").startswith("Fee 2.775, up to 8.5"), "at the mark at most"


def test_a_post_only_order_that_will_be_refused_is_said_to_be_before_and_after(
    profile: Profile, quiet_node: LocalNode, maker: Client
) -> None:
    maker.order("SOL", False, "0.5", "190.5")
    page = opened(profile, quiet_node, 6)
    book_row(page, "ask", 0).get_by_text("190.50", exact=True).wait_for()
    said = post_only(page, "1", "191")
    assert "Likely removed after the takers of its batch: earlier orders for 0.5 SOL are in its way" in said
    assert "removed" not in post_only(page, "1", "190.4")
    post_only(page, "1", "191")
    send(page)
    seen(page, "Post-only: earlier orders were in its way, so it was not placed.")
    said = post_only(page, "8", "191")
    assert "Crosses the best ask (190.50): what takers leave of both meets at the end of the batch." in said


def test_the_trade_of_two_resting_orders_has_no_taker(
    profile: Profile, quiet_node: LocalNode, maker: Client
) -> None:
    """An ask of a 16th of the bid keeps it out of nothing: the post-only bid rests over it and buys from it at 189."""
    maker.order("SOL", False, "1", "189")
    page = opened(profile, quiet_node, 6)
    book_row(page, "ask", 0).get_by_text("189.00", exact=True).wait_for()
    assert "Crosses the best ask (189.00)" in post_only(page, "16", "190")
    send(page)
    page.get_by_role("tab", name="Fills").click()
    row = page.locator("#activity-table tbody tr").filter(has_text="189.00")
    link = row.first.get_by_role("link", name="order ")
    assert "no transaction led to it" in link.get_attribute("title")
    link.click()
    trades = page.get_by_role("region", name="Trades")
    trades.get_by_text("met at the end of the batch", exact=True).wait_for()
    trades.get_by_text("two resting orders that crossed", exact=True).wait_for()
    assert trades.get_by_text("maker", exact=True).count() == 0
    assert trades.get_by_role("link").count() == 0
