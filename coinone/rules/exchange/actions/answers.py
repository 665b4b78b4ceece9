"""Answers in the words of Hyperliquid's API, which existing clients match on."""

from typing import Any

from coinone.base.primitives.integers import div_down
from coinone.base.primitives.parse import format_decimal
from coinone.rules.exchange.status import ERROR_TEXT, Status

DEFAULT: dict[str, Any] = {"type": "default"}
TRIGGERS_REFUSED = "Trigger orders are not supported."

# Hyperliquid names the asset behind these.
_WITH_ASSET = (
    Status.BAD_PRICE,
    Status.BAD_SIZE,
    Status.MIN_NOTIONAL,
    Status.OUT_OF_BAND,
    Status.REDUCE_ONLY,
    Status.MARGIN,
    Status.IOC_NO_MATCH,
    Status.NOT_FOUND,
    Status.MAX_POSITION,
    Status.OPEN_INTEREST_CAP,
)


def error_text(status: int, asset: int, decimals: int, bid: int = 0, ask: int = 0) -> str:
    """The text for a refused order or cancel. `decimals` are those of the market's prices."""
    known = Status(status)
    if known is Status.BAD_ALO:
        quote = f"{format_decimal(bid, decimals)}@{format_decimal(ask, decimals)}"
        return f"Post only order would have immediately matched, bbo was {quote}. asset={asset}"
    text = ERROR_TEXT[known]
    return f"{text} asset={asset}" if known in _WITH_ASSET else text


def average_price(notional: int, size: int, sz_decimals: int) -> str:
    """notional is 1e-6 quote and size 10^-sz_decimals base, so the price in 1e-8 is this quotient."""
    return format_decimal(div_down(notional * 10 ** (sz_decimals + 2), size), 8)


def cloid_text(cloid: int) -> str:
    return f"0x{cloid:032x}"


def resting(oid: int, cloid: int) -> dict[str, Any]:
    return {"resting": _named({"oid": oid}, cloid)}


def filled(oid: int, cloid: int, size: int, notional: int, sz_decimals: int) -> dict[str, Any]:
    answer = {
        "totalSz": format_decimal(size, sz_decimals),
        "avgPx": average_price(notional, size, sz_decimals),
        "oid": oid,
    }
    return {"filled": _named(answer, cloid)}


def order_response(statuses: list[Any]) -> dict[str, Any]:
    return {"type": "order", "data": {"statuses": statuses}}


def cancel_response(statuses: list[Any]) -> dict[str, Any]:
    return {"type": "cancel", "data": {"statuses": statuses}}


def _named(answer: dict[str, Any], cloid: int) -> dict[str, Any]:
    return {**answer, "cloid": cloid_text(cloid)} if cloid else answer
