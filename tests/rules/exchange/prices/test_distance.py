"""The distance of a market from its index: by hand, when it is renewed, and what it does to who holds positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.prices.oracle import is_fresh
from coinone.rules.exchange.state.distance import distance_of
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.exchange.state.ledger import QUOTE_SCALE, MarketMemory
from coinone.rules.exchange.state.restore import exchange_from_leaves
from tests.rules.exchange import words as t

MAKER, LONG, SHORT = 1, 2, 3


UNIT = 2 * QUOTE_SCALE << 20  # of averages


@pytest.mark.parametrize(
    ("book", "below", "above"),
    [
        (500_000, 0, 0),
        (499_376, 0, 0),  # 624 of 500,000 at 50x: 16 * 50 * 624 / 500,000 = 0.998 steps
        (499_375, 1, 0),  # 0.125 %
        (500_625, 0, 1),
        (498_126, 2, 0),  # 2.998
        (490_001, 15, 0),  # 15.998
        (490_000, 16, 0),  # 2 %
        (475_000, 40, 0),  # 5 %, the band
        (400_000, 40, 0),  # no more
        (600_000, 0, 40),
    ],
)
def test_the_average_distance_is_counted_in_16ths_of_the_least_initial_margin(
    book: int, below: int, above: int
) -> None:
    """As a share of the index's average: the mark has moved since and does not matter."""
    memory = MarketMemory(book_average=book * UNIT, index_average=500_000 * UNIT)
    assert distance_of(memory, 400_000, 50) == (below, above)


@pytest.mark.parametrize(
    ("bid", "ask", "below", "above"),
    [
        (0, 0, 0, 0),
        (499_000, 499_500, 0, 0),  # a buyer gains 500: 0.8 steps
        (499_000, 499_375, 1, 0),
        (0, 495_000, 8, 0),  # one side is enough: 1 %
        (490_000, 502_000, 0, 0),  # wide, and nobody gains
        (501_250, 0, 0, 2),
        (510_000, 511_000, 0, 16),
    ],
)
def test_what_an_order_gains_now_counts_as_well(bid: int, ask: int, below: int, above: int) -> None:
    memory = MarketMemory(seen_bid=bid * QUOTE_SCALE, seen_ask=ask * QUOTE_SCALE)
    assert distance_of(memory, 500_000, 50) == (below, above)


def test_the_larger_one_counts_for_each_side_by_itself() -> None:
    """On average 0.5 % below the index, now 1 % above it: who shows that frees nobody of the first."""
    memory = MarketMemory(
        book_average=497_500 * UNIT, index_average=500_000 * UNIT, seen_bid=505_000 * QUOTE_SCALE
    )
    assert distance_of(memory, 500_000, 50) == (4, 8)


def quoted(w: Any, middle: float, turn: int, size: float = 1) -> list[Any]:
    """Cancel what was quoted in the last turn, and quote round `middle`."""
    gone = [w.cancel(MAKER, cloid=2 * turn - 2), w.cancel(MAKER, cloid=2 * turn - 1)] if turn > 1 else []
    bid = w.buy(MAKER, size, middle - 10, "Alo", cloid=2 * turn)
    return [*gone, bid, w.sell(MAKER, size, middle + 10, "Alo", cloid=2 * turn + 1)]


def steps(w: Any) -> tuple[int, int]:
    row = w.ex.rows.markets[0]
    return int(row["below"]), int(row["above"])


def initial(w: Any, who: int) -> int:
    return int(w.ex.rows.accounts["initial_margin"][w.slot(who)])


def state(w: Any) -> list[Any]:
    return [steps(w), initial(w, LONG), initial(w, SHORT)]


@pytest.fixture
def held(world: Callable[..., Any]) -> Any:
    """One long and one short of 1 BTC at 50x, opened at 50,000, in a narrow book there."""
    w = world({MAKER: 10**7, LONG: 1_100, SHORT: 1_100})
    w.batch(*[w.signed(who, t.UpdateLeverage(0, True, 50)) for who in (LONG, SHORT)])
    w.batch(w.buy(LONG, 1, 50_000), w.sell(SHORT, 1, 50_000))
    w.batch(*quoted(w, 50_000, 1))
    w.batch()
    return w


def test_the_distance_of_the_quotes_counts_immediately_and_nobody_is_closed(held: Any) -> None:
    """The ask at 49,510 is 0.98 % below the mark: 7 steps of 62.5. 1 BTC needs 1,000, and the long 437.5 more."""
    assert state(held) == [(0, 0), 1_000_000_000, 1_000_000_000]
    held.batch(*quoted(held, 49_500, 2))
    assert state(held) == [(7, 0), 1_437_500_000, 1_000_000_000]
    for _ in range(10):
        held.batch(step_ms=5_000)
    assert held.maintenance(LONG) == held.maintenance(SHORT) == 500_000_000
    assert held.position(LONG) == 100_000


def test_without_quotes_what_they_showed_fades_and_the_average_is_left(held: Any) -> None:
    """After 150 s the average is 1 - 1/e of 1 %, 0.632 %: 5 steps. The maker goes, and nothing shows where the market
    is: 7.84 steps * e^(-t / 150 s) are 6.86 after 20 s and 4.9 after 70 s."""
    held.batch(*quoted(held, 49_500, 2))
    for _ in range(30):
        held.batch(step_ms=5_000)
    assert steps(held) == (7, 0)
    held.batch(held.cancel(MAKER, cloid=4), held.cancel(MAKER, cloid=5))
    found = []
    for _ in range(20):
        held.batch(step_ms=5_000)
        found.append(steps(held)[0])
    assert found[2:4] == [7, 6] and found[13:] == [5] * 7


def test_the_margin_follows_the_mark(held: Any) -> None:
    """7 steps at a mark of 49,900: 998 + 49,900 * 7 / 800 = 998 + 436.625; at the end of the batch the ask at 49,510 is
    390 below it, 0.78 %, but it was 0.98 % a moment ago."""
    held.batch(*quoted(held, 49_500, 2))
    held.oracle(btc=49_900)
    held.batch()
    assert state(held) == [(7, 0), 998_000_000 + 436_625_000, 998_000_000]


def test_the_average_stays_while_there_is_no_fresh_price(held: Any) -> None:
    held.batch(*quoted(held, 49_500, 2))
    for _ in range(30):
        held.batch(step_ms=5_000)
    held.batch(held.cancel(MAKER, cloid=4), held.cancel(MAKER, cloid=5))
    for _ in range(60):
        held.batch(step_ms=5_000, fresh=False)
    assert not is_fresh(held.ex.rows, 0) and steps(held) == (5, 0)


def test_a_restored_exchange_and_one_that_undid_a_batch_have_the_same_distance(held: Any) -> None:
    """The market leaves its index, a tick of 0.05 % in each batch, and comes back: each batch is undone and applied
    again, and each state restored from its leaves."""
    crossed = 0
    for turn in range(2, 40):
        before = state(held)
        actions = quoted(held, 50_000 - 25 * min(turn, 40 - turn), turn)
        held.batch(*actions)
        after, leaves = state(held), list(all_leaves(held.ex))[::-1]
        copy = exchange_from_leaves(held.ex.config, leaves)
        slot = copy.rows.slot_of((LONG).to_bytes(20, "big"))
        assert slot is not None and copy.rows.accounts["initial_margin"][slot] == after[1]
        assert (copy.rows.markets["below"][0], copy.rows.markets["above"][0]) == after[0]
        apply_undo(held.ex, held.last.undo)
        assert state(held) == before
        held.now, held.seq = held.now - 250, held.seq - 1
        held.batch(*actions)
        assert state(held) == after
        crossed += before[0] != after[0]
    assert crossed > 5


def test_who_is_at_its_limit_keeps_its_orders_may_close_and_may_open_no_more(held: Any) -> None:
    """The long has 1,100 - 22.5 of equity and, with a bid for 0.05, 1,050 of initial margin; then 1,509.375. A long of
    0.01 more is refused, the bid still trades, its ask and its reduce-only order may enter."""
    held.batch(held.buy(LONG, 0.05, 49_400, "Alo", cloid=77))
    assert held.status(0)["resting"]
    held.batch(*quoted(held, 49_500, 2))
    held.batch()
    assert initial(held, LONG) == 1_509_375_000 > held.equity(LONG) and held.order_count(LONG) == 1
    assert withdrawable(held.ex.rows, held.slot(LONG)) == 0
    held.batch(held.buy(LONG, 0.01, 49_400, "Alo"))
    assert "Insufficient margin" in held.status(0)["error"]
    held.batch(held.sell(SHORT, 0.05, 49_400, "Ioc"), held.cancel(MAKER, cloid=4))
    assert held.position(LONG) == 105_000, "its bid below the mark costs it nothing"
    held.batch(held.sell(LONG, 0.5, 49_600, "Alo"), held.sell(LONG, 0.55, 49_700, "Alo", reduce_only=True))
    assert held.status(0)["resting"] and held.status(1)["resting"]
    held.batch(held.buy(MAKER, 1, 49_300, "Alo"))
    held.batch(held.sell(LONG, 0.4, 49_000, "Ioc"))
    assert held.status(0)["filled"]["totalSz"] == "0.4"
