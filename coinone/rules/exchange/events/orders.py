"""Orders as they are shown: open ones, and the updates of an order's life.

Both are made from columns of rows: of ORDER, and of UPDATE, what the kernel reports. What a page shows of an order
beyond its terms is its kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any, ClassVar

from coinone.base.primitives.types import Address
from coinone.rules.exchange.events.columns import addresses_of, cloids_of
from coinone.rules.exchange.rows.status import API_NAME
from coinone.rules.exchange.rows.tables import TIF_NAMES, Array, Side

_STATUSES = {int(status): name for status, name in API_NAME.items()}


@dataclass(frozen=True, slots=True)
class OrderKind:
    """The kind of an order, in the words of Hyperliquid's pages."""

    name: str
    condition: str = "N/A"  # what it waits for; {} stands for the price
    trigger_px: int = 0  # 0: it does not wait for a price


LIMIT = OrderKind("Limit")


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An open order."""

    oid: int
    cloid: int  # 0 = none
    market: int
    is_buy: bool
    px: int
    sz: int  # what remains
    orig_sz: int
    tif: str  # "Gtc" | "Ioc" | "Alo"
    reduce_only: bool
    placed_ms: int
    kind: OrderKind = LIMIT


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """An order's new status, in Hyperliquid's words (open, filled, canceled, marginCanceled, ...)."""

    seq: int
    time_ms: int
    account: Address
    oid: int
    cloid: int
    market: int
    is_buy: bool
    px: int
    sz: int  # what remains
    orig_sz: int
    tif: str  # "Gtc" | "Ioc" | "Alo"
    reduce_only: bool
    placed_ms: int
    status: str
    kind: ClassVar[OrderKind] = LIMIT


def orders_in(rows: Array) -> list[OpenOrder]:
    """The orders in these rows of ORDER, read by column: an account has up to a thousand."""
    return list(map(OpenOrder, *_terms(rows).values()))


def update_columns(seq: int, time_ms: int, owners: Array, rows: Array) -> dict[str, Iterable[Any]]:
    """The fields of an OrderUpdate in their order, each with its values for all rows of UPDATE."""
    return {
        "seq": repeat(seq),
        "time_ms": repeat(time_ms),
        "account": addresses_of(owners),
        **_terms(rows),
        "status": [_STATUSES[status] for status in rows["status"].tolist()],
    }


def _terms(rows: Array) -> dict[str, Iterable[Any]]:
    """What an open order and an update have in common, in their order; rows of ORDER and of UPDATE name it alike."""
    return {
        "oid": rows["oid"].tolist(),
        "cloid": cloids_of(rows),
        "market": rows["market"].tolist(),
        "is_buy": (rows["side"] == Side.BUY).tolist(),
        "px": rows["px"].tolist(),
        "sz": rows["sz"].tolist(),
        "orig_sz": rows["orig_sz"].tolist(),
        "tif": [TIF_NAMES[tif] for tif in rows["tif"].tolist()],
        "reduce_only": (rows["reduce_only"] != 0).tolist(),
        "placed_ms": rows["time_ms"].tolist(),
    }
