"""Every channel by name, and the parser of subscriptions."""

from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.exchange.channels.account_states import STATES
from coinone.interfaces.api.exchange.channels.channel import NO_FIELDS, USER, Channel, message
from coinone.interfaces.api.exchange.channels.events import EVENTS
from coinone.interfaces.api.exchange.channels.markets import MARKETS
from coinone.interfaces.api.exchange.info.sources import Sources, require_main_dex
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.exchange.json.markets import spot_contexts_json
from coinone.interfaces.api.limits import EXPLORER_STREAM_TRANSACTIONS_MAX
from coinone.interfaces.api.sockets.hub import FirstMessages, Key


async def _spot(sources: Sources, key: Key) -> FirstMessages:
    return FirstMessages([message("spotAssetCtxs", spot_contexts_json())], sources.data.seq - 1)


async def _twap_states(sources: Sources, key: Key) -> FirstMessages:
    data = {"dex": "", "user": "0x" + key[1], "states": []}
    return FirstMessages([message("twapStates", data)], sources.data.seq - 1)


def _empty_history(name: str, about: str, field: str) -> Channel:
    async def snapshot(sources: Sources, key: Key) -> FirstMessages:
        data = {"isSnapshot": True, "user": "0x" + key[1], field: []}
        return FirstMessages([message(name, data)], sources.data.seq - 1)

    return Channel(name, about, USER, snapshot=snapshot)


EXPLORER = (  # published by explorer/feed.py
    Channel("explorerBlock", "a row for each batch", NO_FIELDS),
    Channel(
        "explorerTxs", f"the last {EXPLORER_STREAM_TRANSACTIONS_MAX} transactions of each batch", NO_FIELDS
    ),
)
SILENT = (  # of absent features: accepted, with an empty state and no updates
    Channel("notification", "nothing", USER),
    Channel("outcomeMetaUpdates", "nothing", NO_FIELDS),
    Channel("spotAssetCtxs", "the one entry of `spotMeta`, without a price", NO_FIELDS, snapshot=_spot),
    Channel("twapStates", "no TWAP orders", USER, snapshot=_twap_states),
    _empty_history("userTwapSliceFills", "no fills of TWAP orders", "twapSliceFills"),
    _empty_history("userTwapHistory", "no TWAP orders", "history"),
)
GROUPS: dict[str, tuple[Channel, ...]] = {
    "Markets": MARKETS,
    "Events of an account": EVENTS,
    "State of an account": STATES,
    "Explorer": EXPLORER,
    "Silent": SILENT,
}
CHANNELS: dict[str, Channel] = {channel.name: channel for group in GROUPS.values() for channel in group}


def parse_subscription(subscription: Any, coins: Coins) -> Key:
    """Parse a subscription object into its key. Raises InvalidInput."""
    if not isinstance(subscription, dict):
        raise InvalidInput("subscription must be an object")
    name = subscription.get("type")
    if not isinstance(name, str):
        raise InvalidInput("subscription needs a type")
    require_main_dex(subscription)
    channel = CHANNELS.get(name)
    if channel is None:
        raise InvalidInput("unknown subscription type")
    return (name, *channel.fields.read(subscription, coins))
