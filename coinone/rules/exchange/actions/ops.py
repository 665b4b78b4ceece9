"""Orders and cancels as kernel operations: wire decimals become the market's own units here.

What the kernel could not even be asked (a price finer than the market's units, a trigger) is answered at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinone.rules.exchange.rows import Array, Rows
from coinone.rules.exchange.segments import Item
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.tables import OP, OpKind, Side, Tif
from coinone.rules.exchange.wire import types as wire

_TIF = {wire.Tif.GTC: int(Tif.GTC), wire.Tif.IOC: int(Tif.IOC), wire.Tif.ALO: int(Tif.ALO)}
_HALF = 1 << 64
_MARKET_MAX = 2**31 - 1
TRIGGER = -1  # in place of a status: refused as a trigger order


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the answer to an operation belongs: the item, its place inside, and what was asked."""

    item: Item
    place: int
    asset: int
    cloid: int = 0


@dataclass(frozen=True, slots=True)
class BuilderTerms:
    slot: int = -1
    fee: int = 0  # in 1 / FEE_SCALE


class OpList:
    """Operations of one segment in order, with the slots their results go to."""

    def __init__(self, rows: Rows) -> None:
        self._sz_decimals: list[int] = rows.markets["sz_decimals"][: rows.market_count].tolist()
        self._ops: list[tuple[int, ...]] = []
        self.slots: list[Slot] = []

    def __len__(self) -> int:
        return len(self._ops)

    def add(self, slot: Slot, **columns: int) -> None:
        """Append an operation; columns not named are 0."""
        self._ops.append(_row(**columns))
        self.slots.append(slot)

    def sz_decimals(self, asset: int) -> int:
        """Of a market; 0 for one that does not exist."""
        return self._sz_decimals[asset] if asset < len(self._sz_decimals) else 0

    def array(self) -> Array:
        return np.array(self._ops, OP)

    def place(self, slot: Slot, spec: wire.OrderSpec, builder: BuilderTerms) -> int:
        """Add a new order; returns 0, or why it cannot even be asked."""
        columns = self._order(spec, builder)
        if isinstance(columns, int):
            return columns
        self.add(slot, kind=int(OpKind.PLACE), account=slot.item.account, **columns)
        return 0

    def modify(self, slot: Slot, change: wire.Modify) -> int:
        """Add a modify; returns 0, or why it cannot even be asked."""
        columns = self._order(change.order, BuilderTerms())
        if isinstance(columns, int):
            return columns
        kind = OpKind.MODIFY if change.target.oid else OpKind.MODIFY_CLOID
        high, low = halves(change.target.cloid)
        self.add(
            slot,
            kind=int(kind),
            account=slot.item.account,
            oid=_oid(change.target.oid),
            target_hi=high,
            target_lo=low,
            **columns,
        )
        return 0

    def cancel(self, slot: Slot, target: wire.OrderRef, reason: int = 0) -> None:
        high, low = halves(target.cloid)
        self.add(
            slot,
            kind=int(OpKind.CANCEL_CLOID if target.cloid else OpKind.CANCEL),
            account=slot.item.account,
            market=min(target.asset, _MARKET_MAX),
            oid=_oid(target.oid),
            target_hi=high,
            target_lo=low,
            reason=reason,
        )

    def _order(self, spec: wire.OrderSpec, builder: BuilderTerms) -> dict[str, int] | int:
        if spec.trigger is not None:
            return TRIGGER
        if spec.asset >= len(self._sz_decimals):
            return int(Status.BAD_MARKET)
        decimals = self._sz_decimals[spec.asset]
        px, px_rest = divmod(spec.px, 10 ** (wire.WIRE_DECIMALS - 6 + decimals))
        sz, sz_rest = divmod(spec.sz, 10 ** (wire.WIRE_DECIMALS - decimals))
        if px_rest:
            return int(Status.BAD_PRICE)
        if sz_rest:
            return int(Status.BAD_SIZE)
        high, low = halves(spec.cloid)
        return {
            "market": spec.asset,
            "side": int(Side.BUY if spec.is_buy else Side.SELL),
            "px": px,
            "sz": sz,
            "tif": _TIF[spec.tif],
            "reduce_only": int(spec.reduce_only),
            "has_cloid": int(spec.cloid != 0),
            "cloid_hi": high,
            "cloid_lo": low,
            "builder": builder.slot,
            "builder_fee": builder.fee,
        }


def _row(
    px: int = 0,
    sz: int = 0,
    cloid_hi: int = 0,
    cloid_lo: int = 0,
    oid: int = 0,
    target_hi: int = 0,
    target_lo: int = 0,
    account: int = 0,
    builder: int = -1,
    builder_fee: int = 0,
    liquidation_fee: int = 0,
    market: int = 0,
    reason: int = 0,
    kind: int = 0,
    side: int = 0,
    tif: int = 0,
    reduce_only: int = 0,
    has_cloid: int = 0,
    liquidation: int = 0,
) -> tuple[int, ...]:
    """An OP row in the order of its columns, several times faster than writing them one by one."""
    return (
        px, sz, cloid_hi, cloid_lo, oid, target_hi, target_lo, account, builder, builder_fee, liquidation_fee,
        market, reason, kind, side, tif, reduce_only, has_cloid, liquidation,
    )  # fmt: skip


assert _row.__code__.co_varnames[: _row.__code__.co_argcount] == OP.names, "columns of OP changed"


def halves(cloid: int) -> tuple[int, int]:
    """A 16-byte client id as the two signed 64-bit halves that rows hold."""
    return _signed(cloid >> 64), _signed(cloid % _HALF)


def joined(high: int, low: int) -> int:
    """The client id of two halves."""
    return (high % _HALF) << 64 | low % _HALF


def _signed(half: int) -> int:
    return half - _HALF if half >> 63 else half


def _oid(oid: int) -> int:
    """Numbers beyond the rows' range name no order."""
    return oid if oid < 2**63 else 0
