"""Convert a trade to the kernel's operations: orders, modifies and cancels become rows of OP, column by column.

This is the readable implementation, for any trade; fast_decode.py reads the common ones from their bytes into the same
rows, and tests compare the two. The triggers of orders, which the kernel does not know, are listed next to the rows,
with the grouping of the orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from coinone.rules.exchange.rows.tables import OP, Array, OpKind, Side, Tif
from coinone.rules.exchange.wire import trades as t

_HALF = 1 << 64


def operations_of(trade: t.Trade) -> t.Operations:
    """The operations of `trade`, in its order."""
    if isinstance(trade, t.Cancel):
        return _operations([_cancel(target) for target in trade.targets], post_only=False)
    if isinstance(trade, t.PlaceOrders):
        specs = trade.orders
        rows = [{"kind": int(OpKind.PLACE), **_order(spec)} for spec in specs]
        grouping, builder = trade.grouping, trade.builder
    else:
        specs = tuple([change.order for change in trade.modifies])
        rows = [_modify(change) for change in trade.modifies]
        grouping, builder = "na", None
    post_only = all(spec.tif is Tif.ALO for spec in specs)
    triggers = [(n, spec.trigger) for n, spec in enumerate(specs)]
    conditional = tuple([t.Conditional(n, trigger) for n, trigger in triggers if trigger is not None])
    return _operations(rows, post_only, builder, grouping, conditional)


def op_rows(operations: Sequence[Mapping[str, int]]) -> bytes:
    """OP rows of the named columns; others are 0."""
    rows = np.zeros(len(operations), OP)
    for name in dict.fromkeys(chain.from_iterable(operations)):
        rows[name] = [columns.get(name, 0) for columns in operations]
    return rows.tobytes()


def rows_of(operations: t.Operations) -> Array:
    """The operations' rows of OP, read-only."""
    return np.frombuffer(operations.rows, OP)


def halves(cloid: int) -> tuple[int, int]:
    """A 16-byte client id as the two signed 64-bit halves that rows hold."""
    return _signed(cloid >> 64), _signed(cloid % _HALF)


def joined(high: int, low: int) -> int:
    """The client id of two halves."""
    return (high % _HALF) << 64 | low % _HALF


def _operations(
    rows: Sequence[Mapping[str, int]],
    post_only: bool,
    builder: t.Builder | None = None,
    grouping: str = "na",
    conditional: tuple[t.Conditional, ...] = (),
) -> t.Operations:
    return t.Operations(op_rows(rows), len(rows), post_only, builder, grouping, conditional)


def _order(spec: t.OrderSpec) -> dict[str, int]:
    high, low = halves(spec.cloid)
    return {
        "market": spec.asset,
        "side": int(Side.BUY if spec.is_buy else Side.SELL),
        "px": spec.px,
        "sz": spec.sz,
        "tif": int(spec.tif),
        "reduce_only": int(spec.reduce_only),
        "has_cloid": int(spec.cloid != 0),
        "cloid_hi": high,
        "cloid_lo": low,
    }


def _modify(change: t.Modify) -> dict[str, int]:
    kind = OpKind.MODIFY if change.target.oid else OpKind.MODIFY_CLOID
    return {"kind": int(kind), **_target(change.target), **_order(change.order)}


def _cancel(target: t.OrderRef) -> dict[str, int]:
    kind = OpKind.CANCEL_CLOID if target.cloid else OpKind.CANCEL
    return {"kind": int(kind), "market": target.asset, **_target(target)}


def _target(target: t.OrderRef) -> dict[str, int]:
    """The columns of a target. Numbers beyond the rows' range name no order."""
    high, low = halves(target.cloid)
    return {"oid": target.oid if target.oid < 2**63 else 0, "target_hi": high, "target_lo": low}


def _signed(half: int) -> int:
    return half - _HALF if half >> 63 else half
