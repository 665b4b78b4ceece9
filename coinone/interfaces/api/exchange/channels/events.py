"""Channels about events of an account: made from a batch's events.

Four of them are histories: their first message holds an account's newest rows (account_rows.py), and later ones those
of each batch.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from coinone.interfaces.api.exchange.channels import account_rows
from coinone.interfaces.api.exchange.channels.account_events import AccountEvents
from coinone.interfaces.api.exchange.channels.channel import FILLS, JOINED, USER, Channel, Fields, message
from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.exchange.json import events as formats
from coinone.interfaces.api.exchange.json.fills import fill_rows
from coinone.interfaces.api.exchange.json.orders import order_history_json, order_update_json
from coinone.interfaces.api.sockets.hub import FirstMessages, Key

Json = dict[str, Any]
Rows = Awaitable[list[Json]]
_FORCED = ("Canceled", "Cancel")  # endings of the status of an order that its owner did not cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class EventChannel(Channel):
    """A channel about an account's events. `messages` makes the messages of one account's share of a batch; `forms`
    are the optional last parts of a key."""

    messages: Callable[[AccountEvents, Key], Awaitable[list[bytes]]]
    forms: tuple[str, ...] = ()


async def _order_updates(share: AccountEvents, key: Key) -> list[bytes]:
    rows = await share.turns.collect(order_update_json(row, share.coins) for row in share.orders)
    return [message("orderUpdates", rows)] if rows else []


async def _user_events(share: AccountEvents, key: Key) -> list[bytes]:
    """The messages of the channel that Hyperliquid calls "user": one kind of event in each."""
    news: list[Json] = []
    if share.fills:
        news.append({"fills": await share.fill_rows()})
    news += [{"funding": formats.funding_stream_json(row, share.coins)} for row in share.fundings]
    news += [{"liquidation": formats.liquidation_json(row)} for row in share.liquidations]
    forced = [row for row in share.orders if row.status.endswith(_FORCED)]
    if forced:
        rows = await share.turns.collect(
            {"coin": share.coins[row.market].name, "oid": row.oid} for row in forced
        )
        news.append({"nonUserCancel": rows})
    return [message("user", item) for item in news]


async def _fills(share: AccountEvents, key: Key) -> list[Json]:
    if JOINED in key:
        return await share.turns.collect(fill_rows(share.fills, share.coins, joined=True))
    return await share.fill_rows()


async def _fundings(share: AccountEvents, key: Key) -> list[Json]:
    return await share.turns.collect(formats.funding_stream_json(row, share.coins) for row in share.fundings)


async def _ledger(share: AccountEvents, key: Key) -> list[Json]:
    return await share.turns.collect(map(formats.ledger_json, share.ledger))


async def _orders(share: AccountEvents, key: Key) -> list[Json]:
    return await share.turns.collect(order_history_json(row, share.coins) for row in share.orders)


def _history(
    name: str,
    about: str,
    field: str,
    first: Callable[[Sources, Key], Awaitable[tuple[list[Json], int]]],
    rows: Callable[[AccountEvents, Key], Rows],
    fields: Fields = USER,
    forms: tuple[str, ...] = (),
) -> EventChannel:
    """A channel whose rows are in `field` of a message; `first` returns the newest ones, and after which batch."""

    def told(key: Key, made: list[Json], is_snapshot: bool) -> bytes:
        return message(name, {"isSnapshot": is_snapshot, "user": "0x" + key[1], field: made})

    async def snapshot(sources: Sources, key: Key) -> FirstMessages:
        made, seq = await first(sources, key)
        return FirstMessages([told(key, made, True)], seq)

    async def messages(share: AccountEvents, key: Key) -> list[bytes]:
        made = await rows(share, key)
        return [told(key, made, False)] if made else []

    return EventChannel(name, about, fields, weight=1, snapshot=snapshot, messages=messages, forms=forms)


EVENTS = (
    EventChannel("orderUpdates", "placed, changed and ended orders", USER, messages=_order_updates),
    EventChannel(
        "userEvents", "fills, funding, liquidations and forced cancels", USER, messages=_user_events
    ),
    _history("userFills", "fills", "fills", account_rows.fills, _fills, FILLS, (JOINED,)),
    _history("userFundings", "funding payments", "fundings", account_rows.fundings, _fundings),
    _history(
        "userNonFundingLedgerUpdates",
        "all other payments",
        "nonFundingLedgerUpdates",
        account_rows.ledger,
        _ledger,
    ),
    _history(
        "userHistoricalOrders", "resting and ended orders", "orderHistory", account_rows.orders, _orders
    ),
)


def event_keys(user: str) -> Iterator[tuple[EventChannel, Key]]:
    """All keys of an account's channels, those with optional parts last."""
    for channel in EVENTS:
        yield channel, (channel.name, user)
    for channel in EVENTS:
        for form in channel.forms:
            yield channel, (channel.name, user, form)
