"""An account's open orders, wherever they are: everything that looks for them, shows or removes them asks here.

Today all of them rest in the book, so that the kernel runs every operation on them. An order with a trigger, which it
cannot run, is refused, and so are all orders grouped with it (`normalTpsl`: an entry with its stop), since an entry
must not be filled without the stop that was to protect it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.events.orders import OpenOrder, orders_in
from coinone.rules.exchange.kernel.cancelling import finds_all
from coinone.rules.exchange.kernel.run import SegmentOutput, run_segment
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import OP, Array, OpKind
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.wire.operations import halves
from coinone.rules.exchange.wire.trades import Operations

if TYPE_CHECKING:
    from coinone.rules.exchange.trading.segment import Trading


def count(ex: Exchange, slot: int) -> int:
    """The number of the account's open orders."""
    return int(ex.rows.accounts["order_count"][slot])


def has_any(ex: Exchange, slot: int, market: int) -> bool:
    """Whether the account has an open order in a market."""
    if market >= ex.rows.market_count:
        return False
    held = ex.rows.positions[slot, market]
    return any(held[name] for name in ("first_bid", "first_ask", "first_reduce"))


def is_open(ex: Exchange, slot: int, oid: int) -> bool:
    """Whether the account has an open order with this number."""
    found = ex.rows.book.find(ex.rows, oid)
    return found is not None and int(ex.rows.orders["account"][found]) == slot


def all_open(ex: Exchange, slot: int, named: Array) -> bool:
    """Whether each of these cancels or modifies (OP), if the account sent it, would find the order that it names."""
    ops = named.copy()
    ops["account"] = slot
    return bool(finds_all(ex.rows.core(ops)))


def find(ex: Exchange, slot: int, oid: int | None, cloid: int | None) -> OpenOrder | None:
    """The account's open order with this number, or with this client id."""
    rows = ex.rows
    if oid is not None:
        place = rows.book.find(rows, oid)
    else:
        assert cloid is not None, "an order is named in one of two ways"
        place = rows.book.find_cloid(rows, slot, *halves(cloid))
    if place is None or int(rows.orders["account"][place]) != slot:
        return None
    return orders_in(rows.orders[[place]])[0]


def shown(ex: Exchange, slot: int) -> tuple[OpenOrder, ...]:
    """The account's open orders, oldest first."""
    return tuple(orders_in(ex.rows.orders[ex.rows.book.slots_of(ex.rows, slot)]))


def cancels(ex: Exchange, slot: int, market: int | None = None) -> Array:
    """Cancels (OP) of the account's open orders, in one market or in all, oldest first."""
    slots, orders = ex.rows.book.slots_of(ex.rows, slot, market), ex.rows.orders
    found = np.zeros(len(slots), OP)
    found["kind"] = OpKind.CANCEL
    found["market"], found["oid"] = orders["market"][slots], orders["oid"][slots]
    return found


def set_aside(trading: Trading, says: Operations) -> None:
    """Answer those orders of the last item, which has orders with a trigger, that the kernel is not to run."""
    grouped = says.grouping != "na"
    for place in range(says.count) if grouped else [waiting.place for waiting in says.conditional]:
        trading.ops.answer(place, Status.TRIGGER)


def run(batch: Execution, ops: Array) -> SegmentOutput:
    """Run a segment's operations on the orders that they name."""
    return run_segment(batch.rows, ops, batch.now)
