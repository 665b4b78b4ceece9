"""The end of a batch's trading: what post-only orders passed over meets them (passing.py), and no book is crossed."""

from collections.abc import Iterator

from coinone.rules.exchange.actions.trading import Trading
from coinone.rules.exchange.batch import NO_HASH, Batch
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.segments import Item
from coinone.rules.exchange.tables import OpKind, Side
from coinone.rules.exchange.wire.types import Noop


def meet_passed(batch: Batch) -> None:
    """Let the orders that were passed over trade, market by market, best price and oldest first."""
    rows, meetings = batch.rows, Trading(batch)
    for slot in passed_over(rows, batch.now):
        order = rows.orders[slot]
        address = rows.address_of(account := int(order["account"]))
        item = Item(-1, Noop(), account, address, 0, address, NO_HASH, NO_HASH, before=-2)
        meetings.ops.add_one(item, kind=int(OpKind.MEET), market=int(order["market"]), oid=int(order["oid"]))
    meetings.run()


def passed_over(rows: Rows, now: int) -> Iterator[int]:
    """Slots of the orders from before `now` that cross newer ones."""
    for market in range(rows.market_count):
        bid, ask = (rows.book.best(market, side) for side in (Side.BUY, Side.SELL))
        if bid is None or ask is None or bid < ask:
            continue
        for side, limit in ((Side.BUY, ask), (Side.SELL, bid)):
            for slot in rows.book.queue(market, side):
                order = rows.orders[slot]
                if (order["px"] < limit) if side is Side.BUY else (order["px"] > limit):
                    break
                if order["time_ms"] < now:
                    yield slot
