"""Segments of orders, modifies and cancels: one call of the kernel runs all operations.

Decoding an action makes rows of it (wire/operations.py). Here the rows of a segment become one array (ops.py), and the
kernel turns it into results, fills and updates. These stay arrays: events (events/event_log.py) and answers
(answers.py) read them when they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinone.rules.exchange.accounts.credits import note_fees
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.events.event_log import Trades
from coinone.rules.exchange.rows.status import FIRST_REJECTION, Status
from coinone.rules.exchange.rows.tables import FILL, OP, RESULT, UPDATE, Array, OpKind, Side, copied
from coinone.rules.exchange.trading import open_orders
from coinone.rules.exchange.trading.answers import Answers, OperationsAnswer
from coinone.rules.exchange.trading.ops import OpList, to_market_units
from coinone.rules.exchange.wire.action import Traded
from coinone.rules.exchange.wire.segments import Item


@dataclass(frozen=True, slots=True)
class SegmentRun:
    """A segment that the kernel ran: its operations, one RESULT for each, the fills, and the updates of orders."""

    asked: Array
    results: Array
    fills: Array
    updates: Array


_NOTHING = SegmentRun(np.zeros(0, OP), np.zeros(0, RESULT), np.zeros(0, FILL), np.zeros(0, UPDATE))


class Trading:
    """One segment of orders, modifies or cancels: collect operations, run them, write the outcomes."""

    def __init__(self, batch: Execution) -> None:
        self.batch = batch
        self.ops = OpList()
        self.swept = 0  # orders, by actions that sweep
        self.unswept: set[tuple[int, int]] = set()  # accounts and markets whose sweep had to wait
        self._swept: set[tuple[int, int | None]] = set()  # accounts and markets; None: all of them

    def add(self, item: Item) -> None:
        """Append the operations of the item's action."""
        traded(item).add(self, item, item.action.says)

    def sweep(self, item: Item, reason: Status, cancels: Array, market: int | None = None) -> None:
        """Add `cancels` of all open orders of the item's account, in one market or in all (`open_cancels`)."""
        self._swept.add((item.account, market))
        cancels["reason"] = reason
        self.ops.add_rows(item, cancels)

    def open_cancels(self, account: int, market: int | None = None) -> Array:
        """Cancels of the account's open orders, in one market or in all; none if the segment sweeps them already."""
        if not self._swept.isdisjoint(((account, market), (account, None))):
            return np.zeros(0, OP)
        return open_orders.cancels(self.batch.ex, account, market)

    def run(self, post_only: bool = False) -> SegmentRun:
        """Run the operations and keep copies of the kernel's rows, since it reuses its buffers.

        If `post_only`, they may rest over what they cross (kernel/crossing.py).
        """
        batch, rows = self.batch, self.batch.rows
        if not len(self.ops):
            return _NOTHING
        ops, wrong = self.ops.array(), self.ops.wrong()
        to_market_units(ops, rows.markets["sz_decimals"][: rows.market_count], wrong)
        if post_only:
            ops["passes"] = 1
        segment = open_orders.run(batch, ops)
        results, fills, updates = map(copied, (segment.results, segment.fills, segment.updates))
        note_fees(rows, fills)
        np.copyto(results["status"], wrong, where=wrong != 0)
        self.ops.fill_in(results)
        if len(fills) or len(updates):
            hashes = [item.tx_hash for item in self.ops.items]
            batch.events.append(Trades(*batch.here, fills, updates, rows.addresses, self.ops.starts, hashes))
        return SegmentRun(ops, results, fills, updates)

    def refuse(self, ran: SegmentRun, met: SegmentRun) -> None:
        """Answer new post-only orders that were removed whole at the meeting `met` as refused on entry.

        They rested until orders of earlier batches removed them, and no taker found them. The answer has the best
        prices of now. A modify is not answered so: its old order is gone.
        """
        gone = met.updates[met.updates["status"] == Status.BAD_ALO]
        whole = gone["oid"][gone["sz"] == gone["orig_sz"]]
        rested = (ran.results["resting_sz"] > 0) & (ran.asked["kind"] == OpKind.PLACE)
        places = np.flatnonzero(rested & np.isin(ran.results["oid"], whole))
        if not len(places):
            return
        rows, markets = self.batch.rows, ran.asked["market"][places].tolist()
        for name, side in (("bid", Side.BUY), ("ask", Side.SELL)):
            ran.results[name][places] = [rows.book.best(market, side) or 0 for market in markets]
        ran.results["status"][places] = Status.BAD_ALO
        ran.results["oid"][places] = ran.results["resting_sz"][places] = 0

    def finish(self, ran: SegmentRun) -> None:
        """Write the outcomes."""
        rows = self.batch.rows
        answers = Answers(ran.asked, ran.results, rows.markets["sz_decimals"][: rows.market_count].tolist())
        starts = self.ops.starts
        for n, item in enumerate(self.ops.items):
            if item.index < 0:  # a system item
                continue
            does, start = traded(item), starts[n]
            if does.fails_with_its_operation and ran.results["status"][start] >= FIRST_REJECTION:
                self.batch.failed(item, answers.error(start))
            else:
                self.batch.executed(item, OperationsAnswer(answers, does.answer, start, starts[n + 1]))


def traded(item: Item) -> Traded:
    """How the kernel executes the item's action."""
    does = item.action.type.does
    assert isinstance(does, Traded), "segments hold orders, modifies and cancels"
    return does
