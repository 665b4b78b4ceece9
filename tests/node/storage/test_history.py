"""History against plain lists: pending rows, rows on disk, and both together give the same answers."""

import os
from datetime import UTC, datetime
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from coinone.base.primitives.errors import StorageError
from coinone.node.storage.codec import decode_row, encode_row
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.history import history
from coinone.node.storage.history import pruning as history_pruning
from coinone.node.storage.history import rows as history_rows
from coinone.node.storage.history.candles import DAY_MS, INTERVALS, MINUTE_MS, Candle, closing_ms, opening_ms
from coinone.node.storage.history.events import BatchHistory
from coinone.node.storage.history.history import Page
from coinone.node.storage.storage import BlockCommit, Storage
from coinone.node.storage.store import MemoryStore
from coinone.node.storage.tables import NodeTable
from coinone.rules.exchange.events.event_log import EventLog, Trades
from coinone.rules.exchange.events.events import Event, Fill, FillSide, FundingPayment, LedgerUpdate
from coinone.rules.exchange.events.orders import OrderUpdate
from coinone.rules.exchange.rows.tables import FILL, UPDATE

START_MS = 1_700_000_000_000
ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20


def fill(seq: int, tid: int, time_ms: int, market: int = 0, px: int = 100, sz: int = 1, **more: str) -> Fill:
    taker = FillSide(ALICE if tid % 2 else BOB, tid, 2**127 + tid, -5, 7, -3)
    maker = FillSide(BOB if tid % 3 else ALICE, tid + 1, 0, 5, -7, 3)
    return Fill(seq, time_ms, tid, market, px, sz, True, taker, maker, bytes(32), **more)


def ended(seq: int, oid: int, account: bytes = ALICE, cloid: int = 0, status: str = "filled") -> OrderUpdate:
    return OrderUpdate(
        seq, START_MS + seq, account, oid, cloid, 0, True, 100, 0, 5, "Gtc", False, START_MS, status
    )


def opened(tmp_path: Path) -> Storage:
    return Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom)


def commit(storage: Storage, number: int, last_seq: int) -> None:
    storage.commit_block(BlockCommit(number, bytes([number]) * 32, last_seq, b"", b"", {}))


def plain_candles(fills: list[Fill], market: int, interval: str) -> list[Candle]:
    """The definition: group the market's trades by opening time."""
    groups: dict[int, list[Fill]] = {}
    for trade in fills:
        if trade.market == market:
            groups.setdefault(opening_ms(interval, trade.time_ms), []).append(trade)
    return [
        Candle(
            opens,
            group[0].px,
            max(trade.px for trade in group),
            min(trade.px for trade in group),
            group[-1].px,
            sum(trade.sz for trade in group),
            len(group),
        )
        for opens, group in groups.items()
    ]


trades = st.lists(
    st.tuples(
        st.sampled_from([0, 500, MINUTE_MS, 7 * MINUTE_MS, DAY_MS // 3]),  # since the trade before
        st.integers(0, 1),
        st.integers(1, 9),
        st.integers(1, 9),
        st.sampled_from(["", "", "batch", "block"]),
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(trades, st.sampled_from(list(INTERVALS)))
def test_answers_do_not_depend_on_what_is_pending(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple], interval: str
) -> None:
    storage = opened(tmp_path_factory.mktemp("log"))
    commit(storage, 0, 0)
    every: list[Fill] = []
    batch: list[Event] = []
    seq, number, time_ms = 1, 0, START_MS
    for wait, market, px, sz, then in steps:
        time_ms += wait
        every.append(fill(seq, len(every) + 1, time_ms, market, px, sz))
        batch.append(every[-1])
        if then:
            storage.history.add_batch(seq, EventLog(batch))
            if then == "block":
                number += 1
                commit(storage, number, seq)
            seq, time_ms, batch = seq + 1, time_ms + 1, []
    storage.history.add_batch(seq, EventLog(batch))
    for market in (0, 1):
        want = plain_candles(every, market, interval)
        assert storage.history.candles(market, interval, 0, history.TIME_MS_MAX) == want
        middle = START_MS + DAY_MS
        later = [candle for candle in want if closing_ms(interval, candle.open_ms) >= middle]
        assert storage.history.candles(market, interval, middle, time_ms) == later
        assert storage.history.candles(market, interval, 0, time_ms, limit=2) == want[-2:]
        newest = sorted((t for t in every if t.market == market), key=lambda t: t.tid, reverse=True)
        assert storage.history.trades(market) == newest
        assert storage.history.trades(market, Page(limit=3)) == newest[:3]
    for account in (ALICE, BOB):
        mine = [t.tid for t in reversed(every) for side in (t.maker, t.taker) if side.account == account]
        assert [found.fill.tid for found in storage.history.fills(account)] == mine
        since = [
            t.tid
            for t in every
            if t.time_ms >= START_MS + DAY_MS
            for side in (t.maker, t.taker)
            if side.account == account
        ]
        page = storage.history.fills(account, Page(START_MS + DAY_MS, time_ms, limit=3, oldest=True))
        assert [found.fill.tid for found in page] == since[:3]
        sides = {(found.fill.tid, found.is_taker) for found in storage.history.fills(account)}
        assert all((t.tid, True) in sides for t in every if t.taker.account == account)


def test_intervals_open_where_the_calendar_says() -> None:
    moment = int(datetime(2024, 2, 29, 13, 47, 11, tzinfo=UTC).timestamp()) * 1000  # a Thursday
    wants = {
        "1m": datetime(2024, 2, 29, 13, 47, tzinfo=UTC),
        "5m": datetime(2024, 2, 29, 13, 45, tzinfo=UTC),
        "4h": datetime(2024, 2, 29, 12, tzinfo=UTC),
        "1d": datetime(2024, 2, 29, tzinfo=UTC),
        "1w": datetime(2024, 2, 26, tzinfo=UTC),
        "1M": datetime(2024, 2, 1, tzinfo=UTC),
    }
    for interval, opens in wants.items():
        assert opening_ms(interval, moment) == int(opens.timestamp()) * 1000, interval
    march = int(datetime(2024, 3, 1, tzinfo=UTC).timestamp()) * 1000
    assert closing_ms("1M", opening_ms("1M", moment)) == march - 1
    assert closing_ms("1m", opening_ms("1m", moment)) % MINUTE_MS == MINUTE_MS - 1


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_from_after_the_calendar_ends_are_none(tmp_path: Path, interval: str) -> None:
    storage = opened(tmp_path)
    storage.history.add_batch(1, EventLog([fill(1, 1, START_MS)]))
    assert storage.history.candles(0, interval, history.TIME_MS_MAX, history.TIME_MS_MAX) == []


def test_a_trade_without_a_book_makes_no_candle_but_is_a_fill(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    storage.history.add_batch(1, EventLog([fill(1, 1, START_MS, kind="adl")]))
    assert storage.history.candles(0, "1m", 0, history.TIME_MS_MAX) == []
    assert len(storage.history.fills(ALICE)) == 1


def test_a_deleveraging_is_no_trade_of_the_market_and_takes_no_trades_place(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    trades = [fill(1, tid, START_MS + tid, kind="trade" if tid < 3 else "adl") for tid in range(1, 30)]
    storage.history.add_batch(1, EventLog(trades))
    for where in ("pending", "on disk"):
        found = storage.history.trades(0, Page(limit=10))
        assert [trade.tid for trade in found] == [2, 1], where
        assert len(storage.history.fills(ALICE)) == 15 + 9  # taker of each odd one, maker of each third
        if where == "pending":
            commit(storage, 1, 1)


def test_one_account_on_both_sides_of_a_trade_has_two_fills(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    storage.history.add_batch(1, EventLog([fill(1, 3, START_MS)]))  # tid 3: Alice is taker and maker
    assert [found.is_taker for found in storage.history.fills(ALICE)] == [False, True]
    assert storage.history.fills(BOB) == []


def test_funding_and_ledger_rows_keep_their_order_and_range(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    commit(storage, 0, 0)
    paid = [FundingPayment(seq, START_MS + seq, ALICE, 1, -3, -12_500, 10 * seq, -2_500) for seq in (1, 2, 3)]
    moved = [LedgerUpdate(2, START_MS, ALICE, "send", -amount, BOB, bytes(32)) for amount in (1, 2)]
    storage.history.add_batch(1, EventLog(paid[:1]))
    storage.history.add_batch(2, EventLog([paid[1], *moved]))
    commit(storage, 1, 2)
    storage.history.add_batch(3, EventLog(paid[2:]))
    assert storage.history.funding(ALICE) == paid[::-1]
    assert storage.history.funding(ALICE, Page(START_MS + 2, START_MS + 2)) == [paid[1]]
    assert storage.history.funding(BOB) == []
    assert storage.history.ledger(ALICE) == moved[::-1]
    assert storage.history.funding_rates(1) == [(START_MS + seq, -12_500, -2_500) for seq in (3, 2, 1)]


def test_ended_orders_are_found_by_account_oid_and_cloid_until_newer_ones_push_them_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_rows, "ENDED_ORDERS_KEPT", 3)
    storage = opened(tmp_path)
    commit(storage, 0, 0)
    updates = [ended(seq, oid=100 + seq, cloid=2**100 + seq) for seq in range(1, 6)]
    for seq, update in enumerate(updates, 1):
        storage.history.add_batch(seq, EventLog([ended(seq, 999, BOB, status="open"), update]))
    for number, last_seq in enumerate((3, 4, 5), 1):
        assert storage.history.ended_orders(ALICE) == updates[::-1]
        commit(storage, number, last_seq)
    assert storage.history.ended_orders(ALICE) == updates[:0:-1]  # 101 is more than 3 below 105
    assert storage.history.ended_orders(ALICE, Page(limit=2)) == updates[:2:-1]
    assert storage.history.ended_orders(BOB) == []
    assert storage.history.ended_order(105) == updates[4]
    assert storage.history.ended_order_by_cloid(ALICE, 2**100 + 4) == updates[3]
    assert storage.history.ended_order(101) is None
    assert storage.history.ended_order_by_cloid(ALICE, 2**100 + 1) is None
    storage.undo_block()
    assert storage.history.ended_orders(ALICE) == updates[3:0:-1]
    assert storage.history.ended_order(105) is None


def test_rows_of_a_batch_of_very_many_events_are_made_when_somebody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "HISTORY_PREPARED_MAX", 1)
    kept = opened(tmp_path).history
    for seq, count in ((1, 1), (2, 2)):
        kept.add_batch(seq, EventLog(ended(seq, 10 * seq + n) for n in range(count)))
        kept.prepare()
    assert ["rows" in vars(batch) for batch in kept._pending] == [True, False]
    assert [order.oid for order in kept.ended_orders(ALICE)] == [21, 20, 10]


def test_batches_taken_back_leave_no_history(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    for seq in (1, 2, 3):
        storage.history.add_batch(seq, EventLog([fill(seq, seq, START_MS + seq)]))
    storage.history.drop_from(2)
    assert [trade.tid for trade in storage.history.trades(0)] == [1]
    storage.history.add_batch(2, EventLog([fill(2, 9, START_MS + 9)]))
    assert [trade.tid for trade in storage.history.trades(0)] == [9, 1]


def payment(seq: int, account: bytes, market: int = 0) -> FundingPayment:
    """Of one hour, whichever batch books it."""
    return FundingPayment(seq, START_MS, account, market, -3, -12_500, 10, -2_500)


def test_an_hour_that_several_batches_book_is_told_once(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    rate = [(START_MS, -12_500, -2_500)]
    for number, (seq, account) in enumerate(((1, ALICE), (2, BOB), (3, ALICE))):
        storage.history.add_batch(seq, EventLog([payment(seq, account, number)]))
        storage.history.add_batch(seq + 10, EventLog([payment(seq + 10, BOB, number)]))
    for oldest in (False, True):
        assert storage.history.funding_rates(0, Page(oldest=oldest)) == rate
        found = storage.history.funding(BOB, Page(oldest=oldest))
        assert [paid.market for paid in found] == ([0, 1, 2] if oldest else [2, 1, 0])


def test_an_hour_booked_in_two_blocks_keeps_its_rate_when_the_later_is_taken_back(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    rate = [(START_MS, -12_500, -2_500)]
    commit(storage, 0, 0)
    for number, account in enumerate((ALICE, BOB), 1):
        storage.history.add_batch(number, EventLog([payment(number, account)]))
        assert storage.history.funding_rates(0) == rate
        commit(storage, number, number)
        assert storage.history.funding_rates(0) == rate
    storage.undo_block()
    assert storage.history.funding_rates(0) == rate
    assert storage.history.funding(ALICE) == [payment(1, ALICE)] and storage.history.funding(BOB) == []
    storage.undo_block()
    assert storage.history.funding_rates(0) == []


def test_a_cloid_used_again_names_the_older_order_when_the_newer_is_taken_back(tmp_path: Path) -> None:
    storage = opened(tmp_path)
    commit(storage, 0, 0)
    for number in (1, 2):
        storage.history.add_batch(number, EventLog([ended(number, number, cloid=7)]))
        commit(storage, number, number)
    storage.undo_block()
    assert storage.history.ended_order_by_cloid(ALICE, 7) == ended(1, 1, cloid=7)
    storage.undo_block()
    assert storage.history.ended_order_by_cloid(ALICE, 7) is None


def test_a_row_of_another_version_is_a_storage_error_not_a_wrong_answer() -> None:
    row = encode_row(fill(1, 1, START_MS))
    assert decode_row(Fill, row) == fill(1, 1, START_MS)
    with pytest.raises(StorageError):
        decode_row(LedgerUpdate, row)
    with pytest.raises(StorageError):
        decode_row(Fill, row[:-1])


def test_a_cloid_used_again_names_the_newer_order_also_after_the_older_is_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_rows, "ENDED_ORDERS_KEPT", 1)
    storage = opened(tmp_path)
    for number, oid in enumerate((1, 2, 3)):
        storage.history.add_batch(number, EventLog([ended(number, oid, cloid=7)]))
        assert storage.history.ended_order_by_cloid(ALICE, 7) == ended(number, oid, cloid=7)
        commit(storage, number, number)
        assert storage.history.ended_order_by_cloid(ALICE, 7) == ended(number, oid, cloid=7)
    assert storage.history.ended_order(1) is None and storage.history.ended_order(2) is not None


def test_rows_made_of_columns_are_those_made_of_events() -> None:
    """Many fills and updates at once, of every shape that a row can take."""
    random = np.random.default_rng(5)
    fills, updates = (np.zeros(50, dtype) for dtype in (FILL, UPDATE))
    for rows in (fills, updates):
        for name in rows.dtype.names or ():
            wide = rows.dtype[name].itemsize == 8
            rows[name] = random.integers(-(2**63), 2**63, 50) if wide else random.integers(0, 2, 50)
    for rows, names in ((fills, ("tid", "taker_oid", "maker_oid")), (updates, ("oid", "time_ms"))):
        for name in names:
            rows[name] = random.permutation(50) + 1
    fills["taker_builder_fee"] = fills["maker_builder_fee"] = 5
    fills["taker_fee"] = fills["maker_fee"] = -9
    fills["px"], fills["sz"] = random.integers(1, 2**27, (2, 50))
    updates["status"] = random.integers(1, 5, 50)
    addresses = np.frombuffer(ALICE + BOB, np.uint8).reshape(2, 20)
    trades = Trades(3, START_MS, fills, updates, addresses, [0, 1, 2], [b"a" * 32, b"b" * 32])
    columns, events = BatchHistory(3, EventLog([trades])), BatchHistory(3, EventLog(trades))
    assert columns.rows == events.rows
    assert len(columns.rows[NodeTable.TRADE]) == 50
    assert columns.candles == events.candles and len(columns.candles) == 8  # two markets, four intervals


def test_old_trades_go_with_both_their_fills_and_newer_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_pruning, "TRADES_KEPT", 5)
    storage = opened(tmp_path)
    fills = [fill(seq, seq, START_MS + 60_000 * seq, market=seq % 2) for seq in range(1, 31)]
    for seq, trade in enumerate(fills, 1):
        storage.history.add_batch(seq, EventLog([trade]))
        commit(storage, seq, seq)
        kept = [each for each in fills[:seq] if each.tid > seq - 5]
        for market in (0, 1):
            # A market is pruned when it trades: of the other one, one trade more may be left.
            found = storage.history.trades(market)
            wanted = [each for each in kept if each.market == market][::-1]
            assert found[: len(wanted)] == wanted and len(found) <= len(wanted) + 1
        on_disk = [each for market in (0, 1) for each in storage.history.trades(market)]
        for account in (ALICE, BOB):
            seen = {each.fill.tid for each in storage.history.fills(account)}
            assert seen == {
                each.tid for each in on_disk if account in (each.taker.account, each.maker.account)
            }
    assert len(list(storage.store.scan(NodeTable.TRADE))) <= 6
    assert len(list(storage.store.scan(NodeTable.FILL))) <= 12
    storage.undo_block()
    assert storage.history.trades(1)[0] == fills[28]


def test_old_candles_and_payments_go_when_new_ones_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_pruning, "CANDLES_KEPT", 3)
    monkeypatch.setattr(history_pruning, "HISTORY_KEPT_MS", 180_000)
    storage = opened(tmp_path)
    for seq in range(1, 21):
        time_ms = START_MS + 60_000 * seq
        paid = FundingPayment(seq, time_ms, ALICE, 0, -5, -12_500, 100, -2_500)
        moved = LedgerUpdate(seq, time_ms, ALICE, "send", seq, BOB, bytes(32))
        storage.history.add_batch(seq, EventLog([fill(seq, seq, time_ms), paid, moved]))
        commit(storage, seq, seq)
        rows = {table: len(list(storage.store.scan(table))) for table in NodeTable}
        most = min(seq, 4)  # the newest, and those within three minutes before it
        assert rows[NodeTable.FUNDING] == rows[NodeTable.LEDGER] == rows[NodeTable.FUNDING_RATE] == most
    minutes = storage.history.candles(0, "1m", START_MS, START_MS + 3_600_000)
    assert [candle.trades for candle in minutes] == [1, 1, 1, 1]
    hours = storage.history.candles(0, "1h", START_MS - 3_600_000, START_MS + 3_600_000)
    assert sum(candle.trades for candle in hours) == 20, "longer candles live longer"
