"""Uncrossing, the end of a batch's trading: orders that cross each other trade (kernel/passing.py)."""

from coinone.base.primitives.integers import round_half_even
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.prices.fair import expected_middle, is_narrow
from coinone.rules.exchange.rows.tables import LIMIT_WHOLE, OpKind, Side
from coinone.rules.exchange.state.ledger import QUOTE_SCALE
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.trading.segment import SegmentRun, Trading
from coinone.rules.exchange.wire.segments import system_item


def uncross(batch: Execution) -> SegmentRun:
    """Trade resting orders that cross, market by market, until no book is crossed."""
    meetings = Trading(batch)
    for market in crossed_markets(batch.rows):
        meetings.ops.add_one(
            system_item(), kind=int(OpKind.MEET), market=market, middle=_middle(batch, market)
        )
    return meetings.run()


def crossed_markets(rows: Rows) -> list[int]:
    """Markets in which the best bid reaches the best ask."""
    best = [[rows.book.best(market, side) for side in Side] for market in range(rows.market_count)]
    return [n for n, (bid, ask) in enumerate(best) if bid is not None and ask is not None and bid >= ask]


def _middle(batch: Execution, market: int) -> int:
    """Twice the price that decides which side takes.

    It is the midpoint of the public impact prices at the last batch's end if their spread is narrow, else what the
    market's average distance from its index makes expect. The mark where the limit of liquidations is below its full
    size: makers have just come back, and the quotes from before are not theirs.
    """
    memory, row = batch.ledger.memory_of(market), batch.rows.markets[market]
    bid, ask, oracle = memory.seen_bid, memory.seen_ask, QUOTE_SCALE * int(row["oracle"])
    if int(row["limit_share"]) != LIMIT_WHOLE:
        return 2 * int(row["mark"])
    if bid and ask and is_narrow(bid, ask, oracle, int(row["max_leverage"])):
        return round_half_even(bid + ask, QUOTE_SCALE)
    return expected_middle(batch, market)
