"""Attacks on other accounts while accounts are liquidated or deleveraged, and the rules that stop them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from coinone.rules.exchange.accounts.locks import is_locked
from coinone.rules.exchange.closing import liquidation
from coinone.rules.ledger.crossings import Deposit
from tests.rules.exchange import words as t

QUOTE = 10**6
BTC, ETH = 0, 1


def at_fifty(w: Any, *accounts: int) -> None:
    """The greatest leverage for all of them, in both markets."""
    chosen = [t.UpdateLeverage(market, True, 50) for market in (BTC, ETH)]
    w.batch(*[w.signed(n, action) for n in accounts for action in chosen])


def leave(w: Any, who: int, equity: int, taker: int) -> None:
    """Leave `who` with so much, and hand the rest to `taker`."""
    over = w.equity(who) - equity * QUOTE
    w.ex.rows.accounts[w.slot(who)]["cash"] -= over
    w.ex.rows.accounts[w.slot(taker)]["cash"] += over


def test_a_locked_account_that_others_close_is_free_again_though_it_was_not_chosen(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One locked account is closed a batch, and 1 comes first. In the same batch 4 takes all of 3's reduce-only offer.
    3 then holds nothing, so no list of holders would ever name it again: what was sent to it waited for ever."""
    monkeypatch.setattr(liquidation, "LOCKED_CLOSED_PER_BATCH", 1)
    w = world({1: 33_000, 2: 1_000_000, 3: 10_500, 4: 1_000_000})
    at_fifty(w, 1, 2, 3, 4)
    w.batch(w.sell(2, 30, 50_000), w.sell(4, 160, 3_000, market=ETH))
    w.batch(w.buy(1, 30, 50_000), w.buy(3, 160, 3_000, market=ETH))
    w.batch(w.sell(3, 160, 3_005, market=ETH, reduce_only=True))
    w.oracle(btc=48_800, eth=2_930)
    fund = w.fund("insurance")
    w.batch(w.buy(4, 160, 3_010, "Ioc", market=ETH))
    assert [event.account[-1] for event in w.last.events if getattr(event, "kind", "") == "debt"] == [1, 3]
    assert w.position(3, ETH) == 0 and not is_locked(w.ex.rows, w.slot(3))
    brought = 75 * 160 * QUOTE - 160 * 3_005 * 150  # 75 above the mark, less the maker's fee of 0.015 %
    assert w.fund("insurance") == fund + brought and w.cash(3) == 0
    told = [
        (event.account[-1], event.amount)
        for event in w.last.events
        if getattr(event, "kind", "") == "proceeds"
    ]
    assert told == [(3, -brought)]
    w.batch(deposits=(Deposit((3).to_bytes(20, "big"), 50 * QUOTE, bytes(32)),))
    assert w.cash(3) == 50 * QUOTE


def test_an_account_made_whole_by_anothers_close_is_not_closed(world: Callable[..., Any]) -> None:
    """50,000 -> 50,100, ETH 3,000 -> 3,005. 1 (short 20) has 5,200 - 2,000 = 3,200, less than a third of 10,020.
    3 (long 10, short 100 ETH) has 1,100 + 1,000 - 500 = 1,600, less than a third of 5,010 + 3,005. 1, whom more lacks,
    is closed at 50,100 + 3,200 / 20 = 50,260 and pays 3 160 for each of ten: 3 has 3,200, and its ETH need 3,005."""
    w = world({1: 22_000, 2: 1_000_000, 3: 28_000, 4: 1_000_000})
    at_fifty(w, 1, 2, 3, 4)
    w.batch(w.buy(3, 10, 50_000, "Alo"))
    w.batch(w.sell(1, 10, 50_000))
    w.batch(w.buy(2, 10, 50_000, "Alo"))
    w.batch(w.sell(1, 10, 50_000))
    w.batch(w.sell(3, 100, 3_000, "Alo", market=ETH))
    w.batch(w.buy(4, 100, 3_000, market=ETH))
    leave(w, 1, 5_200, 4)
    leave(w, 3, 1_100, 4)
    w.prices.update({BTC: 501_000, ETH: 300_500})
    w.batch()
    assert (w.position(1), w.equity(1)) == (0, 0)
    assert (w.position(3, BTC), w.position(3, ETH)) == (0, -1_000_000)
    assert (w.equity(3), w.maintenance(3)) == (3_200 * QUOTE, 3_005 * QUOTE)


def test_orders_of_the_locked_keep_nobody_else_from_being_closed_in_time(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for four cancels. 1 and 2 are locked with two orders each (205.5 less 260); 3, with 331.5 - 260 = 71.5 of
    97.4, can be closed in the book. When it waited for its cancels, it waited behind those of all the locked."""
    monkeypatch.setattr(liquidation, "CANCELLED_WHOLE_PER_BATCH", 4)
    w = world({1: 210, 2: 210, 3: 336, 9: 1_000_000, 20: 1_000_000})
    for who in (1, 2, 3):
        w.batch(w.sell(9, 0.2, 50_000, "Alo"), w.buy(who, 0.2, 50_000))
        w.batch(w.buy(who, 0.001, 40_000), w.buy(who, 0.001, 39_000))
    w.batch(w.buy(20, 10, 48_650))
    w.oracle(btc=48_700)
    w.batch()
    told = [(event.kind, event.account[-1]) for event in w.last.events if hasattr(event, "counterparty")]
    assert [who for kind, who in told if kind == "debt"] == [1, 2]
    assert [who for kind, who in told if kind == "order"] == [1, 2, 3]
    assert w.position(3) == 0
    assert [w.order_count(who) for who in (1, 2, 3)] == [0, 0, 2]


def three_longs(w: Any) -> None:
    """5 is long 1 BTC with bids for 5 at 49,400 below. 6 and 7 are long 16 ETH each in a book without bids. At 49,450
    and 2,965 they have 472.5 of 494.5, and 448.4 of 474.4 each: 6 and 7 lack more."""
    at_fifty(w, 1, 5, 6, 7, 8, 9)
    w.batch(w.sell(9, 1, 50_000, "Alo"), w.sell(8, 32, 3_000, "Alo", market=ETH))
    w.batch(w.buy(5, 1, 50_000), w.buy(6, 16, 3_000, market=ETH), w.buy(7, 16, 3_000, market=ETH))
    w.batch(w.buy(9, 5, 49_400, "Alo"))


def two_in_a_turn(monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    monkeypatch.setattr(liquidation, "LIQUIDATIONS_PER_TURN", 2)
    monkeypatch.setattr(liquidation, "LIQUIDATION_TURNS_PER_BATCH", turns)


def served(w: Any) -> list[int]:
    return [event.account[-1] for event in w.last.events if getattr(event, "kind", "") == "order"]


BALANCES = {1: 10_000, 5: 1_045, 6: 1_030, 7: 1_030, 8: 10_000_000, 9: 10_000_000}


def test_a_bid_that_goes_before_it_can_be_hit_takes_nobodys_place(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One turn of two. A bid for ETH came behind the takers and goes with the cancels, each batch: 6 and 7 were served
    for it and found nothing, 5 with bids in its market waited for ever, or until it was deleveraged for all it had."""
    two_in_a_turn(monkeypatch, 1)
    w = world(BALANCES)
    three_longs(w)
    w.batch(w.buy(1, 40, 2_962, market=ETH, cloid=1))
    w.oracle(btc=49_450, eth=2_965)
    w.batch(w.cancel(1, cloid=1, market=ETH), w.buy(1, 40, 2_962, market=ETH, cloid=2))
    assert served(w) == [5] and w.position(5) == 0 and w.position(1, ETH) == 0


def test_a_bid_that_is_moved_away_before_it_can_be_hit_takes_nobodys_place(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same by a post-only modify, ahead of all takers, down to 2,000, and back or anew behind them. For two credits
    a batch 6 and 7 held both places as long as one liked."""
    two_in_a_turn(monkeypatch, 1)
    w = world(BALANCES)
    three_longs(w)
    w.batch(w.buy(1, 40, 2_962, market=ETH, cloid=1))
    w.oracle(btc=49_450, eth=2_965)
    down, back = (
        t.BatchModify(
            (t.Modify(t.OrderRef(ETH, 0, 1), w.spec(True, 40, px, tif, ETH, cloid=1)),), single=False
        )
        for px, tif in ((2_000, "Alo"), (2_962, "Gtc"))
    )
    w.batch(w.signed(1, down), w.signed(1, back), w.buy(1, 40, 2_962, market=ETH, cloid=2))
    assert w.ex.rows.book.best(ETH, 0) == 296_200
    assert served(w) == [5] and w.position(5) == 0 and w.position(1, ETH) == 0


def test_a_small_bid_takes_one_place(world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """One turn of two. A bid for 0.01 ETH is all for 6, though 7 could reach it too; the second place is 5's."""
    two_in_a_turn(monkeypatch, 1)
    w = world(BALANCES)
    three_longs(w)
    w.batch(w.buy(1, 0.01, 2_962, "Alo", market=ETH))
    w.oracle(btc=49_450, eth=2_965)
    w.batch()
    assert served(w) == [6, 5] and w.position(5) == 0 and w.position(6, ETH) == 159_900


@pytest.mark.parametrize(("turns", "order"), [(1, [6, 7]), (2, [6, 7, 5])])
def test_quotes_of_those_in_need_to_each_other_keep_nobody_else_from_being_served(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, turns: int, order: list[int]
) -> None:
    """6 is long and 7 short 16 ETH, both with 455 of 480, and offer each other reduce-only what goes when they are
    served. They took both places in every batch. At the second turn it is gone, and 5 (472.5 of 494.5) has its turn."""
    two_in_a_turn(monkeypatch, turns)
    w = world({5: 1_045, 6: 2_000, 7: 2_000, 8: 10_000_000, 9: 10_000_000})
    at_fifty(w, 5, 6, 7, 8, 9)
    w.batch(w.sell(9, 1, 50_000, "Alo"), w.sell(8, 16, 3_000, "Alo", market=ETH))
    w.batch(w.buy(5, 1, 50_000), w.buy(6, 16, 3_000, market=ETH))
    w.batch(w.buy(8, 16, 3_000, "Alo", market=ETH), w.buy(9, 5, 49_400, "Alo"))
    w.batch(w.sell(7, 16, 3_000, market=ETH))
    leave(w, 6, 455, 8)
    leave(w, 7, 455, 8)
    w.prices.update({BTC: 494_500})
    w.batch()
    w.batch(
        w.sell(6, 16, 3_003, "Alo", market=ETH, reduce_only=True),
        w.buy(7, 16, 2_997, "Alo", market=ETH, reduce_only=True),
    )
    assert served(w) == order
    assert (w.position(6, ETH), w.position(7, ETH)) == (160_000, -160_000)
    assert w.position(5) == (0 if turns == 2 else 100_000)


@pytest.mark.parametrize(("by_need", "others"), [(2, 0), (1, 1)])
def test_layers_of_quotes_of_those_in_need_do_not_take_all_turns(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, by_need: int, others: int
) -> None:
    """6 and 7 have 176 of 480, 11 a coin, and quote 10.9 from the mark; 10 and 11 have 192, 12 a coin, and quote 11.9
    from it, where 6 and 7 do not reach. Two places a turn: 6 and 7 have the first, and with their quotes gone 10 and
    11 the second, who lack 288; 5, with 472.5 of 494.5, lacks 22. All quote again ahead of the takers of each batch.
    With both turns by need 5 is never served, for nothing but credits. Drawn among three, it is one of the two with a
    chance of two thirds a batch: not in twelve once in 500,000."""
    two_in_a_turn(monkeypatch, 2)
    monkeypatch.setattr(liquidation, "LIQUIDATION_TURNS_BY_NEED", by_need)
    w = a_crowd_in_need(world)
    for _ in range(12):
        quote_to_each_other(w, 16)
    assert (w.position(5) == 0) is (others == 1)


def a_crowd_in_need(world: Callable[..., Any]) -> Any:
    """6 and 10 are long, 7 and 11 short 16 ETH, where nobody else quotes; 5 is long 1 BTC with bids for 5 at 49,400."""
    w = world({5: 1_045, 8: 10_000_000, 9: 10_000_000} | dict.fromkeys((6, 7, 10, 11), 2_000))
    at_fifty(w, 5, 6, 7, 8, 9, 10, 11)
    w.batch(w.sell(9, 1, 50_000, "Alo"), w.sell(8, 32, 3_000, "Alo", market=ETH))
    w.batch(w.buy(5, 1, 50_000), w.buy(6, 16, 3_000, market=ETH), w.buy(10, 16, 3_000, market=ETH))
    w.batch(w.buy(8, 32, 3_000, "Alo", market=ETH), w.buy(9, 5, 49_400, "Alo"))
    w.batch(w.sell(7, 16, 3_000, market=ETH), w.sell(11, 16, 3_000, market=ETH))
    for who, equity in ((6, 176), (7, 176), (10, 192), (11, 192)):
        leave(w, who, equity, 8)
    w.prices.update({BTC: 494_500})
    w.batch()
    return w


def quote_to_each_other(w: Any, *sizes: int, also: Sequence[Any] = ()) -> None:
    """A batch in which the four quote such sizes anew, 10.9 and 11.9 from the mark and a quote further each."""
    asks, bids = ((6, 3_010.9), (10, 3_011.9)), ((7, 2_989.1), (11, 2_988.1))
    more = {"tif": "Alo", "market": ETH, "reduce_only": True}
    w.batch(
        *[w.sell(who, size, at + n, **more) for who, at in asks for n, size in enumerate(sizes)],
        *[w.buy(who, size, at - n, **more) for who, at in bids for n, size in enumerate(sizes)],
        *also,
    )


def test_orders_of_a_crowd_in_need_keep_nobody_waiting(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four places a turn, and cancels for two orders. The four have two each, quotes for 15 ETH and for 1, and 5 has
    three. While closing waited for cancels, whoever had more orders than a crowd waited in each batch."""
    monkeypatch.setattr(liquidation, "LIQUIDATIONS_PER_TURN", 4)
    monkeypatch.setattr(liquidation, "CANCELLED_WHOLE_PER_BATCH", 2)
    w = a_crowd_in_need(world)
    far = [w.sell(5, 0.1, 60_000 + n, "Alo", reduce_only=True) for n in range(3)]
    quote_to_each_other(w, 15, 1, also=far)
    assert 5 in served(w) and w.position(5) == 0


@pytest.mark.parametrize(("turns", "order"), [(1, [6, 7]), (2, [6, 7, 5])])
def test_a_bid_that_nobody_could_bear_keeps_nobody_else_from_being_served(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, turns: int, order: list[int]
) -> None:
    """1 bids for 33 ETH and buys 0.95 BTC with the rest of its 3,000 in the same action. At 49,450 and 2,965 it has
    2,446: 16 ETH at 3,010 would lose 720 and leave less than 2 * (470 + 474). The first that meets the bid finds
    nothing, nor do all the others that were to share it: 6 and 7 had both places for a batch's fees."""
    two_in_a_turn(monkeypatch, turns)
    w = world(BALANCES | {1: 3_000})
    three_longs(w)
    w.batch(w.sell(9, 5, 50_010, "Alo"))
    w.batch(w.signed(1, w.many(w.spec(True, 33, 3_010, market=ETH), w.spec(True, 0.95, 50_010, "Ioc"))))
    assert w.position(1) == 95_000 and w.ex.rows.book.best(ETH, 0) == 301_000
    w.oracle(btc=49_450, eth=2_965)
    w.batch()
    assert served(w) == order and w.position(6, ETH) == w.position(7, ETH) == 160_000
    assert w.position(5) == (0 if turns == 2 else 100_000)


@pytest.mark.parametrize(("bid", "meets"), [(2_950.2, True), (2_950.1, False)])
def test_who_gets_a_place_is_whom_the_limit_of_its_order_reaches(
    world: Callable[..., Any], bid: float, meets: bool
) -> None:
    """Half of 474.4 over 16 is 14.825: 6 sells at 2,965 - 14.82 = 2,950.18 or better, 1.5 s after the jump."""
    w = world(BALANCES)
    three_longs(w)
    w.oracle(eth=2_965)
    w.batch()
    w.opened()
    assert liquidation.limit_price(w.ex.rows, w.slot(6), ETH) == 295_018
    w.batch(w.buy(1, 1, bid, "Alo", market=ETH))
    assert (served(w) == [6]) is meets
