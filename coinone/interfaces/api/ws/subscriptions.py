"""What a client may listen to: the anchor's subscription objects, read strictly into keys.

A key is what the hub counts by; `echo` is what clients expect back in `subscriptionResponse`.
"""

from collections.abc import Callable
from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import parse_address
from coinone.interfaces.api.exchange.coins import Coins
from coinone.interfaces.api.ws.hub import Key

INTERVALS_MS: dict[str, int] = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
    "3d": 259_200_000,
    "1w": 604_800_000,
    "1M": 2_592_000_000,
}

USER_CHANNELS = frozenset(
    {
        "notification",
        "webData2",
        "orderUpdates",
        "userEvents",
        "userFills",
        "userFundings",
        "userNonFundingLedgerUpdates",
        "userTwapSliceFills",
        "userTwapHistory",
        "userHistoricalOrders",
        "clearinghouseState",
        "openOrders",
        "spotState",
        "twapStates",
    }
)


def parse_subscription(subscription: Any, coins: Coins) -> Key:
    """The key of a subscription object. Raises InvalidInput."""
    if not isinstance(subscription, dict):
        raise InvalidInput("subscription must be an object")
    kind = subscription.get("type")
    if kind in USER_CHANNELS:
        return kind, parse_address(subscription.get("user")).hex()
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise InvalidInput("unknown subscription type")
    return reader(subscription, coins)


def _all(kind: str) -> Callable[[dict[str, Any], Coins], Key]:
    return lambda subscription, coins: (kind,)


def _coin(kind: str) -> Callable[[dict[str, Any], Coins], Key]:
    return lambda subscription, coins: (kind, coins.named(subscription.get("coin")).name)


def _book(subscription: dict[str, Any], coins: Coins) -> Key:
    figures, mantissa = parse_grouping(subscription)
    return "l2Book", coins.named(subscription.get("coin")).name, str(figures or ""), str(mantissa or "")


def _candle(subscription: dict[str, Any], coins: Coins) -> Key:
    interval = subscription.get("interval")
    if not isinstance(interval, str) or interval not in INTERVALS_MS:
        raise InvalidInput("unknown candle interval")
    return "candle", coins.named(subscription.get("coin")).name, interval


def _asset_data(subscription: dict[str, Any], coins: Coins) -> Key:
    user = parse_address(subscription.get("user")).hex()
    return "activeAssetData", user, coins.named(subscription.get("coin")).name


def parse_grouping(request: dict[str, Any]) -> tuple[int | None, int | None]:
    """nSigFigs (2 to 5, or absent) and mantissa (2 or 5, only with nSigFigs 5) of an l2Book request."""
    figures, mantissa = request.get("nSigFigs"), request.get("mantissa")
    if figures is not None and (type(figures) is not int or not 2 <= figures <= 5):
        raise InvalidInput("nSigFigs must be 2, 3, 4, 5 or null")
    if mantissa is not None and (type(mantissa) is not int or mantissa not in (1, 2, 5) or figures != 5):
        raise InvalidInput("mantissa must be 1, 2 or 5, and only with nSigFigs 5")
    return figures, mantissa if mantissa != 1 else None


_READERS: dict[str, Callable[[dict[str, Any], Coins], Key]] = {
    "allMids": _all("allMids"),
    "allDexsAssetCtxs": _all("allDexsAssetCtxs"),
    "assetCtxs": _all("assetCtxs"),
    "l2Book": _book,
    "trades": _coin("trades"),
    "bbo": _coin("bbo"),
    "activeAssetCtx": _coin("activeAssetCtx"),
    "candle": _candle,
    "activeAssetData": _asset_data,
}
