"""What a client may listen to: the anchor's subscription objects, read strictly into keys.

A key is what the hub counts by. An option that is not honoured is refused, so that nobody waits for what never comes.
"""

from collections.abc import Callable
from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import parse_address
from coinone.interfaces.api.exchange.channels.account_events import JOINED
from coinone.interfaces.api.exchange.info.markets import parse_grouping
from coinone.interfaces.api.exchange.info.sources import require_main_dex
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.exchange.json.fills import parse_joined
from coinone.interfaces.api.sockets.hub import Key
from coinone.node.storage.history.candles import INTERVALS

MARKET_WIDE = (
    "allMids",
    "assetCtxs",
    "allDexsAssetCtxs",
    "fastAssetCtxs",
    "spotAssetCtxs",
    "outcomeMetaUpdates",
    "explorerBlock",
    "explorerTxs",
)
USER_CHANNELS = frozenset(
    {
        "notification",
        "webData2",
        "orderUpdates",
        "userEvents",
        "userFundings",
        "userNonFundingLedgerUpdates",
        "userTwapSliceFills",
        "userTwapHistory",
        "userHistoricalOrders",
        "clearinghouseState",
        "openOrders",
        "spotState",
        "twapStates",
        "webData3",
        "allDexsClearinghouseState",
    }
)


def parse_subscription(subscription: Any, coins: Coins) -> Key:
    """The key of a subscription object. Raises InvalidInput."""
    if not isinstance(subscription, dict):
        raise InvalidInput("subscription must be an object")
    kind = subscription.get("type")
    if not isinstance(kind, str):
        raise InvalidInput("subscription needs a type")
    require_main_dex(subscription)
    if kind in USER_CHANNELS:
        return kind, parse_address(subscription.get("user")).hex()
    reader = _READERS.get(kind)
    if reader is None:
        raise InvalidInput("unknown subscription type")
    return reader(subscription, coins)


def _all(kind: str) -> Callable[[dict[str, Any], Coins], Key]:
    return lambda subscription, coins: (kind,)


def _coin(kind: str) -> Callable[[dict[str, Any], Coins], Key]:
    return lambda subscription, coins: (kind, coins.named(subscription.get("coin")).name)


def _fills(subscription: dict[str, Any], coins: Coins) -> Key:
    user = parse_address(subscription.get("user")).hex()
    return ("userFills", user, JOINED) if parse_joined(subscription) else ("userFills", user)


def _book(subscription: dict[str, Any], coins: Coins) -> Key:
    figures, mantissa = parse_grouping(subscription)
    return "l2Book", coins.named(subscription.get("coin")).name, str(figures or ""), str(mantissa or "")


def _candle(subscription: dict[str, Any], coins: Coins) -> Key:
    interval = subscription.get("interval")
    if not isinstance(interval, str) or interval not in INTERVALS:
        raise InvalidInput("unknown candle interval")
    return "candle", coins.named(subscription.get("coin")).name, interval


def _asset_data(subscription: dict[str, Any], coins: Coins) -> Key:
    user = parse_address(subscription.get("user")).hex()
    return "activeAssetData", user, coins.named(subscription.get("coin")).name


_READERS: dict[str, Callable[[dict[str, Any], Coins], Key]] = {
    **{kind: _all(kind) for kind in MARKET_WIDE},
    "userFills": _fills,
    "l2Book": _book,
    "trades": _coin("trades"),
    "bbo": _coin("bbo"),
    "activeAssetCtx": _coin("activeAssetCtx"),
    "candle": _candle,
    "activeAssetData": _asset_data,
}
