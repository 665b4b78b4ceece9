"""The record of a channel, and the fields of a subscription.

A key is what the hub counts by: the channel's name, then the fields of the subscription. An unsupported option is
refused, so that no client waits for messages that never come.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import parse_address
from coinone.interfaces.api.exchange.info.markets import parse_grouping
from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.exchange.json.fills import parse_joined
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.sockets.hub import NOTHING, FirstMessages, Key
from coinone.node.storage.history.candles import INTERVALS

Json = dict[str, Any]
JOINED = "joined"
"""In a key of userFills: merged as aggregateByTime specifies."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a subscription. `read` returns the part of its key after the channel's name. Raises
    InvalidInput."""

    read: Callable[[Json, Coins], Key]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()  # optional fields


async def nothing(sources: Sources, key: Key) -> FirstMessages:
    return NOTHING


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that clients can subscribe to: sessions, the feed, weights and docs/protocol/api.md read this
    record."""

    name: str
    about: str
    fields: Fields
    weight: int = 0  # of a new subscription, in addition to that of its first messages
    snapshot: Callable[[Sources, Key], Awaitable[FirstMessages]] = (
        nothing  # the first messages of a new subscriber
    )


def message(channel: str, data: Any) -> bytes:
    """Encode one message of a stream."""
    return jsonio.encode({"channel": channel, "data": data})


def _user(subscription: Json, coins: Coins) -> Key:
    return (parse_address(subscription.get("user")).hex(),)


def _coin(subscription: Json, coins: Coins) -> Key:
    return (coins.named(subscription.get("coin")).name,)


def _fills(subscription: Json, coins: Coins) -> Key:
    user = _user(subscription, coins)
    return (*user, JOINED) if parse_joined(subscription) else user


def _book(subscription: Json, coins: Coins) -> Key:
    figures, mantissa = parse_grouping(subscription)
    return *_coin(subscription, coins), str(figures or ""), str(mantissa or "")


def _candle(subscription: Json, coins: Coins) -> Key:
    interval = subscription.get("interval")
    if not isinstance(interval, str) or interval not in INTERVALS:
        raise InvalidInput("unknown candle interval")
    return *_coin(subscription, coins), interval


def _user_and_coin(subscription: Json, coins: Coins) -> Key:
    return *_user(subscription, coins), *_coin(subscription, coins)


NO_FIELDS = Fields(lambda subscription, coins: ())
USER = Fields(_user, ("user",))
COIN = Fields(_coin, ("coin",))
FILLS = Fields(_fills, ("user",), ("aggregateByTime",))
BOOK = Fields(_book, ("coin",), ("nSigFigs", "mantissa"))
CANDLE = Fields(_candle, ("coin", "interval"))
USER_AND_COIN = Fields(_user_and_coin, ("user", "coin"))
