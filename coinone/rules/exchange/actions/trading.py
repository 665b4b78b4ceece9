"""Orders, modifies and cancels: a segment's items go to the kernel in one call and come back as answers."""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.actions import answers
from coinone.rules.exchange.actions.ops import TRIGGER, BuilderTerms, OpList, Slot, joined
from coinone.rules.exchange.actions.report import as_dicts, report
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.kernel import Segment as KernelResult
from coinone.rules.exchange.kernel import run_segment
from coinone.rules.exchange.segments import Item
from coinone.rules.exchange.status import FIRST_REJECTION, Status
from coinone.rules.exchange.tables import FEE_SCALE
from coinone.rules.exchange.wire.types import BatchModify, Builder, Cancel, Order, OrderRef

_BUILDER_UNIT = FEE_SCALE // 10**5  # a tenth of a basis point
BUILDER_FEE_MAX = 100  # tenths of a basis point


class Trading:
    """One segment of orders, modifies or cancels: collect operations, run them, hand out the answers."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.ops = OpList(batch.rows)
        self.answers: dict[int, list[Any]] = {}  # by the item's index
        self.items: list[Item] = []

    def add(self, item: Item) -> None:
        action = item.action
        if isinstance(action, Order):
            self._add_orders(item, action)
        elif isinstance(action, BatchModify):
            self._add_modifies(item, action)
        else:
            assert isinstance(action, Cancel), "segments hold orders, modifies and cancels"
            self._add_cancels(item, action)

    def run(self) -> KernelResult:
        """Execute, collect events and answers. Answers of cancels stay open for a second try."""
        result = run_segment(self.batch.rows, self.ops.array(), self.batch.now)
        report(self.batch, result, self.ops.slots)
        for slot, row in zip(self.ops.slots, as_dicts(result.results), strict=True):
            if slot.item.index in self.answers:
                self.answers[slot.item.index][slot.place] = self._answer(slot, row)
        return result

    def finish(self) -> None:
        """Write the outcomes."""
        for item in self.items:
            statuses = self.answers[item.index]
            if isinstance(item.action, Cancel):
                self.batch.executed(item, answers.cancel_response(statuses))
            elif isinstance(item.action, BatchModify) and item.action.single:
                self._finish_modify(item, statuses[0])
            else:
                self.batch.executed(item, answers.order_response(statuses))

    def _finish_modify(self, item: Item, status: dict[str, Any]) -> None:
        if "error" in status:
            self.batch.failed(item, status["error"])
        else:
            self.batch.executed(item, answers.DEFAULT)

    def _add_orders(self, item: Item, action: Order) -> None:
        terms = self._builder(item, action.builder)
        if isinstance(terms, str):
            self.batch.failed(item, terms)
            return
        slots = self._open(item, len(action.orders))
        for place, spec in enumerate(action.orders):
            refused = self.ops.place(Slot(item, place, spec.asset, spec.cloid), spec, terms)
            if refused:
                slots[place] = self._refusal(refused, spec.asset)

    def _add_modifies(self, item: Item, action: BatchModify) -> None:
        slots = self._open(item, len(action.modifies))
        for place, change in enumerate(action.modifies):
            order = change.order
            refused = self.ops.modify(Slot(item, place, order.asset, order.cloid), change)
            if refused:
                slots[place] = self._refusal(refused, order.asset)

    def _add_cancels(self, item: Item, action: Cancel) -> None:
        self._open(item, len(action.targets))
        for place, target in enumerate(action.targets):
            self.ops.cancel(Slot(item, place, target.asset, target.cloid), target)

    def _open(self, item: Item, places: int) -> list[Any]:
        self.items.append(item)
        self.answers[item.index] = [None] * places
        return self.answers[item.index]

    def _builder(self, item: Item, builder: Builder | None) -> BuilderTerms | str:
        """The builder's account and fee, or why the whole action fails."""
        if builder is None or builder.fee == 0:
            return BuilderTerms()
        slot = self.batch.rows.slot_of(builder.address)
        approved = dict(self.batch.ledger.settings_of(self.batch.ex.number(item.account)).builders)
        if slot is None or builder.fee > min(approved.get(builder.address, 0), BUILDER_FEE_MAX):
            return "Builder fee has not been approved."
        return BuilderTerms(slot, builder.fee * _BUILDER_UNIT)

    def _refusal(self, status: int, asset: int) -> dict[str, Any]:
        if status == TRIGGER:
            return {"error": answers.TRIGGERS_REFUSED}
        return {"error": answers.error_text(status, asset, 0)}

    def _answer(self, slot: Slot, row: dict[str, int]) -> Any:
        status = row["status"]
        if status >= FIRST_REJECTION:
            decimals = 6 - self.ops.sz_decimals(slot.asset)
            return {"error": answers.error_text(status, slot.asset, decimals, row["bid"], row["ask"])}
        if isinstance(slot.item.action, Cancel):
            return "success"
        if status == Status.OPEN:
            return answers.resting(row["oid"], slot.cloid)
        decimals = self.ops.sz_decimals(slot.asset)
        return answers.filled(row["oid"], slot.cloid, row["filled_sz"], row["filled_notional"], decimals)


class SecondTry:
    """Cancels that found nothing, tried again when all orders have run (D2).

    They reach only orders that came earlier: an order placed in this batch by an item that ranks after the cancel
    among its account's items is out of reach, so that "cancel, then place again" does not cancel what it placed.
    """

    def __init__(self, cancels: Trading) -> None:
        self._cancels = cancels
        self._placed: dict[int, Item] = {}  # oid -> the item of this batch that placed it

    def note_placed(self, orders: Trading, result: KernelResult) -> None:
        for slot, oid in zip(orders.ops.slots, result.results["oid"].tolist(), strict=True):
            if oid:
                self._placed[oid] = slot.item

    def run(self) -> None:
        batch, trading = self._cancels.batch, self._cancels
        if not self._placed:
            return
        again = OpList(batch.rows)
        for slot in trading.ops.slots:
            if (
                slot.item.index in trading.answers
                and trading.answers[slot.item.index][slot.place] != "success"
            ):
                target = self._reachable(slot)
                if target is not None:
                    again.cancel(slot, target)
        if len(again):
            trading.ops = again
            trading.run()

    def finish(self) -> None:
        self._cancels.finish()

    def _reachable(self, slot: Slot) -> OrderRef | None:
        assert isinstance(slot.item.action, Cancel), "only cancels are tried again"
        target = slot.item.action.targets[slot.place]
        for oid, item in self._placed.items():
            if item.account != slot.item.account or item.key > slot.item.key:
                continue
            if target.oid == oid or (target.cloid and self._cloid_of(oid) == target.cloid):
                return OrderRef(target.asset, oid, 0)
        return None

    def _cloid_of(self, oid: int) -> int:
        rows = self._cancels.batch.rows
        slot = rows.book.find(rows, oid)
        if slot is None or not rows.orders[slot]["has_cloid"]:
            return 0
        return joined(int(rows.orders[slot]["cloid_hi"]), int(rows.orders[slot]["cloid_lo"]))
