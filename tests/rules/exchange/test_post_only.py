"""Post-only orders enter the book by what they lose beyond its middle: no small ask keeps makers' bids out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.post_only import entry_order, middles
from coinone.rules.exchange.tables import OP, OpKind, Side
from coinone.rules.exchange.wire import types as t

BTC, ETH = 0, 1
PLACE, MODIFY = OpKind.PLACE, OpKind.MODIFY_CLOID


def ops_of(*orders: tuple[int, int, Side, int, OpKind]) -> Any:
    """(account, market, side, price, kind) of each, in race order."""
    ops = np.zeros(len(orders), OP)
    for row, values in zip(ops, orders, strict=True):
        row["account"], row["market"], row["side"], row["px"], row["kind"] = values
    return ops


def test_the_one_that_loses_less_enters_first_each_in_its_own_market() -> None:
    """Middle 50,000. Bids at 50,100 and 50,050, asks at 49,945 and, at no loss, 50,000 lose 100, 50, 55 and 0. An order
    of the same account that loses nothing does not wait for its other, nor for one in another market."""
    buy, sell = Side.BUY, Side.SELL
    ops = ops_of(
        (1, BTC, buy, 50_100, PLACE),
        (1, BTC, buy, 49_000, PLACE),
        (2, BTC, buy, 50_050, PLACE),
        (3, BTC, sell, 49_945, PLACE),
        (4, BTC, sell, 50_000, PLACE),
        (3, ETH, sell, 3_001, PLACE),
    )
    order = entry_order(ops, np.array([50_000, 3_000]))
    assert order is not None and order.tolist() == [1, 4, 5, 2, 3, 0]


def test_orders_that_lose_nothing_enter_as_the_race_ranked_them() -> None:
    ops = ops_of((2, BTC, Side.SELL, 50_010, PLACE), (1, BTC, Side.BUY, 49_990, PLACE))
    assert entry_order(ops, np.array([50_000])) is None


def test_a_modify_enters_behind_ones_own_orders_before_it_and_those_after_it_behind_it() -> None:
    """1 places a bid that loses 100, then modifies an order to one that loses nothing, then places another; 2's bid
    loses 50. What 1 does in the other market waits for none of it."""
    ops = ops_of(
        (1, BTC, Side.BUY, 50_100, PLACE),
        (1, BTC, Side.BUY, 49_000, MODIFY),
        (1, ETH, Side.BUY, 2_990, MODIFY),
        (1, BTC, Side.BUY, 49_000, PLACE),
        (2, BTC, Side.BUY, 50_050, PLACE),
    )
    order = entry_order(ops, np.array([50_000, 3_000]))
    assert order is not None and order.tolist() == [2, 4, 0, 1, 3]


def test_a_post_only_order_far_below_the_mark_keeps_no_makers_bids_out(world: Callable[..., Any]) -> None:
    """Two makers cancel and bid anew in each batch. A stranger with a hundred times their margin offers 5 BTC
    post-only at 47,750 and bids a tick below: if its offer came first, both bids were refused, and who sells at the
    market sold to it. The offer is 4.5 % beyond the mark to its loss, so it comes behind and is refused itself."""
    w = world({1: 10_000, 2: 10_000, 3: 2_000_000, 9: 100_000})
    w.batch(w.buy(1, 1, 49_990, "Alo", cloid=1), w.buy(2, 1, 49_980, "Alo", cloid=2))
    sold = 0
    for turn in range(1, 13):
        w.batch(
            *[w.cancel(who, cloid=2 * turn - 2 + who) for who in (1, 2)],
            *[w.buy(who, 1, 50_000 - 10 * who, "Alo", cloid=2 * turn + who) for who in (1, 2)],
            w.sell(3, 5, 47_750, "Alo"),
            w.buy(3, 1, 47_745, "Alo", cloid=100 + turn),
            w.sell(9, 0.05, 47_740, "Ioc"),
        )
        fills = list(w.last.events.fills())
        sold += 1
        assert [(fill.px, fill.sz) for fill in fills] == [(499_900, 5_000)]
        w.batch(w.cancel(3, cloid=100 + turn))
    assert w.position(9) == -5_000 * sold


def test_the_middle_is_that_of_the_last_batchs_quotes_within_an_offset_of_the_mark(
    world: Callable[..., Any],
) -> None:
    """Quotes at 50,070 and 50,090: 50,080. At 50,490 and 50,510 the middle is 250 from the mark, oracle / (4 * 50).
    Without quotes on both sides it is the mark; ETH has none. All this in tenths and hundredths."""
    w = world({1: 1_000_000, 2: 1_000_000})

    def middle() -> list[int]:
        found: list[int] = middles(Batch(w.ex, BatchContext(w.seq + 1, w.now, keccak256(b"")))).tolist()
        return found

    assert middle() == [500_000, 300_000]
    for bid, ask, expected in ((50_070, 50_090, 500_800), (50_490, 50_510, 502_500)):
        w.batch(w.buy(1, 1, bid, "Alo", cloid=bid))
        assert middle()[ETH] == 300_000 and abs(middle()[BTC] - 500_000) <= 4
        w.batch(w.sell(2, 1, ask, "Alo", cloid=ask))
        moved = (
            int(w.ex.rows.markets[BTC]["mark"]) - 500_000
        )  # the mark follows the quotes, 78 at most so far
        assert middle() == [expected + (moved if expected == 502_500 else 0), 300_000]
        w.batch(w.cancel(1, cloid=bid), w.cancel(2, cloid=ask))


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


def test_an_order_far_from_the_middle_of_one_market_does_not_hold_ones_orders_of_another_up(
    world: Callable[..., Any],
) -> None:
    """1 bids for BTC and, in the same action, for ETH 0.3 % above its middle. An ask for 12 quote 0.25 % below BTC's
    middle, which loses less than that ETH bid, came ahead of the BTC bid and barred it."""
    w = world({1: 1_000_000, 3: 1_000, 9: 100_000})
    w.batch(w.buy(1, 1, 49_990, "Alo", cloid=1), w.sell(9, 1, 50_010, "Alo", cloid=2))
    both = t.Order(
        (w.spec(True, 1, 49_990, "Alo", cloid=3), w.spec(True, 1, 3_009, "Alo", ETH, cloid=4)), "na", None
    )
    w.batch(w.cancel(1, cloid=1), w.signed(1, both), w.sell(3, 0.00025, 49_875, "Alo"))
    assert w.ex.rows.book.best(BTC, Side.BUY) == 499_900
