"""Fold the history of a block's batches (events.py) into table rows.

Most rows have new keys, so undoing a block deletes them. Candles change existing rows; an hour's funding rate is
rewritten by each batch that books some of its payments, and a client order id may be used again. Ended orders, of which
makers leave dozens every second, are kept up to a number of order ids; pruning.py deletes other old rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from coinone.node.limits import ENDED_ORDERS_KEPT, ENDED_ORDERS_PRUNED_PER_BLOCK
from coinone.node.storage.codec import decode_row, encode_row
from coinone.node.storage.history.candles import Candle, joined
from coinone.node.storage.history.events import BatchHistory, oid_key
from coinone.node.storage.history.pruning import pruned_history
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.state.database import Changes

Rows = dict[bytes, bytes | None]
_ORDER_KEY_SIZE = 32  # account, time, counter


@dataclass(frozen=True, slots=True)
class Folded:
    """The rows that a block writes for its batches."""

    fresh: Changes  # new keys
    changed: Changes  # keys that may exist
    pruned: Changes  # old rows deleted for good, even if the block is undone


def order_key_of(index_row: bytes) -> bytes:
    return index_row[:_ORDER_KEY_SIZE]


def folded(before: Snapshot, batches: Sequence[BatchHistory]) -> Folded:
    """The rows to write for these batches, on top of `before`."""
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
    pruned = pruned_history(before, fresh, candles)
    pruned.update(_old_orders(before, fresh.get(NodeTable.ORDER_INDEX, {})))
    changed: Changes = {
        NodeTable.CANDLE: {key: encode_row(candle) for key, candle in candles.items()},
        NodeTable.FUNDING_RATE: fresh.pop(NodeTable.FUNDING_RATE, {}),
    }
    by_oid, changed[NodeTable.ORDER_INDEX] = _parted(fresh.pop(NodeTable.ORDER_INDEX, {}))
    return Folded({**fresh, NodeTable.ORDER_INDEX: by_oid}, changed, pruned)


def _parted(index: Rows) -> tuple[Rows, Rows]:
    """Split the index of ended orders into rows by oid and rows by client id."""
    by_oid: Rows = {}
    by_cloid: Rows = {}
    for key, row in index.items():
        (by_oid if key.startswith(b"o") else by_cloid)[key] = row
    return by_oid, by_cloid


def _old_orders(before: Snapshot, fresh: Rows) -> Changes:
    """Delete ended orders whose ids are too far behind the newest; ids rise with time."""
    newest = max((key for key in fresh if key.startswith(b"o")), default=b"o" + u64(0))
    oldest_kept = int.from_bytes(newest[1:], "big") - ENDED_ORDERS_KEPT
    orders: Rows = {}
    index: Rows = {}
    if oldest_kept > 0:
        old = before.range(NodeTable.ORDER_INDEX, oid_key(0), oid_key(oldest_kept))
        for key, row in islice(old, ENDED_ORDERS_PRUNED_PER_BLOCK):
            order, by_cloid = order_key_of(row), row[_ORDER_KEY_SIZE:]
            orders[order] = index[key] = None
            if by_cloid and by_cloid not in fresh and before.get(NodeTable.ORDER_INDEX, by_cloid) == order:
                index[by_cloid] = None
    return {NodeTable.ORDER: orders, NodeTable.ORDER_INDEX: index}
