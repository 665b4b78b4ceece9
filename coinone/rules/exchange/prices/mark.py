"""The mark price: what positions are valued and liquidated at. mark = oracle + offset.

The offset follows the *basis*, the 150 s average of how far the middle of hittable bid and ask (quotes.py) lies from
the oracle. Neither the last trade nor the book of this moment is in it, so nobody moves a mark within a batch, and
whoever is alone in a book moves it slowly and not far (L: the market's greatest leverage):

    |offset| <= oracle / (4 L)    from end to end one smallest maintenance margin, oracle / (2 L)
    a batch moves it by at most oracle / (64 L)    a 32nd of that margin: a push alone never leaves a debt

A sample counts for at most that greatest offset, so that an absurd quote pushes no faster than a bold one. Of a spread
wider than a quarter of it the middle says nothing: it may lie between the makers' quotes and somebody's bid far away,
after what stood nearer was kept out. It says only that the price is not below its bid nor above its ask. So both must
lie on one side of the oracle, and the nearer one counts. Where no quote can be hit for 30 s the samples are 0: an
offset that somebody pushed and left goes back. The average starts at 0. Without a fresh oracle, and while a jump waits,
the mark stands.
"""

from __future__ import annotations

from dataclasses import replace

from coinone.base.primitives.integers import div_down
from coinone.base.primitives.parameters import BASIS_GAP_MS, SAMPLE_MS
from coinone.rules.exchange.accounts.equity import apply_marks
from coinone.rules.exchange.batch.execution import Batch
from coinone.rules.exchange.prices.fixed import DECAY_150_S, QUOTE_SCALE, SCALE_BITS, blended, round_half_even
from coinone.rules.exchange.prices.oracle import is_fresh
from coinone.rules.exchange.state.ledger import MarketMemory

OFFSET_SHARE = 4  # of oracle / max leverage: the farthest offset
SPREAD_SHARE = 16  # of the same: the widest spread whose middle counts
STEP_SHARE = 64  # of the same: its farthest step in a batch
_BASIS_UNIT = 2 * QUOTE_SCALE << SCALE_BITS  # bid + ask has half price units


def apply_mark_prices(batch: Batch) -> None:
    """Set each market's mark from what was weighed up to the last batch; note by how much each one moved."""
    marks: dict[int, int] = {}
    for market in range(batch.rows.market_count):
        if not is_fresh(batch.rows, market):
            continue
        row = batch.rows.markets[market]
        memory = batch.ledger.memory_of(market)
        offset = next_offset(memory.offset, memory.basis, int(row["oracle"]), int(row["max_leverage"]))
        if offset != memory.offset:
            batch.ledger.memory.put(market, replace(memory, offset=offset))
        mark = max(1, min(int(row["oracle"]) + offset, int(row["max_px"])))
        if mark != int(row["mark"]):
            batch.mark_changes[market] = mark - int(row["mark"])
            marks[market] = mark
    apply_marks(batch.rows, marks)


def next_offset(offset: int, basis: int, oracle: int, leverage: int) -> int:
    """The offset one step nearer to the basis, in price units."""
    most, step = div_down(oracle, OFFSET_SHARE * leverage), div_down(oracle, STEP_SHARE * leverage)
    offset = max(-most, min(offset, most))
    wanted = max(-most, min(round_half_even(basis, _BASIS_UNIT), most))
    return offset + max(-step, min(wanted - offset, step))


def add_basis(
    batch: Batch, market: int, memory: MarketMemory, bid: int, ask: int, elapsed: int
) -> MarketMemory:
    """The average with this batch's sample; `bid` and `ask` in 1 / QUOTE_SCALE, 0 where there is none."""
    row = batch.rows.markets[market]
    oracle = QUOTE_SCALE * int(row["oracle"])
    most = div_down(oracle, OFFSET_SHARE * int(row["max_leverage"]))
    silent = min(elapsed, max(0, batch.now - memory.quoted_ms - BASIS_GAP_MS))
    basis = blended(memory.basis, 0, DECAY_150_S, silent)
    if not (bid and ask):
        return replace(memory, basis=basis)
    is_narrow = SPREAD_SHARE * (ask - bid) <= OFFSET_SHARE * most
    told = bid + ask - 2 * oracle if is_narrow else 2 * (max(0, bid - oracle) - max(0, oracle - ask))
    sample = max(-2 * most, min(told, 2 * most))
    basis = blended(basis, sample << SCALE_BITS, DECAY_150_S, min(elapsed, SAMPLE_MS))
    return replace(memory, basis=basis, quoted_ms=batch.now)
