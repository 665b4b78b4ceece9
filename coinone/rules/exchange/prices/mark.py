"""The mark price, at which positions are valued and liquidated. mark = oracle + offset.

The offset follows the *basis*, the 150 s average of how far the midpoint of hittable bid and ask (quotes.py) lies from
the oracle. Neither the last trade nor the current book is part of it, so no order moves a mark within a batch, and an
account that is alone in a book moves it slowly and not far (L: the market's maximum leverage):

    |offset| <= oracle / (4 L)    from end to end one smallest maintenance margin, oracle / (2 L)
    a batch moves it by at most oracle / (64 L)    a 32nd of that margin: a push alone never leaves a debt

A sample counts for at most that maximum offset, so an absurd quote has no more influence than a merely aggressive one.
The midpoint of a spread wider than a quarter of it is not used: it may lie between the makers' quotes and a stranger's
bid far away, after nearer quotes were kept out. Such a spread shows only that the price is not below its bid nor above
its ask. So both must lie on one side of the oracle, and the nearer one counts. Where no quote can be hit for 30 s the
samples are 0. The average starts at 0. Without a fresh oracle, and while a jump is pending, the mark does not change.

The mark does not move beyond both the oracle and the *book*. The average alone would lie there for minutes when the
oracle reaches the level where the book has been, or the book returns: positions with enough margin at either price
would be liquidated. So the offset follows the basis only as far as the book. When the oracle moves, the offset moves
against it in the same batch, as far as this brings it nearer to what it follows: when the oracle comes to the book, and
when it goes back after a dip, the mark, which was there already, does not change. Of the last narrow midpoint and its
30 s average the one farther from the oracle counts, so that neither quotes of a few batches nor the makers' own noise
bring the mark back to the oracle. A wide spread keeps the last midpoint within its bid and ask, and draws the average
there.
"""

from __future__ import annotations

from dataclasses import replace

from coinone.base.primitives.integers import clamp, div_down
from coinone.base.primitives.parameters import BASIS_GAP_MS, SAMPLE_MS
from coinone.rules.exchange.accounts.equity import apply_marks
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.prices.fixed import (
    DECAY_30_S,
    DECAY_150_S,
    QUOTE_SCALE,
    SCALE_BITS,
    blended,
    round_half_even,
)
from coinone.rules.exchange.prices.oracle import is_fresh
from coinone.rules.exchange.state.ledger import MarketMemory

OFFSET_SHARE = 4  # of oracle / max leverage: the maximum offset
SPREAD_SHARE = 16  # of the same: the widest spread whose midpoint counts
STEP_SHARE = 64  # of the same: the largest change in a batch
_BASIS_UNIT = 2 * QUOTE_SCALE << SCALE_BITS  # bid + ask has half price units


def apply_mark_prices(batch: Execution) -> None:
    """Set each market's mark from the samples up to the last batch; note by how much each one moved."""
    marks: dict[int, int] = {}
    for market in range(batch.rows.market_count):
        if not is_fresh(batch.rows, market):
            continue
        row = batch.rows.markets[market]
        memory = batch.ledger.memory_of(market)
        oracle = int(row["oracle"])
        span = _span(memory, oracle)
        moved = oracle - (int(row["mark"]) - memory.offset)
        leverage = int(row["max_leverage"])
        wanted = wanted_offset(memory.basis, oracle, leverage, span)
        offset = next_offset(given_way(memory.offset, moved, wanted), wanted, oracle, leverage)
        if offset != memory.offset:
            batch.ledger.memory.put(market, replace(memory, offset=offset))
        mark = clamp(oracle + offset, 1, int(row["max_px"]))
        if mark != int(row["mark"]):
            batch.mark_changes[market] = mark - int(row["mark"])
            marks[market] = mark
    apply_marks(batch.rows, marks)


def wanted_offset(basis: int, oracle: int, leverage: int, span: tuple[int, int]) -> int:
    """The offset to follow, in price units: the basis, limited to `span` and to the maximum offset."""
    return _bounded(clamp(round_half_even(basis, _BASIS_UNIT), *span), oracle, leverage)


def given_way(offset: int, moved: int, wanted: int) -> int:
    """The offset after the oracle moved by `moved`: nearer to `wanted` where this leaves the mark unchanged."""
    beyond = offset - wanted
    return offset - clamp(moved, min(0, beyond), max(0, beyond))


def next_offset(offset: int, wanted: int, oracle: int, leverage: int) -> int:
    """The offset one step nearer to `wanted`, in price units."""
    offset, step = _bounded(offset, oracle, leverage), div_down(oracle, STEP_SHARE * leverage)
    return offset + clamp(wanted - offset, -step, step)


def _bounded(offset: int, oracle: int, leverage: int) -> int:
    """The offset within the maximum offset."""
    most = div_down(oracle, OFFSET_SHARE * leverage)
    return clamp(offset, -most, most)


def _span(memory: MarketMemory, oracle: int) -> tuple[int, int]:
    """From the oracle to the farther of the last book and its average, as offsets in price units."""
    anchor = oracle * _BASIS_UNIT
    last = round_half_even((memory.book << SCALE_BITS) - anchor, _BASIS_UNIT)
    average = round_half_even(memory.book_average - anchor, _BASIS_UNIT)
    return min(0, last, average), max(0, last, average)


def is_narrow(bid: int, ask: int, oracle: int, leverage: int) -> bool:
    """Whether the spread is narrow enough for its midpoint to be a price; all in the same units."""
    return SPREAD_SHARE * leverage * (ask - bid) <= oracle


def add_basis(
    batch: Execution, market: int, memory: MarketMemory, bid: int, ask: int, elapsed: int
) -> MarketMemory:
    """The market's memory with this batch's basis sample; `bid` and `ask` in 1 / QUOTE_SCALE, 0 for none."""
    row = batch.rows.markets[market]
    oracle = QUOTE_SCALE * int(row["oracle"])
    most = div_down(oracle, OFFSET_SHARE * int(row["max_leverage"]))
    silent = min(elapsed, max(0, batch.now - memory.quoted_ms - BASIS_GAP_MS))
    basis = blended(memory.basis, 0, DECAY_150_S, silent)
    if not (bid and ask):
        return replace(memory, basis=basis)
    narrow = is_narrow(bid, ask, oracle, int(row["max_leverage"]))
    told = bid + ask - 2 * oracle if narrow else 2 * (max(0, bid - oracle) - max(0, oracle - ask))
    sample = clamp(told, -2 * most, 2 * most)
    basis = blended(basis, sample << SCALE_BITS, DECAY_150_S, min(elapsed, SAMPLE_MS))
    memory = replace(memory, basis=basis, quoted_ms=batch.now)
    if not memory.book:
        return replace(memory, book=2 * oracle + told, book_average=2 * oracle + told << SCALE_BITS)
    low, high = (bid + ask, bid + ask) if narrow else (2 * bid, 2 * ask)
    return _with_book(memory, low, high, min(elapsed, SAMPLE_MS))


def _with_book(memory: MarketMemory, low: int, high: int, elapsed: int) -> MarketMemory:
    """The last book and its average after a sample that puts the price between `low` and `high`."""
    said = clamp(memory.book_average, low << SCALE_BITS, high << SCALE_BITS)
    return replace(
        memory,
        book=clamp(memory.book, low, high),
        book_average=blended(memory.book_average, said, DECAY_30_S, elapsed),
    )
