"""History: queries for fills, trades, candles, funding, ledger entries and ended orders.

Rows are committed with their block. Those of later batches are in memory, and are derived again when the logged
batches are applied at the next start. A reader takes first the pending list and then a snapshot, and skips pending
batches that the snapshot already contains; so it may run in any thread.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from heapq import merge
from itertools import chain, islice
from typing import TypeVar

from coinone.base.primitives.types import Address
from coinone.node.limits import CANDLES_PER_ANSWER_MAX, HISTORY_PREPARED_MAX
from coinone.node.limits import HISTORY_PER_ANSWER_MAX as ANSWER_MAX
from coinone.node.limits import HISTORY_WHOLE_ANSWER_MAX as WHOLE_MAX
from coinone.node.storage.blocks import head_of
from coinone.node.storage.codec import decode_row
from coinone.node.storage.history.candles import (
    DAY_MS,
    INTERVALS,
    Candle,
    closing_ms,
    joined,
    opening_ms,
    put_together,
)
from coinone.node.storage.history.events import RATE_ROW, TAKER, BatchHistory, candle_key, cloid_key, oid_key
from coinone.node.storage.history.rows import Folded, folded, order_key_of
from coinone.node.storage.store import Snapshot, Store
from coinone.node.storage.tables import NodeTable, u16, u64
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.exchange.events.events import Fill, FundingPayment, LedgerUpdate
from coinone.rules.exchange.events.orders import OrderUpdate

Row = TypeVar("Row")

TIME_MS_MAX = 2**63 - 1
_CANDLE_MS_MAX = 4_000_000_000_000  # the year 2096: keeps calendar arithmetic in its range


@dataclass(frozen=True, slots=True)
class AccountFill:
    """A fill from the view of one of its two parties."""

    fill: Fill
    is_taker: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A selection of rows in [start, end]: the newest, newest first, or the oldest, oldest first. A `whole` page
    extends beyond the limit until it has all rows of its last time, and of at least two times: so a client that
    continues from the last time always advances, however many rows a batch made."""

    start_ms: int = 0
    end_ms: int = TIME_MS_MAX
    limit: int = ANSWER_MAX
    oldest: bool = False
    whole: bool = False


NEWEST = Page()


class History:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: tuple[BatchHistory, ...] = ()  # replaced whole, never changed

    # Writing (the executor)

    def add_batch(self, seq: int, events: EventLog) -> None:
        self._pending = (*self._pending, BatchHistory(seq, events))

    def prepare(self) -> None:
        """Make the rows of the newest batch now, so that its first reader does not wait. For a batch with very many
        events a reader or the write of its block makes them, off the executor."""
        newest = self._pending[-1]
        if newest.event_count <= HISTORY_PREPARED_MAX:
            _ = newest.rows, newest.candles

    def drop_from(self, seq: int) -> None:
        """Drop the batches from `seq` on, which were undone."""
        self._pending = tuple(batch for batch in self._pending if batch.seq < seq)

    def folded_up_to(self, seq: int, before: Snapshot) -> Folded:
        """The rows to write with a block that ends with batch `seq`, on top of `before`."""
        return folded(before, [batch for batch in self._pending if batch.seq <= seq])

    def committed(self, seq: int) -> None:
        self._pending = tuple(batch for batch in self._pending if batch.seq > seq)

    # Reading (any thread)

    @property
    def seq(self) -> int:
        """The newest batch in the history."""
        with self._reading() as view:
            return view.seq

    def fills(self, account: Address, page: Page = NEWEST) -> list[AccountFill]:
        return list(chain.from_iterable(self.fill_parts(account, page)))

    def fill_parts(self, account: Address, page: Page) -> Iterator[list[AccountFill]]:
        """A page of fills in parts of at most its limit, since one time may have very many."""
        return self._parts(NodeTable.FILL, account, page, _View.account_fill)

    def trades(self, market: int, page: Page = NEWEST) -> list[Fill]:
        """Trades of a market's book among ANSWER_MAX fills: a deleveraging is a fill, but not a trade."""
        with self._reading() as view:
            rows = islice(view.walk(NodeTable.TRADE, *_bounds(u16(market), page), page), ANSWER_MAX)
            trades = (decode_row(Fill, row) for _, row in rows)
            return list(islice((trade for trade in trades if trade.kind != "adl"), page.limit))

    def funding(self, account: Address, page: Page = NEWEST) -> list[FundingPayment]:
        parts = self._parts(
            NodeTable.FUNDING, account, page, lambda _, __, row: decode_row(FundingPayment, row)
        )
        return list(chain.from_iterable(parts))

    def funding_rates(self, market: int, page: Page = NEWEST) -> list[tuple[int, int, int]]:
        """Funding rates as (time in ms, hourly rate, average premium of the hour), the latter two in 10^-9."""
        with self._reading() as view:
            rows = view.rows(NodeTable.FUNDING_RATE, u16(market), page)
            return [(int.from_bytes(key[2:], "big"), *RATE_ROW.unpack(row)) for key, row in rows]

    def ledger(self, account: Address, page: Page = NEWEST) -> list[LedgerUpdate]:
        parts = self._parts(NodeTable.LEDGER, account, page, lambda _, __, row: decode_row(LedgerUpdate, row))
        return list(chain.from_iterable(parts))

    def candles(
        self, market: int, interval: str, start_ms: int, end_ms: int, limit: int = CANDLES_PER_ANSWER_MAX
    ) -> list[Candle]:
        """The candles that overlap [start, end]: the newest `limit`, oldest first."""
        with self._reading() as view:
            return view.put_together(market, interval, start_ms, end_ms, limit)

    def last_candle(self, market: int, interval: str, now_ms: int) -> tuple[Candle | None, int]:
        """The candle open at `now_ms`, or the one before it, and the last batch whose trades it may include."""
        with self._reading() as view:
            found = view.put_together(market, interval, now_ms - 40 * DAY_MS, now_ms, 1)
            return (found[-1] if found else None), view.seq

    def ended_orders(self, account: Address, page: Page = NEWEST) -> list[OrderUpdate]:
        """The final state of orders that have ended."""
        with self._reading() as view:
            rows = view.rows(NodeTable.ORDER, account, page)
            return [decode_row(OrderUpdate, row) for _, row in rows]

    def ended_order(self, oid: int) -> OrderUpdate | None:
        return self._ended(oid_key(oid))

    def ended_order_by_cloid(self, account: Address, cloid: int) -> OrderUpdate | None:
        return self._ended(cloid_key(account, cloid))

    def _ended(self, index_key: bytes) -> OrderUpdate | None:
        with self._reading() as view:
            found = view.get(NodeTable.ORDER_INDEX, index_key)
            row = None if found is None else view.get(NodeTable.ORDER, order_key_of(found))
            return None if row is None else decode_row(OrderUpdate, row)

    def _parts(
        self, table: Enum, prefix: bytes, page: Page, made: Callable[["_View", bytes, bytes], Row]
    ) -> Iterator[list[Row]]:
        """The page's rows in parts of at most its limit, each read separately."""
        start, stop = _bounds(prefix, page)
        timed, first, count = len(prefix) + 8, b"", 0
        while True:
            with self._reading() as view:
                found = list(islice(view.walk(table, start, stop, page), _limit(page)))
                part = [made(view, *row) for row in found]
            yield part
            count += len(found)
            if not page.whole or len(found) < _limit(page) or count >= WHOLE_MAX:
                return
            last = found[-1][0]
            start, stop = (last + b"\0", stop) if page.oldest else (start, last)
            first = first or found[0][0][:timed]
            if last[:timed] != first:  # from here on only further rows of the last row's time
                start, stop = (start, _next(last[:timed])) if page.oldest else (last[:timed], stop)

    @contextmanager
    def _reading(self) -> Iterator["_View"]:
        pending = self._pending
        with self._store.snapshot() as snapshot:
            head = head_of(snapshot)
            on_disk = -1 if head is None else head.last_seq
            yield _View(snapshot, tuple(batch for batch in pending if batch.seq > on_disk), on_disk)


class _View:
    """Rows on disk and pending rows, merged."""

    def __init__(self, snapshot: Snapshot, pending: tuple[BatchHistory, ...], on_disk: int) -> None:
        self.snapshot = snapshot
        self.pending = pending
        self.seq = pending[-1].seq if pending else on_disk  # of its newest batch

    def get(self, table: Enum, key: bytes) -> bytes | None:
        for batch in reversed(self.pending):
            row = batch.rows.get(table, {}).get(key)
            if row is not None:
                return row
        return self.snapshot.get(table, key)

    def account_fill(self, key: bytes, market: bytes) -> AccountFill:
        row = self.get(NodeTable.TRADE, market + key[20:36])
        assert row is not None, "every fill has its trade"
        return AccountFill(decode_row(Fill, row), key[36:] == TAKER)

    def rows(self, table: Enum, prefix: bytes, page: Page) -> list[tuple[bytes, bytes]]:
        """The page's first rows among those whose keys are `prefix` and a time."""
        return list(islice(self.walk(table, *_bounds(prefix, page), page), _limit(page)))

    def walk(self, table: Enum, start: bytes, stop: bytes, page: Page) -> Iterator[tuple[bytes, bytes]]:
        """Rows in the page's direction, ignoring its limit."""
        recent = {
            key: row
            for batch in self.pending
            for key, row in batch.rows.get(table, {}).items()
            if start <= key < stop
        }
        newest_first = not page.oldest
        on_disk = self.snapshot.range(table, start, stop, reverse=newest_first)
        others = (row for row in on_disk if row[0] not in recent)
        pending = sorted(recent.items(), reverse=newest_first)
        return merge(pending, others, reverse=newest_first)

    def candles(self, market: int, stored_ms: int, first: int, last: int, limit: int) -> list[Candle]:
        """Stored candles that open in [first, last]: the newest `limit`, oldest first."""
        start, stop = candle_key(market, stored_ms, first), candle_key(market, stored_ms, last + 1)
        rows = islice(self.snapshot.range(NodeTable.CANDLE, start, stop, reverse=True), limit)
        made = {key: decode_row(Candle, row) for key, row in rows}
        for batch in self.pending:
            for key, candle in batch.candles.items():
                if start <= key < stop:
                    made[key] = joined(made.get(key), candle)
        return [made[key] for key in sorted(made)][-limit:]

    def put_together(
        self, market: int, interval: str, start_ms: int, end_ms: int, limit: int
    ) -> list[Candle]:
        """The candles that overlap [start, end]: the newest `limit`, oldest first."""
        limit = min(limit, CANDLES_PER_ANSWER_MAX)
        length, stored = INTERVALS[interval]
        per_candle = (length or 31 * INTERVALS["1d"][0]) // stored
        first = max(0, opening_ms(interval, min(max(0, start_ms), _CANDLE_MS_MAX)))
        last = closing_ms(interval, opening_ms(interval, min(end_ms, _CANDLE_MS_MAX)))
        made = put_together(interval, self.candles(market, stored, first, last, limit * per_candle))
        return [candle for candle in made if first <= candle.open_ms <= end_ms][-limit:]


def _limit(page: Page) -> int:
    return min(page.limit, ANSWER_MAX)


def _bounds(prefix: bytes, page: Page) -> tuple[bytes, bytes]:
    """The first key of the page's range, and the first key after it."""
    start_ms, end_ms = max(0, page.start_ms), max(0, min(page.end_ms, TIME_MS_MAX))
    return prefix + u64(start_ms), prefix + u64(end_ms + 1)


def _next(key: bytes) -> bytes:
    """The first key after all that start with this one, which ends with a time."""
    return (int.from_bytes(key, "big") + 1).to_bytes(len(key), "big")
