"""What the state channels say of an account: its balance, positions and orders as they are now.

The state is read on the executor, many accounts a visit, and made into messages here; feed.py decides when. An account
may have thousands of orders: they are made into JSON once for all its channels, and others have their turn meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import msgspec

from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.turns import Turns
from coinone.interfaces.api.exchange.channels.account_events import message
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.info.absent import USER_ABSTRACTION
from coinone.interfaces.api.exchange.info.accounts import web_data
from coinone.interfaces.api.exchange.info.sources import Json, Sources
from coinone.interfaces.api.exchange.json import accounts
from coinone.interfaces.api.exchange.json.orders import frontend_order_json
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.sockets.hub import Key
from coinone.node.node import ChainReader

_WITH_ORDERS = ("openOrders", "webData2")
_ROWS_OF_A_STATE = 32  # what a state takes beside its orders, in their measure
Leverage = tuple[int, bool]  # and whether it is cross


@dataclass(frozen=True, slots=True)
class _Read:
    """What the executor said for one key."""

    key: Key
    view: accounts.AccountView
    leverage: Leverage | None  # of an asset, where the channel is about one
    seq: int  # of the batch after which it was so


async def account_states(
    sources: Sources, watched: dict[Address, list[Key]], turns: Turns
) -> AsyncIterator[tuple[Key, bytes, int]]:
    """The messages of these accounts' state channels, each with the batch after which it was so."""
    time_ms, coins = sources.data.time_ms, sources.data.coins

    def leverage(reader: ChainReader, key: Key) -> Leverage | None:
        if key[0] != "activeAssetData":
            return None
        return reads.leverage_of(reader.exchange, bytes.fromhex(key[1]), coins.named(key[2]).index)

    def read(reader: ChainReader, user: Address, keys: list[Key]) -> list[_Read]:
        with_orders = any(key[0] in _WITH_ORDERS for key in keys)
        view = reads.account_view(reader.exchange, user, time_ms, with_orders)
        seq = reader.chain.cursor.seq
        return [_Read(key, view, leverage(reader, key), seq) for key in keys]

    found = await asyncio.gather(
        *[sources.queries.run(partial(read, user=user, keys=keys)) for user, keys in watched.items()]
    )
    for rows in found:
        orders = await _orders(sources, rows, turns)
        for row in rows:
            yield row.key, message(row.key[0], _state(sources, row, orders)), row.seq
            await turns.after(_ROWS_OF_A_STATE)


async def _orders(sources: Sources, rows: list[_Read], turns: Turns) -> msgspec.Raw:
    """Of one account; none where no channel shows them."""
    orders = next((row.view.orders for row in rows if row.key[0] in _WITH_ORDERS), ())
    made = await turns.collect(frontend_order_json(order, sources.data.coins) for order in reversed(orders))
    return msgspec.Raw(jsonio.encode(made))


def _state(sources: Sources, row: _Read, orders: msgspec.Raw) -> Json:
    """The data of one message; `dex` is "", as the one exchange here is the main one."""
    channel, user, coins = row.key[0], "0x" + row.key[1], sources.data.coins
    if channel == "openOrders":
        return {"dex": "", "user": user, "orders": orders}
    if channel == "spotState":
        token = sources.network.quote_token.name
        return {"user": user, "spotState": accounts.spot_state_json(row.view, token)}
    if channel == "activeAssetData":
        assert row.leverage is not None, "it was read with the account"
        coin = coins.named(row.key[2])
        mark = sources.data.figures(coin.index).mark
        return accounts.active_asset_json(row.view, user, coin, mark, *row.leverage)
    if channel == "webData2":
        return web_data(sources, bytes.fromhex(row.key[1]), row.view, orders)
    if channel == "webData3":
        return _web_data_3(sources, user, row.view)
    state = accounts.clearinghouse_json(row.view, coins, sources.data.time_ms)
    if channel == "clearinghouseState":
        return {"dex": "", "user": user, "clearinghouseState": state}
    assert channel == "allDexsClearinghouseState"
    return {"user": user, "clearinghouseStates": [["", state]]}


def _web_data_3(sources: Sources, user: str, view: accounts.AccountView) -> Json:
    """What is left of webData2 since its parts have channels of their own."""
    return {
        "userState": {
            **accounts.agent_json(view),
            "cumLedger": "0.0",
            "serverTime": sources.data.time_ms,
            "isVault": False,
            "user": user,
            "abstraction": USER_ABSTRACTION,
        },
        "perpDexStates": [{"totalVaultEquity": "0.0", "perpsAtOpenInterestCap": [], "leadingVaults": []}],
    }
