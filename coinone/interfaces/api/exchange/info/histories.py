"""Histories from the store: fills, funding, ledger, ended orders, candles.

A request with a startTime gets the oldest rows since, oldest first, and the next one begins at the last row's time:
this is how Hyperliquid's clients page through a history. A request without one gets the newest rows. No answer ends
within the rows of one time: others may create thousands of rows at one time, and a client that continues from it would
get the same ones again and again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import parse_address
from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.weights import Counted
from coinone.interfaces.api.exchange.info.portfolio import ValueHistory, known_since, steps_of
from coinone.interfaces.api.exchange.json.coins import Coin, Coins
from coinone.interfaces.api.exchange.json.events import Json, funding_json, ledger_json
from coinone.interfaces.api.exchange.json.fills import fills_json, parse_flag, parse_joined
from coinone.interfaces.api.exchange.json.numbers import rate
from coinone.interfaces.api.exchange.json.orders import order_history_json
from coinone.interfaces.api.limits import CANDLES_MAX, FUNDING_RATES_MAX, INFO_ROWS_MAX
from coinone.node.storage.history.candles import INTERVALS, Candle, closing_ms
from coinone.node.storage.history.history import TIME_MS_MAX, AccountFill, History, Page
from coinone.rules.exchange.events.orders import OrderUpdate

SEQ_MAX = 2**63 - 1
Row = TypeVar("Row")
Of = TypeVar("Of", Address, int)  # an account, or a market
Request = dict[str, Any]


class Unfinished(Counted):
    """An empty answer: rows were read, but there are too many of them."""


class Histories:
    """Answers from the store's history."""

    def __init__(self, history: History, coins: Callable[[], Coins]) -> None:
        """`coins` gives the markets of the node's newest view, so that none of the store's rows is of another."""
        self._history = history
        self._coins = coins

    @property
    def coins(self) -> Coins:
        return self._coins()

    def fills(self, request: Request, end_ms: int = TIME_MS_MAX) -> list[Json]:
        """userFills: newest first. The last time of a full answer may be incomplete, so it is left out if rows are
        joined."""
        user, joined = parse_address(request.get("user")), parse_joined(request)
        rows = self._history.fills(user, Page(end_ms=end_ms, limit=INFO_ROWS_MAX))
        if joined and len(rows) == INFO_ROWS_MAX:
            rows = [row for row in rows if row.fill.time_ms != rows[-1].fill.time_ms] or rows
        return self._fills(rows, joined)

    def fills_by_time(self, request: Request, brief: bool = False) -> list[Json]:
        """userFillsByTime: oldest first, or, if `reversed`, the newest of the requested time, newest first.
        Unfinished if the answer is to be `brief` and is longer than two full ones."""
        user, joined = parse_address(request.get("user")), parse_joined(request)
        asked, turned = _page(request, INFO_ROWS_MAX), parse_flag(request, "reversed")
        page = replace(asked, oldest=asked.oldest and not turned)
        rows: list[AccountFill] = []
        for place, part in enumerate(self._history.fill_parts(user, page)):
            rows += part
            if brief and place == 1 and len(part) == INFO_ROWS_MAX:
                return Unfinished((), read=len(rows))
        return self._fills(rows if asked.oldest or turned else rows[::-1], joined)

    def _fills(self, rows: Sequence[AccountFill], joined: bool) -> list[Json]:
        shown = fills_json(((row.fill, row.is_taker) for row in rows), self.coins, joined)
        return Counted(shown, read=len(rows))

    def fundings(self, request: Request, seq: int = SEQ_MAX) -> list[Json]:
        """userFunding: oldest first; of batches up to `seq`, which may pay for an hour long past."""
        rows = _paged(self._history.funding, parse_address(request.get("user")), request, INFO_ROWS_MAX)
        coins = self.coins
        return [funding_json(row, coins) for row in rows if row.seq <= seq]

    def ledger(self, request: Request) -> list[Json]:
        """userNonFundingLedgerUpdates: oldest first."""
        rows = _paged(self._history.ledger, parse_address(request.get("user")), request, INFO_ROWS_MAX)
        return [ledger_json(row) for row in rows]

    def ended_orders(self, request: Request, until_ms: int = TIME_MS_MAX) -> list[Json]:
        """Orders that had ended by then, newest first."""
        page = Page(end_ms=until_ms, limit=INFO_ROWS_MAX)
        rows = self._history.ended_orders(parse_address(request.get("user")), page)
        coins = self.coins
        return [order_history_json(row, coins) for row in rows]

    def order(self, user: Address, oid: int | None, cloid: int | None) -> OrderUpdate | None:
        """An ended order of `user`."""
        if oid is None:
            assert cloid is not None
            return self._history.ended_order_by_cloid(user, cloid)
        found = self._history.ended_order(oid)
        return found if found is not None and found.account == user else None

    def funding_rates(self, request: Request) -> list[Json]:
        """fundingHistory: oldest first."""
        coin = self.coins.named(request.get("coin"))
        rows = _paged(self._history.funding_rates, coin.index, request, FUNDING_RATES_MAX)
        return [
            {"coin": coin.name, "fundingRate": rate(paid), "premium": rate(premium), "time": time_ms}
            for time_ms, paid, premium in rows
        ]

    def candles(self, request: Request) -> list[Json]:
        """candleSnapshot: oldest first; the newest ones if there are more than fit into one answer."""
        wanted = request.get("req")
        if not isinstance(wanted, dict):
            raise InvalidInput("candleSnapshot needs req")
        coin, interval = self.coins.named(wanted.get("coin")), wanted.get("interval")
        if not isinstance(interval, str) or interval not in INTERVALS:
            raise InvalidInput("unknown candle interval")
        start, end = _times(wanted)
        rows = self._history.candles(coin.index, interval, start, end, CANDLES_MAX)
        return [candle_json(candle, coin, interval) for candle in rows]

    def last_candle(self, coin: Coin, interval: str, now_ms: int) -> tuple[Candle | None, int]:
        """The candle that is open at `now_ms`, or the one before it, and the last batch whose trades it may include."""
        return self._history.last_candle(coin.index, interval, now_ms)

    def past(self, request: Request, until_ms: int = TIME_MS_MAX) -> ValueHistory:
        """The data of portfolio: the newest rows of each history, up to `until_ms`."""
        user, history = parse_address(request.get("user")), self._history
        newest = Page(end_ms=until_ms, limit=INFO_ROWS_MAX)
        fills, paid = history.fills(user, newest), history.funding(user, newest)
        moved = history.ledger(user, newest)
        traded = known_since([row.fill for row in fills], INFO_ROWS_MAX), known_since(paid, INFO_ROWS_MAX)
        return ValueHistory(steps_of(fills, paid, moved), max(traded), known_since(moved, INFO_ROWS_MAX))


def candle_json(candle: Candle, coin: Coin, interval: str) -> Json:
    return {
        "t": candle.open_ms,
        "T": closing_ms(interval, candle.open_ms),
        "s": coin.name,
        "i": interval,
        "o": coin.px(candle.open),
        "c": coin.px(candle.close),
        "h": coin.px(candle.high),
        "l": coin.px(candle.low),
        "v": coin.sz(candle.volume),
        "n": candle.trades,
    }


def _paged(read: Callable[[Of, Page], list[Row]], of: Of, request: Request, limit: int) -> list[Row]:
    """The rows of a request with startTime and endTime, oldest first."""
    page = _page(request, limit)
    rows = read(of, page)
    return rows if page.oldest else rows[::-1]


def _page(request: Request, limit: int) -> Page:
    return Page(*_times(request), limit, oldest=request.get("startTime") is not None, whole=True)


def _times(request: Request) -> tuple[int, int]:
    """startTime and the optional endTime, both inclusive."""
    start, end = request.get("startTime"), request.get("endTime")
    return _time(start, 0), _time(end, TIME_MS_MAX)


def _time(value: Any, otherwise: int) -> int:
    if value is None:
        return otherwise
    if type(value) is not int or value < 0:
        raise InvalidInput("times are milliseconds, as integers")
    return min(value, TIME_MS_MAX)
