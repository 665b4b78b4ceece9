"""Quotes that takers cannot hit, for lack of margin or because they are withdrawn first, do not count for mark and
funding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.rules.exchange import words as t

QUOTE = 10**6
BTC, ETH = 0, 1


def at_fifty(w: Any, *accounts: int) -> None:
    """The greatest leverage for all of them, in both markets."""
    chosen = [t.UpdateLeverage(market, True, 50) for market in (BTC, ETH)]
    w.batch(*[w.signed(n, action) for n in accounts for action in chosen])


def seen(w: Any) -> tuple[int, int]:
    """BTC's impact prices in whole quote units, as everybody sees them after the last batch; 0: none."""
    memory = w.ex.ledger.memory_of(BTC)
    return memory.seen_bid // 10_000, memory.seen_ask // 10_000


def nobody_could_hit(w: Any, limit: int) -> bool:
    """Does a sale down to the limit find nothing?"""
    w.batch(w.sell(9, 0.5, limit, "Ioc"))
    return "error" in w.status() and w.position(9) == 0


def test_a_quote_whose_margin_was_sent_away_counts_no_more(world: Callable[..., Any]) -> None:
    """0.5 at 51,000 needs 500 of margin and may lose 500; 4,000 of 5,000 may leave. With 1,000 a fill leaves
    1,000 - 500 - 3.825 (0.015 % of 25,500), less than 2 * 250. The premium of 2 % stood at no risk: 0.125 % an hour
    from all longs."""
    w = world({1: 5_000, 2: 100, 9: 1_000_000})
    at_fifty(w, 1, 9)
    w.batch(w.buy(1, 0.5, 51_000, "Alo"))
    assert seen(w) == (51_000, 0)
    away = t.SendAsset((2).to_bytes(20, "big"), 4_000 * QUOTE)
    w.batch(w.signed(1, away))
    assert w.equity(1) == 1_000 * QUOTE and seen(w) == (0, 0)
    w.batch()
    assert w.ex.ledger.memory_of(BTC).premium == 0
    assert nobody_could_hit(w, 50_000)


def test_a_quote_whose_margin_backs_another_position_counts_no_more(world: Callable[..., Any]) -> None:
    """1,600 carry the bid (500, loss 500, fee 3.825). 16 ETH take 960 and a fee of 21.6: 1,578.4 are left, and after
    the bid's fill 1,074.575, less than 2 * (250 + 480)."""
    w = world({1: 1_600, 8: 1_000_000, 9: 1_000_000})
    at_fifty(w, 1, 8, 9)
    w.batch(w.buy(1, 0.5, 51_000, "Alo"), w.sell(8, 16, 3_000, "Alo", market=ETH))
    assert seen(w) == (51_000, 0)
    w.batch(w.buy(1, 16, 3_000, market=ETH))
    assert w.position(1, ETH) == 160_000 and seen(w) == (0, 0)
    assert nobody_could_hit(w, 50_000)


def test_a_quote_beyond_the_band_counts_nothing(world: Callable[..., Any]) -> None:
    """A twentieth of 50,000 is 2,500: 52,500 counts, a tick more is cancelled by whoever meets it. A bid 90 % above
    the oracle, alone for 42 s, made the whole hour's premium 1 %."""
    w = world({1: 30_000, 9: 1_000_000})
    at_fifty(w, 1, 9)
    w.batch(w.buy(1, 0.5, 52_501, "Alo", cloid=1))
    assert seen(w) == (0, 0)
    w.batch(w.cancel(1, cloid=1), w.buy(1, 0.5, 52_500, "Alo"))
    assert seen(w) == (52_500, 0)
    w.batch(w.buy(1, 0.3, 95_000, "Alo"))
    assert seen(w) == (52_500, 0)


def test_a_quote_of_who_holds_a_silent_market_counts_as_far_as_it_reduces(world: Callable[..., Any]) -> None:
    """ETH worth 600 without a price, and a room of less than 6,000: its holder's orders trade only as far as they
    reduce."""
    w = world({1: 5_000, 8: 10_000, 9: 1_000_000})
    at_fifty(w, 1, 8, 9)
    w.batch(w.sell(8, 0.2, 3_000, market=ETH), w.buy(1, 0.2, 3_000, market=ETH))
    w.batch(w.buy(1, 0.5, 51_000, "Alo"))
    assert seen(w) == (51_000, 0)
    del w.prices[ETH]
    for _ in range(11):
        w.batch(step_ms=2_000)
    assert seen(w) == (0, 0)
    assert nobody_could_hit(w, 50_000)


def test_orders_that_could_not_all_be_filled_at_their_loss_do_not_count(world: Callable[..., Any]) -> None:
    """Each of two bids enters with its own loss: 400 of margin and 200 of loss each need 600 and a fee. Both filled
    would take 400 of 700, and leave less than 2 * 200: after the first fill the second goes."""
    w = world({1: 700, 9: 1_000_000})
    at_fifty(w, 1, 9)
    w.batch(w.buy(1, 0.2, 51_000, "Alo"), w.buy(1, 0.2, 51_000, "Alo"))
    assert w.ex.rows.accounts[w.slot(1)]["order_count"] == 2 and seen(w) == (0, 0)
    w.batch(w.sell(9, 0.4, 50_000, "Ioc"))
    assert w.position(9) == -20_000 and w.ex.rows.accounts[w.slot(1)]["order_count"] == 0


def test_quotes_at_the_mark_count_although_their_owner_has_no_more_than_the_margin(
    world: Callable[..., Any],
) -> None:
    """Each of them alone can be hit: 0.2 at 49,990 leaves 402 + 2 - 1.4997, more than 2 * 100."""
    w = world({1: 402, 9: 1_000_000})
    at_fifty(w, 1, 9)
    w.batch(w.buy(1, 0.2, 49_990, "Alo"), w.buy(1, 0.2, 49_990, "Alo"))
    assert seen(w) == (0, 0)  # 19,996 are too thin for 20,000
    w.batch(w.buy(9, 0.1, 49_980, "Alo"))
    assert seen(w) == (49_989, 0)


@pytest.mark.parametrize(
    ("equity", "leverage", "first", "price", "eth"),
    [(1_265, 24, 0.0002, 51_000, 7.027), (412, 50, 0.004, 50_000, 0.1)],
    ids=["at a loss, 24x", "at the mark"],
)
def test_depth_that_goes_with_the_first_small_fill_does_not_count(
    world: Callable[..., Any], equity: int, leverage: int, first: float, price: int, eth: float
) -> None:
    """In front a bid of 10 quote at 51,000 (loss 0.2), behind it 0.4 at the same price, and nothing above the initial
    margins: 1,265 - 0.4002 * 50,000 / 24 - 7.027 * 60 - 9.48645 (fee of 0.045 %) = 0.14. Both bids' loss of 400.2 would
    leave 855, more than 2 * (200.1 + 210.81). Or a loss of 4 in front of 0.4 at the mark, with 412 - 404 - 6.135 =
    1.865. Whoever sells into it gets the first, and the rest goes."""
    w = world({1: equity, 8: 1_000_000, 9: 1_000_000})
    at_fifty(w, 1, 8, 9)
    w.batch(w.signed(1, t.UpdateLeverage(BTC, True, leverage)))
    w.batch(w.buy(1, first, 51_000, "Alo"), w.sell(8, 100, 3_000, "Alo", market=ETH))
    w.batch(w.buy(1, 0.4, price, "Alo"))
    w.batch(w.buy(1, eth, 3_000, "Ioc", market=ETH))
    assert w.ex.rows.accounts[w.slot(1)]["order_count"] == 2 and w.position(1, ETH) == round(eth * 10_000)
    assert seen(w) == (0, 0)
    w.batch(w.sell(9, 0.4, 49_000, "Ioc"))
    assert w.position(9) == -round(first * 100_000) and w.ex.rows.accounts[w.slot(1)]["order_count"] == 0


def test_a_quote_that_goes_ahead_of_the_takers_and_comes_back_behind_them_counts_nothing(
    world: Callable[..., Any],
) -> None:
    """1 races with a large order, a modify that takes its bid down to 49,000, and comes last with a modify that puts it
    back: one of its two orders is far away and weighs nothing. Before each batch and after it the bid stands at 51,000;
    whoever sells down to 50,900 has found it there in one batch of five."""
    w = world({1: 100_000, 9: 10_000})
    at_fifty(w, 1, 9)
    w.batch(w.buy(1, 0.42, 51_000, "Alo", cloid=1), w.buy(1, 0.001, 30_000, "Alo", cloid=2))
    first, turns = t.OrderRef(BTC, 0, 1), 0
    for turn in range(12):
        away = t.BatchModify((t.Modify(first, w.spec(True, 2, 49_000, cloid=1)),), single=False)
        back = t.BatchModify(
            (
                t.Modify(first, w.spec(True, 0.42, 51_000, cloid=1)),
                t.Modify(t.OrderRef(BTC, 0, 2), w.spec(True, 0.001, 30_000 + 10 * (turn % 2), cloid=2)),
            ),
            single=False,
        )
        w.batch(w.signed(1, away), w.signed(1, back), w.sell(9, 0.42, 50_900, "Ioc"))
        if w.position(9):
            break
        turns += 1
        assert w.ex.rows.book.best(BTC, 0) == 510_000
    assert turns > 2 and w.ex.ledger.memory_of(BTC).premium_sum == 0


def test_a_quote_counts_from_the_batch_after_it_was_seen_as_long_as_takers_leave_it(
    world: Callable[..., Any],
) -> None:
    """A bid of 0.5 at 51,000 comes among the takers of batch 1 and is seen at the end of 2. 3: it counts, for all that
    takers leave: 0.05 sold, 0.45 are enough. 4: 0.2 are sold and 0.25 left, too few for 20,000: nothing counts."""
    w = world({1: 10_000, 9: 10_000})
    at_fifty(w, 1, 9)
    w.batch(w.buy(1, 0.5, 51_000))
    w.batch()
    assert w.ex.ledger.memory_of(BTC).premium == 0
    w.batch(w.sell(9, 0.05, 51_000, "Ioc"))
    assert w.position(9) == -5_000 and w.ex.ledger.memory_of(BTC).premium == 20_000_000
    w.batch(w.sell(9, 0.2, 51_000, "Ioc"))
    assert w.position(9) == -25_000 and w.ex.ledger.memory_of(BTC).premium == 0


def test_depth_behind_a_reduce_only_order_that_raises_the_margin_with_its_fill_does_not_count(
    world: Callable[..., Any],
) -> None:
    """1 is short 0.2 at 10x and bids for 0.4 at 51,000, where up to 0.2 of either side is its worst: 1,000 of margin. A
    reduce-only bid of 0.0002 stands before it. Its fill loses 0.2 and a fee of 0.0015, and the worst is 0.2002: 1 more.
    With 1,000.9 all behind it goes, with 1,002 nothing does."""
    for equity, shown in ((1_000.9, 0), (1_002, 51_000)):
        w = world({1: 100_000, 8: 1_000_000, 9: 1_000_000})
        w.batch(w.signed(1, t.UpdateLeverage(BTC, True, 10)))
        w.batch(w.buy(8, 0.2, 50_000, "Alo"), w.sell(1, 0.2, 50_000))
        w.batch(w.buy(1, 0.0002, 51_010, "Alo", reduce_only=True), w.buy(1, 0.4, 51_000, "Alo"))
        cash = w.ex.rows.accounts["cash"]
        over = w.equity(1) - round(equity * QUOTE)
        cash[w.slot(1)] -= over
        cash[w.slot(8)] += over
        w.batch()
        assert w.position(1) == -20_000 and seen(w)[0] == shown
        w.batch(w.sell(9, 0.3, 50_900, "Ioc"))
        assert w.position(9) == (-20 if shown == 0 else -30_000)


@pytest.mark.parametrize(
    ("price", "kept"), [(50_000, 30_000), (50_005, 20)], ids=["at the mark", "at a loss"]
)
def test_a_small_fill_that_costs_nothing_takes_no_quotes_away(
    world: Callable[..., Any], price: int, kept: int
) -> None:
    """As above, but at a mark of 50,000: 1 bids for 0.42 at 49,990 and needs 1,100, 1,101 when the reduce-only bid of
    0.0002 in front is filled. Of 1,100.9 that leaves 0.1 too little, with a fee of 0.0015 and with or without a loss
    of 0.001. Without one nobody was handed anything: the bid stays, can be hit and counts."""
    w = world({1: 100_000, 8: 1_000_000, 9: 1_000_000})
    w.batch(w.signed(1, t.UpdateLeverage(BTC, True, 10)))
    w.batch(w.buy(8, 0.2, 50_000, "Alo"), w.sell(1, 0.2, 50_000))
    w.batch(w.buy(1, 0.0002, price, "Alo", reduce_only=True), w.buy(1, 0.42, 49_990, "Alo"))
    over = w.equity(1) - 1_100_900_000
    w.ex.rows.accounts["cash"][w.slot(1)] -= over
    w.ex.rows.accounts["cash"][w.slot(8)] += over
    w.batch()
    assert seen(w)[0] == (49_990 if kept > 20 else 0)
    w.batch(w.sell(9, 0.3, 49_900, "Ioc"))
    assert w.position(9) == -kept and w.order_count(1) == (kept > 20)
