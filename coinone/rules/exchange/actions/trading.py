"""Orders, modifies and cancels: a segment's operations go to the kernel in one call.

An action is rows since it was decoded (wire/operations.py). Here the rows of a segment become one array (ops.py),
the kernel turns it into results, fills and updates, and these stay arrays: events (events/event_log.py) and answers
(answers.py) read them when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinone.rules.exchange.accounts.credits import charge, note_fees
from coinone.rules.exchange.actions.answers import Answer, Answers
from coinone.rules.exchange.actions.ops import BuilderTerms, OpList, to_market_units
from coinone.rules.exchange.batch.execution import Batch
from coinone.rules.exchange.events.event_log import Trades
from coinone.rules.exchange.kernel.post_only import passing
from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.status import FIRST_REJECTION, Status
from coinone.rules.exchange.rows.tables import FEE_SCALE, OP, RESULT, UPDATE, Array, OpKind, Side, copied
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.exchange.wire.types import Builder, Form, Operations

BUILDER_FEE_UNIT = FEE_SCALE // 10**5  # a tenth of a basis point
BUILDER_FEE_MAX = 100  # tenths of a basis point


@dataclass(frozen=True, slots=True)
class Ran:
    """A segment that the kernel ran: what was asked, one RESULT for each operation, and what became of orders."""

    asked: Array
    results: Array
    updates: Array


_NOTHING = Ran(np.zeros(0, OP), np.zeros(0, RESULT), np.zeros(0, UPDATE))


class Trading:
    """One segment of orders, modifies or cancels: collect operations, run them, hand out the answers."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.ops = OpList()

    def add(self, item: Item) -> None:
        action = item.action
        assert isinstance(action, Operations), "segments hold orders, modifies and cancels"
        if action.builder is None or action.builder.fee == 0:
            self.ops.add(item, action)
            return
        terms = self._builder(item, action.builder)
        if terms is None:
            self.batch.failed(item, "Builder fee has not been approved.")
        else:
            self.ops.add(item, action, terms)

    def run(self, post_only: bool = False) -> Ran:
        """Execute, and keep what happened: the kernel's rows are copied, since it writes there again. Some `post_only`
        ones may cross others (kernel/post_only.py)."""
        batch, rows = self.batch, self.batch.rows
        if not len(self.ops):
            return _NOTHING
        ops = self.ops.array()
        wrong = to_market_units(ops, rows.markets["sz_decimals"][: rows.market_count])
        if post_only:
            ops["passes"] = passing(rows, ops, batch.ledger.cursor.time_ms)
        segment = run_segment(rows, ops, batch.now)
        results, fills, updates = map(copied, (segment.results, segment.fills, segment.updates))
        note_fees(rows, fills)
        np.copyto(results["status"], wrong, where=wrong != 0)
        if len(fills) or len(updates):
            hashes = [item.tx_hash for item in self.ops.items]
            batch.events.append(Trades(*batch.here, fills, updates, rows.addresses, self.ops.starts, hashes))
        return Ran(ops, results, updates)

    def refuse(self, ran: Ran, met: Ran) -> None:
        """New post-only orders that rested until orders of earlier batches had them go at the meeting `met`, and no
        taker found, are answered as refused on entry, with the best prices that are there now. A modify is not: its old
        order is gone."""
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

    def finish(self, ran: Ran) -> None:
        """Write the outcomes."""
        rows = self.batch.rows
        answers = Answers(ran.asked, ran.results, rows.markets["sz_decimals"][: rows.market_count].tolist())
        starts = self.ops.starts
        for n, item in enumerate(self.ops.items):
            if item.index < 0:  # the system's
                continue
            assert isinstance(item.action, Operations), "see add"
            form, start = item.action.form, starts[n]
            if form is Form.MODIFY and ran.results["status"][start] >= FIRST_REJECTION:
                self.batch.failed(item, answers.error(start))
            else:
                self.batch.executed(item, Answer(answers, form, start, starts[n + 1]))

    def _builder(self, item: Item, builder: Builder) -> BuilderTerms | None:
        """The builder's account and fee; None if that was never approved, and the whole action fails."""
        slot = self.batch.rows.slot_of(builder.address)
        approved = dict(self.batch.ledger.settings_of(self.batch.ex.number(item.account)).builders)
        if slot is None or builder.fee > min(approved.get(builder.address, 0), BUILDER_FEE_MAX):
            return None
        return BuilderTerms(slot, builder.fee * BUILDER_FEE_UNIT)


class SecondTry:
    """Cancels that found nothing, tried again when all orders have run (D2).

    They reach only orders that came earlier: an order placed in this batch by an item that ranks after the cancel
    among its account's items is out of reach, so that "cancel, then place again" does not cancel what it placed.
    """

    def __init__(self, cancels: Trading, ran: Ran) -> None:
        self._cancels = cancels
        self._ran = ran
        self._placed: list[tuple[OpList, Ran]] = []

    def note_placed(self, orders: Trading, ran: Ran) -> None:
        self._placed.append((orders.ops, ran))

    def run(self) -> None:
        """Try again, and put the new results in the place of the old."""
        missed = self._missed()
        reachable = self._resting(np.unique(self._ran.asked["account"][missed])) if len(missed) else {}
        if not reachable:
            return
        again, places = Trading(self._cancels.batch), []
        asked = self._ran.asked[missed]
        for place, name, row in zip(missed.tolist(), _meant(asked), asked, strict=True):
            oid, placer = reachable.get(name, (0, None))
            if placer is not None and placer.key <= (item := self._cancels.ops.owner(place)).key:
                row["kind"], row["oid"] = OpKind.CANCEL, oid
                again.ops.add_rows(item, row.reshape(1))
                places.append(place)
        if places:
            self._ran.results["status"][places] = again.run().results["status"]

    def finish(self) -> None:
        """Write the outcomes. What was not there was nobody's removal, and costs a credit (accounts/credits.py)."""
        accounts, counts = np.unique(self._ran.asked["account"][self._missed()], return_counts=True)
        for account, count in zip(accounts.tolist(), counts.tolist(), strict=True):
            charge(self._cancels.batch.rows, account, count)
        self._cancels.finish(self._ran)

    def _missed(self) -> Array:
        """Places of the accounts' cancels that found nothing."""
        ops = self._cancels.ops
        signed = np.repeat(np.array([item.index >= 0 for item in ops.items], bool), np.diff(ops.starts))
        return np.flatnonzero((self._ran.results["status"] >= FIRST_REJECTION) & signed)

    def _resting(self, accounts: Array) -> dict[bytes, tuple[int, Item]]:
        """What these accounts placed in this batch and still rests, by all that a cancel may call it: its oid and
        the item that placed it. The names are bytes: nobody can choose client ids so that their hashes collide."""
        rows = self._cancels.batch.rows
        found: dict[bytes, tuple[int, Item]] = {}
        for ops, ran in self._placed:
            theirs = (ran.results["resting_sz"] > 0) & np.isin(ran.asked["account"], accounts)
            places = np.flatnonzero(theirs)
            asked, oids = ran.asked[places], ran.results["oid"][places]
            owned, client = asked["account"], (asked["cloid_hi"], asked["cloid_lo"])
            names = zip(_names(0, owned, oids, 0), _names(1, owned, *client), asked["has_cloid"], strict=True)
            for place, oid, (by_oid, by_cloid, has_cloid) in zip(
                places.tolist(), oids.tolist(), names, strict=True
            ):
                if rows.book.find(rows, oid) is not None:
                    found[by_oid] = oid, ops.owner(place)
                    if has_cloid:
                        found[by_cloid] = found[by_oid]
        return found


def _meant(asked: Array) -> list[bytes]:
    """The orders that cancels name: by oid, or by the halves of a client id."""
    by_cloid = asked["kind"] == OpKind.CANCEL_CLOID
    first = np.where(by_cloid, asked["target_hi"], asked["oid"])
    return _names(by_cloid, asked["account"], first, np.where(by_cloid, asked["target_lo"], 0))


def _names(*columns: Array | int) -> list[bytes]:
    """The numbers of each row as bytes."""
    cells = np.stack(np.broadcast_arrays(*columns), axis=1).astype(np.int64)
    names: list[bytes] = cells.view(f"V{8 * len(columns)}").ravel().tolist()
    return names
