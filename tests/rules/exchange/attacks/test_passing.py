"""Post-only orders rest over all that they cross, and meet what takers leave of it at the end of the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.events.events import Fill
from coinone.rules.exchange.events.orders import OrderUpdate
from coinone.rules.exchange.rows.tables import MarketStatus, Side
from tests.rules.exchange import words as t

MICRO = 10**6
BTC, ETH = 0, 1
DUST = 0.0003  # 15 quote at 50,000


def fills(w: Any) -> list[tuple[int, int, float, float]]:
    """(maker, taker, price, coins) of the last batch."""
    return [
        (
            int.from_bytes(f.maker.account, "big"),
            int.from_bytes(f.taker.account, "big"),
            f.px / 10,
            f.sz / 10**5,
        )
        for f in w.last.events
        if isinstance(f, Fill)
    ]


def at_fifty(w: Any, *accounts: int) -> None:
    chosen = [t.UpdateLeverage(market, True, 50) for market in (BTC, ETH)]
    w.batch(*[w.signed(n, action) for n in accounts for action in chosen])


def best(w: Any) -> tuple[float, float]:
    bid, ask = (w.ex.rows.book.best(BTC, side) for side in (Side.BUY, Side.SELL))
    return (bid or 0) / 10, (ask or 0) / 10


def test_bids_rest_over_a_small_older_ask_and_buy_it_at_its_price(world: Callable[..., Any]) -> None:
    """9 asks 15 quote at 49,800. Bids for 1 BTC at 49,950 and 49,940 rest over it, and the better one buys at 49,800:
    0.0003 * 49,800 = 14.94. 9 sells below the mark of 50,000 and pays 0.045 %, 0.006723, and the bid 0.015 %."""
    w = world({1: 10**6, 2: 10**6, 9: 1_000})
    w.batch(w.sell(9, DUST, 49_800, "Alo"))
    w.batch(w.buy(2, 1, 49_940, "Alo"), w.buy(1, 1, 49_950, "Alo"))
    assert w.status(0).keys() == w.status(1).keys() == {"resting"}
    assert fills(w) == [(1, 9, 49_800, DUST)]
    (fill,) = [event for event in w.last.events if isinstance(event, Fill)]
    assert (fill.maker.fee, fill.taker.fee) == (2_241, 6_723) and not fill.taker_is_buy
    assert best(w) == (49_950, 0) and w.order_count(9) == 0 and w.position(1) == 30
    assert w.cash(1) == 10**6 * MICRO - 14_940_000 - 2_241


@pytest.mark.parametrize(
    ("ask", "first", "fees"),
    [
        (49_900, "ask", (748_500, 2_245_500)),  # 0.1 * 49,900 = 4,990: the ask sells below the mark
        (50_100, "ask", (2_254_500, 751_500)),  # 5,010: the bid buys above it
        (50_000, "ask", (2_250_000, 750_000)),  # at the mark the newer pays
        (
            50_000,
            "bid",
            (2_256_750, 752_250),
        ),  # 5,015, at the price of the bid, which is older and buys above the mark
    ],
)
def test_who_trades_at_a_price_worse_than_the_mark_pays_what_takers_pay(
    world: Callable[..., Any], ask: int, first: str, fees: tuple[int, int]
) -> None:
    """9 asks for 0.1 BTC and 1 bids for it at 50,150, in one batch; the mark is 50,000. Fees of the bid and the ask."""
    w = world({1: 10**6, 9: 10**5})
    both = [w.sell(9, 0.1, ask, "Alo"), w.buy(1, 0.1, 50_150, "Alo")]
    w.batch(*both[:: 1 if first == "ask" else -1], forced=1)
    (fill,) = [event for event in w.last.events if isinstance(event, Fill)]
    paid = {side.account[-1]: side.fee for side in (fill.maker, fill.taker)}
    assert (paid[1], paid[9]) == fees


def test_asks_rest_over_a_small_older_bid(world: Callable[..., Any]) -> None:
    w = world({1: 10**6, 9: 1_000})
    w.batch(w.buy(9, DUST, 50_200, "Alo"))
    w.batch(w.sell(1, 1, 50_050, "Alo"))
    assert fills(w) == [(1, 9, 50_200, DUST)] and best(w) == (0, 50_050)


def test_takers_come_before_what_was_passed_over_meets_its_bids(world: Callable[..., Any]) -> None:
    """8 buys the ask at 49,800, 7 sells to the bid at 49,950: either trades with whom it would have met anyhow."""
    w = world({1: 10**6, 7: 10**5, 8: 10**5, 9: 1_000})
    w.batch(w.sell(9, DUST, 49_800, "Alo"))
    w.batch(w.buy(1, 1, 49_950, "Alo"), w.buy(8, 0.01, 49_900, "Ioc"), w.sell(7, 0.01, 49_900, "Ioc"))
    assert sorted(fills(w)) == [(1, 7, 49_950, 0.01), (9, 8, 49_800, DUST)]


def test_who_passed_over_something_meets_it_though_it_cancels_in_the_same_batch(
    world: Callable[..., Any],
) -> None:
    """The cancel finds nothing at first, and is tried again when 9's 0.05 BTC have been bought."""
    w = world({1: 10**6, 9: 10**6})
    w.batch(w.sell(9, 0.05, 49_800, "Alo"))
    w.batch(w.buy(1, 1, 49_950, "Alo", cloid=5), w.cancel(1, cloid=5))
    assert fills(w) == [(1, 9, 49_800, 0.05)] and best(w) == (0, 0) and w.order_count(1) == 0


def test_what_comes_in_one_batch_rests_and_what_takers_leave_of_it_meets(world: Callable[..., Any]) -> None:
    """1 asks 0.3 BTC at 49,900 and 2 bids 1 at 49,950 in one batch, forced in that order. 8 buys 0.1 of the ask, 7
    sells 0.1 to the bid. The 0.2 that are left meet at the ask's price, which is older, for 9,980: 1 sells below the
    mark and pays a taker's fee, 4.491, 2 a maker's, 1.497."""
    w = world({1: 10**6, 2: 10**6, 7: 10**5, 8: 10**5})
    ask, bid = w.sell(1, 0.3, 49_900, "Alo"), w.buy(2, 1, 49_950, "Alo")
    w.batch(ask, bid, w.buy(8, 0.1, 49_900, "Ioc"), w.sell(7, 0.1, 49_900, "Ioc"), forced=1)
    assert w.status(0).keys() == w.status(1).keys() == {"resting"}
    assert sorted(fills(w)) == [(1, 8, 49_900, 0.1), (2, 1, 49_900, 0.2), (2, 7, 49_950, 0.1)]
    (met,) = [event for event in w.last.events if isinstance(event, Fill) and event.taker.account[-1] == 1]
    assert (met.taker.fee, met.maker.fee) == (4_491_000, 1_497_000)
    assert best(w) == (49_950, 0)


@pytest.mark.parametrize(("size", "rests"), [(0.0625, True), (0.06251, False)])
def test_a_post_only_order_takes_a_16th_of_itself_at_most(
    world: Callable[..., Any], size: float, rests: bool
) -> None:
    """Asks of earlier batches: 0.03 at 50,000 and the rest of `size` at 50,100. A bid for 1 BTC at 50,200 buys both if
    they are a 16th of it; of more only the first, and then goes."""
    w = world({1: 10**6, 8: 10**6, 9: 10**6})
    w.batch(w.sell(8, 0.03, 50_000), w.sell(9, size - 0.03, 50_100))
    w.batch(w.buy(1, 1, 50_200, "Alo"))
    first, second = (1, 8, 50_000, 0.03), (1, 9, 50_100, 0.0325)
    assert fills(w) == ([first, second] if rests else [first])
    assert best(w) == ((50_200, 0) if rests else (0, 50_100))
    assert "resting" in w.status()


def test_any_number_of_small_orders_is_as_much_as_a_large_one(world: Callable[..., Any]) -> None:
    """Forty asks of 0.01 BTC, each less than a 16th of a bid for 1. It buys six of them, 0.06, and is removed."""
    w = world({1: 10**6, 9: 10**6})
    w.batch(*[w.sell(9, 0.01, 50_000 + n) for n in range(40)])
    w.batch(w.buy(1, 1, 50_200, "Alo"))
    assert [size for *_, size in fills(w)] == [0.01] * 6
    assert best(w) == (0, 50_006) and w.order_count(1) == 0


@pytest.mark.parametrize("age", [1, 2])
@pytest.mark.parametrize("ask", [49_800, 50_000, 50_100])
def test_what_stood_before_keeps_it_from_no_taker_but_has_it_go_after_them(
    world: Callable[..., Any], ask: int, age: int
) -> None:
    """An ask for 0.1 stands, below, at or above the mark. A bid for 1 BTC at 50,200 rests until takers are through: 7
    sells 0.1 to it. Then it goes; had nobody hit it, it is refused as on entry, with the best prices."""
    for sold in (0, 0.1):
        w = world({1: 10**6, 7: 10**6, 9: 10**6})
        w.batch(w.buy(7, 1, 49_000), w.sell(9, 0.1, ask))
        for _ in range(age - 1):
            w.batch()
        sales = [w.sell(7, sold, 50_150, "Ioc")] if sold else []
        w.batch(w.buy(1, 1, 50_200, "Alo", cloid=3), *sales)
        assert best(w) == (49_000, ask) and w.order_count(1) == 0 and w.position(1) == round(sold * 10**5)
        last = [row for row in w.last.events if isinstance(row, OrderUpdate)][-1]
        assert (last.status, last.sz) == ("badAloPxRejected", 100_000 - round(sold * 10**5))
        if sold:
            assert "resting" in w.status()
        else:
            error = f"would have immediately matched, bbo was 49000.0@{ask}.0. asset=0"
            assert w.status()["error"].endswith(error)


def test_ones_own_order_of_before_has_it_go_as_well(world: Callable[..., Any]) -> None:
    """As on other venues: who bids at its own standing ask is refused, and keeps the ask."""
    w = world({1: 10**6})
    w.batch(w.sell(1, 1, 50_010))
    w.batch(w.buy(1, 1, 50_020, "Alo"))
    assert "would have immediately matched" in w.status()["error"] and best(w) == (0, 50_010)


def test_an_order_that_a_refused_modify_names_has_a_post_only_one_go(world: Callable[..., Any]) -> None:
    """9 asks 10 BTC at 50,010, and modifies that to 50,010.5, which is no tick: the ask stands, and 1's bid goes."""
    w = world({1: 10**6, 9: 10**6})
    w.batch(w.sell(9, 10, 50_010, cloid=7))
    w.batch()
    wrong = t.Modify(t.OrderRef(BTC, 0, 7), w.spec(False, 10, 50_010.5, "Alo", cloid=7))
    w.batch(w.signed(9, t.BatchModify((wrong,), single=False)), w.buy(1, 1, 50_010, "Alo"))
    assert "tick" in w.status(0)["error"] and "would have immediately matched" in w.status(1)["error"]
    assert fills(w) == [] and best(w) == (0, 50_010)


def test_beyond_the_band_an_order_rests_over_nothing(world: Callable[..., Any]) -> None:
    """Bids more than a twentieth above the mark can never trade there, but 16,384 of them push all others off the side:
    where asks are in the way they are refused, whenever those came."""
    w = world({1: 10**6, 9: 10**6})
    w.batch(w.sell(9, 0.0003, 50_000, "Alo"), w.buy(1, 1, 52_600, "Alo"), forced=1)
    assert "error" in w.status(1)
    w.batch(w.buy(1, 1, 52_490, "Alo"))
    assert "resting" in w.status()


def test_a_reduce_only_order_counts_for_no_more_than_its_position(world: Callable[..., Any]) -> None:
    """1 is short 0.1 BTC: a reduce-only bid for 100 buys 0.00625 that stands in its way, and goes for 0.0063."""
    for size, rests in ((0.00625, True), (0.0063, False)):
        w = world({1: 10**6, 2: 10**6, 9: 10**6})
        w.batch(w.buy(2, 0.1, 50_000, "Alo"), w.sell(1, 0.1, 50_000, "Ioc"))
        w.batch(w.sell(9, size, 50_000))
        w.batch(w.buy(1, 100, 50_010, "Alo", reduce_only=True))
        assert ("resting" in w.status()) == rests
        assert fills(w) == ([(1, 9, 50_000, size)] if rests else [])


def test_of_two_of_one_account_that_cross_the_older_goes(world: Callable[..., Any]) -> None:
    w = world({1: 10**6})
    w.batch(w.sell(1, DUST, 49_800, "Alo"))
    w.batch(w.buy(1, 1, 49_950, "Alo"))
    assert "resting" in w.status() and fills(w) == [] and best(w) == (49_950, 0)
    assert [row.status for row in w.last.events if isinstance(row, OrderUpdate)][-1] == "selfTradeCanceled"


def test_an_order_that_came_in_the_batch_is_modified_in_it(world: Callable[..., Any]) -> None:
    """A bot that quotes every 125 ms: its bid moves twice in one batch."""
    w = world({1: 10**6})
    w.batch(w.buy(1, 1, 49_900, "Alo", cloid=1))
    moves = [
        w.signed(1, t.BatchModify((t.Modify(t.OrderRef(BTC, 0, 1), spec),), single=False))
        for spec in (w.spec(True, 1, px, "Alo", cloid=1) for px in (49_910, 49_920))
    ]
    w.batch(*moves)
    assert w.status(0).keys() == w.status(1).keys() == {"resting"} and best(w) == (49_920, 0)


@pytest.mark.parametrize(("batches", "rests"), [(25, True), (85, False)])
def test_a_small_ask_keeps_no_closing_bid_out_where_a_price_is_aged_but_not_stale(
    world: Callable[..., Any], batches: int, rests: bool
) -> None:
    """The oracle's price is 6.25 s old: 1 reduces its short of 1 BTC by a bid that rests over 15 quote at a loss. After
    20 s, where an order that reduces nothing may not trade, over nothing."""
    w = world({1: 10**6, 2: 10**6, 9: 10**6})
    w.batch(w.buy(2, 1, 50_000, "Alo"), w.sell(1, 1, 50_000))
    w.batch(w.sell(9, DUST, 49_800, "Alo"))
    for _ in range(batches):
        w.batch(fresh=False)
    status = int(w.ex.rows.markets["status"][BTC])
    assert status == (MarketStatus.AGED if rests else MarketStatus.REDUCE_ONLY)
    w.batch(w.buy(1, 1, 49_950, "Alo", reduce_only=True), fresh=False)
    assert ("resting" in w.status()) == rests
    assert fills(w) == ([(1, 9, 49_800, DUST)] if rests else [])


def test_on_an_aged_price_a_post_only_order_opens_nothing_by_a_meeting(world: Callable[..., Any]) -> None:
    """2 is long 1 BTC; its post-only sale of that, which is not named reduce-only, would rest over a bid above the
    mark, and meet it after a market sale had closed the long: a short of 1 BTC on a price that is 6.25 s old."""
    w = world({1: 10**6, 2: 10**6, 9: 10**6})
    w.batch(w.buy(2, 1, 50_000, "Alo"), w.sell(1, 1, 50_000))
    w.batch(w.buy(9, 4, 50_030, "Alo"))
    for _ in range(25):
        w.batch(fresh=False)
    both = [w.sell(2, 1, 50_020, "Alo"), w.sell(2, 1, 49_000, "Ioc", reduce_only=True)]
    w.batch(*both, fresh=False)
    assert "error" in w.status(0) and w.position(2) == 0 and best(w) == (50_030, 0)


def test_where_the_market_runs_ahead_of_the_mark_its_own_middle_tells_who_takes(
    world: Callable[..., Any],
) -> None:
    """2 quotes 1 BTC at 50,140 and 50,160 round a market 0.3 % above the mark. In the next batch it quotes anew, and 9
    sells 0.1 to the new bid by a post-only order at 50,140: 5,014 quote, below the middle of 50,150, though above the
    mark. 9 pays 0.045 %, 2.2563, and the maker 0.015 %."""
    w = world({2: 10**6, 9: 10**5})
    for _ in range(10):  # makers are known to be there when a market has been active for a while
        w.batch()
    for n in (0, 1):
        cancels = [w.cancel(2, cloid=1), w.cancel(2, cloid=2)] if n else []
        thief = [w.sell(9, 0.1, 50_140, "Alo")] if n else []
        w.batch(*cancels, w.buy(2, 1, 50_140, "Alo", cloid=1), w.sell(2, 1, 50_160, "Alo", cloid=2), *thief)
    assert w.mark() < 501_400
    (fill,) = [event for event in w.last.events if isinstance(event, Fill)]
    paid = {side.account[-1]: side.fee for side in (fill.maker, fill.taker)}
    assert (paid[9], paid[2]) == (2_256_300, 752_100)


@pytest.mark.parametrize(("behind", "rests"), [(50_000, False), (None, True)])
def test_what_lies_beyond_the_band_at_its_owners_loss_is_in_nobodys_way(
    world: Callable[..., Any], behind: int | None, rests: bool
) -> None:
    """Asks for 1 BTC at 46,010 and perhaps at 50,000 of a sleeping maker; the mark goes from 46,000 to 50,000, and the
    first lies 8 % below it. The other can trade, and a bid for 1 at 50,050 goes after the takers."""
    w = world({3: 10**6, 9: 10**6})
    w.oracle(btc=46_000)
    w.batch()
    w.batch(*[w.sell(9, 1, px, "Alo") for px in (46_010, behind) if px])
    w.oracle(btc=50_000)
    w.opened()
    assert w.mark() == 500_000 and best(w) == (0, 46_010)
    w.batch(w.buy(3, 1, 50_050, "Alo"))
    assert ("resting" in w.status()) == rests and fills(w) == []
    assert best(w) == ((50_050, 0) if rests else (0, 50_000))


@pytest.mark.parametrize("width", [10, 150])
@pytest.mark.parametrize("above", [-100, 0, 30, 1_000])
def test_an_ask_just_below_the_makers_bids_keeps_none_of_them_out(
    world: Callable[..., Any], above: int, width: int
) -> None:
    """An attack: 4 sells the makers' bid away once, asks 0.2 BTC a tick below it, too near for anybody to take, and
    renews this in each batch. 3 sells 0.5 BTC in each batch for what it gets, and the only other bid is 9's, 1 % lower.
    When older orders kept post-only ones out, 3 got that for 14.5 of 15 BTC wherever no rule knew the book's place:
    beside its index, just moved, or wide."""
    w = world({2: 10**7, 3: 10**7, 4: 10**6, 9: 10**6})
    at_fifty(w, 2, 3, 4, 9)
    book = 50_000 + above
    bid = book - width

    def quotes(turn: int) -> list[Any]:
        gone = [w.cancel(2, cloid=10 * turn), w.cancel(2, cloid=10 * turn + 1)] if turn else []
        new = [
            w.buy(2, 2, bid, "Alo", cloid=10 * turn + 10),
            w.sell(2, 2, book + width, "Alo", cloid=10 * turn + 11),
        ]
        return gone + new

    w.batch(*quotes(0))
    w.batch(*quotes(1))
    w.batch(w.buy(9, 20, round(book * 0.99), "Alo"), w.sell(4, 2.2, bid - 1))
    for turn in range(2, 32):
        w.batch(*quotes(turn), w.sell(4, 0.2, bid - 1, "Alo"), w.sell(3, 0.5, round(book * 0.98), "Ioc"))
        assert [(px, size) for _, who, px, size in fills(w) if who == 3] == [(bid, 0.5)], turn


def test_an_ask_of_15_quote_keeps_no_bids_out_of_a_book_that_left_its_index(
    world: Callable[..., Any],
) -> None:
    """The book rises from 50,000 to 50,350 in 3.5 s and its index stands. 4 sells the makers' bid away once and leaves
    an ask of 15 quote below it; 3 sells 0.5 BTC in each batch, and the only other bid is 9's, 1 % lower. When a bid
    0.5 % above mark, average and last middle rested over nothing, 3 got that for all of its 15 BTC."""
    w = world({2: 10**7, 3: 10**7, 4: 10**6, 9: 10**6})
    at_fifty(w, 2, 3, 4, 9)

    def quotes(turn: int, book: int) -> list[Any]:
        gone = [w.cancel(2, cloid=10 * turn), w.cancel(2, cloid=10 * turn + 1)] if turn else []
        new = [
            w.buy(2, 2, book - 10, "Alo", cloid=10 * turn + 10),
            w.sell(2, 2, book + 10, "Alo", cloid=10 * turn + 11),
        ]
        return gone + new

    for turn in range(20):
        w.batch(*quotes(turn, 50_000 + 25 * max(turn - 5, 0)))
    w.batch(*quotes(20, 50_350), w.buy(9, 20, 49_850, "Alo"), w.sell(4, 2 + DUST, 50_339))
    for turn in range(21, 51):
        w.batch(*quotes(turn, 50_350), w.sell(3, 0.5, 49_400, "Ioc"))
        assert [(px, size) for _, who, px, size in fills(w) if who == 3] == [(50_340, 0.5)], turn
