"""Uncrossing, the end of a batch's trading: orders that cross each other trade (kernel/passing.py)."""

from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.prices.fair import last_middle
from coinone.rules.exchange.rows.tables import OpKind, Side
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.trading.segment import SegmentRun, Trading
from coinone.rules.exchange.wire.segments import system_item


def uncross(batch: Execution) -> SegmentRun:
    """Trade resting orders that cross, market by market, until no book is crossed."""
    meetings = Trading(batch)
    for market in crossed_markets(batch.rows):
        meetings.ops.add_one(
            system_item(), kind=int(OpKind.MEET), market=market, middle=last_middle(batch, market)
        )
    return meetings.run()


def crossed_markets(rows: Rows) -> list[int]:
    """Markets in which the best bid reaches the best ask."""
    best = [[rows.book.best(market, side) for side in Side] for market in range(rows.market_count)]
    return [n for n, (bid, ask) in enumerate(best) if bid is not None and ask is not None and bid >= ask]
