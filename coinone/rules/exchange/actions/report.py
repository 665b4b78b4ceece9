"""Kernel output rows as events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coinone.rules.exchange.actions.ops import Slot, joined
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.events import Fill, FillSide, OrderUpdate
from coinone.rules.exchange.kernel import Segment
from coinone.rules.exchange.status import API_NAME, Status
from coinone.rules.exchange.tables import Side

TIF_NAMES = ("Gtc", "Ioc", "Alo")


def report(batch: Batch, result: Segment, slots: Sequence[Slot]) -> None:
    """Append fills and order updates to the batch's events, in the order in which they happened."""
    for row in as_dicts(result.fills):
        batch.events.append(_fill(batch, row, slots[row["op"]]))
    for row in as_dicts(result.updates):
        batch.events.append(_update(batch, row))


def as_dicts(rows: Any) -> list[dict[str, int]]:
    """Structured rows as dicts of Python integers, in one conversion."""
    names = rows.dtype.names
    return [dict(zip(names, row, strict=True)) for row in rows.tolist()]


def _fill(batch: Batch, row: dict[str, int], slot: Slot) -> Fill:
    return Fill(
        *batch.here,
        tid=row["tid"],
        market=row["market"],
        px=row["px"],
        sz=row["sz"],
        taker_is_buy=row["side"] == Side.BUY,
        taker=_side(batch, row, "taker"),
        maker=_side(batch, row, "maker"),
        tx_hash=slot.item.tx_hash,
        kind="liquidation" if row["liquidation"] else "trade",
    )


def _side(batch: Batch, row: dict[str, int], who: str) -> FillSide:
    builder_fee = row[f"{who}_builder_fee"]
    return FillSide(
        account=batch.rows.address_of(row[who]),
        oid=row[f"{who}_oid"],
        cloid=joined(row[f"{who}_cloid_hi"], row[f"{who}_cloid_lo"]) if row[f"{who}_has_cloid"] else 0,
        start_position=row[f"{who}_start"],
        closed_pnl=row[f"{who}_pnl"],
        fee=row[f"{who}_fee"] + builder_fee,
        builder_fee=builder_fee,
    )


def _update(batch: Batch, row: dict[str, int]) -> OrderUpdate:
    return OrderUpdate(
        *batch.here,
        account=batch.rows.address_of(row["account"]),
        oid=row["oid"],
        cloid=joined(row["cloid_hi"], row["cloid_lo"]) if row["has_cloid"] else 0,
        market=row["market"],
        is_buy=row["side"] == Side.BUY,
        px=row["px"],
        sz=row["sz"],
        orig_sz=row["orig_sz"],
        tif=TIF_NAMES[row["tif"]],
        reduce_only=bool(row["reduce_only"]),
        placed_ms=row["time_ms"],
        status=API_NAME[Status(row["status"])],
    )
