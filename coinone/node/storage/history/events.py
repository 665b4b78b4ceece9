"""Turn a batch's events into history rows: fills, trades, candles, funding, ledger and ended orders.

Trades come as the kernel's columns (event_log.py) and are encoded from them; the few other events one by one.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from struct import Struct
from typing import Any, assert_never

from coinone.base.primitives.types import Address
from coinone.node.storage.codec import encode_fields, encode_row, plain_int
from coinone.node.storage.history.candles import Candle, minutes_of, stored_candles
from coinone.node.storage.tables import NodeTable, u16, u64
from coinone.rules.exchange.events.columns import addresses_of
from coinone.rules.exchange.events.event_log import EventLog, Trades
from coinone.rules.exchange.events.events import (
    Event,
    Fill,
    FundingPayment,
    LedgerUpdate,
    LiquidationEvent,
    MarketUpdate,
)
from coinone.rules.exchange.events.orders import OrderUpdate
from coinone.rules.exchange.rows.status import Status

RATE_ROW = Struct(">qq")  # hourly rate and average premium, in 1e-9
TAKER, MAKER = b"\x00", b"\x01"


class BatchHistory:
    """The history of one batch: new rows and candles of its trades, computed on first use."""

    def __init__(self, seq: int, events: EventLog) -> None:
        self.seq = seq
        self._events = events

    @property
    def event_count(self) -> int:
        return len(self._events)

    @cached_property
    def rows(self) -> Mapping[Enum, Mapping[bytes, bytes]]:
        rows, counter = _Rows(), 0  # of events in the batch
        for part in self._events.parts:
            if isinstance(part, Trades):
                _add_fills(rows, part)
                _add_ended_orders(rows, part, counter + len(part.fills))
                counter += len(part)
            else:
                _add_event(rows, part, counter)
                counter += 1
        return rows.tables

    @cached_property
    def candles(self) -> Mapping[bytes, Candle]:
        trades = (trade for part in self._events.parts for trade in minutes_of(part))
        return {candle_key(*place): candle for place, candle in stored_candles(trades).items()}


def candle_key(market: int, length_ms: int, open_ms: int) -> bytes:
    return u16(market) + length_ms.to_bytes(4, "big") + u64(open_ms)


def trade_keys(market: int, time_ms: int, tid: int, taker: Address, maker: Address) -> tuple[bytes, ...]:
    """The key of a trade in TRADE and those of its two parties in FILL."""
    when = u64(time_ms) + u64(tid)
    return u16(market) + when, taker + when + TAKER, maker + when + MAKER


def oid_key(oid: int) -> bytes:
    return b"o" + u64(oid)


def cloid_key(account: Address, cloid: int) -> bytes:
    return b"c" + account + cloid.to_bytes(16, "big")


class _Rows:
    def __init__(self) -> None:
        self.tables: dict[Enum, dict[bytes, bytes]] = {}

    def add(self, table: Enum, key: bytes, value: bytes) -> None:
        self.tables.setdefault(table, {})[key] = value

    def add_fill(
        self, market: int, time_ms: int, tid: int, taker: Address, maker: Address, row: bytes
    ) -> None:
        trade, *parties = trade_keys(market, time_ms, tid, taker, maker)
        self.add(NodeTable.TRADE, trade, row)
        for party in parties:
            self.add(NodeTable.FILL, party, u16(market))

    def add_ended_order(self, order: bytes, account: Address, oid: int, cloid: int, row: bytes) -> None:
        by_cloid = cloid_key(account, cloid) if cloid else b""
        self.add(NodeTable.ORDER, order, row)
        self.add(NodeTable.ORDER_INDEX, oid_key(oid), order + by_cloid)
        if by_cloid:
            self.add(NodeTable.ORDER_INDEX, by_cloid, order)


def _add_fills(rows: _Rows, trades: Trades) -> None:
    columns = trades.fill_columns(_side_fields)
    places = zip(columns["market"], columns["tid"], strict=True)
    parties = zip(addresses_of(trades.takers), addresses_of(trades.makers), strict=True)
    encoded = map(_encoded, *columns.values())
    for (market, tid), (taker, maker), row in zip(places, parties, encoded, strict=True):
        rows.add_fill(market, trades.time_ms, tid, taker, maker, row)


def _add_ended_orders(rows: _Rows, trades: Trades, first: int) -> None:
    """Add the orders that ended; `first` is the index of the segment's first update among the batch's events."""
    places = (trades.updates["status"] != Status.OPEN).nonzero()[0]
    columns = trades.update_columns(places)
    cloids = columns["cloid"]
    named = zip(places.tolist(), columns["account"], columns["oid"], cloids, strict=True)
    columns["cloid"] = map(plain_int, cloids)
    encoded = map(_encoded, *columns.values())
    for (place, account, oid, cloid), row in zip(named, encoded, strict=True):
        rows.add_ended_order(_at(account, trades.time_ms, first + place), account, oid, cloid, row)


def _add_event(rows: _Rows, event: Event, counter: int) -> None:
    match event:
        case Fill():
            parties = (event.taker.account, event.maker.account)
            rows.add_fill(event.market, event.time_ms, event.tid, *parties, encode_row(event))
        case OrderUpdate():
            if event.status != "open":
                order = _at(event.account, event.time_ms, counter)
                rows.add_ended_order(order, event.account, event.oid, event.cloid, encode_row(event))
        case FundingPayment():
            payment = event.account + u64(event.time_ms) + u16(event.market)
            rows.add(NodeTable.FUNDING, payment, encode_row(event))
            figures = RATE_ROW.pack(event.rate, event.premium)
            rows.add(NodeTable.FUNDING_RATE, u16(event.market) + u64(event.time_ms), figures)
        case LedgerUpdate():
            rows.add(NodeTable.LEDGER, _at(event.account, event.time_ms, counter), encode_row(event))
        case LiquidationEvent() | MarketUpdate():
            pass  # kept in no table
        case _:
            assert_never(event)


def _side_fields(account: Address, oid: int, cloid: int, *rest: int) -> tuple[Any, ...]:
    """The fields of a FillSide as its row stores them."""
    return account, oid, plain_int(cloid), *rest


def _encoded(*fields: Any) -> bytes:
    return encode_fields(fields)


def _at(account: Address, time_ms: int, counter: int) -> bytes:
    return account + u64(time_ms) + counter.to_bytes(4, "big")
