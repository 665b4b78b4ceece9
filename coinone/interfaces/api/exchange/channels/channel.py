"""The record of a channel, and the fields of a subscription that tell what it is about.

A key is what the hub counts by: the channel's name, then what the subscription is about. An option that is not honoured
is refused, so that nobody waits for what never comes.
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
"""In a key of userFills: put together as aggregateByTime asks for."""


@dataclass(frozen=True, slots=True)
class Fields:
    """`read` makes of a subscription what follows the channel's name in its key. Raises InvalidInput."""

    read: Callable[[Json, Coins], Key]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()  # fields that may be left out


async def nothing(sources: Sources, key: Key) -> FirstMessages:
    return NOTHING


@dataclass(frozen=True, slots=True)
class Channel:
    """What may be listened to: sessions, the feed, prices and docs/protocol/api.md read this record."""

    name: str
    about: str
    fields: Fields
    weight: int = 0  # of a new subscription, besides what its first messages cost
    snapshot: Callable[[Sources, Key], Awaitable[FirstMessages]] = (
        nothing  # the first messages of a new listener
    )


def message(channel: str, data: Any) -> bytes:
    """One message of a stream."""
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
