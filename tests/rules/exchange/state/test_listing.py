"""A market that a batch lists is traded in that batch, undone with it, and the same after a restart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.instruments.config import MarketConfig
from coinone.rules.exchange.rows.tables import Side
from coinone.rules.exchange.state.leaves import all_leaves, market_key
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.exchange.state.root import LeafStore
from coinone.rules.exchange.wire.action import Action, Segment
from tests.rules.exchange import words as t
from tests.rules.exchange.listing import listing_in

NEW = [
    MarketConfig(name, 2, 20, tiers=((10**12, 3),), initial_mark=1_000_000) for name in ("SOL", "XRP", "ADA")
]
FIRST = 2  # the index of the first of them: genesis lists two
PLACES = 4  # markets that fit without growing the tables, so that the third of NEW grows them


@pytest.fixture
def w(world: Callable[..., Any]) -> Any:
    made = world({1: 100_000, 2: 100_000})
    assert len(made.ex.rows.markets) == PLACES < FIRST + len(NEW)
    made.batch(made.buy(1, 0.1, 49_000), made.sell(2, 0.1, 51_000))
    return made


def listings(w: Any, segment: Segment) -> list[t.VerifiedAction]:
    row = listing_in(segment)
    return [replace(w.signed(1, t.Noop()), action=Action(row, market)) for market in NEW]


def priced(w: Any) -> None:
    w.prices.update(dict.fromkeys(range(FIRST, FIRST + len(NEW)), 1_000_000))


def test_a_book_has_its_place_as_soon_as_its_market_is_listed(w: Any) -> None:
    for market in NEW:
        index = w.ex.list_market(market)
        assert [w.ex.rows.book.best(index, side) for side in Side] == [None, None]
    assert [w.ex.rows.book.best(0, side) for side in Side] == [490_000, 510_000]


@pytest.mark.parametrize("segment", [Segment.ACCOUNT, Segment.TRANSFERS_OUT])
def test_markets_that_a_batch_lists_are_in_its_leaves_and_events(w: Any, segment: Segment) -> None:
    listed = w.batch(*listings(w, segment))
    assert [outcome.status for outcome in listed.outcomes] == ["executed"] * len(NEW)
    places = range(FIRST, FIRST + len(NEW))
    assert all(listed.leaves[market_key(market)] for market in places)
    assert set(places) <= set(listed.events.markets())
    assert [w.ex.ledger.listing_of(market).name for market in places] == ["SOL", "XRP", "ADA"]


@pytest.mark.parametrize("segment", [Segment.ACCOUNT, Segment.TRANSFERS_OUT])
def test_undone_they_leave_nothing_and_come_again_the_same(w: Any, segment: Segment) -> None:
    before = dict(all_leaves(w.ex))
    priced(w)
    batches = [
        lambda: listings(w, segment),
        lambda: [w.order(1, True, 1, 99, market=market) for market in range(FIRST, FIRST + len(NEW))],
        lambda: [w.order(2, False, 1, 99, "Ioc", market=FIRST + 2)],
    ]
    start = w.now, w.seq, w.nonce

    def applied() -> list[Any]:
        w.now, w.seq, w.nonce = start
        return [w.batch(*make()) for make in batches]

    first = applied()
    assert w.position(1, FIRST + 2) == 100  # 1 with two decimals of sizes
    after = dict(all_leaves(w.ex))
    for result in reversed(first):
        apply_undo(w.ex, result.undo)
    assert dict(all_leaves(w.ex)) == before
    assert w.ex.rows.market_count == FIRST
    assert [result.digest for result in applied()] == [result.digest for result in first]
    assert dict(all_leaves(w.ex)) == after


def test_what_is_resting_there_goes_with_the_market(w: Any) -> None:
    """Orders, a position and a holder of the market that is undone; then another market has its place."""
    priced(w)
    before = dict(all_leaves(w.ex))
    bid = {"market": FIRST, "cloid": 7}
    early = w.batch(*listings(w, Segment.ACCOUNT)[2:], w.order(1, True, 1, 99, **bid))
    assert "resting" not in w.status(1)  # no price is reported before there is a market
    results = [early, w.batch(w.order(1, True, 1, 99, **bid), w.buy(2, 0.2, 51_000))]
    results.append(w.batch(w.order(2, False, 0.4, 99, "Ioc", market=FIRST)))
    assert (w.position(1, FIRST), w.position(2, FIRST)) == (40, -40)
    for result in reversed(results):
        apply_undo(w.ex, result.undo)
    assert dict(all_leaves(w.ex)) == before
    index = w.ex.list_market(NEW[0])
    assert index == FIRST and [w.ex.rows.book.best(index, side) for side in Side] == [None, None]
    assert w.ex.rows.holders_of(index).tolist() == [] and not w.ex.rows.positions["size"][:, index].any()


def test_an_exchange_rebuilt_after_a_listing_goes_on_with_the_same_roots(w: Any) -> None:
    priced(w)
    kept = dict(all_leaves(w.ex))
    for result in (
        w.batch(*listings(w, Segment.ACCOUNT)),
        w.batch(
            w.order(1, True, 1, 99, market=FIRST + 2), w.order(2, False, 0.4, 99, "Ioc", market=FIRST + 2)
        ),
    ):
        kept.update(result.leaves)
    assert {key: leaf for key, leaf in kept.items() if leaf is not None} == dict(all_leaves(w.ex))
    twin = exchange_from_leaves(w.config, reversed(list(all_leaves(w.ex))))
    then = w.now, w.seq, w.nonce

    def goes_on() -> Any:
        w.now, w.seq, w.nonce = then
        return w.batch(w.order(2, False, 0.5, 99, market=FIRST + 2), w.cancel(1, oid=1))

    first, w.ex = goes_on(), twin
    second = goes_on()
    assert (second.digest, second.leaves) == (first.digest, first.leaves)
    assert LeafStore(dict(all_leaves(w.ex))).root() == LeafStore({**kept, **first.leaves}).root()
