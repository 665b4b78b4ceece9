"""Channels about the current state of an account: its balance, positions and orders.

The state is read on the executor, many accounts per visit, and made into messages here; feed.py decides when. An
account may have thousands of orders: they are encoded once for all its channels, yielding to other work meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.turns import Turns
from coinone.interfaces.api.exchange.channels.channel import USER, USER_AND_COIN, Channel, message
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.info.absent import USER_ABSTRACTION
from coinone.interfaces.api.exchange.info.accounts import web_data
from coinone.interfaces.api.exchange.info.sources import Json, Sources
from coinone.interfaces.api.exchange.json import accounts
from coinone.interfaces.api.exchange.json.orders import frontend_order_json
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.sockets.hub import FirstMessages, Key
from coinone.node.node import ChainReader

_ROWS_OF_A_STATE = 32  # the cost of a state apart from its orders, in rows


@dataclass(frozen=True, slots=True)
class _Read:
    """The state read on the executor for one key."""

    key: Key
    view: accounts.AccountView
    terms: accounts.MarginTerms | None  # of an asset, if the channel is about one
    seq: int  # of the batch after which it was read


async def first_state(sources: Sources, key: Key) -> FirstMessages:
    """The first message of a new subscriber."""
    states = account_states(sources, {bytes.fromhex(key[1]): [key]}, Turns())
    ((_, payload, seq),) = [state async for state in states]
    return FirstMessages([payload], seq - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChannel(Channel):
    """A channel whose messages show an account's state. `data` makes a message's data from the state and the orders
    as JSON."""

    data: Callable[[Sources, _Read, msgspec.Raw], Json]
    weight: int = 1
    snapshot: Callable[[Sources, Key], Awaitable[FirstMessages]] = first_state
    has_orders: bool = False
    has_terms: bool = False  # whether it is also about an asset


async def account_states(
    sources: Sources, watched: dict[Address, list[Key]], turns: Turns
) -> AsyncIterator[tuple[Key, bytes, int]]:
    """The messages of these accounts' state channels, each with the batch after which its state was read."""
    time_ms, coins = sources.data.time_ms, sources.data.coins

    def terms(reader: ChainReader, key: Key) -> accounts.MarginTerms | None:
        if not _BY_NAME[key[0]].has_terms:
            return None
        return reads.margin_terms(reader.exchange, bytes.fromhex(key[1]), coins.named(key[2]).index)

    def read(reader: ChainReader, user: Address, keys: list[Key]) -> list[_Read]:
        with_orders = any(_BY_NAME[key[0]].has_orders for key in keys)
        view = reads.account_view(reader.exchange, user, time_ms, with_orders)
        seq = reader.chain.cursor.seq
        return [_Read(key, view, terms(reader, key), seq) for key in keys]

    found = await asyncio.gather(
        *[sources.queries.run(partial(read, user=user, keys=keys)) for user, keys in watched.items()]
    )
    for rows in found:
        orders = await _orders(sources, rows, turns)
        for row in rows:
            data = _BY_NAME[row.key[0]].data(sources, row, orders)
            yield row.key, message(row.key[0], data), row.seq
            await turns.after(_ROWS_OF_A_STATE)


async def _orders(sources: Sources, rows: list[_Read], turns: Turns) -> msgspec.Raw:
    """The orders of one account; empty if no channel shows them."""
    orders = next((row.view.orders for row in rows if _BY_NAME[row.key[0]].has_orders), ())
    coins = sources.coins
    made = await turns.collect(frontend_order_json(order, coins) for order in reversed(orders))
    return msgspec.Raw(jsonio.encode(made))


# The data of messages; `dex` is "", as there is only the main exchange.


def _user(row: _Read) -> str:
    return "0x" + row.key[1]


def _clearinghouse(sources: Sources, row: _Read) -> Json:
    return accounts.clearinghouse_json(row.view, sources.coins, sources.data.time_ms)


def _clearinghouse_state(sources: Sources, row: _Read, orders: msgspec.Raw) -> Json:
    return {"dex": "", "user": _user(row), "clearinghouseState": _clearinghouse(sources, row)}


def _clearinghouse_states(sources: Sources, row: _Read, orders: msgspec.Raw) -> Json:
    return {"user": _user(row), "clearinghouseStates": [["", _clearinghouse(sources, row)]]}


def _open_orders(sources: Sources, row: _Read, orders: msgspec.Raw) -> Json:
    return {"dex": "", "user": _user(row), "orders": orders}


def _spot_state(sources: Sources, row: _Read, orders: msgspec.Raw) -> Json:
    token = sources.network.quote_token.name
    return {"user": _user(row), "spotState": accounts.spot_state_json(row.view, token)}


def _asset_data(sources: Sources, row: _Read, orders: msgspec.Raw) -> Json:
    assert row.terms is not None, "the channel's record says that they are read"
    coin = sources.data.coins.named(row.key[2])
    mark = sources.data.figures(coin.index).mark
    return accounts.active_asset_json(row.view, _user(row), coin, mark, row.terms)


def _web_data_2(sources: Sources, row: _Read, orders: msgspec.Raw) -> Json:
    return web_data(sources, bytes.fromhex(row.key[1]), row.view, orders)


def _web_data_3(sources: Sources, row: _Read, orders: msgspec.Raw) -> Json:
    """The fields that remain of webData2, whose other parts have separate channels."""
    return {
        "userState": {
            **accounts.agent_json(row.view),
            "cumLedger": "0.0",
            "serverTime": sources.data.time_ms,
            "isVault": False,
            "user": _user(row),
            "abstraction": USER_ABSTRACTION,
        },
        "perpDexStates": [{"totalVaultEquity": "0.0", "perpsAtOpenInterestCap": [], "leadingVaults": []}],
    }


STATES = (
    StateChannel("clearinghouseState", "margin and positions", USER, data=_clearinghouse_state),
    StateChannel(
        "allDexsClearinghouseState",
        "the same, by exchange; there is only one",
        USER,
        data=_clearinghouse_states,
    ),
    StateChannel("openOrders", "resting orders", USER, data=_open_orders, has_orders=True),
    StateChannel("spotState", "balance", USER, data=_spot_state),
    StateChannel(
        "webData2", "everything that Hyperliquid's page showed", USER, data=_web_data_2, has_orders=True
    ),
    StateChannel("webData3", "the fields of webData2 that have no other channel", USER, data=_web_data_3),
    StateChannel(
        "activeAssetData",
        "leverage and largest orders in a market",
        USER_AND_COIN,
        data=_asset_data,
        has_terms=True,
    ),
)
_BY_NAME = {channel.name: channel for channel in STATES}
STATE_NAMES = frozenset(_BY_NAME)
