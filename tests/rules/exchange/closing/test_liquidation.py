"""Liquidation by hand (docs/protocol/margin-and-liquidation.md): within own equity, largest shortfall first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.closing import adl, liquidation
from coinone.rules.exchange.closing.liquidation import limit_price, share_per_lot
from coinone.rules.exchange.events.events import Fill, LiquidationEvent
from coinone.rules.exchange.invariants import conserved_sum
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED

QUOTE = 10**6


def events(w: Any, kind: str = "") -> list[LiquidationEvent]:
    found = [event for event in w.last.events if isinstance(event, LiquidationEvent)]
    return [event for event in found if kind in ("", event.kind)]


def long_of(w: Any, who: int, size: float, price: float = 50_000) -> None:
    """Account 9 sells to `who`, who pays no more than their own fee."""
    w.batch(w.sell(9, size, price, "Alo"), w.buy(who, size, price))
    assert w.position(who) == round(size * 10**5)


def moved(w: Any, **prices: float) -> None:
    """Report new prices until they are taken, at most for ten seconds."""
    w.oracle(**prices)
    for _ in range(40):
        w.batch()
        if all(int(w.ex.rows.markets[market]["oracle"]) == price for market, price in w.prices.items()):
            return
    raise AssertionError("the oracle never took the price")


def half_a_bitcoin(world: Callable[..., Any], **more: int) -> Any:
    """1 brings 1,500 and buys 0.5 at 50,000: 1,488.75 are left after a fee of 11.25; its cash is -23,511.25."""
    w = world({1: 1_500, 2: 1_000_000, 9: 1_000_000})
    long_of(w, 1, 0.5)
    return w


def test_the_liquidation_price_is_freqtrades(world: Callable[..., Any]) -> None:
    """freqtrade/freqtrade, exchange/hyperliquid.py, checked there on 197 real positions:
    liq = px - side * margin_available / size / (1 - l * side), l = 1 / (2 * max leverage),
    margin_available = equity - maintenance margin. An account must be chosen just below it, not just above."""
    w = half_a_bitcoin(world)
    maintenance = 0.5 * 50_000 / 100
    available = w.equity(1) / QUOTE - maintenance
    price = 50_000 - available / 0.5 / (1 - 1 / 100)
    assert 47_000 < price < 48_000
    w.batch(w.buy(2, 0.01, int(price)))
    moved(w, btc=int(price) + 1)
    assert not events(w)
    moved(w, btc=int(price))
    assert [event.account for event in events(w, "order")] == [(1).to_bytes(20, "big")]


def test_the_liquidation_price_of_a_short_is_freqtrades(world: Callable[..., Any]) -> None:
    w = world({1: 1_500, 2: 1_000_000, 9: 1_000_000})
    w.batch(w.buy(9, 0.5, 50_000, "Alo"), w.sell(1, 0.5, 50_000))
    available = w.equity(1) / QUOTE - 0.5 * 50_000 / 100
    price = 50_000 + available / 0.5 / (1 + 1 / 100)
    w.batch(w.sell(2, 0.01, int(price) + 1))
    moved(w, btc=int(price))
    assert not events(w)
    moved(w, btc=int(price) + 1)
    assert events(w, "order")


def test_an_orderly_liquidation_sells_down_to_half_a_maintenance_margin_from_the_mark(
    world: Callable[..., Any],
) -> None:
    """At 47,400: equity 188.75, margin 237, above two thirds of it. Share 377.5 a coin, half a margin 237: limit
    47,163. A fill at 47,170 loses 115 of the share of 188.75; of the 73.75 left the fee of 0.2 % takes 47.17."""
    w = half_a_bitcoin(world)
    w.batch(w.buy(2, 1, 47_170))
    total = conserved_sum(w.ex)
    moved(w, btc=47_400)
    w.opened()
    assert [event.px for event in events(w, "order")] == [471_630]
    fills = [event for event in w.last.events if isinstance(event, Fill)]
    assert [(fill.kind, fill.px, fill.sz) for fill in fills] == [("liquidation", 471_700, 50_000)]
    assert (w.position(1), w.cash(1), w.fund("insurance")) == (0, 26_580_000, 47_170_000)
    assert conserved_sum(w.ex) == total


@pytest.mark.parametrize(("bid", "waits"), [(47_341, 0), (47_340, 1), (47_312, 1), (47_311, 2), (47_163, 6)])
def test_the_limit_opens_from_a_quarter_after_a_jump_an_eighth_a_batch(
    world: Callable[..., Any], bid: int, waits: int
) -> None:
    """At 47,400 half a margin is 237: a quarter of it 59.25, so 47,340.7 and better in the batch in which the jump
    takes effect; 88.875 in the next one, 118.5, and from the sixth on the whole. Whoever bids at the limit while makers
    may not quote, and is alone in the book as the market opens, gets no more than the quarter."""
    w = half_a_bitcoin(world)
    w.batch(w.buy(2, 1, bid))
    moved(w, btc=47_400)
    for n in range(waits):
        assert w.position(1) == 50_000, n
        w.batch()
    assert w.position(1) == 0


def test_below_a_third_the_whole_share_is_for_the_book_in_the_batch_of_a_jump(
    world: Callable[..., Any],
) -> None:
    """At 47,160 equity is 68.75, a third of the margin 78.6, the share 137.5 a coin: limit 47,022.5. What no bid takes
    is closed against 9 at that price in this batch, so a bid at 47,030 comes before: it leaves 3.75, for the fee."""
    w = half_a_bitcoin(world)
    w.batch(w.buy(2, 1, 47_030))
    moved(w, btc=47_160)
    assert (w.position(1), w.position(9), w.position(2)) == (0, -50_000, 50_000)
    assert (w.cash(1), w.fund("insurance")) == (0, 3_750_000)


def test_two_batches_of_very_different_times_open_the_limit_by_an_eighth(world: Callable[..., Any]) -> None:
    """A leader dates the batch after the jump 1.5 s later and lets only its own bid in. At 47,400 half a margin is 237,
    three eighths of it 88.875: 47,312 is met there, and 47,163 is not."""
    for bid, left in ((47_312, 0), (47_163, 50_000)):
        w = half_a_bitcoin(world)
        moved(w, btc=47_400)
        w.batch(w.buy(2, 1, bid, "Alo"), step_ms=1_500)
        assert w.position(1) == left


def test_in_an_aged_market_the_limit_is_a_quarter_and_opens_with_the_next_price(
    world: Callable[..., Any],
) -> None:
    """6 s after the last price makers may not quote. 1 falls below its margin by 1,250 that leave its cash: 238.75 of
    250, half a margin 250, a quarter of it 62.5. Then the price is back, and 1.5 s later the whole limit."""
    w = half_a_bitcoin(world)
    w.batch(w.buy(2, 1, 49_900))
    w.batch(step_ms=6_250, fresh=False)
    slot = w.slot(1)
    w.ex.rows.accounts[slot]["cash"] -= 1_250 * QUOTE
    w.ex.rows.accounts[w.slot(9)]["cash"] += 1_250 * QUOTE
    assert limit_price(w.ex.rows, slot, 0) == 500_000 - 625
    w.batch(fresh=False)
    assert w.position(1) == 50_000
    w.batch()
    assert limit_price(w.ex.rows, slot, 0) == 500_000 - 625
    w.batch()
    assert limit_price(w.ex.rows, slot, 0) == 500_000 - 937
    w.batch()
    assert w.position(1) == 0


def test_an_order_that_no_bid_could_meet_is_not_sent(world: Callable[..., Any]) -> None:
    w = half_a_bitcoin(world)
    w.batch(w.buy(2, 1, 47_162))
    moved(w, btc=47_400)
    w.opened()
    assert not events(w) and w.position(1) == 50_000


def test_below_two_thirds_of_the_margin_the_whole_share_is_for_who_takes_the_position(
    world: Callable[..., Any],
) -> None:
    """At 47,200: equity 88.75, margin 236. Share 177.5: limit 47,022.5. A fill at 47,030 loses 85; 3.75 are left, which
    the fee takes whole."""
    w = half_a_bitcoin(world)
    w.batch(w.buy(2, 1, 47_030))
    moved(w, btc=47_200)
    w.opened()
    assert [event.px for event in events(w, "order")] == [470_225]
    assert (w.position(1), w.cash(1), w.fund("insurance")) == (0, 0, 3_750_000)


def test_below_a_third_the_other_side_is_closed_and_paid_what_margin_is_left(
    world: Callable[..., Any],
) -> None:
    """At 47,160: equity 68.75, margin 235.8. Share 137.5: closed at 47,022.5, 137.5 below the mark, which is
    68.75 for the short."""
    w = half_a_bitcoin(world)
    moved(w, btc=47_160)
    assert [(event.px, event.size, event.counterparty[-1]) for event in events(w, "adl")] == [
        (470_225, 50_000, 9)
    ]
    assert (w.position(1), w.cash(1), w.position(9)) == (0, 0, 0)
    assert w.cash(9) == 1_000_000 * QUOTE + round((0.5 * (50_000 - 47_022.5) - 25_000 * 0.00015) * QUOTE)


def test_a_position_above_the_greatest_size_is_sold_in_the_book_all_the_same(
    world: Callable[..., Any],
) -> None:
    """The greatest size became 0.1 BTC: an order for 0.5 is refused, but not a liquidation's."""
    w = half_a_bitcoin(world)
    w.batch(w.buy(2, 0.1, 47_180), *[w.buy(2, 0.1, 47_170 + n) for n in range(4)])
    w.ex.rows.markets["max_sz"][0] = 10_000
    w.ex.seal()
    moved(w, btc=47_400)
    w.opened()
    assert w.position(1) == 0 and {fill.kind for fill in w.last.events.fills()} == {"liquidation"}


def test_a_liquidation_cancels_the_accounts_orders(world: Callable[..., Any]) -> None:
    w = half_a_bitcoin(world)
    w.batch(w.buy(1, 0.001, 40_000, cloid=5), w.buy(2, 1, 47_350))
    moved(w, btc=47_400)
    assert w.position(1) == 0
    w.batch(w.cancel(1, cloid=5))
    assert "error" in w.status()


@pytest.mark.parametrize("bids_from", ["the start", "the second batch"])
def test_a_large_position_is_closed_by_fifths_with_a_rest_after_the_first(
    bids_from: str, world: Callable[..., Any]
) -> None:
    """4 BTC are above 100,000 quote. Equity falls below 1 % of the notional but stays above two thirds of it. A fifth
    that finds nobody starts no rest. After 30 s a fifth of what is left goes, 0.64 of 3.2, and that is enough; when the
    price falls further within the minute, another without a rest, 0.512 of 2.56."""
    w = world({1: 8_000, 2: 10_000_000, 9: 10_000_000})
    long_of(w, 1, 4)
    price = round((200_000 - w.equity(1) / QUOTE) / 4 / (1 - 0.0099), 0) - 1  # a little less than 1 % is left
    bid = w.buy(2, 10, price - 20)
    if bids_from == "the start":
        w.batch(bid)
    moved(w, btc=price)
    if bids_from != "the start":
        assert w.position(1) == 400_000
        w.batch(bid)
        w.batch()
    assert w.position(1) == 320_000
    w.batch()
    w.batch(w.buy(2, 10, price - 140))
    moved(w, btc=price - 120)
    assert w.position(1) == 320_000
    w.batch(step_ms=24_000)
    assert w.position(1) == 320_000
    w.batch(step_ms=6_000)
    assert w.position(1) == 256_000 and w.equity(1) >= w.maintenance(1)
    w.batch()
    assert w.position(1) == 256_000
    w.batch(w.buy(2, 10, price - 300))
    moved(w, btc=price - 250)
    assert w.position(1) == 204_800


def test_a_sale_of_ones_own_starts_no_rest_where_the_fifth_found_nobody(world: Callable[..., Any]) -> None:
    """10,000 bring 4 BTC at 50,000 and 1 ETH at 3,000, for fees of 90 and 1.35. At 48,000 the account is worth 1,908.65
    and needs 1,920 + 30. The bid at 2,990 takes its ETH; it keeps a little less than 1,898.65, of 1,920. No bid for
    its BTC lies within 240. Of those it sells 0.001 itself, at 47,700. The next batch brings a bid: it gets a fifth."""
    w = world({1: 10_000, 2: 10_000_000, 9: 10_000_000})
    long_of(w, 1, 4)
    w.batch(w.sell(9, 1, 3_000, "Alo", market=1), w.buy(1, 1, 3_000, market=1))
    w.batch(w.buy(2, 1, 2_990, "Alo", market=1), w.buy(2, 0.001, 47_700, "Alo"))
    w.oracle(btc=48_000)
    while w.mark() > 480_000:
        w.batch(w.sell(1, 0.001, 47_700, "Ioc", reduce_only=True))
    assert w.position(1, market=1) == 0 and w.position(1) == 399_900
    w.batch(w.buy(2, 10, 47_990, "Alo"))
    assert w.position(1) == 319_920


def test_a_strangers_bid_for_one_lot_starts_no_rest_after_which_all_is_sold(
    world: Callable[..., Any],
) -> None:
    """At 48,500 4 BTC have 1,910 of 1,940: a fifth of them is offered, 0.8. A bid for 0.001 of it starts no rest: 30 s
    later a fifth of 3.999 is sold, 0.7998, and that starts one."""
    w = world({1: 8_000, 2: 10_000_000, 3: 10_000, 9: 10_000_000})
    long_of(w, 1, 4)
    w.batch(w.buy(3, 0.001, 48_480, "Alo"))
    moved(w, btc=48_500)
    assert w.position(1) == 399_900
    w.batch(w.buy(2, 10, 48_480, "Alo"), step_ms=30_000)
    assert w.position(1) == 319_920
    w.batch(step_ms=20_000)
    assert w.position(1) == 319_920


def test_below_two_thirds_of_maintenance_there_is_no_waiting(world: Callable[..., Any]) -> None:
    w = world({1: 8_000, 2: 10_000_000, 9: 10_000_000})
    long_of(w, 1, 4)
    w.batch(w.buy(2, 10, 48_290))
    moved(w, btc=48_300)
    assert w.position(1) == 0


def test_what_the_close_of_one_position_mends_leaves_the_others_alone(world: Callable[..., Any]) -> None:
    """1,816 bring 1 BTC at 50,000 and 10 ETH at 3,000, for fees of 22.5 and 13.5. At 49,000 the account is worth 780,
    and needs 490 + 300. The larger is sold, to a bid at 48,950 (limit: a quarter of 245 below the mark): it loses 50
    and pays 97.9; 632.1 are left above the 300 that ETH needs, so its bid at 2,990 is not sold to."""
    w = world({1: 1_816, 2: 1_000_000, 9: 1_000_000})
    long_of(w, 1, 1)
    w.batch(w.sell(9, 10, 3_000, "Alo", market=1), w.buy(1, 10, 3_000, market=1))
    w.batch(w.buy(2, 2, 48_950, "Alo"), w.buy(2, 20, 2_990, "Alo", market=1))
    moved(w, btc=49_000)
    assert [(event.market, event.size) for event in events(w, "order")] == [(0, 10**5)]
    assert w.position(1) == 0 and w.position(1, 1) == 10 * 10**4
    assert w.equity(1) == 632_100_000


def test_nobody_is_liquidated_on_a_stale_price(world: Callable[..., Any]) -> None:
    w = half_a_bitcoin(world)
    w.batch(w.sell(9, 0.1, 47_600), w.buy(9, 0.1, 47_500, cloid=1), step_ms=21_000, fresh=False)
    for _ in range(5):
        w.batch(fresh=False)
        assert not events(w)


def test_a_silent_market_does_not_shield_positions_in_the_others(world: Callable[..., Any]) -> None:
    """1 is long 10 BTC and holds a hundredth of ETH, whose reporters fall silent. BTC falls: with a bid near the mark
    its BTC is closed all the same."""
    w = world({1: 11_000, 2: 1_000_000, 9: 1_000_000})
    long_of(w, 1, 10)
    w.batch(w.sell(9, 0.01, 3_000, market=1), w.buy(1, 0.01, 3_000, market=1))
    del w.prices[1]
    w.batch(step_ms=21_000)
    w.batch(w.buy(2, 20, 49_350))
    moved(w, btc=49_390)
    assert w.position(1) == 8 * 10**5  # the first fifth
    assert w.position(1, market=1) == 100


def test_the_most_endangered_is_not_kept_waiting_by_dust(world: Callable[..., Any]) -> None:
    """A hundred small longs and one large; all fall below their margin at once, and the large one is served first."""
    w = world(dict.fromkeys(range(1, 101), 300) | {200: 30_000, 2_000: 10_000_000, 300: 10_000_000})
    w.batch(w.sell(300, 40, 50_000))
    w.batch(*[w.buy(n, 0.2, 50_000, "Ioc") for n in range(1, 101)])
    w.batch(w.buy(200, 20, 50_000, "Ioc"))
    w.batch(w.buy(2_000, 100, 48_950))
    moved(w, btc=48_960)
    assert events(w, "order")[0].account == (200).to_bytes(20, "big")
    assert len(events(w, "order")) == 101


def test_so_many_orders_are_cancelled_in_a_batch_and_nobodys_closing_waits_for_them(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three longs with two orders each, and cancels for three: the first two lose theirs, and all three are closed."""
    monkeypatch.setattr(liquidation, "CANCELLED_WHOLE_PER_BATCH", 3)
    w = world(dict.fromkeys((1, 2, 3), 310) | {9: 1_000_000, 20: 1_000_000})
    for who in (1, 2, 3):
        long_of(w, who, 0.2)
        w.batch(w.buy(who, 0.001, 40_000), w.buy(who, 0.001, 39_000))
    w.batch(w.buy(20, 10, 48_950))
    moved(w, btc=48_960)
    assert [event.account[-1] for event in events(w, "order")] == [1, 2, 3]
    assert [w.position(who) for who in (1, 2, 3)] == [0, 0, 0]
    assert [w.order_count(who) for who in (1, 2, 3)] == [0, 0, 2]


def test_a_closing_order_passes_its_owners_own_that_are_not_cancelled_yet(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cancels at all in a batch. 1 is long 0.2 and bids 0.01 at 48,955, above 20's bid: that one goes by self-trade
    prevention, the bid at 40,000 stays, and 20 buys all."""
    monkeypatch.setattr(liquidation, "CANCELLED_WHOLE_PER_BATCH", 0)
    w = world({1: 310, 9: 1_000_000, 20: 1_000_000})
    long_of(w, 1, 0.2)
    w.batch(w.buy(1, 0.01, 48_955), w.buy(1, 0.001, 40_000), w.buy(20, 10, 48_950))
    moved(w, btc=48_960)
    assert [event.account[-1] for event in events(w, "order")] == [1]
    assert (w.position(1), w.position(20)) == (0, 20_000)
    assert w.order_count(1) == 1


def test_who_cannot_meet_an_order_takes_nobodys_place(world: Callable[..., Any]) -> None:
    """Seventy accounts hold ETH, which has no bids; the one with BTC, which has, is served though it lacks less."""
    w = world(dict.fromkeys(range(1, 71), 400) | {200: 300, 300: 10_000_000})
    w.batch(w.sell(300, 700, 3_000, market=1))
    w.batch(*[w.buy(n, 4, 3_000, "Ioc", market=1) for n in range(1, 71)])
    w.batch(w.sell(300, 0.2, 50_000), w.buy(200, 0.2, 50_000))
    w.batch(w.buy(300, 1, 49_000))
    moved(w, btc=48_960, eth=2_926)
    assert [event.account[-1] for event in events(w, "order")] == [200]


def test_who_is_hedged_is_deleveraged_last(world: Callable[..., Any]) -> None:
    """2 and 3 are short 0.25 each against 1. 2 is the more leveraged, but long as much ETH: 3 goes first."""
    w = world({1: 1_500, 2: 2_000, 3: 200_000, 9: 1_000_000})
    w.batch(w.sell(2, 0.25, 50_000), w.buy(1, 0.25, 50_000))
    w.batch(w.sell(3, 0.25, 50_000), w.buy(1, 0.25, 50_000))
    w.batch(w.sell(9, 5, 3_000, market=1), w.buy(2, 5, 3_000, market=1))
    moved(w, btc=47_160)
    assert [event.counterparty[-1] for event in events(w, "adl")] == [3, 2]


def test_the_more_leveraged_winner_is_deleveraged_first(world: Callable[..., Any]) -> None:
    """As above without the hedge: 12,500 on 2,000 is ranked before 12,500 on 200,000 of a lower number."""
    w = world({1: 1_500, 2: 200_000, 3: 2_000})
    w.batch(w.sell(3, 0.25, 50_000), w.buy(1, 0.25, 50_000))
    w.batch(w.sell(2, 0.25, 50_000), w.buy(1, 0.25, 50_000))
    moved(w, btc=47_160)
    assert [event.counterparty[-1] for event in events(w, "adl")] == [3, 2]


def test_a_close_against_more_holders_than_a_batch_takes_goes_on_in_the_next_one(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A position of 20,000 * 10 quote stopped the exchange for 1.8 s. Here a batch makes one close, of half. At 47,160
    equity is 1,488.75 - 0.5 * 2,840 = 68.75, the share 137.5. Half closed there costs 34.375; the other half has
    34.375 and the same share, so the second close is at the same price and leaves nothing."""
    monkeypatch.setattr(adl, "CLOSES_PER_BATCH", 1)
    w = world({1: 1_500, 2: 200_000, 3: 2_000})
    w.batch(w.sell(3, 0.25, 50_000, "Alo"), w.buy(1, 0.25, 50_000))
    w.batch(w.sell(2, 0.25, 50_000, "Alo"), w.buy(1, 0.25, 50_000))
    moved(w, btc=47_160)
    closes = [(event.counterparty[-1], event.px) for event in events(w, "adl")]
    assert (closes, w.position(1)) == ([(3, 470_225)], 25_000)
    w.batch()
    closes = [(event.counterparty[-1], event.px) for event in events(w, "adl")]
    assert (closes, w.position(1), w.cash(1)) == ([(2, 470_225)], 0, 0)


def test_a_batch_ranks_the_largest_holders_of_a_side_only(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand holders took 0.4 s to rank in each batch that closed anybody. Here two are ranked: 4, of the
    greatest leverage, is the smallest of three, and 3 has more leverage than 2."""
    w = world({1: 1_500, 2: 200_000, 3: 20_000, 4: 900})
    for short, size in ((2, 0.25), (3, 0.15), (4, 0.1)):
        w.batch(w.sell(short, size, 50_000, "Alo"), w.buy(1, size, 50_000))
    monkeypatch.setattr(adl, "RANKED_PER_SIDE", 2)
    assert [number_of(w, slot) for slot in adl.ranked_counterparties(w.ex.rows, w.slot(1), 0)] == [3, 2]
    monkeypatch.setattr(adl, "RANKED_PER_SIDE", 3)
    assert [number_of(w, slot) for slot in adl.ranked_counterparties(w.ex.rows, w.slot(1), 0)] == [4, 3, 2]


def number_of(w: Any, slot: int) -> int:
    return int(w.ex.rows.address_of(slot)[-1])


def test_limits_never_use_more_than_the_accounts_equity(world: Callable[..., Any]) -> None:
    """Two positions, both at their limits: what both closings lose together is at most the equity."""
    w = world({1: 3_000, 9: 1_000_000})
    long_of(w, 1, 1)
    w.batch(w.sell(9, 10, 3_000, market=1), w.buy(1, 10, 3_000, market=1))
    w.ex.rows.accounts[w.slot(1)]["cash"] -= 2_500 * QUOTE
    rows, slot = w.ex.rows, w.slot(1)
    lost = [share_per_lot(rows, slot, market) * w.position(1, market) for market in (0, 1)]
    assert 0 < sum(lost) <= w.equity(1)
    assert limit_price(rows, slot, 0) == 500_000 - share_per_lot(rows, slot, 0)


def test_quotes_that_a_gap_left_behind_are_cancelled_by_a_liquidation_as_by_any_taker(
    world: Callable[..., Any],
) -> None:
    """50,000 -> 46,500, no fill above 48,825. 1 is long 0.2 with 755.5 - 700 = 55.5 of 93 left.
    The bid at 49,700, asleep since before the gap, would have paid it 640 for what is worth 46,500."""
    w = world({1: 760, 8: 100_000, 9: 1_000_000, 20: 1_000_000})
    long_of(w, 1, 0.2)
    w.batch(w.buy(8, 0.2, 49_700, "Alo", cloid=8), w.buy(20, 0.2, 46_450, "Alo"))
    moved(w, btc=46_500)
    assert [event.account[-1] for event in events(w, "order")] == [1]
    assert (w.position(1), w.position(8), w.position(20)) == (0, 0, 20_000)
    assert w.order_count(8) == 0 and w.equity(8) == 100_000 * QUOTE


def locked_and_closed(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, bid: float, *takers: tuple[float, float]
) -> Any:
    """No cancels at all in a batch. 1, with a bid for 0.001, owes 260 - 205.5, is locked, and its 0.2 go to 20's bid at
    49,900: 240 less the fee of 0.2 % are the fund's. 7 sells such sizes at such prices behind it."""
    monkeypatch.setattr(liquidation, "CANCELLED_WHOLE_PER_BATCH", 0)
    w = world({1: 210, 7: 100_000, 9: 1_000_000, 20: 1_000_000})
    long_of(w, 1, 0.2)
    w.batch(w.buy(1, 0.001, bid), w.buy(20, 0.2, 49_900, "Alo"))
    w.oracle(btc=48_700)
    while not events(w, "order"):
        w.batch(*[w.sell(7, size, price, "Ioc") for size, price in takers])
    assert (w.position(1), w.position(20)) == (0, 20_000)
    return w


def test_what_still_rests_of_a_locked_account_spends_nothing_of_what_its_closing_brought(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    w = locked_and_closed(world, monkeypatch, 48_650, (0.001, 48_600))
    assert (w.position(7), w.order_count(1), w.equity(1)) == (0, 0, 0)


def test_nothing_of_a_locked_account_is_withdrawable(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bid far below keeps it locked while it has more than 200."""
    w = locked_and_closed(world, monkeypatch, 40_000)
    assert w.order_count(1) == 1 and w.equity(1) > 200 * QUOTE
    assert withdrawable(w.ex.rows, w.slot(1)) == 0


def test_what_still_rests_of_a_locked_account_reduces_no_position_at_a_loss_of_the_fund(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cancels at all in a batch. 1 is locked, short 1 ETH; its bid at 3,010 would pay 7 what is the fund's."""
    monkeypatch.setattr(liquidation, "CANCELLED_WHOLE_PER_BATCH", 0)
    w = world({1: 1_000, 7: 100_000, 9: 1_000_000})
    w.batch(w.buy(9, 1, 3_000, "Alo", market=1), w.sell(1, 1, 3_000, market=1))
    w.batch(w.buy(1, 1, 3_010, "Alo", market=1))
    w.ex.rows.accounts[w.slot(1)]["flags"] |= ACCOUNT_LOCKED
    w.batch(w.sell(7, 1, 2_980, "Ioc", market=1))
    assert (w.position(7, 1), w.order_count(1)) == (0, 0)


def test_a_crowd_of_tiny_holders_does_not_use_all_closes_up(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three closes a batch, one by rank. 1 is long 0.5 against 0.47 of 5 and 0.01 each of 2, 3 and 4, who rank first.
    With all three by rank 0.47 would stay open: now 0.01, 0.47 and 0.01 go."""
    monkeypatch.setattr(adl, "CLOSES_PER_BATCH", 3)
    monkeypatch.setattr(adl, "CLOSES_BY_RANK", 1)
    w = world({1: 1_500, 5: 1_000_000} | dict.fromkeys((2, 3, 4), 40))
    for who, size in ((5, 0.47), (2, 0.01), (3, 0.01), (4, 0.01)):
        w.batch(w.sell(who, size, 50_000, "Alo"), w.buy(1, size, 50_000))
    moved(w, btc=47_160)
    assert [event.counterparty[-1] for event in events(w, "adl")] == [2, 5, 3]
    assert w.position(1) == 1_000
