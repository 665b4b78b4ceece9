"""The immutable view that anyone may read without the executor, replaced after each batch (D14)."""

from dataclasses import dataclass

from coinone.node.limits import VIEW_LEVELS_MAX
from coinone.rules.chain.state import ChainState
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.exchange.rows.tables import MarketStatus, Side
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.ledger.header import Header

Level = tuple[int, int, int]  # price, size, number of orders; in the market's units


@dataclass(frozen=True, slots=True)
class MarketView:
    """A market's book (best price first) and statistics. A price of 0 means none yet."""

    market: int
    name: str
    sz_decimals: int
    max_leverage: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    mark: int
    oracle: int
    oracle_ms: int
    is_active: bool  # False: no fresh oracle, or halted
    funding_rate: int  # hourly, 10^-9
    open_interest: int
    last_px: int
    volume: int  # lifetime, micro-quote
    base_volume: int  # lifetime, lots


@dataclass(frozen=True, slots=True)
class View:
    seq: int
    time_ms: int
    head: Header
    markets: tuple[MarketView, ...]
    halted: str | None = None  # why batch production stopped


def first_view(chain: ChainState) -> View:
    markets = tuple(_market(chain.exchange, market) for market in range(chain.exchange.rows.market_count))
    return View(chain.cursor.seq, chain.cursor.time_ms, chain.head, markets)


def next_view(view: View, chain: ChainState, events: EventLog) -> View:
    """The view after a batch; only markets with events are read again."""
    markets = list(view.markets)
    for market in events.markets():  # in rising order: those that the batch listed follow the others
        markets[market : market + 1] = [_market(chain.exchange, market)]
    return View(chain.cursor.seq, chain.cursor.time_ms, chain.head, tuple(markets), view.halted)


def _market(exchange: Exchange, market: int) -> MarketView:
    row = exchange.rows.markets[market]
    book = exchange.rows.book
    return MarketView(
        market=market,
        name=exchange.ledger.listing_of(market).name,
        sz_decimals=int(row["sz_decimals"]),
        max_leverage=int(row["max_leverage"]),
        bids=tuple(book.side_levels(market, Side.BUY, VIEW_LEVELS_MAX)),
        asks=tuple(book.side_levels(market, Side.SELL, VIEW_LEVELS_MAX)),
        mark=int(row["mark"]),
        oracle=int(row["oracle"]),
        oracle_ms=int(row["oracle_ms"]),
        is_active=int(row["status"]) == MarketStatus.ACTIVE,
        funding_rate=int(row["funding_rate"]),
        open_interest=int(row["open_interest"]),
        last_px=int(row["last_px"]),
        volume=int(row["volume"]),
        base_volume=int(row["base_volume"]),
    )
