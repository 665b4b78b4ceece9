"""No attacker keeps takers from the post-only quotes of makers, who cancel and quote again in each batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from coinone.rules.exchange.rows.tables import Side
from tests.rules.exchange import words as t

BTC, ETH = 0, 1
SELLER = 9


def sales(w: Any) -> list[tuple[float, float]]:
    """Prices and coins of the seller's fills in the last batch."""
    taken = [fill for fill in w.last.events.fills() if fill.taker.account == SELLER.to_bytes(20, "big")]
    return [(fill.px / 10, fill.sz / 10**5) for fill in taken]


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


def gained(w: Any, at: int, *accounts: int) -> int:
    """What these accounts own if a BTC is worth `at`, in 10^-6 quote, beyond the million that each began with."""
    worth = [w.equity(who) + w.position(who) * (at * 10 - w.mark()) for who in accounts]
    return sum(worth) - len(accounts) * 10**12


@pytest.mark.parametrize(
    ("size", "ask", "at"),
    [
        (0.00026, 47_750, 50_000),  # 12 quote far below all others
        (1.9, 47_750, 50_000),  # nearly as much as the makers bid
        (0.00025, 50_000, 50_075),  # at the mark, under a book 0.15 % above it
        (3, 49_950, 50_000),  # more than the makers bid
        (3, 50_300, 52_000),  # no loss by the mark, where the market trades 4 % above it
    ],
)
def test_an_ask_of_the_batch_keeps_no_bids_out(
    world: Callable[..., Any], size: float, ask: int, at: int
) -> None:
    """3 offers below the makers' bids and bids a tick below its offer, in each batch: if that offer came first, bids
    that would cross it were refused, and who sells met nobody but 3. The makers' best bid is 0.02 % below `at`."""
    w = world({1: 10**6, 2: 10**6, 3: 10**6, SELLER: 10**6})
    w.batch(*quoted(w, at, 1))
    for turn in range(2, 10):
        pair = [w.sell(3, size, ask, "Alo", cloid=7), w.buy(3, 1, ask - 10, "Alo", cloid=8)]
        w.batch(*quoted(w, at, turn), *pair, w.sell(SELLER, 0.05, ask - 20, "Ioc"))
        assert sales(w) == [(round(at * 0.9998), 0.05)], turn
        w.batch(w.cancel(3, cloid=7), w.cancel(3, cloid=8))
    assert gained(w, at, 3) < 0


def test_an_accomplice_who_buys_the_ask_first_gains_nothing_by_it(world: Callable[..., Any]) -> None:
    """3 offers 4.2 BTC, more than all makers bid, 4.5 % below the mark, and 4, forced ahead of all takers, buys them
    there; 4 bids just below that for whoever sells. While the larger side kept the other out, it won 30,000 in 60
    batches; now the sales meet the makers, at 49,990, and the two pay a taker's and a maker's fee."""
    w = world({1: 10**6, 2: 10**6, 3: 10**6, 4: 10**6, SELLER: 10**6})
    w.batch(*quoted(w, 50_000, 1))
    for turn in range(2, 8):
        w.batch(
            w.buy(4, 4.2, 47_750, "Ioc"),
            w.sell(3, 4.2, 47_750, "Alo"),
            w.buy(4, 1, 47_740, "Alo", cloid=turn),
            *quoted(w, 50_000, turn),
            w.sell(SELLER, 0.5, 47_700, "Ioc"),
            forced=1,
        )
        assert sales(w) == [(49_990, 0.5)], turn
        w.batch(w.cancel(4, cloid=turn))
    assert gained(w, 50_000, 3, 4) < 0


@pytest.mark.parametrize("how", ["client id", "margin of another order", "orders at a price"])
def test_orders_that_are_refused_bar_nobody(world: Callable[..., Any], how: str) -> None:
    """3 has 7,000 and sends asks for 3 BTC at 49,950 that cannot rest, and 4 one of 12 quote at 49,940."""
    w = world({1: 10**6, 2: 10**6, 3: 7_000, 4: 100_000, SELLER: 10**6})
    w.batch(*quoted(w, 50_000, 1), w.buy(3, 0.02, 2_900, "Alo", market=ETH, cloid=5))
    for turn in range(2, 6):
        refused: dict[str, Iterable[Any]] = {
            "client id": [w.sell(3, 3, 49_950, "Alo", cloid=5)],
            "margin of another order": [
                w.buy(3, 100, 2_990, "Alo", market=ETH, cloid=10_000 + turn),
                w.sell(3, 3, 49_950, "Alo"),
            ],
            "orders at a price": [w.sell(3, size, 49_950, "Alo") for size in [0.00025] * 16 + [3]],
        }
        theirs = [w.sell(4, 0.00025, 49_940, "Alo"), w.buy(4, 1, 49_930, "Alo", cloid=turn)]
        w.batch(*quoted(w, 50_000, turn), *refused[how], *theirs, w.sell(SELLER, 0.5, 49_800, "Ioc"))
        assert sales(w) == [(49_990, 0.5)], turn
        w.batch(w.cancel(4, cloid=turn), w.cancel(3, cloid=10_000 + turn, market=ETH))


def test_an_order_far_off_in_one_market_does_not_hold_ones_orders_of_another_up(
    world: Callable[..., Any],
) -> None:
    """1 bids for BTC and, in the same action, for ETH 0.3 % above its middle. An ask for 12 quote 0.25 % below BTC's
    middle, which loses less than that ETH bid, came ahead of the BTC bid and barred it."""
    w = world({1: 10**6, 3: 1_000, SELLER: 100_000})
    w.batch(w.buy(1, 1, 49_990, "Alo", cloid=1), w.sell(SELLER, 1, 50_010, "Alo", cloid=2))
    both = t.PlaceOrders(
        (w.spec(True, 1, 49_990, "Alo", cloid=3), w.spec(True, 1, 3_009, "Alo", market=ETH, cloid=4)),
        "na",
        None,
    )
    w.batch(w.cancel(1, cloid=1), w.signed(1, both), w.sell(3, 0.00025, 49_875, "Alo"))
    assert w.ex.rows.book.best(BTC, Side.BUY) == 499_900


def test_whoever_was_alone_in_the_last_batch_bars_nobody(world: Callable[..., Any]) -> None:
    """A stranger sweeps the makers' asks and rests a pair of its own, 50,000 and 50,230: that is all the book at the
    batch's end. In the next ones it bids 12 quote at 50,110, above the asks of makers, who ask 50,020; a taker who
    buys meets them all the same."""
    w = world({1: 10**6, 2: 10**6, 3: 10**6, 4: 1_000, SELLER: 10**6})
    for turn in range(1, 3):
        w.batch(*quoted(w, 50_010, turn))
    cancels = [w.cancel(who, cloid=2000 + 10 * who + sign) for who in (1, 2) for sign in (-1, 1)]
    w.batch(w.buy(3, 2, 50_040, "Ioc"))
    pair = [w.buy(3, 0.42, 50_000, "Alo", cloid=3), w.sell(3, 1.26, 50_230, "Alo", cloid=4)]
    w.batch(*cancels, *pair)
    for turn in range(3, 8):
        w.batch(*quoted(w, 50_010, turn), w.buy(4, 0.00024, 50_110, "Alo"), w.buy(SELLER, 0.5, 50_500, "Ioc"))
        assert sales(w) == [(50_020, 0.5)], turn


def test_makers_who_modify_rest_over_what_others_are_about_to_move(world: Callable[..., Any]) -> None:
    """Two makers move their quotes up by 0.2 % with modifies: each new bid lies above the other's old ask, 50,010 and
    50,020, which is for all of its lots. 4's ask of 12 quote comes just above the old bids, and bars nobody."""
    w = world({1: 10**6, 2: 10**6, 4: 1_000, SELLER: 10**6})
    w.batch(*quoted(w, 50_000, 1))
    moves = [
        w.signed(who, t.BatchModify((t.Modify(t.OrderRef(BTC, 0, name), spec),), single=False))
        for who in (1, 2)
        for sign in (-1, 1)
        for name in (1000 + 10 * who + sign,)
        for spec in (w.spec(sign < 0, 1, 50_100 + sign * 10 * who, "Alo", cloid=name),)
    ]
    w.batch(*moves, w.sell(4, 0.00025, 49_991, "Alo"), w.sell(SELLER, 0.5, 49_900, "Ioc"))
    assert [set(w.status(n)) for n in range(4)] == [{"resting"}] * 4
    assert sales(w) == [(50_090, 0.5)]
