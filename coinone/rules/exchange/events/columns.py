"""Columns of the kernel's rows as the values of events."""

from typing import Any

from coinone.base.primitives.types import Address
from coinone.rules.exchange.rows.tables import Array
from coinone.rules.exchange.wire.operations import joined


def addresses_of(rows: Array) -> list[Address]:
    found: list[Address] = rows.view("V20").ravel().tolist()
    return found


def cloids_of(rows: Array, prefix: str = "") -> list[int]:
    """Client order ids, 0 = none."""
    names = [prefix + name for name in ("has_cloid", "cloid_hi", "cloid_lo")]
    columns: list[list[Any]] = [rows[name].tolist() for name in names]
    return [joined(high, low) if given else 0 for given, high, low in zip(*columns, strict=True)]
