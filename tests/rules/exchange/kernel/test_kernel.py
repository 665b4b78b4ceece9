"""Each rule of the kernel by itself, with hand arithmetic; the twin runs beside it and must say the same.

Market 0: mark 1,000, leverage 10, no ticks or minima. Taker fee 4.5, maker fee 1.5 basis points. Money is whole u.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coinone.base.primitives.parameters import OPEN_ORDERS_MAX, PRICE_LEVELS_MAX, REDUCE_ONLY_ORDERS_MAX
from coinone.rules.exchange.kernel.run import SegmentOutput, run_segment
from coinone.rules.exchange.rows.arrays import LEVELS_MAX, SIDE_MAX
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED, OP, MarketStatus, OpKind, Side, Tif
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.twin.compare import ops_of, state_of_rows, state_of_twin, twin_of

BUY, SELL = Side.BUY, Side.SELL
ANN, BOB, CAT, DAN = range(4)
FREE = {"min_notional": 0, "band_bps": 0, "sig_figs": 0, "max_px": 10**7, "max_sz": 10**6}


class Desk:
    """An exchange of four accounts; every operation goes through the kernel and a fresh twin."""

    def __init__(self, cash: int = 10**9, **terms: int) -> None:
        self.rows = Rows()
        self.rows.add_market(2, 10, 1000, **(FREE | terms))
        self.rows.add_market(2, 10, 500, **FREE)
        for who in range(4):
            self.rows.add_account(bytes([who]) * 20, 0)
            self.rows.accounts[who]["cash"] = cash
        self.now = 0

    def run(self, *ops: dict[str, int]) -> SegmentOutput:
        array = np.zeros(len(ops), OP)
        for row, op in zip(array, ops, strict=True):
            for name, value in op.items():
                row[name] = value
        self.now += 1
        twin = twin_of(self.rows)
        segment = run_segment(self.rows, array, self.now)
        results, fills, updates = twin.run(ops_of(array), self.now)
        assert (segment.results.tolist(), segment.fills.tolist()) == (results, fills)
        assert segment.updates.tolist() == updates
        assert state_of_rows(self.rows) == state_of_twin(twin)
        self.last = segment
        return segment

    def place(self, who: int, side: Side, px: int, sz: int, **more: int) -> Any:
        """The result row of one order."""
        return self.run(order(who, side, px, sz, **more)).results[0]

    def position(self, who: int) -> int:
        return int(self.rows.positions[who, 0]["size"])

    def cash(self, who: int) -> int:
        return int(self.rows.accounts[who]["cash"])

    def resting(self, side: Side) -> list[tuple[int, int, int]]:
        return self.rows.book.side_levels(0, side)


def order(who: int, side: Side, px: int, sz: int, **more: int) -> dict[str, int]:
    return {"account": who, "side": side, "px": px, "sz": sz} | more


def statuses(segment: SegmentOutput) -> list[tuple[int, Status]]:
    return [(int(row["oid"]), Status(int(row["status"]))) for row in segment.updates]


def test_a_taker_meets_the_best_price_first_and_the_oldest_order_first() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1002, 5), order(BOB, SELL, 1001, 5), order(CAT, SELL, 1001, 5))
    desk.place(ANN, BUY, 1002, 12)
    assert desk.last.fills[["maker", "px", "sz"]].tolist() == [(BOB, 1001, 5), (CAT, 1001, 5), (BOB, 1002, 2)]
    assert desk.resting(SELL) == [(1002, 3, 1)]


def test_a_trade_happens_at_the_makers_price() -> None:
    desk = Desk()
    desk.place(BOB, BUY, 990, 5)
    assert desk.place(ANN, SELL, 900, 5)["filled_notional"] == 5 * 990


def test_what_a_gtc_order_leaves_rests_and_what_an_ioc_order_leaves_is_cancelled() -> None:
    desk = Desk()
    desk.place(BOB, SELL, 1000, 5)
    row = desk.place(ANN, BUY, 1000, 8)
    assert (row["status"], row["filled_sz"], row["resting_sz"]) == (Status.OPEN, 5, 3)
    row = desk.place(BOB, SELL, 1000, 4, tif=Tif.IOC)
    assert (row["status"], row["filled_sz"], row["resting_sz"]) == (Status.FILLED, 3, 0)
    assert statuses(desk.last)[-1][1] == Status.IOC_CANCELED
    assert desk.resting(BUY) == desk.resting(SELL) == []


def test_an_ioc_order_that_meets_nothing_is_refused() -> None:
    assert Desk().place(ANN, BUY, 1000, 5, tif=Tif.IOC)["status"] == Status.IOC_NO_MATCH


def test_a_post_only_order_that_would_trade_is_refused_with_the_best_prices() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1001, 5), order(CAT, BUY, 999, 5))
    row = desk.place(ANN, BUY, 1001, 1, tif=Tif.ALO)
    assert (row["status"], row["bid"], row["ask"]) == (Status.BAD_ALO, 999, 1001)
    assert desk.place(ANN, BUY, 1000, 1, tif=Tif.ALO)["status"] == Status.OPEN


def test_fees_are_rounded_up_for_the_payer_and_collected() -> None:
    desk = Desk(cash=10_000)
    desk.place(BOB, SELL, 1000, 9)
    desk.place(ANN, BUY, 1000, 9)
    # notional 9,000: taker 4.05 -> 5, maker 1.35 -> 2
    assert (desk.cash(ANN), desk.cash(BOB)) == (10_000 - 9_000 - 5, 10_000 + 9_000 - 2)
    assert desk.rows.globals[0]["fees"] == 7


def test_a_rebate_is_rounded_down() -> None:
    desk = Desk()
    desk.rows.accounts[BOB]["maker_rate"] = -100  # 0.1 basis points
    desk.place(BOB, SELL, 1000, 399)
    desk.place(ANN, BUY, 1000, 399)
    assert desk.last.fills[0]["maker_fee"] == -3  # 399,000 * 0.00001 = 3.99


def test_a_builder_is_paid_on_top_by_whoever_named_it_maker_or_taker() -> None:
    desk = Desk()
    desk.place(BOB, SELL, 1000, 9, builder=CAT, builder_fee=1000)
    desk.place(ANN, BUY, 1000, 9, builder=DAN, builder_fee=5000)
    fill = desk.last.fills[0]
    assert (fill["maker_builder_fee"], fill["taker_builder_fee"]) == (1, 5)  # 0.9 and 4.5, rounded up
    assert (desk.cash(CAT) - 10**9, desk.cash(DAN) - 10**9) == (1, 5)
    assert desk.cash(BOB) == 10**9 + 9_000 - 2 - 1


def test_a_liquidation_order_pays_its_fee_to_insurance() -> None:
    desk = Desk()
    desk.run(order(ANN, BUY, 1000, 10), order(BOB, SELL, 1000, 10), order(CAT, BUY, 999, 10))
    fees = int(desk.rows.globals[0]["fees"])
    desk.rows.accounts[ANN]["cash"] = (
        499 - 10 * 1000
    )  # worth 499, of 500 that a position of 10,000 needs at 10x
    more = {"reduce_only": 1, "liquidation": 1, "liquidation_fee": 50_000, "tif": int(Tif.IOC)}
    desk.place(ANN, SELL, 980, 10, **more)
    assert desk.last.fills[0]["taker_fee"] == 50  # 9,990 * 0.5 % = 49.95
    assert desk.rows.globals[0]["insurance"] == 50
    assert desk.rows.globals[0]["fees"] == fees + 2  # the maker's 1.4985
    assert desk.last.fills[0]["liquidation"] == 1


def test_a_liquidation_order_of_who_has_its_maintenance_margin_is_refused() -> None:
    desk = Desk()
    desk.run(order(ANN, BUY, 1000, 10), order(BOB, SELL, 1000, 10), order(CAT, BUY, 999, 10))
    more = {"reduce_only": 1, "liquidation": 1, "liquidation_fee": 50_000, "tif": int(Tif.IOC)}
    desk.rows.accounts[ANN]["cash"] = 500 - 10 * 1000  # worth 500, of 500 needed
    assert desk.place(ANN, SELL, 980, 10, **more)["status"] == Status.SOLVENT
    assert len(desk.last.fills) == 0


def test_nobody_trades_with_himself_the_resting_order_goes() -> None:
    desk = Desk()
    desk.run(order(ANN, SELL, 1000, 5), order(BOB, SELL, 1001, 5))
    desk.place(ANN, BUY, 1001, 5)
    assert desk.last.fills[["maker", "px"]].tolist() == [(BOB, 1001)]
    assert statuses(desk.last)[0] == (1, Status.SELF_TRADE_CANCELED)
    assert (
        desk.cash(ANN) == 10**9 - 5 * 1001 - 3
    )  # 5,005 * 0.00045 = 2.25 -> 3; nothing for the cancelled one


def test_a_reduce_only_order_needs_a_position_on_the_other_side_and_is_clipped_to_it() -> None:
    desk = Desk()
    assert desk.place(ANN, SELL, 1000, 5, reduce_only=1)["status"] == Status.REDUCE_ONLY
    desk.run(order(BOB, SELL, 1000, 5), order(ANN, BUY, 1000, 5), order(BOB, BUY, 990, 50))
    assert desk.place(ANN, BUY, 1000, 5, reduce_only=1)["status"] == Status.REDUCE_ONLY
    assert desk.place(ANN, SELL, 990, 20, reduce_only=1)["filled_sz"] == 5
    assert desk.position(ANN) == 0


def test_a_resting_reduce_only_order_shrinks_with_the_position_and_goes_with_it() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1000, 9), order(ANN, BUY, 1000, 9))
    desk.run(order(ANN, SELL, 1010, 9, reduce_only=1), order(BOB, BUY, 1000, 6), order(ANN, SELL, 1000, 6))
    assert (3, Status.OPEN) in statuses(desk.last)[1:] and desk.resting(SELL) == [(1010, 3, 1)]
    desk.run(order(BOB, BUY, 1000, 3), order(ANN, SELL, 1000, 3))
    assert (3, Status.REDUCE_ONLY_CANCELED) in statuses(desk.last)
    assert (desk.resting(SELL), desk.position(ANN)) == ([], 0)


def long_desk(size: int, **terms: int) -> Desk:
    """ANN is long `size`, bought at the mark from BOB."""
    desk = Desk(**terms)
    desk.run(order(BOB, SELL, 1000, size), order(ANN, BUY, 1000, size))
    return desk


def reduce(px: int, sz: int, **more: int) -> dict[str, int]:
    return order(ANN, SELL, px, sz, reduce_only=1, **more)


def test_what_rests_of_reduce_only_orders_never_comes_to_more_than_the_position() -> None:
    desk = long_desk(10)
    results = desk.run(reduce(1010, 6), reduce(1020, 6), reduce(1005, 1)).results
    assert results["resting_sz"].tolist() == [6, 4, 0]
    assert results["status"][2] == Status.REDUCE_ONLY
    assert desk.place(ANN, SELL, 1030, 5)["status"] == Status.OPEN  # one that is not reduce-only may


def test_a_reduce_only_taker_is_bounded_by_the_position_and_not_by_what_rests() -> None:
    """A full take-profit rests; a reduce-only market order must still close the position, and the rest gives way."""
    desk = long_desk(10)
    desk.run(reduce(1100, 10), order(CAT, BUY, 990, 7))
    row = desk.place(ANN, SELL, 980, 10, reduce_only=1, tif=int(Tif.IOC))
    assert (row["filled_sz"], desk.position(ANN)) == (7, 3)
    assert desk.resting(SELL) == [(1100, 3, 1)]
    desk.place(CAT, BUY, 990, 2)
    row = desk.place(ANN, SELL, 985, 10, reduce_only=1)  # clipped to 3; 2 trade, and 1 already rests
    assert (row["filled_sz"], row["resting_sz"]) == (2, 0)
    assert statuses(desk.last)[-1][1] == Status.REDUCE_ONLY_CANCELED
    assert desk.resting(SELL) == [(1100, 1, 1)]


def test_the_worst_priced_then_the_youngest_reduce_only_orders_go_when_the_position_shrinks() -> None:
    desk = long_desk(10)
    desk.run(reduce(1020, 2), reduce(1010, 3), reduce(1020, 2), reduce(1005, 3))  # oids 3 to 6
    desk.run(order(CAT, BUY, 1000, 3), order(ANN, SELL, 1000, 3))
    # 7 left of 10: the younger one at 1,020 goes, the older shrinks by 1
    assert [(o, s) for o, s in statuses(desk.last) if o < 7] == [
        (5, Status.REDUCE_ONLY_CANCELED),
        (3, Status.OPEN),
    ]
    assert desk.resting(SELL) == [(1005, 3, 1), (1010, 3, 1), (1020, 1, 1)]


def test_a_makers_own_fill_trims_its_reduce_only_orders_too() -> None:
    desk = long_desk(10)
    desk.run(reduce(1020, 10), order(ANN, SELL, 1001, 4))
    desk.place(CAT, BUY, 1001, 4)
    assert statuses(desk.last) == [(3, Status.OPEN), (4, Status.FILLED), (5, Status.FILLED)]
    assert desk.resting(SELL) == [(1020, 6, 1)]


def test_a_position_that_turns_takes_all_its_reduce_only_orders_with_it() -> None:
    desk = long_desk(10)
    desk.run(reduce(1020, 4), reduce(1010, 4), order(CAT, BUY, 1000, 15), order(ANN, SELL, 1000, 15))
    assert (desk.position(ANN), desk.resting(SELL)) == (-5, [])


def test_a_position_that_shrank_outside_the_kernel_is_trimmed_on_request() -> None:
    desk = long_desk(10)
    desk.run(reduce(1020, 4), reduce(1010, 4))
    for who, size in ((ANN, 5), (BOB, -5)):
        desk.rows.positions[who, 0]["size"] = size
    desk.rows.markets[0]["open_interest"] = 5
    desk.rows.rebuild()
    desk.run({"kind": int(OpKind.TRIM), "account": ANN})
    assert statuses(desk.last) == [(3, Status.OPEN)]
    assert desk.resting(SELL) == [(1010, 4, 1), (1020, 1, 1)]


@pytest.mark.parametrize(
    ("size", "sz", "status"),
    [
        (10, 5, Status.OPEN),  # 5,000: the minimum
        (10, 4, Status.MIN_NOTIONAL),
        (4, 4, Status.OPEN),  # the whole position
        (4, 9, Status.OPEN),
        (4, 3, Status.MIN_NOTIONAL),
    ],
)
@pytest.mark.parametrize("tif", [Tif.GTC, Tif.IOC])
def test_a_reduce_only_order_is_worth_the_minimum_or_is_the_whole_position(
    size: int, sz: int, status: Status, tif: Tif
) -> None:
    desk = long_desk(size)
    desk.rows.markets[0]["min_notional"] = 5_000
    desk.place(CAT, BUY, 990, 50)
    row = desk.place(ANN, SELL, 1000 if tif == Tif.GTC else 990, sz, reduce_only=1, tif=int(tif))
    if tif == Tif.GTC:
        assert row["status"] == status
    elif sz == 5:  # 4,950 at 990
        assert row["status"] == Status.MIN_NOTIONAL
    else:
        assert row["status"] == (Status.FILLED if status == Status.OPEN else status)


def test_a_clipped_or_shrunk_reduce_only_order_is_no_way_round_the_minimum() -> None:
    desk = long_desk(12)
    desk.rows.markets[0]["min_notional"] = 5_000
    desk.place(ANN, SELL, 1010, 8, reduce_only=1)
    assert desk.place(ANN, SELL, 1020, 6, reduce_only=1)["status"] == Status.MIN_NOTIONAL  # 4 would rest
    assert desk.run(modify(ANN, 3, SELL, 1010, 4, reduce_only=1)).results[0]["status"] == Status.MIN_NOTIONAL
    assert desk.resting(SELL) == [(1010, 8, 1)]


def test_a_position_has_no_more_reduce_only_orders_than_it_is_worth_the_minimum() -> None:
    desk = long_desk(12)
    desk.rows.markets[0]["min_notional"] = 5_000  # 12,000 are worth two
    assert desk.run(reduce(2000, 3), reduce(2010, 3)).results["status"].tolist() == [Status.OPEN] * 2
    assert desk.place(ANN, SELL, 2020, 3, reduce_only=1)["status"] == Status.TOO_MANY_REDUCING
    assert desk.run(modify(ANN, 3, SELL, 2020, 3, reduce_only=1)).results[0]["status"] == Status.OPEN


def test_a_position_has_at_most_sixty_four_reduce_only_orders() -> None:
    desk = long_desk(100)
    desk.run(*[reduce(1010 + n, 1) for n in range(REDUCE_ONLY_ORDERS_MAX)])
    assert desk.last.results["status"].tolist() == [Status.OPEN] * 64
    assert desk.place(ANN, SELL, 1200, 1, reduce_only=1)["status"] == Status.TOO_MANY_REDUCING


def test_initial_margin_is_exact_to_the_unit() -> None:
    # 10 at mark 1,000 with leverage 10: margin 1,000, and the maker's fee on 10,000: 1.5 -> 2
    assert Desk(cash=1001).place(ANN, BUY, 1000, 10)["status"] == Status.MARGIN
    assert Desk(cash=1002).place(ANN, BUY, 1000, 10)["status"] == Status.OPEN


def test_open_orders_of_all_markets_count_towards_the_margin() -> None:
    desk = Desk(cash=1001)
    assert desk.place(ANN, BUY, 500, 10, market=1)["status"] == Status.OPEN  # 500 and a fee of 1 of 1,001
    assert desk.place(ANN, BUY, 1000, 6)["status"] == Status.MARGIN
    assert desk.place(ANN, BUY, 1000, 5)["status"] == Status.OPEN


def test_orders_on_opposite_sides_are_not_added_up() -> None:
    desk = Desk(cash=1002)
    desk.run(order(ANN, BUY, 990, 10), order(ANN, SELL, 1010, 10))
    assert len(desk.resting(BUY)) == len(desk.resting(SELL)) == 1


def test_a_resting_order_worse_than_the_mark_needs_the_difference_too() -> None:
    # 10 at 1,010: margin 1,000, 10 * 10 that a fill would lose at once, and its fee of 1.515 -> 2
    assert Desk(cash=1101).place(ANN, BUY, 1010, 10)["status"] == Status.MARGIN
    assert Desk(cash=1102).place(ANN, BUY, 1010, 10)["status"] == Status.OPEN


def test_a_taker_pays_the_difference_only_where_it_trades_and_stops_when_it_cannot() -> None:
    desk = Desk(cash=10**6)
    desk.rows.accounts[ANN]["cash"] = 1_034
    desk.run(order(BOB, SELL, 1000, 4), order(BOB, SELL, 1010, 3), order(BOB, SELL, 1020, 3))
    row = desk.place(ANN, BUY, 1020, 10)  # slack 34: a fee of 2, then 3 * 10 and 2; 3 * 20 is too much
    assert (row["status"], row["filled_sz"]) == (Status.FILLED, 7)
    assert statuses(desk.last)[-1][1] == Status.MARGIN_CANCELED


def test_reducing_needs_no_margin_but_turning_the_position_does() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1000, 10), order(ANN, BUY, 1000, 10))
    desk.rows.accounts[ANN]["cash"] = -9_400  # equity 600, margin 1,000
    assert desk.place(ANN, BUY, 1000, 1)["status"] == Status.MARGIN
    assert desk.place(ANN, SELL, 1000, 11)["status"] == Status.MARGIN
    assert desk.place(ANN, SELL, 1000, 6)["status"] == Status.OPEN
    assert desk.place(ANN, SELL, 1000, 5)["status"] == Status.MARGIN  # 11 with the 6 above
    assert desk.place(ANN, SELL, 1000, 4)["status"] == Status.OPEN


@pytest.mark.parametrize(("cash", "filled"), [(1_001, 0), (1_002, 10)])
def test_a_maker_that_opens_keeps_twice_the_maintenance_margin_or_is_cancelled(
    cash: int, filled: int
) -> None:
    # Maintenance margin of 10 at 1,000: 10,000 / 20 = 500. The fee is 2.
    desk = Desk()
    desk.place(BOB, BUY, 1000, 10)
    desk.rows.accounts[BOB]["cash"] = cash
    assert desk.place(ANN, SELL, 1000, 10, tif=Tif.IOC)["filled_sz"] == filled
    assert statuses(desk.last)[0] == (1, Status.FILLED if filled else Status.MARGIN_CANCELED)


def test_a_maker_that_may_not_make_a_fill_loses_all_its_orders_of_that_side() -> None:
    desk = Desk()
    desk.run(order(BOB, BUY, 1000, 10), order(BOB, BUY, 999, 10), order(BOB, SELL, 1005, 1))
    desk.run(order(CAT, BUY, 998, 10))
    desk.rows.accounts[BOB]["cash"] = 1_001
    assert desk.place(ANN, SELL, 998, 10)["filled_notional"] == 9_980
    assert statuses(desk.last)[:2] == [(2, Status.MARGIN_CANCELED), (1, Status.MARGIN_CANCELED)]
    assert desk.resting(SELL) == [(1005, 1, 1)]


def test_a_maker_below_maintenance_may_still_get_out() -> None:
    desk = Desk()
    desk.run(order(BOB, BUY, 1000, 10), order(ANN, SELL, 1000, 10), order(BOB, SELL, 1001, 5))
    desk.rows.accounts[BOB]["cash"] = -9_800  # equity 200 < 500
    assert desk.place(CAT, BUY, 1001, 5)["filled_sz"] == 5


def test_a_maker_may_not_get_out_at_a_loss_beyond_its_equity() -> None:
    desk = Desk()
    desk.run(order(BOB, BUY, 1000, 10), order(ANN, SELL, 1000, 10), order(BOB, SELL, 990, 10))
    desk.rows.accounts[BOB][
        "cash"
    ] = -9_899  # equity 101; the sale below the mark would lose 100 and a fee of 2
    assert desk.place(CAT, BUY, 990, 10, tif=Tif.IOC)["status"] == Status.IOC_NO_MATCH
    assert statuses(desk.last) == [(3, Status.MARGIN_CANCELED)]
    desk = Desk()
    desk.run(order(BOB, BUY, 1000, 10), order(ANN, SELL, 1000, 10), order(BOB, SELL, 990, 10))
    desk.rows.accounts[BOB]["cash"] = -9_898  # equity 102
    assert desk.place(CAT, BUY, 990, 10)["filled_sz"] == 10


@pytest.mark.parametrize(("maker", "needed"), [(True, 802), (False, 806)])
@pytest.mark.parametrize("lacks", [0, 1])
def test_a_fill_that_reduces_leaves_as_much_cover_for_what_stays_open(
    maker: bool, needed: int, lacks: int
) -> None:
    """Long 10 at a mark of 1,000, maintenance 500. Selling 5 at 920 loses 400 and a fee of 1 (maker: 4,600 * 0.00015 =
    0.69) or 3 (taker: 2.07). What stays needs 250: after it there must be 500, or half of what there was.
    As maker, 802 - 401 = 401 is half of 802, but 801 - 401 = 400 is less than 400.5. As taker, 806 - 403 = 403."""
    desk = Desk()
    desk.run(order(BOB, BUY, 1000, 10), order(ANN, SELL, 1000, 10))
    desk.rows.accounts[BOB]["cash"] = needed - lacks - 10_000
    if maker:
        desk.place(BOB, SELL, 920, 5)
        filled = desk.place(CAT, BUY, 920, 5, tif=Tif.IOC)["filled_sz"]
    else:
        desk.place(CAT, BUY, 920, 5)
        filled = desk.place(BOB, SELL, 920, 5, tif=Tif.IOC)["filled_sz"]
    assert filled == (0 if lacks else 5)


@pytest.mark.parametrize(("cash", "kept"), [(905, True), (904, False)])
def test_whoever_sells_cheap_loses_the_orders_that_the_rest_of_its_equity_does_not_carry(
    cash: int, kept: bool
) -> None:
    """Leverage 50: BOB's 10 long need 200, and his bid for 10 at 500 in the other market 500 (leverage 10). Selling
    the 10 at 960 loses 400 and 4.32 -> 5 of fees: of 905, 500 are left, which carry the bid; of 904, 499 do not."""
    desk = Desk()
    for name in ("max_leverage", "first_leverage"):
        desk.rows.markets[0][name] = 50
    desk.rows.tiers[0, 0]["max_leverage"] = 50
    desk.run(order(BOB, BUY, 1000, 10), order(ANN, SELL, 1000, 10), order(BOB, BUY, 500, 10, market=1))
    desk.rows.accounts[BOB]["cash"] = cash - 10_000
    desk.place(CAT, BUY, 960, 10)
    assert desk.place(BOB, SELL, 960, 10)["filled_sz"] == 10
    assert (desk.rows.book.side_levels(1, BUY) == [(500, 10, 1)]) == kept


@pytest.mark.parametrize(("cash", "kept"), [(895, False), (905, True)])
def test_a_modify_that_sells_cheap_hands_over_no_margin_of_the_order_it_replaces(
    cash: int, kept: bool
) -> None:
    """As above, with an ask for 30 at 1,100, which makes 400 of the 200: of 895, 900 are needed. Turned into a
    reduce-only sale of the 10 at 960 it frees 200, and 405 are lost: what is left, 490 of 500, is 10 short where 195
    were over before, not 5 short as before. The ask that went lends the loss nothing. Of 905, 500 are left."""
    desk = Desk()
    for name in ("max_leverage", "first_leverage"):
        desk.rows.markets[0][name] = 50
    desk.rows.tiers[0, 0]["max_leverage"] = 50
    desk.run(order(BOB, BUY, 1000, 10), order(ANN, SELL, 1000, 10), order(BOB, BUY, 500, 10, market=1))
    ask = desk.place(BOB, SELL, 1100, 30)["oid"]
    desk.rows.accounts[BOB]["cash"] = cash - 10_000
    desk.place(CAT, BUY, 960, 10)
    sale = order(BOB, SELL, 960, 10, kind=OpKind.MODIFY, oid=int(ask), reduce_only=1)
    assert desk.run(sale).results[0]["filled_sz"] == 10
    assert (desk.rows.book.side_levels(1, BUY) == [(500, 10, 1)]) == kept


def test_beyond_the_band_a_taker_stops_where_it_would_lose_and_a_maker_is_cancelled_where_it_would() -> None:
    """Leverage 10: the band is a tenth of the mark, 900 to 1,100."""
    desk = Desk()
    desk.run(order(BOB, SELL, 1100, 1), order(BOB, SELL, 1101, 5))
    row = desk.place(ANN, BUY, 1101, 5)
    assert (row["status"], row["filled_sz"], row["resting_sz"]) == (Status.FILLED, 1, 0)
    assert statuses(desk.last)[-1][1] == Status.BAND_CANCELED
    assert desk.place(ANN, BUY, 1101, 4)["status"] == Status.OUT_OF_BAND
    assert desk.resting(SELL) == [(1101, 5, 1)]
    desk = Desk()
    desk.run(order(BOB, SELL, 899, 5), order(CAT, SELL, 1000, 5))
    assert desk.place(ANN, BUY, 1000, 5)["filled_notional"] == 5_000
    assert statuses(desk.last)[0] == (1, Status.BAND_CANCELED)


def test_an_ask_that_no_fill_could_meet_keeps_no_post_only_bid_out() -> None:
    desk = Desk()
    desk.place(BOB, SELL, 899, 5)
    assert desk.place(ANN, BUY, 990, 5, tif=Tif.ALO)["status"] == Status.OPEN
    assert statuses(desk.last)[0] == (1, Status.BAND_CANCELED)


def test_a_locked_account_may_only_cancel() -> None:
    desk = Desk()
    desk.place(ANN, BUY, 990, 5)
    desk.rows.accounts[ANN]["flags"] = ACCOUNT_LOCKED
    assert desk.place(ANN, SELL, 1000, 5)["status"] == Status.LIQUIDATING
    assert (
        desk.run({"account": ANN, "kind": int(OpKind.CANCEL), "oid": 1}).results[0]["status"]
        == Status.CANCELED
    )


def test_a_builder_whose_debts_others_paid_earns_nothing_meanwhile() -> None:
    desk = Desk()
    desk.rows.accounts[CAT]["flags"] = ACCOUNT_LOCKED
    desk.place(BOB, SELL, 1000, 9, builder=CAT, builder_fee=1000)
    desk.place(ANN, BUY, 1000, 9, builder=CAT, builder_fee=5000)
    fill = desk.last.fills[0]
    assert (fill["maker_builder_fee"], fill["taker_builder_fee"], desk.cash(CAT)) == (0, 0, 10**9)


def test_a_taker_may_not_get_out_at_a_loss_beyond_its_equity_and_fee() -> None:
    for cash, sold in ((-9_895, 10), (-9_896, 0)):  # equity 105 or 104; loss 100, fee on 10,000: 4.5
        desk = Desk()
        desk.run(order(BOB, BUY, 1000, 10), order(ANN, SELL, 1000, 10), order(CAT, BUY, 990, 10))
        desk.rows.accounts[BOB]["cash"] = cash
        assert desk.place(BOB, SELL, 990, 10, tif=Tif.IOC)["filled_sz"] == sold


def test_average_cost_and_closed_profit_of_a_position() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1000, 10), order(ANN, BUY, 1000, 10))
    desk.run(order(BOB, SELL, 1050, 10), order(ANN, BUY, 1050, 10))
    assert desk.rows.positions[ANN, 0]["entry_notional"] == 20_500
    desk.run(order(CAT, BUY, 1100, 5), order(ANN, SELL, 1100, 5))
    # average 1,025: 5 * 75 closed, 15 * 1,025 left
    fill = desk.last.fills[0]
    assert (fill["taker_pnl"], fill["taker_start"]) == (375, 20)
    assert desk.rows.positions[ANN, 0]["entry_notional"] == 15_375


def test_a_fill_through_zero_closes_the_old_position_and_opens_the_new_one() -> None:
    desk = Desk()
    desk.run(order(BOB, BUY, 1000, 4), order(ANN, SELL, 1000, 4))
    desk.rows.positions[ANN, 0]["funding_open"] = 7
    desk.run(order(CAT, SELL, 900, 10), order(ANN, BUY, 900, 10))
    held = desk.rows.positions[ANN, 0]
    assert desk.last.fills[0]["taker_pnl"] == 400  # short at 1,000, bought back at 900
    assert (held["size"], held["entry_notional"], held["opened_ms"]) == (6, 5_400, desk.now)
    assert held["funding_open"] == 0


def test_open_interest_is_the_sum_of_long_positions() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1000, 10), order(ANN, BUY, 1000, 10))  # ANN +10
    desk.run(order(CAT, BUY, 1000, 4), order(ANN, SELL, 1000, 4))  # ANN +6, CAT +4
    assert desk.rows.markets[0]["open_interest"] == 10
    desk.run(order(BOB, BUY, 1000, 10), order(ANN, SELL, 1000, 6), order(CAT, SELL, 1000, 4))
    assert desk.rows.markets[0]["open_interest"] == 0


def test_at_the_open_interest_cap_only_reducing_orders_come_in() -> None:
    desk = Desk(max_open_interest=10)
    desk.run(order(BOB, SELL, 1000, 10), order(ANN, BUY, 1000, 10))
    assert desk.place(CAT, BUY, 900, 1)["status"] == Status.OPEN_INTEREST_CAP
    assert desk.place(ANN, SELL, 1100, 10)["status"] == Status.OPEN


def test_only_the_owner_cancels_and_in_the_right_market() -> None:
    desk = Desk()
    desk.place(ANN, BUY, 990, 5)
    cancel = {"kind": int(OpKind.CANCEL), "oid": 1}
    segment = desk.run(
        {"account": BOB} | cancel,
        {"account": ANN, "market": 1} | cancel,
        {"account": ANN} | cancel,
        {"account": ANN} | cancel,
    )
    assert segment.results["status"].tolist() == [
        Status.NOT_FOUND,
        Status.NOT_FOUND,
        Status.CANCELED,
        Status.NOT_FOUND,
    ]


def test_a_client_id_finds_its_accounts_order_and_is_free_again_afterwards() -> None:
    desk = Desk(cash=10**6)
    cloid = {"has_cloid": 1, "cloid_hi": -1, "cloid_lo": 77}
    assert desk.place(ANN, BUY, 990, 5, **cloid)["status"] == Status.OPEN
    assert desk.place(ANN, BUY, 991, 5, **cloid)["status"] == Status.DUPLICATE_CLOID
    assert desk.place(BOB, BUY, 991, 5, **cloid)["status"] == Status.OPEN
    cancel = {"account": ANN, "kind": int(OpKind.CANCEL_CLOID), "target_hi": -1, "target_lo": 77}
    assert desk.run(cancel).results[0]["status"] == Status.CANCELED
    assert desk.place(ANN, BUY, 990, 5, **cloid)["status"] == Status.OPEN


def test_a_cancel_reports_the_reason_it_was_given() -> None:
    desk = Desk()
    desk.place(ANN, BUY, 990, 5)
    reason = int(Status.LIQUIDATED_CANCELED)
    segment = desk.run({"account": ANN, "kind": int(OpKind.CANCEL), "oid": 1, "reason": reason})
    assert statuses(segment) == [(1, Status.LIQUIDATED_CANCELED)]


def modify(who: int, oid: int, side: Side, px: int, sz: int, **more: int) -> dict[str, int]:
    return order(who, side, px, sz, kind=int(OpKind.MODIFY), oid=oid, **more)


def test_an_order_made_smaller_keeps_its_place_and_its_oid() -> None:
    desk = Desk()
    desk.run(order(ANN, SELL, 1000, 5), order(BOB, SELL, 1000, 5))
    row = desk.run(modify(ANN, 1, SELL, 1000, 3)).results[0]
    assert (row["status"], row["oid"], row["resting_sz"]) == (Status.OPEN, 1, 3)
    desk.place(CAT, BUY, 1000, 4)
    assert desk.last.fills[["maker", "sz"]].tolist() == [(ANN, 3), (BOB, 1)]


def test_an_order_made_smaller_after_it_traded_still_tells_how_much_traded() -> None:
    """2 of 5 traded; made smaller to 1, it is an order of 3 of which 1 is left."""
    desk = Desk()
    desk.run(order(ANN, SELL, 1000, 5))
    desk.place(CAT, BUY, 1000, 2)
    segment = desk.run(modify(ANN, 1, SELL, 1000, 1))
    assert segment.updates[["oid", "sz", "orig_sz"]].tolist() == [(1, 1, 3)]


@pytest.mark.parametrize(("px", "sz"), [(1000, 6), (1001, 5), (999, 3)])
def test_an_order_made_larger_or_moved_goes_to_the_end_under_a_new_oid(px: int, sz: int) -> None:
    desk = Desk()
    desk.run(order(ANN, SELL, 1000, 5), order(BOB, SELL, px, 5))
    segment = desk.run(modify(ANN, 1, SELL, px, sz))
    assert segment.results[0]["oid"] == 3
    assert statuses(segment) == [(1, Status.REPLACED), (3, Status.OPEN)]
    desk.place(CAT, BUY, 1001, 1)
    assert desk.last.fills[0]["maker"] == BOB


def test_a_modify_whose_new_terms_are_wrong_leaves_the_old_order() -> None:
    desk = Desk(tick=5)
    desk.place(ANN, SELL, 1000, 5)
    assert desk.run(modify(ANN, 1, SELL, 1001, 5)).results[0]["status"] == Status.BAD_PRICE
    assert desk.resting(SELL) == [(1000, 5, 1)]
    assert desk.run(modify(BOB, 1, SELL, 1005, 5)).results[0]["status"] == Status.MODIFY_NOT_FOUND


def test_a_modify_that_needs_more_margin_than_there_is_leaves_the_old_order_in_its_place() -> None:
    desk = Desk(cash=1002)  # 10 at 1,000 with leverage 10 and the fee take it all
    desk.run(order(ANN, SELL, 1000, 10), order(BOB, SELL, 1000, 1))
    assert desk.run(modify(ANN, 1, SELL, 1000, 11)).results[0]["status"] == Status.MARGIN
    assert statuses(desk.last) == []
    desk.place(CAT, BUY, 1000, 1)
    assert desk.last.fills[0]["maker_oid"] == 1  # still ahead of BOB's


def test_a_modify_is_margined_as_if_the_old_order_were_gone() -> None:
    desk = Desk(cash=1002)
    desk.place(ANN, SELL, 1000, 10)
    assert desk.run(modify(ANN, 1, SELL, 1001, 10)).results[0]["status"] == Status.OPEN
    assert desk.run(modify(ANN, 2, BUY, 999, 10)).results[0]["status"] == Status.OPEN
    assert (desk.resting(SELL), desk.resting(BUY)) == ([], [(999, 10, 1)])


@pytest.mark.parametrize(
    ("tif", "px", "status"),
    [(Tif.ALO, 995, Status.BAD_ALO), (Tif.IOC, 996, Status.IOC_NO_MATCH)],
)
def test_a_modify_that_its_time_in_force_forbids_leaves_the_old_order(
    tif: Tif, px: int, status: Status
) -> None:
    desk = Desk()
    desk.run(order(BOB, BUY, 995, 1), order(ANN, SELL, 1000, 10))
    assert desk.run(modify(ANN, 2, SELL, px, 5, tif=tif)).results[0]["status"] == status
    assert desk.resting(SELL) == [(1000, 10, 1)]


def test_a_modify_to_reduce_only_without_a_position_leaves_the_old_order() -> None:
    desk = Desk()
    desk.place(ANN, SELL, 1000, 10)
    answer = desk.run(modify(ANN, 1, SELL, 1001, 5, reduce_only=1)).results[0]
    assert answer["status"] == Status.REDUCE_ONLY
    assert desk.resting(SELL) == [(1000, 10, 1)]


def test_a_modify_may_keep_its_cloid_but_not_take_that_of_another_order() -> None:
    desk = Desk()
    desk.run(
        order(ANN, SELL, 1000, 10, has_cloid=1, cloid_lo=7),
        order(ANN, SELL, 1002, 10, has_cloid=1, cloid_lo=8),
    )
    moved = modify(ANN, 1, SELL, 1001, 10, has_cloid=1, cloid_lo=7)
    assert desk.run(moved).results[0]["status"] == Status.OPEN
    taken = modify(ANN, 3, SELL, 1000, 10, has_cloid=1, cloid_lo=8)
    assert desk.run(taken).results[0]["status"] == Status.DUPLICATE_CLOID
    assert desk.resting(SELL) == [(1001, 10, 1), (1002, 10, 1)]


def test_an_account_with_as_many_orders_as_allowed_may_still_modify_one() -> None:
    desk = Desk()
    desk.run(*[order(ANN, SELL, 2000 + n // 16, 1) for n in range(OPEN_ORDERS_MAX)])
    assert desk.place(ANN, SELL, 3000, 1)["status"] == Status.TOO_MANY_ORDERS
    assert desk.run(modify(ANN, 1, SELL, 3001, 1)).results[0]["status"] == Status.OPEN


def test_an_account_has_at_most_sixteen_orders_at_one_price() -> None:
    desk = Desk()
    desk.run(*[order(ANN, SELL, 2000, 1) for _ in range(16)], order(BOB, SELL, 2000, 1))
    assert desk.place(ANN, SELL, 2000, 1)["status"] == Status.TOO_MANY_AT_PRICE
    assert desk.place(ANN, SELL, 2001, 1)["status"] == Status.OPEN
    assert desk.place(BOB, SELL, 2000, 1)["status"] == Status.OPEN
    assert desk.run(modify(ANN, 18, SELL, 2000, 1)).results[0]["status"] == Status.TOO_MANY_AT_PRICE
    assert desk.run(modify(ANN, 1, SELL, 2000, 2)).results[0]["status"] == Status.OPEN  # in its own stead
    assert (
        desk.place(ANN, SELL, 2000, 1, tif=int(Tif.IOC))["status"] == Status.IOC_NO_MATCH
    )  # it does not rest


def test_a_crossing_modify_that_can_pay_for_no_fill_leaves_the_old_order() -> None:
    # 10 at 1,000 with leverage 10 need 1,000 of 1,002; buying one at 1,002 would lose 2, and 0.45 -> 1 of fees.
    desk = Desk(cash=1002)
    desk.run(order(BOB, SELL, 1002, 1), order(ANN, BUY, 999, 10))
    assert desk.run(modify(ANN, 2, BUY, 1002, 10)).results[0]["status"] == Status.MARGIN
    assert desk.resting(BUY) == [(999, 10, 1)]
    assert desk.run(modify(ANN, 2, BUY, 1002, 9)).results[0]["filled_sz"] == 1
    assert statuses(desk.last) == [(1, Status.FILLED), (2, Status.REPLACED), (4, Status.OPEN)]


def test_a_modify_that_trades_in_part_and_ends_replaces_the_old_order() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1001, 1), order(ANN, BUY, 999, 10))
    assert desk.run(modify(ANN, 2, BUY, 1001, 10, tif=Tif.IOC)).results[0]["status"] == Status.FILLED
    assert statuses(desk.last) == [(1, Status.FILLED), (2, Status.REPLACED), (3, Status.IOC_CANCELED)]
    assert desk.resting(BUY) == []


@pytest.mark.parametrize(("tif", "status"), [(Tif.ALO, Status.OPEN), (Tif.IOC, Status.IOC_NO_MATCH)])
def test_a_modify_to_the_other_side_does_not_cross_with_its_old_order(tif: Tif, status: Status) -> None:
    desk = Desk()
    desk.run(order(ANN, SELL, 1000, 5), order(BOB, SELL, 1002, 5))
    assert desk.run(modify(ANN, 1, BUY, 1001, 5, tif=tif)).results[0]["status"] == status
    stays = [(1000, 5, 1), (1002, 5, 1)]
    assert desk.resting(SELL) == (stays if status == Status.IOC_NO_MATCH else stays[1:])


def test_a_modify_to_the_other_side_that_reaches_its_old_order_goes_past_it() -> None:
    desk = Desk()
    desk.run(order(ANN, SELL, 1000, 5), order(BOB, SELL, 1001, 5))
    assert desk.run(modify(ANN, 1, BUY, 1001, 5)).results[0]["filled_sz"] == 5
    assert desk.last.fills["maker"].tolist() == [BOB]
    assert statuses(desk.last) == [(1, Status.REPLACED), (2, Status.FILLED), (3, Status.FILLED)]


@pytest.mark.parametrize(
    ("terms", "px", "sz", "status"),
    [
        ({"tick": 5}, 1001, 1, Status.BAD_PRICE),
        ({}, 0, 1, Status.BAD_PRICE),
        ({"max_px": 2000}, 2001, 1, Status.BAD_PRICE),
        ({"lot": 10}, 1000, 15, Status.BAD_SIZE),
        ({}, 1000, 0, Status.BAD_SIZE),
        ({"max_sz": 50}, 1000, 51, Status.BAD_SIZE),
        ({"min_notional": 5001}, 1000, 5, Status.MIN_NOTIONAL),
        ({"min_notional": 5000}, 1000, 5, Status.OPEN),
        ({"band_bps": 1000}, 1101, 1, Status.OUT_OF_BAND),
        ({"band_bps": 1000}, 899, 1, Status.OUT_OF_BAND),
        ({"band_bps": 1000}, 900, 1, Status.OPEN),
        ({"status": MarketStatus.HALTED}, 1000, 1, Status.HALTED),
        ({"status": MarketStatus.JUMPING}, 1000, 1, Status.JUMPING),
        ({"status": MarketStatus.REDUCE_ONLY}, 1000, 1, Status.ONLY_REDUCE),
        ({"status": MarketStatus.AGED}, 1000, 1, Status.AGED_PRICE),
    ],
)
def test_terms_that_a_market_refuses(terms: dict[str, int], px: int, sz: int, status: Status) -> None:
    assert Desk(**terms).place(ANN, BUY, px, sz)["status"] == status


@pytest.mark.parametrize(
    ("px", "good"),
    [
        (99_999, True),  # five figures
        (100_001, False),  # six
        (123_450, True),
        (1_234_560, False),
        (1_234_500, True),
        (1_230_000, True),  # a multiple of 10,000: a whole quote price
        (12_345_600, False),
        (1_230_100, True),
        (56_780_000, True),  # whole
        (56_781_000, True),
    ],
)
def test_prices_have_five_significant_figures_unless_whole(px: int, good: bool) -> None:
    desk = Desk(cash=10**15, sig_figs=5, max_px=10**8)  # sz_decimals 2: a quote unit is 10,000
    assert desk.place(ANN, BUY, px, 1)["status"] == (Status.OPEN if good else Status.BAD_PRICE)


def test_what_a_short_would_cover_counts_for_the_greatest_position() -> None:
    """Greatest 100, Ann short 60. Bids for 100 rest; were 160 to rest, for 60 of them reduce, a reduce-only order that
    closes the short first would leave a long of 160 behind."""
    desk = Desk(max_sz=100)
    desk.place(BOB, BUY, 1000, 60)
    desk.place(ANN, SELL, 1000, 60)
    assert desk.place(ANN, BUY, 990, 100)["status"] == Status.OPEN
    assert desk.place(ANN, BUY, 989, 1)["status"] == Status.MAX_POSITION


def test_position_and_open_orders_of_a_side_stay_within_the_largest_position() -> None:
    desk = Desk(max_sz=100)
    desk.run(order(BOB, SELL, 1000, 60), order(ANN, BUY, 1000, 60))
    assert desk.place(ANN, BUY, 990, 41)["status"] == Status.MAX_POSITION
    assert desk.place(ANN, BUY, 990, 40)["status"] == Status.OPEN
    assert desk.place(ANN, SELL, 1010, 100)["status"] == Status.OPEN


def test_an_unknown_market_is_refused() -> None:
    assert Desk().place(ANN, BUY, 1000, 1, market=2)["status"] == Status.BAD_MARKET
    assert Desk().place(ANN, BUY, 1000, 1, market=-1)["status"] == Status.BAD_MARKET


def test_who_holds_a_stale_market_only_reduces_in_the_others_also_as_a_maker() -> None:
    desk = Desk()
    desk.run(
        order(BOB, SELL, 500, 5, market=1),
        order(ANN, BUY, 500, 5, market=1),
        order(BOB, SELL, 1000, 5),
        order(ANN, BUY, 1000, 5),
        order(ANN, SELL, 1010, 9),
        order(ANN, BUY, 990, 9),
    )
    desk.rows.markets[1]["status"] = MarketStatus.REDUCE_ONLY
    desk.rows.accounts[ANN]["cash"] = 20_000 - 7_500  # worth 20,000; 2,500 are silent
    assert desk.place(ANN, BUY, 980, 1)["status"] == Status.HOLDS_STALE
    assert desk.place(CAT, SELL, 990, 1, tif=Tif.IOC)["status"] == Status.IOC_NO_MATCH
    assert statuses(desk.last) == [(6, Status.REDUCE_ONLY_CANCELED)]
    assert desk.place(CAT, BUY, 1010, 9)["filled_sz"] == 5
    assert desk.position(ANN) == 0


def test_one_lot_cannot_sweep_the_makers_of_a_stale_market_away() -> None:
    """Long 5 sells 1 lot under three bids of holders and strangers: it stops at the best, all three stay."""
    desk = Desk()
    desk.run(order(BOB, SELL, 1000, 5), order(ANN, BUY, 1000, 5))
    desk.run(order(CAT, BUY, 999, 50), order(ANN, BUY, 998, 50), order(DAN, BUY, 997, 50))
    desk.rows.markets[0]["status"] = MarketStatus.REDUCE_ONLY
    assert desk.place(ANN, SELL, 990, 1, reduce_only=1)["status"] == Status.IOC_NO_MATCH
    assert desk.resting(BUY) == [(999, 50, 1), (998, 50, 1), (997, 50, 1)]


def test_in_a_stale_market_a_maker_trades_as_far_as_it_reduces_and_stops_the_taker_there() -> None:
    """BOB is short 5 and bids 9: ANN sells him 5 of her 7, the rest of neither order trades, nor rests crossed."""
    desk = Desk()
    desk.run(order(BOB, SELL, 1000, 7), order(ANN, BUY, 1000, 7), order(BOB, BUY, 990, 5))
    desk.run(order(CAT, SELL, 990, 5), order(BOB, BUY, 990, 9), order(DAN, BUY, 980, 9))
    desk.rows.markets[0]["status"] = MarketStatus.REDUCE_ONLY
    row = desk.place(ANN, SELL, 980, 5)
    assert (row["status"], row["filled_sz"], row["resting_sz"]) == (Status.FILLED, 2, 0)
    assert statuses(desk.last)[-1][1] == Status.RESTRICTED_CANCELED
    assert desk.resting(BUY) == [(990, 7, 1), (980, 9, 1)]


def test_an_aged_price_stops_takers_and_new_orders_but_not_what_rests() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1000, 5), order(ANN, BUY, 1000, 5), order(CAT, BUY, 990, 9))
    desk.rows.markets[0]["status"] = MarketStatus.AGED
    assert desk.place(DAN, SELL, 990, 1)["status"] == Status.AGED_PRICE
    assert desk.place(ANN, SELL, 990, 5)["filled_sz"] == 5  # CAT opens by it
    assert desk.position(CAT) == 5


def test_in_a_jump_window_only_cancels_are_taken() -> None:
    desk = Desk()
    desk.run(order(BOB, SELL, 1000, 5), order(ANN, BUY, 1000, 5), order(CAT, BUY, 990, 9))
    desk.rows.markets[0]["status"] = MarketStatus.JUMPING
    assert desk.place(ANN, SELL, 990, 5, reduce_only=1)["status"] == Status.JUMPING
    assert desk.place(BOB, SELL, 990, 1, liquidation=1)["status"] == Status.JUMPING
    assert desk.run(modify(CAT, 3, BUY, 990, 5)).results[0]["status"] == Status.JUMPING
    assert desk.run({"account": CAT, "kind": OpKind.CANCEL, "oid": 3}).results[0]["status"] == Status.CANCELED


def test_an_account_has_at_most_a_thousand_open_orders() -> None:
    desk = Desk()
    desk.run(*(order(ANN, BUY, 999 - n % 70, 1) for n in range(1000)))
    assert desk.place(ANN, BUY, 900, 1)["status"] == Status.TOO_MANY_ORDERS
    assert desk.place(BOB, BUY, 900, 1)["status"] == Status.OPEN


def narrow(levels: int, orders: int, **terms: int) -> Desk:
    """A desk whose books hold so many prices and orders a side."""
    desk = Desk(**terms)
    desk.rows.counters[[LEVELS_MAX, SIDE_MAX]] = levels, orders
    return desk


def test_a_better_price_on_a_side_full_of_prices_makes_the_worst_one_go_whole() -> None:
    desk = narrow(3, 100)
    desk.run(*[order(BOB, SELL, px, 1) for px in (1010, 1020, 1030, 1030)])
    assert desk.place(ANN, SELL, 1031, 1)["status"] == Status.BOOK_FULL
    assert desk.place(ANN, SELL, 1030, 1)["status"] == Status.OPEN  # a price that is there
    assert desk.place(ANN, SELL, 1025, 1)["status"] == Status.OPEN
    # oids 3 and 4, and 6 of the order at 1,030 just accepted; the refused one had 5
    assert statuses(desk.last) == [*[(oid, Status.DISPLACED) for oid in (3, 4, 6)], (7, Status.OPEN)]
    assert desk.resting(SELL) == [(1010, 1, 1), (1020, 1, 1), (1025, 1, 1)]
    assert desk.rows.accounts[BOB]["order_count"] == 2 and desk.rows.positions[BOB, 0]["ask_size"] == 2


def test_a_better_price_on_a_side_full_of_orders_makes_the_least_value_go() -> None:
    desk = narrow(100, 4, min_notional=0)
    desk.run(
        order(BOB, BUY, 990, 3), order(BOB, BUY, 980, 2), order(CAT, BUY, 985, 2), order(CAT, BUY, 970, 9)
    )
    assert desk.place(ANN, BUY, 970, 9)["status"] == Status.BOOK_FULL  # no better than the worst
    assert desk.place(ANN, BUY, 971, 9)["status"] == Status.OPEN
    assert statuses(desk.last)[0] == (2, Status.DISPLACED)  # 1,960
    desk.place(DAN, SELL, 990, 2)  # leaves 990 of the first
    assert desk.place(ANN, BUY, 972, 1)["status"] == Status.OPEN
    assert statuses(desk.last)[0] == (1, Status.DISPLACED)
    assert desk.resting(BUY) == [(985, 2, 1), (972, 1, 1), (971, 9, 1), (970, 9, 1)]


def test_of_two_orders_of_the_same_value_the_younger_is_displaced() -> None:
    desk = narrow(100, 2)
    desk.run(order(BOB, BUY, 980, 2), order(CAT, BUY, 980, 2))
    desk.place(ANN, BUY, 990, 2)
    assert statuses(desk.last)[0] == (2, Status.DISPLACED)


def test_the_fuller_a_side_is_the_more_an_order_must_be_worth_to_rest_there() -> None:
    desk = narrow(
        100, 16, min_notional=1_000
    )  # of 16 orders more than 8 are more than half, more than 14 nearly all
    desk.run(*[order(BOB, BUY, 990 - n, 2) for n in range(9)])
    assert desk.last.results["status"].tolist() == [Status.OPEN] * 9
    assert desk.place(CAT, BUY, 900, 11)["status"] == Status.CROWDED  # 9,900
    assert desk.place(CAT, BUY, 910, 11)["status"] == Status.OPEN  # 10,010
    assert desk.place(CAT, SELL, 1010, 1)["status"] == Status.OPEN  # the other side is empty
    desk.run(*[order(CAT, BUY, 920 + n, 11) for n in range(5)])
    assert desk.place(DAN, BUY, 960, 104)["status"] == Status.CROWDED  # 99,840
    assert desk.place(DAN, BUY, 960, 105)["status"] == Status.OPEN
    desk.place(ANN, SELL, 2000, 1, tif=int(Tif.GTC))
    assert desk.place(ANN, BUY, 1010, 2)["filled_sz"] == 1  # who trades may; what is left may not rest
    assert statuses(desk.last)[-1][1] == Status.CROWDED


def test_an_order_on_a_crowded_side_becomes_no_smaller_than_one_that_may_enter() -> None:
    """Else a side is crowded with orders that were large for a moment: 1,000 quote each to enter, 10 to stay."""
    desk = narrow(100, 16, min_notional=1_000)
    desk.run(*[order(BOB, BUY, 990 - n, 20) for n in range(9)])  # more than half of 16
    assert desk.run(modify(BOB, 9, BUY, 982, 10)).results[0]["status"] == Status.CROWDED  # 9,820
    assert (982, 20, 1) in desk.resting(BUY)
    assert desk.run(modify(BOB, 9, BUY, 982, 11)).results[0]["status"] == Status.OPEN  # 10,802
    assert (982, 11, 1) in desk.resting(BUY)


def test_a_modify_that_finds_no_room_leaves_the_old_order() -> None:
    desk = narrow(2, 100)
    desk.run(order(ANN, SELL, 1010, 1), order(BOB, SELL, 1020, 1))
    assert desk.run(modify(ANN, 1, SELL, 1030, 1)).results[0]["status"] == Status.BOOK_FULL
    assert desk.run(modify(ANN, 1, SELL, 1020, 1)).results[0]["status"] == Status.OPEN
    assert desk.resting(SELL) == [(1020, 2, 2)]


def test_a_side_holds_sixteen_thousand_prices_and_the_best_is_always_let_in() -> None:
    desk = Desk(cash=10**15)
    for slot in range(4, 20):
        desk.rows.add_account(bytes([slot]) * 20, 0)
        desk.rows.accounts[slot]["cash"] = 10**15
    prices = np.arange(1, PRICE_LEVELS_MAX + 1) + 2000
    desk.run(*(order(n % 20, SELL, int(px), 1) for n, px in enumerate(prices)))
    for better in ((2000,), range(1999, 1980, -1)):  # one alone, then 19 in one segment
        results = desk.run(*(order(ANN, SELL, px, 1) for px in better)).results
        assert results["status"].tolist() == [Status.OPEN] * len(better)
        gone = [oid for oid, status in statuses(desk.last) if status == Status.DISPLACED]
        assert len(gone) == len(better)
    assert desk.rows.book.side_levels(0, SELL)[-1] == (2000 + PRICE_LEVELS_MAX - 20, 1, 1)
    assert len(desk.resting(SELL)) == PRICE_LEVELS_MAX


def test_the_largest_amounts_do_not_overflow() -> None:
    px, sz = 1 << 27, 1 << 28  # their product is the limit, 2^55
    desk = Desk(cash=1 << 60, max_px=px, max_sz=sz, tiers=((1 << 50, 5),))
    desk.rows.markets[0]["mark"] = px
    desk.run(order(BOB, SELL, px, sz), order(ANN, BUY, px, sz))
    # 2^55 * 0.00045 = 16,212,958,658,533.8...
    assert desk.last.fills[0]["taker_fee"] == 16_212_958_658_534
    desk.run(order(ANN, SELL, px, sz // 3), order(BOB, BUY, px, sz // 3))
    assert desk.last.fills[0]["taker_pnl"] == 0
