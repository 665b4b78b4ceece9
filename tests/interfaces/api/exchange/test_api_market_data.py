"""The day's figures of a market are the same after a restart of the interface as without one."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from coinone.interfaces.api.exchange.info.market_data import DayWindow, MarketData, last_day
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.history.candles import DAY_MS, MINUTE_MS
from coinone.node.storage.history.history import Page
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import MemoryStore
from coinone.rules.exchange.events.event_log import EventLog, Trades
from coinone.rules.exchange.events.events import Fill, FillSide
from coinone.rules.exchange.rows.tables import FILL, UPDATE
from tests.interfaces.api.stream_stand import idle_rows

START_MS = 1_700_000_040_000  # a full minute


def view(seq: int) -> Any:
    return SimpleNamespace(seq=seq, time_ms=START_MS + seq, markets=idle_rows())


def swept(seq: int) -> EventLog:
    """Three fills of 1 at 100, in a minute of their own."""
    fills = np.zeros(3, FILL)
    fills["tid"], fills["px"], fills["sz"] = 3 * seq + np.arange(3), 100, 1
    addresses = np.zeros((1, 20), np.uint8)
    return EventLog(
        [Trades(seq, START_MS + seq * MINUTE_MS, fills, np.zeros(0, UPDATE), addresses, [0], [bytes(32)])]
    )


def test_a_batch_that_the_store_holds_before_it_is_told_counts_once(tmp_path: Path) -> None:
    """The store has batches 1 and 2 when we begin at 1, and 3 comes while the first market is read: three times three
    trades of 1 at 100. All of them are told after that, 2 and 3 besides."""
    history = Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom).history
    batches = {seq: swept(seq) for seq in (1, 2, 3, 4)}
    for seq in (1, 2):
        history.add_batch(seq, batches[seq])
    read = history.trades

    def trades(market: int, page: Page) -> list[Fill]:
        found = read(market, page)
        if history.seq == 2:
            history.add_batch(3, batches[3])
        return found

    history.trades = trades  # type: ignore[method-assign]
    data = MarketData()
    data.begin(view(1), history)
    for seq in (2, 3, 4):
        data.adopt(view(seq), batches[seq])
        day = data.figures(0).day
        assert (day.size, day.notional) == ((12, 1200) if seq == 4 else (9, 900))
    tids = [trade["tid"] for trade in data.recent_trades(data.coins.all[0], 100)]
    assert tids == list(range(14, 2, -1))


def test_the_price_of_yesterday_is_that_of_the_last_trade_before_whenever_it_was(tmp_path: Path) -> None:
    """By hand: trades at 100 in the first minute, at 110 thirty hours later, at 121 an hour after that. An hour later
    still the day began with 100, and 231 were traded; a day after the last trade it began with 121, and nothing was."""
    storage = Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom)
    side = FillSide(bytes(20), 1, 0, 0, 0, 0)
    ran, hour = DayWindow(), 60 * MINUTE_MS
    for seq, (hours, px) in enumerate(((0, 100), (30, 110), (31, 121)), 1):
        when = START_MS + hours * hour
        trade = Fill(seq, when, seq, 0, px, 1, True, side, side, bytes(32))
        storage.history.add_batch(seq, EventLog([trade]))
        ran.add(when, px, 1, px)
        ran.stats(when)
    for now, want in ((START_MS + 32 * hour, (231, 2, 100)), (START_MS + 31 * hour + DAY_MS, (0, 0, 121))):
        anew = DayWindow()
        for candle in last_day(storage.history, 0, now):
            anew.add_candle(candle)
        for window in (ran, anew):
            stats = window.stats(now)
            assert (stats.notional, stats.size, stats.previous_px) == want


def test_a_deleveraging_is_no_recent_trade_after_a_restart_either(tmp_path: Path) -> None:
    """The trade at 100 is the last of the book; a batch later 200 positions are closed outside it at 46."""
    storage = Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom)
    side = FillSide(bytes(20), 0, 0, 0, 0, 0)
    trade = Fill(1, START_MS, 1, 0, 100, 1, True, side, side, bytes(32))
    storage.history.add_batch(1, EventLog([trade]))
    closes = [
        Fill(2, START_MS + 1, tid, 0, 46, 1, True, side, side, bytes(32), kind="adl") for tid in range(2, 202)
    ]
    storage.history.add_batch(2, EventLog(closes))
    data = MarketData()
    data.begin(view(2), storage.history)
    assert [told["tid"] for told in data.recent_trades(data.coins.all[0])] == [1]
