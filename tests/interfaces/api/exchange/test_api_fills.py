"""aggregateByTime joins the fills of one order at one time, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.exchange.json.coins import Coin
from coinone.interfaces.api.exchange.json.fills import fills_json, parse_flag
from coinone.rules.exchange.events.events import Fill, FillSide

COINS: Any = [Coin(0, "BTC", 5, 50)]
ALICE, BOB, CAROL = b"\xaa" * 20, b"\xbb" * 20, b"\xcc" * 20


def trade(tid: int, px: int, sz: int, start: int, maker: bytes, time_ms: int = 5) -> Fill:
    """Alice's order 11 sells `sz` (in 0.00001) at `px` (in 0.1), from a position of `start`."""
    taker = FillSide(ALICE, 11, 0, start, closed_pnl=1_000_000, fee=20_000, builder_fee=5_000)
    return Fill(1, time_ms, tid, 0, px, sz, False, taker, FillSide(maker, tid, 0, 0, 0, -7), b"\x11" * 32)


# Long 0.01; sells 0.01 at 50,000 and 0.02 at 50,003: short 0.02, at (500 + 1,000.06) / 0.03 = 50,002 on average.
SWEEP = [trade(1, 500_000, 1_000, 1_000, BOB), trade(2, 500_030, 2_000, 0, CAROL)]


def test_a_sweep_of_two_makers_is_one_row_at_the_average_price() -> None:
    (row,) = fills_json([(fill, True) for fill in SWEEP], COINS, joined=True)
    assert (row["px"], row["sz"], row["side"], row["oid"]) == ("50002.0", "0.03", "A", 11)
    assert (row["closedPnl"], row["fee"], row["builderFee"]) == ("2.0", "0.04", "0.01")
    assert (row["startPosition"], row["dir"]) == ("0.01", "Long > Short")


def test_the_order_of_the_rows_does_not_change_what_they_add_up_to() -> None:
    rows = [(fill, True) for fill in SWEEP]
    assert fills_json(rows[::-1], COINS, joined=True) == fills_json(rows, COINS, joined=True)


@pytest.mark.parametrize(
    "other",
    [
        trade(3, 500_000, 1_000, -2_000, BOB, time_ms=6),  # another time
        replace(
            trade(3, 500_000, 1_000, -2_000, BOB), taker=FillSide(ALICE, 12, 0, 0, 0, 0)
        ),  # another order
        replace(trade(3, 500_000, 1_000, -2_000, BOB), kind="adl"),
    ],
)
def test_other_times_orders_and_kinds_stay_apart(other: Fill) -> None:
    rows = fills_json([(fill, True) for fill in (*SWEEP, other)], COINS, joined=True)
    assert [row["sz"] for row in rows] == ["0.03", "0.01"]


def test_without_the_option_each_trade_has_its_row() -> None:
    assert [row["tid"] for row in fills_json([(fill, True) for fill in SWEEP], COINS)] == [1, 2]


@pytest.mark.parametrize("value", [1, 0, "true", [], {}])
def test_an_option_is_true_false_or_absent(value: object) -> None:
    with pytest.raises(InvalidInput, match="reversed"):
        parse_flag({"reversed": value}, "reversed")


def test_null_is_the_absence_of_an_option() -> None:
    assert parse_flag({"reversed": None}, "reversed") is parse_flag({}, "reversed") is False
    assert parse_flag({"reversed": True}, "reversed") is True
