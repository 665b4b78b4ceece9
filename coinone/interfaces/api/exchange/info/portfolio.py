"""portfolio: an account's value and profit over time, computed from its fills, payments and transfers.

Starting from the current equity, each row is subtracted backwards; so the curve shows realised profit, and only its
last point includes the unrealised profit of open positions. It begins where the newest rows of the histories begin: if
a row were missing, earlier values would be wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from coinone.interfaces.api.exchange.json.numbers import money
from coinone.node.storage.history.history import AccountFill
from coinone.rules.exchange.events.events import Fill, FundingPayment, LedgerUpdate

DAY_MS = 86_400_000
PERIODS = (("day", DAY_MS), ("week", 7 * DAY_MS), ("month", 30 * DAY_MS), ("allTime", None))
_WAITING = ("unclaimed", "dust")  # not yet credited to the account
_OF_DEBTS = ("levy", "covered", "proceeds")  # gains and losses of trading that no fill shows
POINTS_MAX = 120  # of a curve: a chart has no room for more


@dataclass(frozen=True, slots=True)
class ValueChange:
    """The change by one row: profit is a change of value other than a transfer."""

    time_ms: int
    value: int  # micro-quote, as all amounts here
    profit: int
    volume: int = 0


@dataclass(frozen=True, slots=True)
class ValueHistory:
    """Steps, oldest first, and the times since when they are complete. Profit needs no transfers, so an account that
    receives very many small amounts still sees all of it except older levies and debts."""

    steps: Sequence[ValueChange]
    traded_ms: int = 0  # fills and payments
    moved_ms: int = 0  # transfers


def known_since(rows: Sequence[FundingPayment | LedgerUpdate | Fill], most: int) -> int:
    """The first time from which the newest `most` rows, newest first, are certainly complete."""
    return rows[-1].time_ms + 1 if len(rows) >= most else 0


def steps_of(
    fills: Sequence[AccountFill],
    payments: Sequence[FundingPayment],
    moves: Sequence[LedgerUpdate],
) -> list[ValueChange]:
    """The steps, oldest first. Unclaimed amounts count when the account claims them."""
    steps = []
    for row in fills:
        side = row.fill.taker if row.is_taker else row.fill.maker
        profit = side.closed_pnl - side.fee
        steps.append(ValueChange(row.fill.time_ms, profit, profit, row.fill.px * row.fill.sz))
    steps += [ValueChange(payment.time_ms, payment.amount, payment.amount) for payment in payments]
    for move in moves:
        if move.kind not in _WAITING:
            steps.append(ValueChange(move.time_ms, move.amount, move.amount if move.kind in _OF_DEBTS else 0))
    return _by_time(steps)


def _by_time(steps: Sequence[ValueChange]) -> list[ValueChange]:
    """Merge the steps of each time, oldest first: values between two rows of a batch never existed."""
    whole: dict[int, ValueChange] = {}
    for step in sorted(steps, key=lambda step: step.time_ms):
        before = whole.get(step.time_ms, ValueChange(step.time_ms, 0, 0))
        whole[step.time_ms] = ValueChange(
            step.time_ms, before.value + step.value, before.profit + step.profit, before.volume + step.volume
        )
    return list(whole.values())


def portfolio_json(past: ValueHistory, equity: int, unrealised: int, now_ms: int) -> list[list[Any]]:
    """Hyperliquid's eight periods; those of perpetuals alone are the same, as there are no other instruments."""
    curves: list[tuple[str, dict[str, Any]]] = [
        (name, _curve(past, equity, unrealised, 0 if length is None else now_ms - length, now_ms))
        for name, length in PERIODS
    ]
    perpetuals = [(f"perp{name[0].upper()}{name[1:]}", curve) for name, curve in curves]
    return [[name, curve] for name, curve in (*curves, *perpetuals)]


def _curve(past: ValueHistory, equity: int, unrealised: int, start_ms: int, now_ms: int) -> dict[str, Any]:
    profit_ms = max(start_ms, past.traded_ms)
    value_ms = max(profit_ms, past.moved_ms)
    earned = [step for step in past.steps if step.time_ms >= profit_ms]
    inside = [step for step in earned if step.time_ms >= value_ms]
    before = equity - unrealised - sum(step.value for step in inside)
    values = _sums(min(value_ms, now_ms), before, [(step.time_ms, step.value) for step in inside])
    profits = _sums(min(profit_ms, now_ms), 0, [(step.time_ms, step.profit) for step in earned])
    return {
        "accountValueHistory": _points([*values, (now_ms, equity)]),
        "pnlHistory": _points([*profits, (now_ms, profits[-1][1])]),
        "vlm": money(sum(step.volume for step in earned)),
    }


def _sums(start_ms: int, total: int, changes: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """`total` at the beginning, which is the first change if no start is given, and then after each change."""
    points = [(start_ms, total)]
    for time_ms, change in changes:
        total += change
        points.append((time_ms, total))
    if not start_ms and len(points) > 1:
        points[0] = points[1][0], points[0][1]
    return points


def _points(curve: Sequence[tuple[int, int]]) -> list[list[Any]]:
    """At most POINTS_MAX points, evenly spaced; always with the first and the last."""
    last = len(curve) - 1
    places = (
        range(len(curve)) if last < POINTS_MAX else [n * last // (POINTS_MAX - 1) for n in range(POINTS_MAX)]
    )
    return [[curve[place][0], money(curve[place][1])] for place in places]
