"""From events to rows of the history: what each batch adds, and how that is folded into the tables.

Trades, fills, funding and ledger rows are new keys. Candles and ended orders change rows that are there: a
batch holds what it adds, and folding a block's batches gives the rows to write.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from coinone.base.primitives.limits import ENDED_ORDERS_PER_ACCOUNT_MAX
from coinone.base.primitives.types import Address
from coinone.node.storage.candles import Candle, joined, stored_candles
from coinone.node.storage.codec import decode_row, encode_row
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import NodeTable, u16, u64
from coinone.rules.exchange.events import Event, Fill, FundingPayment, LedgerUpdate, OrderUpdate
from coinone.rules.state.database import Changes

TAKER, MAKER = b"\x00", b"\x01"


@dataclass(frozen=True, slots=True)
class BatchHistory:
    """What one batch adds."""

    seq: int
    rows: dict[Enum, dict[bytes, bytes]] = field(default_factory=dict)
    candles: dict[bytes, Candle] = field(default_factory=dict)
    ended: tuple[OrderUpdate, ...] = ()


def history_of(seq: int, events: Iterable[Event]) -> BatchHistory:
    batch = BatchHistory(seq, {}, {}, ())
    fills: list[Fill] = []
    ended: list[OrderUpdate] = []
    for counter, event in enumerate(events):
        if isinstance(event, Fill):
            fills.append(event)
            _add_fill(batch, event)
        elif isinstance(event, OrderUpdate):
            if event.status != "open":
                ended.append(event)
        elif isinstance(event, FundingPayment):
            key = event.account + u64(event.time_ms) + u16(event.market)
            _add(batch, NodeTable.FUNDING, key, encode_row(event))
            rate = event.rate.to_bytes(8, "big", signed=True)
            _add(batch, NodeTable.FUNDING_RATE, u16(event.market) + u64(event.time_ms), rate)
        elif isinstance(event, LedgerUpdate):
            key = event.account + u64(event.time_ms) + counter.to_bytes(4, "big")
            _add(batch, NodeTable.LEDGER, key, encode_row(event))
    candles = {candle_key(*place): candle for place, candle in stored_candles(fills).items()}
    return BatchHistory(seq, batch.rows, candles, tuple(ended))


def candle_key(market: int, length_ms: int, open_ms: int) -> bytes:
    return u16(market) + length_ms.to_bytes(4, "big") + u64(open_ms)


def place_of_oid(oid: int) -> bytes:
    return b"o" + u64(oid)


def place_of_cloid(account: Address, cloid: int) -> bytes:
    return b"c" + account + cloid.to_bytes(16, "big")


def folded(before: Snapshot, batches: Iterable[BatchHistory]) -> Changes:
    """The rows to write for these batches, on top of what `before` holds."""
    changes: Changes = {}
    ended = _EndedOrders(before)
    candles: dict[bytes, Candle] = {}
    for batch in batches:
        for table, rows in batch.rows.items():
            changes.setdefault(table, {}).update(rows)
        for key, candle in batch.candles.items():
            if key not in candles:
                row = before.get(NodeTable.CANDLE, key)
                candles[key] = candle if row is None else joined(decode_row(Candle, row), candle)
            else:
                candles[key] = joined(candles[key], candle)
        for update in batch.ended:
            ended.add(update)
    changes[NodeTable.CANDLE] = {key: encode_row(candle) for key, candle in candles.items()}
    return {**changes, **ended.changes}


class _EndedOrders:
    """Each account's ended orders in a ring: the newest pushes out the oldest, and its index rows with it."""

    def __init__(self, before: Snapshot) -> None:
        self._before = before
        self.changes: dict[Enum, dict[bytes, bytes | None]] = {
            NodeTable.ORDER: {},
            NodeTable.ORDER_PLACE: {},
            NodeTable.ORDER_COUNT: {},
        }

    def add(self, update: OrderUpdate) -> None:
        row = self._get(NodeTable.ORDER_COUNT, update.account)
        count = 0 if row is None else int.from_bytes(row, "big")
        place = update.account + u16(count % ENDED_ORDERS_PER_ACCOUNT_MAX)
        pushed_out = self._get(NodeTable.ORDER, place)
        places = self.changes[NodeTable.ORDER_PLACE]
        if pushed_out is not None:
            for key in _index_keys(decode_row(OrderUpdate, pushed_out)):
                if self._get(NodeTable.ORDER_PLACE, key) == place:
                    places[key] = None
        self.changes[NodeTable.ORDER][place] = encode_row(update)
        self.changes[NodeTable.ORDER_COUNT][update.account] = u64(count + 1)
        places.update((key, place) for key in _index_keys(update))

    def _get(self, table: Enum, key: bytes) -> bytes | None:
        changed = self.changes[table]
        return changed[key] if key in changed else self._before.get(table, key)


def _index_keys(update: OrderUpdate) -> Iterator[bytes]:
    yield place_of_oid(update.oid)
    if update.cloid:
        yield place_of_cloid(update.account, update.cloid)


def _add_fill(batch: BatchHistory, fill: Fill) -> None:
    when = u64(fill.time_ms) + u64(fill.tid)
    _add(batch, NodeTable.TRADE, u16(fill.market) + when, encode_row(fill))
    _add(batch, NodeTable.FILL, fill.taker.account + when + TAKER, u16(fill.market))
    _add(batch, NodeTable.FILL, fill.maker.account + when + MAKER, u16(fill.market))


def _add(batch: BatchHistory, table: Enum, key: bytes, value: bytes) -> None:
    batch.rows.setdefault(table, {})[key] = value
