"""Attacks with a market that stands beside its index, and with the initial margin that covers the distance.

`without` takes the rule away, so that each test shows what its figures are against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.prices import quotes
from tests.rules.exchange import words as t

QUOTE = 10**6
MAKERS, SHELL, HEDGE, ALLY, LONG, SHORT = (1, 2), 3, 4, 5, 100, 101


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(quotes, "distance_of", lambda *_: (0, 0))


def tick(price: float) -> float:
    return float(f"{price:.5g}")


class Market:
    """Makers who quote `depth` BTC a side round a middle of their own in each batch; a long and a short of 40 BTC."""

    def __init__(self, world: Callable[..., Any], depth: float = 20, **balances: int) -> None:
        self.depth = depth
        rich = dict.fromkeys(MAKERS, 10**7) | {LONG: 10**6, SHORT: 10**5}
        self.w = world(rich | {int(name[1:]): amount for name, amount in balances.items()})
        everybody = [*rich, *[int(name[1:]) for name in balances]]
        self.w.batch(*[self.w.signed(who, t.UpdateLeverage(0, True, 50)) for who in everybody])
        self.w.batch(self.w.buy(LONG, 40, 50_000), self.w.sell(SHORT, 40, 50_000))
        self.index, self.middle, self.turn = 50_000.0, 50_000.0, 0

    def batch(self, *actions: Any, step_ms: int = 250) -> None:
        w, quotes = self.w, []
        self.turn += 1
        for who in MAKERS:
            for place, (side, away) in enumerate(((w.buy, -1), (w.sell, 1))):
                name = 10 * self.turn + 2 * who + place
                quotes += [w.cancel(who, cloid=name - 10)] if self.turn > 1 else []
                quotes.append(
                    side(who, self.depth / 2, tick(self.middle * (1 + away * 2e-4 * who)), "Alo", cloid=name)
                )
        w.prices[0] = round(self.index * 10)
        w.batch(*quotes, *actions, step_ms=step_ms)

    def worth(self, *accounts: int) -> float:
        """At the makers' middle, where they could close."""
        gain = round(self.middle * 10) - self.w.mark()
        return sum(self.w.equity(who) + self.w.position(who) * gain for who in accounts) / QUOTE


def pyramid(market: Market, more: Callable[[], list[Any]] = list) -> None:
    """The shell buys with all its free margin, again and again, and a hedge sells as much; `more` comes with it."""
    w = market.w
    for _ in range(40):
        row = w.ex.rows.markets[0]
        a_lot = w.mark() / 10 * ((16 + int(row["below"])) / 800 + 0.0005)
        free = w.equity(SHELL) - int(w.ex.rows.accounts["initial_margin"][w.slot(SHELL)])
        size = round(free / QUOTE * 0.95 / a_lot, 3)
        if size * market.index < 20:
            break
        market.batch(w.buy(SHELL, size, tick(market.middle * 1.001), "Ioc"), *more())
    for _ in range(40):
        if w.position(HEDGE) <= -w.position(SHELL):
            break
        size = (w.position(SHELL) + w.position(HEDGE)) / 1e5
        market.batch(w.sell(HEDGE, min(9, size), tick(market.middle * 0.999), "Ioc"))


def closed(market: Market) -> None:
    """Both leave by the book, as far as it takes them."""
    w = market.w
    for _ in range(12):
        short, long = min(9, -w.position(HEDGE) / 1e5), min(9, w.position(SHELL) / 1e5)
        buys = [w.buy(HEDGE, short, tick(market.middle * 1.001), "Ioc", reduce_only=True)] if short else []
        sells = [w.sell(SHELL, long, tick(market.middle * 0.999), "Ioc", reduce_only=True)] if long else []
        market.batch(*buys, *sells)


def pyramided(
    world: Callable[..., Any], distance: float, fall: float, depth: float = 20, hidden: bool = False
) -> float:
    """What shell, hedge and accomplice gain: the market leaves its index by 0.1 % a batch, they begin immediately, and
    book and index fall together, 0.1 % a batch. Hidden: the accomplice buys all asks of each batch, and sells as
    much."""
    market = Market(world, depth, _3=5_400, _4=200_000, _5=10**6)
    w = market.w

    def sweep() -> list[Any]:
        if not hidden:
            return []
        return [
            w.buy(ALLY, depth, tick(market.middle * 1.001), "Ioc"),
            w.sell(ALLY, depth - 0.2, tick(market.middle * 0.999), "Ioc"),
        ]

    for _ in range(5):
        market.batch(step_ms=5_000)
    for step in range(1, round(distance * 10) + 1):
        market.middle = 50_000 * (1 - step / 1_000)
        market.batch(*sweep())
    start = market.worth(SHELL, HEDGE, ALLY)
    pyramid(market, sweep)
    for _ in range(round(fall * 10)):
        market.index *= 0.999
        market.middle = market.index * (1 - distance / 100)
        market.batch()
        if not market.w.position(SHELL):
            break
    closed(market)
    return market.worth(SHELL, HEDGE, ALLY) - start


@pytest.mark.parametrize(("distance", "gained"), [(0.7, 500), (1, 1_500), (2, 1_000)])
def test_profit_by_a_distance_is_no_margin_for_more_of_it(
    distance: float, gained: int, world: Callable[..., Any], without: Callable[[], None]
) -> None:
    """5,400 at 50x, and a fall of 2.2 %: the shell was closed at the index, against a short, and its hedge left by the
    book. The distance has just come, so that its average says little."""
    assert pyramided(world, distance, 2.2) < 0
    without()
    assert pyramided(world, distance, 2.2) > gained


@pytest.mark.parametrize(
    ("depth", "hidden", "lost", "gained"),
    [(2, False, 595, 26_968), (3, False, 589, 26_792), (2, True, 13_217, 64_681), (3, True, 16_185, 74_949)],
)
def test_who_buys_all_asks_of_each_batch_hides_no_distance(
    depth: float,
    hidden: bool,
    lost: int,
    gained: int,
    world: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Makers offer 2 or 3 BTC in each batch, 2 % below the index. The shell buys them all, or its accomplice does: no
    ask is left at the end of a batch and no narrow spread, so that without the trades nothing shows the distance."""
    assert round(pyramided(world, 2, 2.2, depth, hidden)) == -lost
    monkeypatch.setattr(quotes, "trades_beside_the_mark", lambda *_: {})
    monkeypatch.setattr(quotes, "add_offers", lambda memory, *_: memory)
    assert round(pyramided(world, 2, 2.2, depth, hidden)) == gained


def pushed(market: Market, batches: int, *more: Any) -> float:
    """Three accounts show the market 0.5 % below its index for so many batches: one sells through all bids of the
    makers, one offers 5 BTC far below them, one bids a tick lower. What they gain; `more` comes in the last batch."""
    w, (sweeper, offers, bids) = market.w, (5, 6, 7)
    before = market.worth(sweeper, offers, bids)
    for turn in range(batches):
        name = 900_000 + 2 * turn
        gone = [w.cancel(offers, cloid=name - 2), w.cancel(bids, cloid=name - 1)] if turn else []
        market.batch(
            *gone,
            w.sell(offers, 5, 49_750, "Alo", cloid=name),
            w.buy(bids, 5, 49_745, "Alo", cloid=name + 1),
            w.sell(sweeper, 20, 49_900, "Ioc"),
            *(more if turn == batches - 1 else ()),
        )
    return market.worth(sweeper, offers, bids) - before


def below(market: Market) -> int:
    return int(market.w.ex.rows.markets[0]["below"])


def test_who_shows_a_price_beside_the_index_locks_margin_while_it_pays_for_it(
    world: Callable[..., Any],
) -> None:
    """8 is long 2 BTC at 50x, with a bid for 0.01: 2,010 of its 2,035 are in use. The distance shown is 0.5 %, 4
    steps: 100,500 * (1 / 50 + 4 / 800) = 2,512.5. It keeps position, bid and equity, may close, and adds nothing; a
    tenth of its position is more, so that it could send nothing before either. 9, at the default leverage of 10, needs
    nothing. It costs the three 750 a batch; their ask is withdrawn, or somebody buys it."""
    market = Market(world, _5=10**6, _6=10**6, _7=10**6, _8=2_100, _9=2_100)
    w = market.w
    w.batch(w.signed(9, t.UpdateLeverage(0, True, 10)))
    market.batch(w.buy(8, 2, 50_030, "Ioc"), w.buy(9, 0.3, 50_030, "Ioc"))
    market.batch(w.buy(8, 0.01, 49_000, "Alo"))

    def of(who: int) -> tuple[int, int, int]:
        initial = int(w.ex.rows.accounts["initial_margin"][w.slot(who)])
        return initial, w.equity(who), withdrawable(w.ex.rows, w.slot(who))

    before = {who: of(who) for who in (8, 9)}
    assert before[8][0] == 2_010 * QUOTE < before[8][1] < 2_040 * QUOTE and before[8][2] == 0
    cost = pushed(market, 1)
    assert -760 < cost < -740 and below(market) == 4
    assert of(8) == (2_512_500_000, *before[8][1:]) and of(9) == before[9]
    assert w.order_count(8) == 1 and w.position(8) == 200_000
    assert -15_200 < pushed(market, 20, w.buy(8, 0.001, 49_900), w.sell(8, 0.5, 49_700, "Ioc")) < -14_800
    assert "Insufficient margin" in w.status(-2)["error"]
    assert w.status(-1)["filled"]["totalSz"] == "0.5"
    market.batch(w.cancel(6, cloid=900_038))
    assert below(market) == 4, "somebody sold 0.5 to the bid that is gone: that fades"


def test_makers_at_their_limit_lose_no_quote_that_costs_them_nothing(world: Callable[..., Any]) -> None:
    """A maker at 50x with 1,050 quotes 1 BTC a side round the mark. Three accounts show the market 0.5 % below, which
    its long side needs 250 for; both its quotes stay and trade."""
    market = Market(world, _5=10**6, _6=10**6, _7=10**6, _8=1_050)
    w = market.w
    market.batch(w.buy(8, 1, 49_000, "Alo", cloid=1), w.sell(8, 1, 50_200, "Alo", cloid=2))
    pushed(market, 3)
    assert below(market) == 4 and w.order_count(8) == 2
    assert int(w.ex.rows.accounts["initial_margin"][w.slot(8)]) == 1_250 * QUOTE > w.equity(8)
    market.batch(w.cancel(6, cloid=900_004), w.cancel(7, cloid=900_005), w.buy(5, 30, 50_200, "Ioc"))
    assert w.position(8) == -100_000 and w.order_count(8) == 1


@pytest.mark.parametrize("tif", ["Ioc", "Alo"])
def test_who_trades_with_itself_beside_a_book_shows_nothing(tif: str, world: Callable[..., Any]) -> None:
    """5 offers 0.41 BTC 2 % below the index and 6 buys it, as taker or at the end of the batch: makers bid above it,
    and have it in the second case (without them: test_traded.py)."""
    market = Market(world, _5=10**6, _6=10**6)
    w = market.w

    def orders() -> list[Any]:
        return [w.sell(5, 0.41, 49_000, "Alo"), w.buy(6, 0.41, 49_000, tif)]

    for _ in range(2):
        market.batch()
    for count in range(1, 4):
        market.batch(*orders())
        assert w.position(6) == (41_000 * count if tif == "Ioc" else 0) and below(market) == 0
