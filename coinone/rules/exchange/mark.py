"""The mark price: what positions are valued and liquidated at.

It is a median, so that no single venue or trade moves it alone (Hyperliquid, "Robust price indices"):
  1. oracle + the 150 s average of (mid - oracle),
  2. the median of best bid, best ask and last trade,
  3. the 30 s average of 2, since the mids of other exchanges are not on chain.
Without both a bid and an ask only the first exists, and the mark is that. At most one sample per batch; without a
fresh oracle the mark stands still.

Hyperliquid's third component comes from other exchanges; ours does not, so two of three follow our own book. A thin
book that somebody holds up for minutes would then carry the mark away. Therefore the mark stays within
oracle / max leverage of the oracle: the book alone never costs anybody more than the smallest initial margin.
"""

from dataclasses import replace

from coinone.base.primitives.integers import div_down
from coinone.base.primitives.limits import EMA_SAMPLE_MS
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.fixed import (
    DECAY_30_S,
    DECAY_150_S,
    median,
    round_half_even,
    updated,
    value_of,
)
from coinone.rules.exchange.ledger import Ema, MarketMemory
from coinone.rules.exchange.margin import apply_marks
from coinone.rules.exchange.oracle import is_fresh
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.tables import Side


def apply_mark_prices(batch: Batch) -> None:
    """Sample each market once and set its mark."""
    marks: dict[int, int] = {}
    for market in range(batch.rows.market_count):
        if not is_fresh(batch.rows, market):
            continue
        memory = batch.ledger.memory.get(market) or MarketMemory()
        memory = _sample(batch.rows, market, memory, batch.now)
        batch.ledger.memory.put(market, memory)
        marks[market] = mark_price(batch.rows, market, memory)
        batch.mark_changes[market] = marks[market] - int(batch.rows.markets[market]["mark"])
    apply_marks(batch.rows, marks)


def mark_price(rows: Rows, market: int, memory: MarketMemory) -> int:
    """The median of what is available, within the market's price range."""
    row = rows.markets[market]
    basis = value_of(memory.basis)
    # The basis is kept in half units, because a mid may lie between two prices.
    anchor = round_half_even(2 * int(row["oracle"]) + (basis or 0), 2)
    book, average = book_price(rows, market), value_of(memory.book)
    mark = anchor if book is None else median((anchor, book, book if average is None else average))
    oracle, band = int(row["oracle"]), div_down(int(row["oracle"]), int(row["max_leverage"]))
    return max(1, oracle - band, min(mark, oracle + band, int(row["max_px"])))


def book_price(rows: Rows, market: int) -> int | None:
    """The median of best bid, best ask and last trade; None if a side is empty."""
    bid, ask = rows.book.best(market, Side.BUY), rows.book.best(market, Side.SELL)
    if bid is None or ask is None:
        return None
    last = int(rows.markets[market]["last_px"])
    return median((bid, ask, last)) if last else round_half_even(bid + ask, 2)


def _sample(rows: Rows, market: int, memory: MarketMemory, now: int) -> MarketMemory:
    """Both averages brought to `now`; a one-sided book only lets them age."""
    elapsed = now - memory.updated_ms if memory.updated_ms else 1
    weight = min(elapsed, EMA_SAMPLE_MS)
    basis, book = memory.basis, memory.book
    price = book_price(rows, market)
    if price is None:
        return replace(
            memory,
            updated_ms=now,
            basis=_aged(basis, DECAY_150_S, elapsed),
            book=_aged(book, DECAY_30_S, elapsed),
        )
    bid, ask = rows.book.best(market, Side.BUY), rows.book.best(market, Side.SELL)
    assert bid is not None and ask is not None, "a book price needs both sides"
    twice = bid + ask - 2 * int(rows.markets[market]["oracle"])
    return replace(
        memory,
        updated_ms=now,
        basis=updated(basis, twice, DECAY_150_S, elapsed, weight),
        book=updated(book, price, DECAY_30_S, elapsed, weight),
    )


def _aged(ema: Ema, per_ms: int, elapsed: int) -> Ema:
    return updated(ema, 0, per_ms, elapsed, 0)
