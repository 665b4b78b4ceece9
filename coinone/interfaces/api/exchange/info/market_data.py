"""Market data of the interface: the node's published view, and totals of the last day's trades.

`adopt` is called once per batch on the interface's event loop; everything else reads its results.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from coinone.interfaces.api.exchange.json.coins import Coin, Coins
from coinone.interfaces.api.exchange.json.events import Json, trade_json
from coinone.interfaces.api.exchange.json.markets import (
    DayStats,
    Level,
    MarketFigures,
    bbo_json,
    book_json,
    context_json,
    mid_text,
    shown_mid,
)
from coinone.node.storage.history.candles import DAY_MS, MINUTE_MS, Candle
from coinone.node.storage.history.history import TIME_MS_MAX, History, Page
from coinone.node.views.view import View
from coinone.rules.exchange.events.event_log import EventLog, Trades
from coinone.rules.exchange.events.events import Fill, MarketUpdate

RECENT_TRADES = 100  # kept per market, the newest: for recentTrades and new subscribers
_NEWEST_TRADES = Page(limit=RECENT_TRADES)
_IDLE_FIGURES = MarketFigures(0, 0, 0, 0, 0, 0, 0, 0, DayStats())


class DayWindow:
    """Volume and starting price of the last 24 hours, in buckets of a minute."""

    def __init__(self) -> None:
        self._minutes: deque[list[int]] = deque()  # [minute, notional, size, last price]
        self._notional = 0
        self._size = 0
        self._previous_px = 0

    def add(self, time_ms: int, px: int, size: int, notional: int) -> None:
        minute = time_ms - time_ms % MINUTE_MS
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append([minute, 0, 0, 0])
        bucket = self._minutes[-1]
        bucket[1] += notional
        bucket[2] += size
        bucket[3] = px
        self._notional += notional
        self._size += size

    def add_candle(self, candle: Candle) -> None:
        """Add a minute from the store; its volume is valued at the mean of open and close."""
        value = candle.volume * (candle.open + candle.close) // 2
        self.add(candle.open_ms, candle.close, candle.volume, value)

    def stats(self, now_ms: int) -> DayStats:
        while self._minutes and self._minutes[0][0] <= now_ms - DAY_MS:
            _, notional, size, self._previous_px = self._minutes.popleft()
            self._notional -= notional
            self._size -= size
        previous = self._previous_px or (self._minutes[0][3] if self._minutes else 0)
        return DayStats(self._notional, self._size, previous)


def last_day(history: History, market: int, now_ms: int) -> list[Candle]:
    """The minutes with trades of the last 24 hours, and the last one before, whose price the day began with."""
    began = now_ms - DAY_MS
    before = history.candles(market, "1m", 0, began - began % MINUTE_MS - 1, limit=1)
    return [*before, *history.candles(market, "1m", began, TIME_MS_MAX)]


@dataclass(slots=True)
class _Market:
    """What is kept of a market from batch to batch."""

    figures: MarketFigures = _IDLE_FIGURES
    premium: int = 0
    window: DayWindow = field(default_factory=DayWindow)
    trades: deque[Fill] = field(default_factory=lambda: deque(maxlen=RECENT_TRADES))
    seeded: int = -1  # the last batch whose trades came from the store


class MarketData:
    """The newest view and the figures derived from it for clients. `coins` are that view's markets."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._view: View | None = None
        self.seq = -1
        self.time_ms = 0
        self.coins = Coins()
        self._markets: list[_Market] = []

    @property
    def view(self) -> View:
        assert self._view is not None, "a view is adopted at the start"
        return self._view

    def begin(self, view: View, history: History) -> None:
        """Load the markets from a view and the store alone: at the start, and after a rewind. The store may be ahead
        of the view: its batches are not added again when they are adopted."""
        self.reset()
        self._list(view)
        for coin in self.coins.all:
            self._seed(coin.index, view.time_ms, history)
        self.adopt(view)

    def _list(self, view: View) -> None:
        """Take the view's markets: a batch may list more. Those that a rewind takes back keep their place."""
        self.coins = self.coins.of(view.markets)
        self._markets += [_Market() for _ in view.markets[len(self._markets) :]]

    def _seed(self, market: int, now_ms: int, history: History) -> None:
        """Load the last day's minutes and the newest trades from the store; again if a batch came meanwhile."""
        while True:
            seq = history.seq
            minutes, trades = last_day(history, market, now_ms), history.trades(market, _NEWEST_TRADES)
            if history.seq == seq:
                break
        kept = self._markets[market]
        for candle in minutes:
            kept.window.add_candle(candle)
        kept.trades.extend(reversed(trades))
        kept.seeded = seq

    def adopt(self, view: View, events: EventLog | None = None) -> None:
        """Adopt the view after a batch and the batch's events."""
        self._list(view)
        for part in events.parts if events else ():
            if isinstance(part, Trades):
                self._take(part)
            elif isinstance(part, MarketUpdate):
                self._markets[part.market].premium = part.premium
        self._view, self.seq, self.time_ms = view, view.seq, view.time_ms
        for coin in self.coins.all:
            self._markets[coin.index].figures = self._read(coin.index)

    def _take(self, trades: Trades) -> None:
        """Add a batch's trades to the day's figures, and keep the newest."""
        for market in np.unique(trades.fills["market"]).tolist():
            kept = self._markets[market]
            if trades.seq <= kept.seeded:
                continue
            places = (trades.fills["market"] == market).nonzero()[0]
            fills = trades.fills[places]
            notional = sum((fills["px"] * fills["sz"]).tolist())
            kept.window.add(trades.time_ms, int(fills["px"][-1]), int(fills["sz"].sum()), notional)
            kept.trades.extend(trades.fill_events_at(places[-RECENT_TRADES:]))

    def _read(self, market: int) -> MarketFigures:
        row, kept = self.view.markets[market], self._markets[market]
        return MarketFigures(
            mark=row.mark,
            oracle=row.oracle,
            funding_rate=row.funding_rate,
            premium=kept.premium,
            open_interest=row.open_interest,
            best_bid=row.bids[0][0] if row.bids else 0,
            best_ask=row.asks[0][0] if row.asks else 0,
            last_px=row.last_px,
            day=kept.window.stats(self.time_ms),
        )

    def figures(self, market: int) -> MarketFigures:
        return self._markets[market].figures

    def levels(self, market: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        row = self.view.markets[market]
        return row.bids, row.asks

    def contexts(self) -> list[Json]:
        return [self.context(coin) for coin in self.coins.all]

    def context(self, coin: Coin) -> Json:
        return context_json(coin, self.figures(coin.index))

    def prices(self) -> dict[str, Json]:
        """The mark and mid of each market, for fastAssetCtxs."""
        shown = {}
        for coin in self.coins.all:
            market = self.figures(coin.index)
            mid = mid_text(coin, market.best_bid, market.best_ask)
            shown[coin.name] = {"markPx": coin.px(market.mark), "midPx": mid}
        return shown

    def mids(self) -> dict[str, str]:
        return {coin.name: shown_mid(coin, self.figures(coin.index)) for coin in self.coins.all}

    def book(self, coin: Coin, figures: int | None = None, mantissa: int | None = None) -> Json:
        bids, asks = self.levels(coin.index)
        return book_json(coin, self.time_ms, bids, asks, figures, mantissa)

    def bbo(self, coin: Coin) -> Json:
        return bbo_json(coin, self.time_ms, *self.levels(coin.index))

    def recent_trades(self, coin: Coin, most: int = 10) -> list[Json]:
        """The newest trades, newest first."""
        newest = list(self._markets[coin.index].trades)[-most:]
        return [trade_json(fill, self.coins) for fill in reversed(newest)]

    def trades_seq(self, coin: Coin) -> int:
        """The last batch whose trades are included."""
        return max(self.seq, self._markets[coin.index].seeded)
