"""Prune the history: new rows of a market or account delete its old ones.

So tables stay bounded without a sweep. Blocks, batches and receipts are kept. Deleted rows are far older than any block
that can be undone, so no undo restores them.
"""

from collections.abc import Iterable
from enum import Enum
from itertools import islice, takewhile

from coinone.node.limits import CANDLES_KEPT, HISTORY_KEPT_MS, HISTORY_PRUNED_PER_ROW, TRADES_KEPT
from coinone.node.storage.codec import decode_row
from coinone.node.storage.history.events import trade_keys
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.exchange.events.events import Fill
from coinone.rules.state.database import Changes

_AGED = {NodeTable.FUNDING: 20, NodeTable.LEDGER: 20, NodeTable.FUNDING_RATE: 2}  # bytes before the time
_MARKET_SIZE, _CANDLE_SIZE = 2, 6  # bytes before the time in keys of trades and candles


def pruned_history(before: Snapshot, fresh: Changes, candles: Iterable[bytes]) -> Changes:
    """The rows to delete with a block whose new rows are `fresh` and which changes these candles."""
    gone = _old_trades(before, fresh.get(NodeTable.TRADE, {}))
    for table, size in _AGED.items():
        gone[table] = {}
        for prefix, (newest, count) in _by_prefix(fresh.get(table, {}), size).items():
            until = max(0, _time(newest, size) - HISTORY_KEPT_MS)
            gone[table].update(_oldest(before, table, prefix, until, count))
    gone[NodeTable.CANDLE] = {}
    for prefix, (newest, count) in _by_prefix(candles, _CANDLE_SIZE).items():
        length = int.from_bytes(prefix[_MARKET_SIZE:], "big")
        until = max(0, _time(newest, _CANDLE_SIZE) - CANDLES_KEPT * length)
        gone[NodeTable.CANDLE].update(_oldest(before, NodeTable.CANDLE, prefix, until, count))
    return gone


def _old_trades(before: Snapshot, fresh: Iterable[bytes]) -> Changes:
    """Delete trades, and the fills that refer to them, whose ids are too far behind the newest."""
    trades: dict[bytes, bytes | None] = {}
    fills: dict[bytes, bytes | None] = {}
    keys = list(fresh)
    last_gone = max(map(_tid, keys), default=0) - TRADES_KEPT
    for prefix, (_, count) in _by_prefix(keys, _MARKET_SIZE).items():
        rows = before.range(NodeTable.TRADE, prefix + u64(0), prefix + u64(2**64 - 1))
        old = takewhile(lambda row: _tid(row[0]) <= last_gone, rows)
        for _, row in islice(old, HISTORY_PRUNED_PER_ROW * count):
            fill = decode_row(Fill, row)
            sides = fill.taker.account, fill.maker.account
            trade, *parties = trade_keys(fill.market, fill.time_ms, fill.tid, *sides)
            trades[trade] = None
            fills.update(dict.fromkeys(parties))
    return {NodeTable.TRADE: trades, NodeTable.FILL: fills}


def _oldest(
    before: Snapshot, table: Enum, prefix: bytes, until_ms: int, count: int
) -> dict[bytes, bytes | None]:
    rows = before.range(table, prefix + u64(0), prefix + u64(until_ms))
    return {key: None for key, _ in islice(rows, HISTORY_PRUNED_PER_ROW * count)}


def _by_prefix(keys: Iterable[bytes], size: int) -> dict[bytes, tuple[bytes, int]]:
    """The newest key and the number of keys for each prefix."""
    found: dict[bytes, tuple[bytes, int]] = {}
    for key in keys:
        newest, count = found.get(key[:size], (key, 0))
        found[key[:size]] = max(newest, key), count + 1
    return found


def _time(key: bytes, start: int) -> int:
    return int.from_bytes(key[start : start + 8], "big")


def _tid(key: bytes) -> int:
    return int.from_bytes(key[_MARKET_SIZE + 8 :], "big")
