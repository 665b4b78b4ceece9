"""A segment's operations: the rows of its items in one array, converted to their markets' units."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np

from coinone.base.primitives.jit import from_dtype, njit, types
from coinone.base.primitives.units import PRICE_DECIMALS
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import OP, Array, OpKind
from coinone.rules.exchange.wire.operations import op_rows
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.exchange.wire.trades import WIRE_DECIMALS, Operations

_CANCEL, _CANCEL_CLOID = int(OpKind.CANCEL), int(OpKind.CANCEL_CLOID)
_BAD_MARKET, _BAD_PRICE, _BAD_SIZE = int(Status.BAD_MARKET), int(Status.BAD_PRICE), int(Status.BAD_SIZE)
_OPS = types.Array(from_dtype(OP), 1, "C")  # type: ignore[no-untyped-call]
_UNITS, _WRONG = types.Array(types.int64, 1, "C"), types.Array(types.int32, 1, "C")


@dataclass(frozen=True, slots=True)
class BuilderTerms:
    slot: int
    fee: int  # in 1 / FEE_SCALE


class OpList:
    """The operations of a segment in order. Those of `items[n]` are `starts[n]` up to `starts[n + 1]`."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.starts = [0]
        self._rows: list[bytes] = []
        self._builders: list[tuple[int, BuilderTerms]] = []
        self._answered: dict[int, dict[str, int]] = {}  # place -> columns of its RESULT

    def __len__(self) -> int:
        return self.starts[-1]

    def add(self, item: Item, operations: Operations, builder: BuilderTerms | None = None) -> None:
        """Append an item's operations."""
        if builder is not None:
            self._builders.append((len(self.items), builder))
        self._append(item, operations.rows, operations.count)

    def answer(self, place: int, status: Status, **columns: int) -> None:
        """Answer the operation at `place` among those of the last item with this RESULT, instead of the kernel."""
        self._answered[self.starts[-2] + place] = {"status": int(status), **columns}

    def add_one(self, item: Item, **columns: int) -> None:
        """Append a single operation; columns not named are 0."""
        self._append(item, op_rows([columns]), 1)

    def add_rows(self, item: Item, rows: Array) -> None:
        """Append operations unchanged."""
        self._append(item, rows.tobytes(), len(rows))

    def owner(self, place: int) -> Item:
        """The item of the operation at `place`."""
        return self.items[bisect_right(self.starts, place) - 1]

    def owners(self, places: Array) -> list[int]:
        """For each of these operations, the place among `items` of its item."""
        found: list[int] = (np.searchsorted(self.starts, places, side="right") - 1).tolist()
        return found

    def array(self) -> Array:
        """All operations, with the slots of their accounts."""
        ops = np.frombuffer(bytearray().join(self._rows), OP)
        ops["account"] = np.repeat([item.account for item in self.items], np.diff(self.starts))
        ops["builder"] = -1
        for place, terms in self._builders:
            own = slice(self.starts[place], self.starts[place + 1])
            ops["builder"][own], ops["builder_fee"][own] = terms.slot, terms.fee
        return ops

    def wrong(self) -> Array:
        """For each operation 0, or the status with which it was answered when it was added."""
        wrong = np.zeros(len(self), np.int32)
        wrong[list(self._answered)] = [columns["status"] for columns in self._answered.values()]
        return wrong

    def fill_in(self, results: Array) -> None:
        """Write the RESULTs of the operations that were answered when they were added."""
        for place, columns in self._answered.items():
            for name, value in columns.items():
                results[name][place] = value

    def _append(self, item: Item, rows: bytes, count: int) -> None:
        self.items.append(item)
        self.starts.append(self.starts[-1] + count)
        self._rows.append(rows)


def to_market_units(ops: Array, sz_decimals: Array, wrong: Array) -> None:
    """Convert px and sz of orders from 1e-8 to their markets' units, in place, and note malformed operations in
    `wrong`.

    An operation that is wrong, now or before, gets size 0, which the kernel refuses before it does anything. A
    liquidation's order has its market's units already.
    """
    decimals = np.append(sz_decimals, 0).astype(np.int64)  # last: a market that does not exist
    px_units, sz_units = 10 ** (WIRE_DECIMALS - PRICE_DECIMALS + decimals), 10 ** (WIRE_DECIMALS - decimals)
    _convert(ops, px_units, sz_units, wrong)


@njit(types.void(_OPS, _UNITS, _UNITS, _WRONG), error_model="numpy", _nrt=False)
def _convert(ops: Any, px_units: Any, sz_units: Any, wrong: Any) -> None:
    markets = len(px_units) - 1
    for i in range(len(ops)):
        op = ops[i]
        if op.kind == _CANCEL or op.kind == _CANCEL_CLOID or op.liquidation != 0:
            continue
        market = min(np.int64(op.market), markets)
        if wrong[i] != 0:
            pass
        elif market == markets:
            wrong[i] = _BAD_MARKET
        elif op.px % px_units[market] != 0:
            wrong[i] = _BAD_PRICE
        elif op.sz % sz_units[market] != 0:
            wrong[i] = _BAD_SIZE
        op.px //= px_units[market]
        op.sz = op.sz // sz_units[market] if wrong[i] == 0 else 0
