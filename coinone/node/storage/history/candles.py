"""Candles: open, high, low, close and volume of a market's trades over an interval.

Four intervals are stored; they depend on trades only and so are equal on every node. The others are computed from
these on request. An interval without a trade has no candle.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from coinone.rules.exchange.events.event_log import EventLog, Trades
from coinone.rules.exchange.events.events import Event, Fill

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
_MONDAY_MS = 4 * DAY_MS  # 1970-01-05, the first Monday of Unix time

STORED_MS = (MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, DAY_MS)

# Name -> (length, or 0 for a calendar month; the stored interval it is computed from)
INTERVALS: Mapping[str, tuple[int, int]] = {
    "1m": (MINUTE_MS, MINUTE_MS),
    "3m": (3 * MINUTE_MS, MINUTE_MS),
    "5m": (5 * MINUTE_MS, MINUTE_MS),
    "15m": (15 * MINUTE_MS, 15 * MINUTE_MS),
    "30m": (30 * MINUTE_MS, 15 * MINUTE_MS),
    "1h": (HOUR_MS, HOUR_MS),
    "2h": (2 * HOUR_MS, HOUR_MS),
    "4h": (4 * HOUR_MS, HOUR_MS),
    "8h": (8 * HOUR_MS, HOUR_MS),
    "12h": (12 * HOUR_MS, HOUR_MS),
    "1d": (DAY_MS, DAY_MS),
    "3d": (3 * DAY_MS, DAY_MS),
    "1w": (7 * DAY_MS, DAY_MS),
    "1M": (0, DAY_MS),
}


@dataclass(frozen=True, slots=True)
class Candle:
    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    trades: int


def opening_ms(interval: str, time_ms: int) -> int:
    """The opening time of the candle of `interval` that contains `time_ms`."""
    length, _ = INTERVALS[interval]
    if interval == "1M":
        day = datetime.fromtimestamp(time_ms // 1000, UTC).replace(day=1, hour=0, minute=0, second=0)
        return int(day.timestamp()) * 1000
    offset = _MONDAY_MS if interval == "1w" else 0
    return time_ms - (time_ms - offset) % length


def closing_ms(interval: str, open_ms: int) -> int:
    """The last millisecond of the candle that opens at `open_ms`."""
    length, _ = INTERVALS[interval]
    if length:
        return open_ms + length - 1
    return opening_ms(interval, open_ms + 32 * DAY_MS) - 1


def joined(earlier: Candle | None, later: Candle) -> Candle:
    """Merge two candles into one that opens with the earlier."""
    if earlier is None:
        return later
    return Candle(
        earlier.open_ms,
        earlier.open,
        max(earlier.high, later.high),
        min(earlier.low, later.low),
        later.close,
        earlier.volume + later.volume,
        earlier.trades + later.trades,
    )


def stored_candles(trades: Iterable[tuple[int, Candle]]) -> dict[tuple[int, int, int], Candle]:
    """Stored candles by (market, interval, opening time) of trades, given in order as (market, candle within a
    minute)."""
    minutes: dict[tuple[int, int], Candle] = {}
    for market, candle in trades:
        key = market, candle.open_ms
        minutes[key] = joined(minutes.get(key), candle)
    candles: dict[tuple[int, int, int], Candle] = {}
    for (market, minute), candle in minutes.items():
        for length in STORED_MS:
            opens = minute - minute % length
            place = market, length, opens
            candles[place] = joined(candles.get(place), _opening_at(opens, candle))
    return candles


def minutes_of(part: Event | Trades) -> Iterator[tuple[int, Candle]]:
    """The trades in a part of an event log as (market, candle within a minute)."""
    if isinstance(part, Trades):
        minute = part.time_ms - part.time_ms % MINUTE_MS
        for market in np.unique(part.fills["market"]).tolist():
            own = part.fills[part.fills["market"] == market]
            px = own["px"].tolist()
            yield market, Candle(minute, px[0], max(px), min(px), px[-1], int(own["sz"].sum()), len(px))
    elif isinstance(part, Fill) and part.kind != "adl":  # a deleveraging has no market price
        minute = part.time_ms - part.time_ms % MINUTE_MS
        yield part.market, Candle(minute, part.px, part.px, part.px, part.px, part.sz, 1)


def traded_in(events: EventLog) -> dict[int, Candle]:
    """One candle for each market from the trades of a batch, which all have the same time."""
    traded: dict[int, Candle] = {}
    for part in events.parts:
        for market, candle in minutes_of(part):
            traded[market] = joined(traded.get(market), candle)
    return traded


def grown(candle: Candle | None, interval: str, later: Candle) -> Candle:
    """Extend a candle of `interval` by later trades; start a new one if they are beyond it."""
    opens = opening_ms(interval, later.open_ms)
    if candle is None or candle.open_ms != opens:
        return _opening_at(opens, later)
    return joined(candle, later)


def put_together(interval: str, candles: Iterable[Candle]) -> list[Candle]:
    """Compute candles of `interval` from stored ones in time order."""
    made: dict[int, Candle] = {}
    for candle in candles:
        opens = opening_ms(interval, candle.open_ms)
        made[opens] = joined(made.get(opens), _opening_at(opens, candle))
    return list(made.values())


def _opening_at(open_ms: int, candle: Candle) -> Candle:
    return Candle(open_ms, candle.open, candle.high, candle.low, candle.close, candle.volume, candle.trades)
