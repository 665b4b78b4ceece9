"""The page does not use old data or another account's: silent connections, trading keys of unknown accounts; and its
notices can be closed wherever they are shown."""

from typing import Any

from eth_account import Account

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import (
    Profile,
    connect_dev_key,
    needs_chromium,
    opened,
    order,
    seen,
    use_dev_key,
)

pytestmark = needs_chromium
ACCOUNT, OTHER = 8, 9

# A copy of the trading key is put where the page looks for another account's: it is sealed, but not to its place.
COPY = """async ([from, to, old]) => {
  const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)))
  const database = await done(indexedDB.open('coinone', 1))
  const store = database.transaction('keys', 'readwrite').objectStore('keys')
  const names = await done(store.getAllKeys())
  const name = names.find((each) => each.startsWith('coinone.trading-key.') && each.endsWith(from))
  let place = name.replace(from, to)
  if (old) place = place.replace('coinone.trading-key.', 'coinone.agent.')
  await done(store.put(await done(store.get(name)), place))
  database.close()
}"""


def test_a_trading_key_that_is_kept_under_another_account_is_not_used(
    profile: Profile, quiet_node: LocalNode
) -> None:
    """An older version could keep A's key as B's: B's orders were A's until it expired. Neither where such a version
    kept it, which is said, nor where this one would."""
    first, second = (Account.from_key(dev_keys()[n]).address.lower() for n in (ACCOUNT, OTHER))
    page = profile.open(quiet_node.url)
    connect_dev_key(page, ACCOUNT)
    page.evaluate(COPY, [first, second, True])
    page.evaluate(COPY, [first, second, False])
    other = profile.open(quiet_node.url)
    use_dev_key(other, OTHER)
    seen(other, "Trading key dropped")
    other.get_by_role("dialog").get_by_role("button", name="Enable trading").wait_for()
    other.close()
    again = profile.open(quiet_node.url)
    use_dev_key(again, OTHER)
    again.get_by_role("dialog").get_by_role("button", name="Enable trading").wait_for()
    assert again.get_by_text("Trading key dropped").count() == 0, "once"


def test_what_is_told_over_an_open_dialog_can_be_closed(profile: Profile, quiet_node: LocalNode) -> None:
    """Beside a modal dialog everything is inert: the cross could not be pressed, nor the link."""
    page = opened(profile, quiet_node, ACCOUNT)
    page.keyboard.press("Control+Enter")  # without a size
    seen(page, "Order not sent")
    page.get_by_role("button", name="Wallet").click()
    toast = page.locator(".toast").filter(has_text="Order not sent")
    toast.get_by_role("button", name="Dismiss").click(timeout=5000)
    toast.wait_for(state="detached", timeout=5000)
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("Control+Enter")
    seen(page, "Order not sent")


def test_no_market_order_goes_out_while_the_line_is_silent(profile: Profile, market_node: LocalNode) -> None:
    """The socket stays open and says nothing: the prices of 7.5 s ago made the limit of an order at the market."""
    page = profile.open("about:blank")
    is_silent = False

    def relay(line: Any) -> None:
        server = line.connect_to_server()
        line.on_message(lambda message: None if is_silent else server.send(message))
        server.on_message(lambda message: None if is_silent else line.send(message))

    page.route_web_socket("**/ws", relay)
    page.goto(market_node.url)
    connect_dev_key(page, ACCOUNT)
    page.locator(".latency.open").wait_for()
    order(page, "0.001")
    sent: list[str] = []
    page.on(
        "request", lambda request: sent.append(request.url) if request.url.endswith("/exchange") else None
    )
    is_silent = True
    page.locator(".latency.late").wait_for()
    page.keyboard.press("Control+Enter")
    seen(page, "The line to the node is silent")
    assert sent == []
