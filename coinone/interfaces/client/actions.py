"""Build exchange actions as dictionaries in Hyperliquid's format.

The order of the keys is signed (the digest is over the msgpack of the dictionary), so every action is built here and
nowhere else. Numbers are decimal text without trailing zeros, because "1.0" and "1" have different digests.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

from coinone.base.primitives.units import price_decimals

Action: TypeAlias = dict[str, Any]
Number: TypeAlias = int | str | Decimal | float
Tif: TypeAlias = Literal["Gtc", "Ioc", "Alo"]

PRICE_FIGURES = 5  # of a price that is no integer, at most; its decimals: base/primitives/units.py


@dataclass(frozen=True, slots=True)
class Trigger:
    """The trigger of a stop ("sl") or a take-profit ("tp") order."""

    price: Number
    kind: Literal["tp", "sl"]
    is_market: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """An order for the market with index `asset`; `cloid` is the client's own 16-byte id for it."""

    asset: int
    is_buy: bool
    size: Number
    price: Number
    tif: Tif = "Gtc"
    reduce_only: bool = False
    cloid: str | None = None
    trigger: Trigger | None = None

    def wire(self) -> Action:
        kind: Action = {"limit": {"tif": self.tif}}
        if self.trigger is not None:
            kind = {
                "trigger": {
                    "isMarket": self.trigger.is_market,
                    "triggerPx": decimal_text(self.trigger.price),
                    "tpsl": self.trigger.kind,
                }
            }
        wire: Action = {
            "a": self.asset,
            "b": self.is_buy,
            "p": decimal_text(self.price),
            "s": decimal_text(self.size),
            "r": self.reduce_only,
            "t": kind,
        }
        if self.cloid is not None:
            wire["c"] = self.cloid
        return wire


def order(orders: Sequence[Order], grouping: str = "na") -> Action:
    return {"type": "order", "orders": [each.wire() for each in orders], "grouping": grouping}


def cancel(pairs: Sequence[tuple[int, int]]) -> Action:
    """Cancel (asset, order id) pairs."""
    return {"type": "cancel", "cancels": [{"a": asset, "o": oid} for asset, oid in pairs]}


def cancel_by_cloid(pairs: Sequence[tuple[int, str]]) -> Action:
    return {"type": "cancelByCloid", "cancels": [{"asset": asset, "cloid": cloid} for asset, cloid in pairs]}


def cancel_all_by_market(asset: int) -> Action:
    """Cancel every order that rests in one market."""
    return {"type": "cancelAllByMarket", "a": asset}


def modify(changes: Sequence[tuple[int | str, Order]]) -> Action:
    """Replace orders, each given by order id or cloid."""
    return {"type": "batchModify", "modifies": [{"oid": name, "order": new.wire()} for name, new in changes]}


def schedule_cancel(time_ms: int | None) -> Action:
    """Schedule the cancellation of all orders at `time_ms` (dead man's switch); None removes it."""
    return {"type": "scheduleCancel"} if time_ms is None else {"type": "scheduleCancel", "time": time_ms}


def update_leverage(asset: int, leverage: int, is_cross: bool = True) -> Action:
    return {"type": "updateLeverage", "asset": asset, "isCross": is_cross, "leverage": leverage}


def update_isolated_margin(asset: int, micro_quote: int) -> Action:
    """Move `micro_quote` (10^-6 of the quote token, negative to take out) to an isolated position."""
    return {"type": "updateIsolatedMargin", "asset": asset, "isBuy": True, "ntli": micro_quote}


def noop() -> Action:
    """Use up a nonce, so that a lost action with the same nonce can no longer execute."""
    return {"type": "noop"}


def new_cloid() -> str:
    """A new random 16-byte client order id."""
    return "0x" + secrets.token_hex(16)


def decimal_text(value: Number) -> str:
    """`value` in the canonical spelling: no exponent, no trailing zeros, no "-0". Never rounds."""
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def round_price(price: Number, size_decimals: int) -> Decimal:
    """The nearest price that the market's tick rule allows (half to even)."""
    number = Decimal(decimal_text(price))
    if number == number.to_integral_value():
        return number
    figures = PRICE_FIGURES - 1 - number.adjusted()
    decimals = max(0, min(figures, price_decimals(size_decimals)))
    return number.quantize(Decimal(1).scaleb(-decimals))


def round_size(size: Number, size_decimals: int) -> Decimal:
    """The greatest multiple of the market's lot that is not above `size`."""
    lot = Decimal(1).scaleb(-size_decimals)
    return Decimal(decimal_text(size)) // lot * lot
