"""The day's figures of a market: the same from an interface that ran on as from one that started anew."""

import os
from pathlib import Path

from coinone.interfaces.api.exchange.coins import Coins
from coinone.interfaces.api.exchange.market_data import RECENT_TRADES, DayWindow, MarketData, last_day
from coinone.node.runtime.networks import load_network
from coinone.node.storage.candles import DAY_MS, MINUTE_MS
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.history import Page
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import MemoryStore
from coinone.rules.exchange.event_log import EventLog
from coinone.rules.exchange.events import Fill, FillSide

START_MS = 1_700_000_040_000  # a full minute


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
    data = MarketData(Coins(load_network("dev")))
    data.seed(0, (), storage.history.trades(0, Page(limit=RECENT_TRADES)))
    assert [told["tid"] for told in data.recent_trades(data.coins.all[0])] == [1]
