"""Channels about markets: made from the published view and the batch's events alone.

Each has a stream, which keeps its state between batches. After a batch they publish in the order of MARKETS.
"""

import base64
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from coinone.interfaces.api.admission.turns import Turns
from coinone.interfaces.api.exchange.channels.batch_events import trades_of
from coinone.interfaces.api.exchange.channels.candles import CandleStream
from coinone.interfaces.api.exchange.channels.channel import (
    BOOK,
    CANDLE,
    COIN,
    NO_FIELDS,
    Channel,
    Fields,
    message,
)
from coinone.interfaces.api.exchange.channels.outlet import Outlet
from coinone.interfaces.api.exchange.info.market_data import MarketData
from coinone.interfaces.api.exchange.json import events as formats
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.sockets.hub import FirstMessages, Key
from coinone.rules.exchange.events.event_log import EventLog

_ROWS_OF_A_BOOK = 32  # the cost of a book, in rows (fills and orders)
_TRADES_AT_FIRST = 30


class MarketStream(Protocol):
    """The stream of one channel of a running feed."""

    async def on_batch(self, events: EventLog, turns: Turns) -> None:
        """Publish the messages of the newest batch; the market data has adopted it already."""

    async def snapshot(self, key: Key) -> FirstMessages:
        """The first messages of a new subscriber. Rows and trades of the batches in it are not sent again. A state
        may be: a newer state may have the same number, and only older ones are skipped."""

    def reset(self) -> None:
        """Reset after a rewind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketChannel(Channel):
    stream: Callable[[Outlet], MarketStream]


class ChangeStream:
    """Publishes a state whenever it differs from the last published one."""

    def __init__(self, outlet: Outlet, name: str, data: Callable[[MarketData, Key], Any], rows: int) -> None:
        self._outlet = outlet
        self._name = name
        self._data = data
        self._rows = rows

    async def on_batch(self, events: EventLog, turns: Turns) -> None:
        for key in self._outlet.hub.keys(self._name):
            self._outlet.publish_changed(key, self._message(key))
            if self._rows:
                await turns.after(self._rows)

    async def snapshot(self, key: Key) -> FirstMessages:
        return FirstMessages([self._message(key)], self._outlet.data.seq - 1)

    def reset(self) -> None:
        """Nothing to do: the outlet forgets what was published."""

    def _message(self, key: Key) -> bytes:
        return message(self._name, self._data(self._outlet.data, key))


class Prices:
    """fastAssetCtxs: only changed prices, as at Hyperliquid; a subscriber's first message has all. Data is base64 of
    raw DEFLATE (RFC 1951) of JSON."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._told: dict[str, Any] = {}

    async def on_batch(self, events: EventLog, turns: Turns) -> None:
        for key in self._outlet.hub.keys("fastAssetCtxs"):
            prices = self._outlet.data.prices()
            changed = {coin: price for coin, price in prices.items() if self._told.get(coin) != price}
            if changed:
                self._told = prices
                self._outlet.publish(key, _squeezed("fastAssetCtxs", changed))

    async def snapshot(self, key: Key) -> FirstMessages:
        self._told = self._outlet.data.prices()  # the base of later changes, for earlier subscribers too
        return FirstMessages([_squeezed("fastAssetCtxs", self._told)], self._outlet.data.seq - 1)

    def reset(self) -> None:
        self._told.clear()


class TradeStream:
    """Publishes the trades in a market's book."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    async def on_batch(self, events: EventLog, turns: Turns) -> None:
        coins = self._outlet.data.coins
        for key in self._outlet.hub.keys("trades"):
            fills = trades_of(events, coins.named(key[1]).index)
            trades = await turns.collect(formats.trade_json(fill, coins) for fill in fills)
            if trades:
                self._outlet.publish(key, message("trades", trades))

    async def snapshot(self, key: Key) -> FirstMessages:
        data = self._outlet.data
        coin = data.coins.named(key[1])
        trades = data.recent_trades(coin, _TRADES_AT_FIRST)
        return FirstMessages([message("trades", trades)] if trades else [], data.trades_seq(coin))

    def reset(self) -> None:
        """Nothing to do: no state is kept."""


def _squeezed(channel: str, data: Any) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(jsonio.encode(data)) + packer.flush()
    return message(channel, base64.b64encode(packed).decode())


def _mids(data: MarketData, key: Key) -> Any:
    return {"mids": data.mids()}


def _bbo(data: MarketData, key: Key) -> Any:
    return data.bbo(data.coins.named(key[1]))


def _context(data: MarketData, key: Key) -> Any:
    coin = data.coins.named(key[1])
    return {"coin": coin.name, "ctx": data.context(coin)}


def _contexts(data: MarketData, key: Key) -> Any:
    return {"dex": "", "ctxs": data.contexts()}


def _contexts_by_dex(data: MarketData, key: Key) -> Any:
    return {"ctxs": [["", data.contexts()]]}


def _book(data: MarketData, key: Key) -> Any:
    figures, mantissa = (int(text) if text else None for text in key[2:])
    return data.book(data.coins.named(key[1]), figures, mantissa)


def _changing(
    name: str, about: str, fields: Fields, data: Callable[[MarketData, Key], Any], rows: int = 0
) -> MarketChannel:
    """A channel that publishes changes. `rows`: the cost of a message in rows, if others have their turn after it."""
    return MarketChannel(name, about, fields, stream=lambda outlet: ChangeStream(outlet, name, data, rows))


MARKETS = (
    _changing("allMids", "the mid price of each market", NO_FIELDS, _mids),
    _changing("bbo", "best bid and ask", COIN, _bbo),
    _changing("activeAssetCtx", "a market's prices, funding and volume", COIN, _context),
    _changing("assetCtxs", "the same of all markets", NO_FIELDS, _contexts),
    _changing("allDexsAssetCtxs", "the same, by exchange; there is only one", NO_FIELDS, _contexts_by_dex),
    MarketChannel(
        "fastAssetCtxs", "prices that changed, in base64 of raw DEFLATE of JSON", NO_FIELDS, stream=Prices
    ),
    MarketChannel("candle", "the candle of the current interval", CANDLE, stream=CandleStream),
    _changing("l2Book", "20 levels of each side", BOOK, _book, _ROWS_OF_A_BOOK),
    MarketChannel("trades", f"trades; the newest {_TRADES_AT_FIRST} at first", COIN, stream=TradeStream),
)
