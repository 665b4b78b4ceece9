"""A segment's operations: the rows of its items put one after another, and brought to their markets' units."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from coinone.rules.exchange.segments import Item
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.tables import OP, Array, OpKind
from coinone.rules.exchange.wire import types as wire
from coinone.rules.exchange.wire.operations import op_rows


@dataclass(frozen=True, slots=True)
class BuilderTerms:
    slot: int
    fee: int  # in 1 / FEE_SCALE


class OpList:
    """Operations of one segment in order. Those of `items[n]` are `starts[n]` up to `starts[n + 1]`."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.starts = [0]
        self._rows: list[bytes] = []
        self._builders: list[tuple[int, BuilderTerms]] = []

    def __len__(self) -> int:
        return self.starts[-1]

    def add(self, item: Item, operations: wire.Operations, builder: BuilderTerms | None = None) -> None:
        """Append an item's operations."""
        if builder is not None:
            self._builders.append((len(self.items), builder))
        self._append(item, operations.rows, operations.count)

    def add_one(self, item: Item, **columns: int) -> None:
        """Append a single operation; columns not named are 0."""
        self._append(item, op_rows([columns]), 1)

    def add_rows(self, item: Item, rows: Array) -> None:
        """Append operations as they are."""
        self._append(item, rows.tobytes(), len(rows))

    def owner(self, place: int) -> Item:
        """Whose the operation at `place` is."""
        return self.items[bisect_right(self.starts, place) - 1]

    def array(self) -> Array:
        """All operations, with the account they are for."""
        ops = np.frombuffer(bytearray().join(self._rows), OP)
        ops["account"] = np.repeat([item.account for item in self.items], np.diff(self.starts))
        ops["builder"] = -1
        for place, terms in self._builders:
            own = slice(self.starts[place], self.starts[place + 1])
            ops["builder"][own], ops["builder_fee"][own] = terms.slot, terms.fee
        return ops

    def _append(self, item: Item, rows: bytes, count: int) -> None:
        self.items.append(item)
        self.starts.append(self.starts[-1] + count)
        self._rows.append(rows)


def to_market_units(ops: Array, sz_decimals: Array) -> Array:
    """Bring px and sz of orders from 1e-8 to their markets' units, in place; for each operation 0, or why it
    cannot even be asked. Such a one is left with size 0, which the kernel refuses before it does anything.
    A liquidation's order has its market's units already."""
    ordering = (
        (ops["kind"] != OpKind.CANCEL) & (ops["kind"] != OpKind.CANCEL_CLOID) & (ops["liquidation"] == 0)
    )
    known = ops["market"] < len(sz_decimals)
    decimals = np.where(ordering & known, sz_decimals[np.where(known, ops["market"], 0)], 0).astype(np.int64)
    px, px_rest = np.divmod(ops["px"], 10 ** (wire.WIRE_DECIMALS - 6 + decimals))
    sz, sz_rest = np.divmod(ops["sz"], 10 ** (wire.WIRE_DECIMALS - decimals))
    wrong = np.zeros(len(ops), np.int32)
    wrong[sz_rest != 0] = Status.BAD_SIZE
    wrong[px_rest != 0] = Status.BAD_PRICE
    wrong[~known] = Status.BAD_MARKET
    wrong[ops["reason"] == Status.TRIGGER] = Status.TRIGGER
    wrong[~ordering] = 0
    ops["px"] = np.where(ordering, px, ops["px"])
    ops["sz"] = np.where(wrong != 0, 0, np.where(ordering, sz, ops["sz"]))
    return wrong
