"""From events to rows of the history: what each batch adds, and how that is folded into the tables.

All rows are new keys, so taking a block back deletes them; only candles change rows that are there. Ended
orders, of which makers leave dozens every second, are kept up to a number of order ids.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from struct import Struct

from coinone.base.primitives.limits import ENDED_ORDERS_KEPT, ENDED_ORDERS_PRUNED_PER_BLOCK
from coinone.base.primitives.types import Address
from coinone.node.storage.candles import Candle, joined, stored_candles
from coinone.node.storage.codec import decode_row, encode_row
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import NodeTable, u16, u64
from coinone.rules.exchange.events import Event, Fill, FundingPayment, LedgerUpdate, OrderUpdate
from coinone.rules.state.database import Changes

RATE_ROW = Struct(">qq")  # hourly rate and average premium, in 1e-9
TAKER, MAKER = b"\x00", b"\x01"
_ORDER_KEY_SIZE = 32  # account, time, counter


@dataclass(frozen=True, slots=True)
class BatchHistory:
    """What one batch adds: new rows, and what its trades do to the candles."""

    seq: int
    rows: dict[Enum, dict[bytes, bytes]] = field(default_factory=dict)
    candles: dict[bytes, Candle] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folded:
    """The rows that a block writes for its batches."""

    fresh: Changes  # keys that were not there
    changed: Changes
    pruned: Changes  # old rows that go for good, whatever becomes of the block


def history_of(seq: int, events: Iterable[Event]) -> BatchHistory:
    rows = _Rows()
    fills = []
    for counter, event in enumerate(events):
        if isinstance(event, Fill):
            fills.append(event)
            _add_fill(rows, event)
        elif isinstance(event, OrderUpdate):
            if event.status != "open":
                _add_ended_order(rows, event, counter)
        elif isinstance(event, FundingPayment):
            rows.add(
                NodeTable.FUNDING, event.account + u64(event.time_ms) + u16(event.market), encode_row(event)
            )
            figures = RATE_ROW.pack(event.rate, event.premium)
            rows.add(NodeTable.FUNDING_RATE, u16(event.market) + u64(event.time_ms), figures)
        elif isinstance(event, LedgerUpdate):
            rows.add(NodeTable.LEDGER, _at(event.account, event.time_ms, counter), encode_row(event))
    candles = {candle_key(*place): candle for place, candle in stored_candles(fills).items()}
    return BatchHistory(seq, rows.tables, candles)


def candle_key(market: int, length_ms: int, open_ms: int) -> bytes:
    return u16(market) + length_ms.to_bytes(4, "big") + u64(open_ms)


def oid_key(oid: int) -> bytes:
    return b"o" + u64(oid)


def cloid_key(account: Address, cloid: int) -> bytes:
    return b"c" + account + cloid.to_bytes(16, "big")


def order_key_of(index_row: bytes) -> bytes:
    return index_row[:_ORDER_KEY_SIZE]


def folded(before: Snapshot, batches: Sequence[BatchHistory]) -> Folded:
    """The rows to write for these batches, on top of what `before` holds."""
    fresh: Changes = {}
    candles: dict[bytes, Candle] = {}
    for batch in batches:
        for table, rows in batch.rows.items():
            fresh.setdefault(table, {}).update(rows)
        for key, candle in batch.candles.items():
            if key not in candles:
                row = before.get(NodeTable.CANDLE, key)
                candles[key] = candle if row is None else joined(decode_row(Candle, row), candle)
            else:
                candles[key] = joined(candles[key], candle)
    changed: Changes = {NodeTable.CANDLE: {key: encode_row(candle) for key, candle in candles.items()}}
    return Folded(fresh, changed, _pruned(before, fresh.get(NodeTable.ORDER_INDEX, {})))


def _pruned(before: Snapshot, fresh: dict[bytes, bytes | None]) -> Changes:
    """Delete ended orders whose id is too far behind the newest; ids rise with time."""
    newest = max((key for key in fresh if key.startswith(b"o")), default=b"o" + u64(0))
    oldest_kept = int.from_bytes(newest[1:], "big") - ENDED_ORDERS_KEPT
    orders: dict[bytes, bytes | None] = {}
    index: dict[bytes, bytes | None] = {}
    if oldest_kept > 0:
        old = before.range(NodeTable.ORDER_INDEX, oid_key(0), oid_key(oldest_kept))
        for key, row in islice(old, ENDED_ORDERS_PRUNED_PER_BLOCK):
            order, by_cloid = order_key_of(row), row[_ORDER_KEY_SIZE:]
            orders[order] = index[key] = None
            if by_cloid and by_cloid not in fresh and before.get(NodeTable.ORDER_INDEX, by_cloid) == order:
                index[by_cloid] = None
    return {NodeTable.ORDER: orders, NodeTable.ORDER_INDEX: index}


class _Rows:
    def __init__(self) -> None:
        self.tables: dict[Enum, dict[bytes, bytes]] = {}

    def add(self, table: Enum, key: bytes, value: bytes) -> None:
        self.tables.setdefault(table, {})[key] = value


def _add_fill(rows: _Rows, fill: Fill) -> None:
    when = u64(fill.time_ms) + u64(fill.tid)
    rows.add(NodeTable.TRADE, u16(fill.market) + when, encode_row(fill))
    rows.add(NodeTable.FILL, fill.taker.account + when + TAKER, u16(fill.market))
    rows.add(NodeTable.FILL, fill.maker.account + when + MAKER, u16(fill.market))


def _add_ended_order(rows: _Rows, update: OrderUpdate, counter: int) -> None:
    order = _at(update.account, update.time_ms, counter)
    by_cloid = cloid_key(update.account, update.cloid) if update.cloid else b""
    rows.add(NodeTable.ORDER, order, encode_row(update))
    rows.add(NodeTable.ORDER_INDEX, oid_key(update.oid), order + by_cloid)
    if by_cloid:
        rows.add(NodeTable.ORDER_INDEX, by_cloid, order)


def _at(account: Address, time_ms: int, counter: int) -> bytes:
    return account + u64(time_ms) + counter.to_bytes(4, "big")
