"""Answers to orders, modifies and cancels in the words of Hyperliquid's API, which existing clients match on.

An order's answer is read from its RESULT row only when it is needed: most nodes that execute a batch do not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.integers import div_down
from coinone.base.primitives.parse import format_figure
from coinone.base.primitives.units import price_decimals
from coinone.rules.exchange.events.columns import cloids_of
from coinone.rules.exchange.rows.status import ERROR_TEXT, FIRST_REJECTION, Status
from coinone.rules.exchange.rows.tables import Array

DEFAULT: dict[str, Any] = {"type": "default"}

# Hyperliquid appends the asset to these.
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


@dataclass(frozen=True, eq=False, slots=True)
class Answers:
    """A segment's operations, their results, and the size decimals of all markets."""

    asked: Array  # OP
    results: Array  # RESULT
    sz_decimals: list[int]

    def error(self, place: int) -> str:
        """The error text of the refused operation at `place`."""
        asset, row = int(self.asked["market"][place]), self.results[place]
        decimals = price_decimals(self._sz_decimals(asset))
        return error_text(int(row["status"]), asset, decimals, int(row["bid"]), int(row["ask"]))

    def cancels(self, start: int, stop: int) -> list[Any]:
        """The statuses of the cancels from `start` up to `stop`."""
        results = enumerate(self.results["status"][start:stop].tolist(), start)
        return ["success" if status < FIRST_REJECTION else {"error": self.error(n)} for n, status in results]

    def orders(self, start: int, stop: int) -> list[Any]:
        """The statuses of the orders or modifies from `start` up to `stop`."""
        asked, results = self.asked[start:stop], self.results[start:stop]
        names = ("status", "oid", "filled_sz", "filled_notional")
        columns = [results[name].tolist() for name in names]
        told = zip(*columns, cloids_of(asked), asked["market"].tolist(), strict=True)
        statuses: list[Any] = []
        for n, (status, oid, size, notional, cloid, market) in enumerate(told, start):
            if status >= FIRST_REJECTION:
                statuses.append({"error": self.error(n)})
            elif status == Status.OPEN:
                statuses.append(resting(oid, cloid))
            else:
                statuses.append(filled(oid, cloid, size, notional, self._sz_decimals(market)))
        return statuses

    def _sz_decimals(self, asset: int) -> int:
        """The size decimals of a market; 0 for one that does not exist."""
        return self.sz_decimals[asset] if asset < len(self.sz_decimals) else 0


@dataclass(frozen=True, eq=False, slots=True)
class OperationsAnswer:
    """The answer to an action with the operations from `start` up to `stop`, built when called."""

    answers: Answers
    form: Callable[[Answers, int, int], dict[str, Any]]
    start: int
    stop: int

    def __call__(self) -> dict[str, Any]:
        return self.form(self.answers, self.start, self.stop)


def error_text(status: int, asset: int, decimals: int, bid: int = 0, ask: int = 0) -> str:
    """The error text of a refused order or cancel. `decimals` are those of the market's prices."""
    known = Status(status)
    if known is Status.BAD_ALO:
        quote = f"{format_figure(bid, decimals)}@{format_figure(ask, decimals)}"
        return f"Post only order would have immediately matched, bbo was {quote}. asset={asset}"
    text = ERROR_TEXT[known]
    return f"{text} asset={asset}" if known in _WITH_ASSET else text


def average_price(notional: int, size: int, sz_decimals: int) -> str:
    """The average price in 1e-8: `notional` is in 1e-6 quote, `size` in 10^-sz_decimals base."""
    return format_figure(div_down(notional * 10 ** (sz_decimals + 2), size), 8)


def cloid_text(cloid: int) -> str:
    return f"0x{cloid:032x}"


def resting(oid: int, cloid: int) -> dict[str, Any]:
    return {"resting": _named({"oid": oid}, cloid)}


def filled(oid: int, cloid: int, size: int, notional: int, sz_decimals: int) -> dict[str, Any]:
    answer = {
        "totalSz": format_figure(size, sz_decimals),
        "avgPx": average_price(notional, size, sz_decimals),
        "oid": oid,
    }
    return {"filled": _named(answer, cloid)}


def statuses(kind: str, of_each: list[Any]) -> dict[str, Any]:
    return {"type": kind, "data": {"statuses": of_each}}


def _named(answer: dict[str, Any], cloid: int) -> dict[str, Any]:
    return {**answer, "cloid": cloid_text(cloid)} if cloid else answer
