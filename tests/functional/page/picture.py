"""Takes docs/images/trading-page.png: `python -m tests.functional.page.picture URL`.

The URL is that of a dev node whose demo market has run a quarter of an hour, so that the chart has something to show.
Trades with dev key 7.
"""

import sys
from pathlib import Path

from tests.functional.page.pages import (
    Profile,
    choose,
    chromium,
    connect_dev_key,
    enter_price_away_from_market,
    order,
    seen,
)

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "trading-page.png"
TOASTS_MS = 12_000  # after which the last one has gone


def take(url: str) -> None:
    with chromium() as browser:
        page = Profile(browser).open(url)
        connect_dev_key(page, 7)
        choose(page, "ETH")
        order(page, "4", side="Sell")
        page.keyboard.press("Control+Enter")
        seen(page, "Sold")
        choose(page, "BTC")
        order(page, "0.5")
        page.keyboard.press("Control+Enter")
        seen(page, "Bought")
        page.get_by_role("radio", name="Limit", exact=True).click()
        for factor, size in ((0.996, "0.3"), (1.004, "0.25")):
            page.get_by_role("radio", name="Buy /" if factor < 1 else "Sell /").click()
            enter_price_away_from_market(page, factor)
            page.locator("#ticket-amount").fill(size)
            page.keyboard.press("Control+Enter")
            seen(page, f"{size} BTC placed")
        page.get_by_role("radio", name="Buy /").click()
        enter_price_away_from_market(page, 0.9995)
        page.locator("#ticket-amount").fill("0.25")
        page.locator("#ticket-amount").blur()
        page.mouse.move(5, 5)
        page.wait_for_timeout(TOASTS_MS)
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    take(sys.argv[1])
