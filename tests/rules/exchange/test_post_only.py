"""Post-only orders enter the book so that the fewest lots are refused: no small ask keeps makers' bids out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.rules.exchange.post_only import entry_order, parting
from coinone.rules.exchange.tables import OpKind, Side
from coinone.rules.exchange.wire import types as t
from tests.rules.exchange.post_only_orders import BTC, ETH, ops_of

MODIFY = {"kind": OpKind.MODIFY_CLOID}


def order_of(w: Any, *orders: Any) -> list[int] | None:
    found = entry_order(w.ex.rows, ops_of(w, *orders))
    return None if found is None else found.places.tolist()


def test_bids_and_asks_part_where_the_fewest_lots_are_refused() -> None:
    """Bids for 5 at 100 and 10 at 99, an ask for 8 at 98: all bids or the ask must go, 15 or 8, or of both those beyond
    98, 15 + 8, or beyond 99, 5 + 8. An ask for 20 has the bids go; one for 15 leaves it to the race."""
    px, sells = np.array([100, 99, 98]), np.array([False, False, True])
    assert parting(px, sells, np.array([5, 10, 8])) == (101, 100)
    assert parting(px, sells, np.array([5, 10, 20])) == (98, 0)
    assert parting(px, sells, np.array([5, 10, 15])) == (98, 100)
    assert parting(px[:2], sells[:2], np.array([5, 10])) == (101, 100)


def test_a_bid_that_loses_helps_no_small_one_below_it() -> None:
    """Asks for 50 at 101 and at 102, a bid for 51 at 102 and one for 1 at 101. Bids above and asks below balance at
    101: the 51 would help the 1 to bar the ask there and be refused themselves. Refused are 52, or 51 + 50, or 100."""
    px, sells = np.array([101, 102, 102, 101]), np.array([True, True, False, False])
    assert parting(px, sells, np.array([50, 50, 51, 1])) == (101, 0)


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 9)), min_size=1, max_size=12))
def test_parting_equals_trying_every_price(orders: list[tuple[int, bool, int]]) -> None:
    def refused(price: int) -> int:
        return sum(lots for px, sells, lots in orders if (px <= price if sells else px > price))

    least = min(refused(price) for price in range(14))
    best = [price for price in range(14) if refused(price) == least]
    px, sells, claimed = map(np.array, zip(*orders, strict=True))
    low, high = parting(px, sells, claimed)
    prices = sorted({px for px, _, _ in orders})
    assert high == max((px for px in prices if px <= best[-1]), default=0)
    assert low == min((px for px in prices if px > best[0]), default=prices[-1] + 1)


def test_the_side_that_brings_more_enters_first_each_in_its_own_market(world: Callable[..., Any]) -> None:
    """1 and 2 bid for 1 BTC each at 50,010 and 50,000, 3 offers 0.001 at 49,950, 4 2 BTC at 50,005. If bids rest up to
    50,000 and asks from 50,005 on, 1.001 are refused, the fewest: 3 loses 55 and 1 10. What 1 does in the other market,
    where 3's small ask lies below its bid, does not wait."""
    w = world(dict.fromkeys(range(1, 5), 10**6))
    order = order_of(
        w,
        (3, BTC, Side.SELL, 49_950, 0.001),
        (1, BTC, Side.BUY, 50_010, 1),
        (2, BTC, Side.BUY, 50_000, 1),
        (4, BTC, Side.SELL, 50_005, 2),
        (3, ETH, Side.SELL, 2_999, 0.01),
        (1, ETH, Side.BUY, 3_000, 1),
    )
    assert order == [2, 3, 5, 1, 4, 0]


def test_orders_of_which_none_cross_enter_as_the_race_ranked_them(world: Callable[..., Any]) -> None:
    w = world({1: 10**6, 2: 10**6})
    assert order_of(w, (2, BTC, Side.SELL, 50_010, 1), (1, BTC, Side.BUY, 49_990, 1)) is None
    assert order_of(w, (2, BTC, Side.SELL, 50_010, 1), (1, ETH, Side.BUY, 3_100, 1)) is None


def test_orders_that_may_name_one_of_the_same_batch_come_last_as_the_race_ranked_them(
    world: Callable[..., Any],
) -> None:
    """9 offers 100 BTC at 50,000, so that bids above it lose. 1 bids 50,100, then modifies orders that are not
    there yet, then bids 49,000; 2 bids 50,050."""
    w = world({1: 10**6, 2: 10**6, 9: 10**7})
    order = order_of(
        w,
        (1, BTC, Side.BUY, 50_100, 1),
        (1, BTC, Side.BUY, 49_000, 1, MODIFY),
        (1, ETH, Side.BUY, 2_990, 1, MODIFY),
        (1, BTC, Side.BUY, 49_000, 1),
        (2, BTC, Side.BUY, 50_050, 1),
        (9, BTC, Side.SELL, 50_000, 100),
    )
    assert order == [5, 4, 0, 1, 2, 3]


def test_a_post_only_order_far_below_the_mark_keeps_no_makers_bids_out(world: Callable[..., Any]) -> None:
    """Two makers cancel and bid anew in each batch. A stranger with twenty times their margin offers 1.9 BTC
    post-only at 47,750 and bids a tick below: if its offer came first, both bids were refused, and who sells at the
    market sold to it. The bids are more, and all count 16 times, so it comes behind and is refused."""
    w = world({1: 100_000, 2: 100_000, 3: 2_000_000, 9: 100_000})
    w.batch(w.buy(1, 1, 49_990, "Alo", cloid=1), w.buy(2, 1, 49_980, "Alo", cloid=2))
    sold = 0
    for turn in range(1, 13):
        w.batch(
            *[w.cancel(who, cloid=2 * turn - 2 + who) for who in (1, 2)],
            *[w.buy(who, 1, 50_000 - 10 * who, "Alo", cloid=2 * turn + who) for who in (1, 2)],
            w.sell(3, 1.9, 47_750, "Alo"),
            w.buy(3, 1, 47_745, "Alo", cloid=100 + turn),
            w.sell(9, 0.05, 47_740, "Ioc"),
        )
        fills = list(w.last.events.fills())
        sold += 1
        assert [(fill.px, fill.sz) for fill in fills] == [(499_900, 5_000)]
        w.batch(w.cancel(3, cloid=100 + turn))
    assert w.position(9) == -5_000 * sold


def quoted(w: Any, at: float, turn: int) -> list[Any]:
    """Two makers with bids 0.02 and 0.04 % below `at` and asks as far above, in the place of their last ones."""
    signed = []
    for who in (1, 2):
        for side, sign in ((w.buy, -1), (w.sell, 1)):
            name = 1000 * turn + 10 * who + sign
            signed += [
                w.cancel(who, cloid=name - 1000),
                side(who, 1, round(at * (1 + sign * 0.0002 * who)), "Alo", cloid=name),
            ]
    return signed


@pytest.mark.parametrize("ask", [50_000, 49_990])
def test_a_small_ask_at_the_mark_keeps_no_bids_of_a_book_above_it_out(
    world: Callable[..., Any], ask: int
) -> None:
    """A book 0.15 % above the mark: makers bid 50,065 and 50,055. 3 sends an ask for 12 quote at the mark, where it
    loses nothing by the mark, and 4 bids 47,750 below: a sale of 1 BTC went to 4 at 47,750, in 20 of 20 batches."""
    w = world({1: 1_000_000, 2: 1_000_000, 3: 1_000, 4: 100_000, 9: 100_000})
    for turn in range(1, 4):
        w.batch(*quoted(w, 50_075, turn))
    for turn in range(4, 12):
        pair = [w.sell(3, 0.00025, ask, "Alo"), w.buy(4, 1, 47_750, "Alo", cloid=turn)]
        w.batch(*quoted(w, 50_075, turn), *pair, w.sell(9, 1, 47_560, "Ioc"))
        assert [fill.px for fill in w.last.events.fills()] == [500_650], turn
        w.batch(w.cancel(4, cloid=turn), w.buy(9, 1, 52_000, "Ioc", reduce_only=True))


def test_an_order_far_off_in_one_market_does_not_hold_ones_orders_of_another_up(
    world: Callable[..., Any],
) -> None:
    """1 bids for BTC and, in the same action, for ETH 0.3 % above its middle. An ask for 12 quote 0.25 % below BTC's
    middle, which loses less than that ETH bid, came ahead of the BTC bid and barred it."""
    w = world({1: 1_000_000, 3: 1_000, 9: 100_000})
    w.batch(w.buy(1, 1, 49_990, "Alo", cloid=1), w.sell(9, 1, 50_010, "Alo", cloid=2))
    both = t.Order(
        (w.spec(True, 1, 49_990, "Alo", cloid=3), w.spec(True, 1, 3_009, "Alo", market=ETH, cloid=4)),
        "na",
        None,
    )
    w.batch(w.cancel(1, cloid=1), w.signed(1, both), w.sell(3, 0.00025, 49_875, "Alo"))
    assert w.ex.rows.book.best(BTC, Side.BUY) == 499_900


def test_whoever_was_alone_in_the_last_batch_bars_nobody(world: Callable[..., Any]) -> None:
    """A stranger sweeps the makers' asks and rests a pair of its own, 50,000 and 50,230: that is all the book at the
    batch's end. In the next ones it bids 12 quote at 50,110, ahead of all asks that lie below it; a taker who buys
    meets the makers all the same, at 50,020."""
    w = world({1: 1_000_000, 2: 1_000_000, 3: 1_000_000, 4: 1_000, 9: 1_000_000})
    for turn in range(1, 3):
        w.batch(*quoted(w, 50_010, turn))
    cancels = [w.cancel(who, cloid=2000 + 10 * who + sign) for who in (1, 2) for sign in (-1, 1)]
    w.batch(w.buy(3, 2, 50_040, "Ioc"))
    pair = [w.buy(3, 0.42, 50_000, "Alo", cloid=3), w.sell(3, 1.26, 50_230, "Alo", cloid=4)]
    w.batch(*cancels, *pair)
    for turn in range(3, 8):
        w.batch(*quoted(w, 50_010, turn), w.buy(4, 0.00024, 50_110, "Alo"), w.buy(9, 0.5, 50_500, "Ioc"))
        assert [fill.px for fill in w.last.events.fills()] == [500_200], turn
        assert w.position(4) == 0


def fakes_of(w: Any, kind: str, turn: int) -> list[Any]:
    """What the stranger sends in each batch so that its asks for 3 BTC claim, and are refused when their turn comes."""
    if kind == "client id":
        return [w.sell(3, 3, 49_950, "Alo", cloid=5)]
    if kind == "margin of another order":
        return [w.buy(3, 100, 2_990, "Alo", market=ETH, cloid=10_000 + turn), w.sell(3, 3, 49_950, "Alo")]
    if kind == "orders at a price":
        return [*[w.sell(3, 0.00025, 49_950, "Alo") for _ in range(16)], w.sell(3, 3, 49_950, "Alo")]
    assert kind == "margin of all its orders"
    larger = t.Modify(t.OrderRef(BTC, 0, 6), w.spec(False, 3, 49_950, "Alo", cloid=6))
    return [w.signed(3, t.BatchModify((larger,), single=False))]


@pytest.mark.parametrize(
    "kind",
    [
        "client id",
        "margin of another order",
        "orders at a price",
        "margin of all its orders",
    ],
)
def test_orders_that_are_refused_for_other_reasons_bar_nobody(world: Callable[..., Any], kind: str) -> None:
    """Makers bid 1 BTC each at 49,990 and 49,980; a stranger with 7,000 sends an ask of 12 quote at 49,940 that would
    keep both out, asks for 3 BTC that would help it and cannot rest, and bids at 49,930. Who sells meets the makers."""
    w = world({1: 1_000_000, 2: 1_000_000, 3: 7_000, 4: 100_000, 9: 1_000_000})
    resting = {
        "client id": [w.buy(3, 0.02, 2_900, "Alo", market=ETH, cloid=5)],
        "margin of all its orders": [
            w.sell(3, 4, 51_000, "Alo"),
            w.sell(3, 0.001, 51_000, "Alo", cloid=6),
        ],
    }
    w.batch(*quoted(w, 50_000, 1), *resting.get(kind, []))
    for turn in range(2, 12):
        theirs = [w.sell(4, 0.00025, 49_940, "Alo"), w.buy(4, 1, 49_930, "Alo", cloid=turn)]
        w.batch(*quoted(w, 50_000, turn), *fakes_of(w, kind, turn), *theirs, w.sell(9, 0.5, 49_800, "Ioc"))
        assert [fill.px for fill in w.last.events.fills()] == [499_900], turn
        w.batch(w.cancel(4, cloid=turn), w.cancel(3, cloid=10_000 + turn, market=ETH))


def fills_of_sales(w: Any, at: int, ask: int, limit: int) -> list[list[int]]:
    """Makers quote anew around `at` in each batch, 3 offers 3 BTC at `ask` and 4 bids 10 below; 9 sells 0.5 BTC at
    `limit` or better. The prices of its fills, batch by batch."""
    w.batch(*quoted(w, at, 1))
    met = []
    for turn in range(2, 8):
        theirs = [w.sell(3, 3, ask, "Alo"), w.buy(4, 1, ask - 10, "Alo", cloid=turn)]
        w.batch(*quoted(w, at, turn), *theirs, w.sell(9, 0.5, limit, "Ioc"))
        met.append([fill.px for fill in w.last.events.fills()])
        w.batch(w.cancel(4, cloid=turn))
    return met


def test_more_lots_with_little_behind_them_bar_no_makers(world: Callable[..., Any]) -> None:
    """Makers with a million each bid for 1 BTC each; a stranger offers 3 BTC at 49,950 with 4,000, which bear them 1.3
    times, and bids below. Lots alone are 3 against 2; the makers' claim 16 times as much."""
    w = world({1: 1_000_000, 2: 1_000_000, 3: 4_000, 4: 100_000, 9: 1_000_000})
    assert fills_of_sales(w, at=50_000, ask=49_950, limit=49_800) == [[499_900]] * 6


def test_makers_bar_a_small_ask_where_the_market_runs_ahead_of_the_oracle(world: Callable[..., Any]) -> None:
    """The market trades 4 % above an oracle that comes later. Makers bid 51,990 and 51,980 for 1 BTC each; a stranger
    with 12,000 offers 3 BTC at 50,300, where it loses nothing by the mark. While claims shrank with the distance from
    the mark, the makers' were an eighth."""
    w = world({1: 1_000_000, 2: 1_000_000, 3: 12_000, 4: 100_000, 9: 1_000_000})
    assert fills_of_sales(w, at=52_000, ask=50_300, limit=50_000) == [[519_900]] * 6
