"""Accounts of one owner that trade only with each other never gain, beyond the capped share of a gap."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from coinone.rules.exchange.events.events import Fill, FillSide
from tests.rules.exchange.coalition import QUOTE, Coalition, Observer, address
from tests.rules.exchange.coalition_orders import Crafty


def judge(life: Coalition, seed: int, gain: int) -> None:
    """The promise: no fill that a rule forbids, and no gain but what debts made others pay and market risk brought."""
    observer = life.observer
    assert observer.faults == [], (seed, observer.faults)
    spent = max(0, life.fund - life.w.fund("insurance"))
    assert gain - observer.exposure_gain <= spent + observer.outsiders_paid, (seed, gain)
    if life.calm:
        assert gain <= 0 and observer.debts == 0, (seed, gain, observer.debts)


def lives(world: Any, seeds: range, **terms: bool) -> Counter[str]:
    """What happened over many lives; every one of them must end as the promise says."""
    total: Counter[str] = Counter()
    for seed in seeds:
        life = Coalition(world, seed, **terms)
        gain = life.live(30)
        observer = life.observer
        judge(life, seed, gain)
        spent = life.fund - life.w.fund("insurance")
        assert max(0, spent) <= life.fund // 4 + life.fund // 4, (seed, spent)
        total += Counter(life.done)
        total["debts"] += observer.debts > 0
        total["outsiders charged"] += observer.outsiders_paid > 0
    return total


def test_while_prices_move_little_a_coalition_never_gains(world: Any) -> None:
    happened = lives(world, range(40), calm=True)
    assert happened["filled"] > 100, happened


def test_a_gap_gives_a_coalition_no_more_than_what_the_gap_took_beyond_its_margin(world: Any) -> None:
    happened = lives(world, range(1_000, 1_040), calm=False)
    assert happened["debts"] > 5, happened


def test_without_hedges_outsiders_pay_no_more_than_their_part_of_what_was_won(world: Any) -> None:
    """A coalition alone on both sides of its own positions pays itself, but for the outsiders' part of the market."""
    charged = 0
    for seed in range(2_000, 2_025):
        life = Coalition(world, seed, calm=False, hedged=False)
        life.live(25)
        assert life.observer.outsiders_paid <= life.observer.debts
        charged += life.observer.outsiders_paid > 0
    assert charged, "no life made an outsider pay: the test shows nothing"


def test_no_order_of_a_crafty_coalition_hands_margin_over(world: Any) -> None:
    happened: Counter[str] = Counter()
    for seed in range(3_000, 3_030):
        life = Crafty(world, seed, calm=seed % 2 == 0)
        gain = life.live(30)
        judge(life, seed, gain)
        happened += Counter(life.done)
    assert happened["filled"] > 600 and min(happened[craft] for craft in Crafty.crafts) > 20, happened


def test_the_observer_sees_a_fill_that_hands_margin_over(world: Any) -> None:
    """The first attack (long 10 at 50,000, equity 10,775): 2 sold at 44,900 as if the rules had allowed it."""
    life = Coalition(world, 0, calm=True)
    w = life.w
    w.ex.rows.accounts[w.slot(1)]["cash"] = w.ex.rows.accounts[w.slot(2)]["cash"] = 11_000 * QUOTE
    w.batch(w.sell(2, 10, 50_000, "Alo"), w.buy(1, 10, 50_000))
    observer = Observer(w)
    sold = Fill(0, 0, 1, 0, 449_000, 200_000, False, FillSide(address(1), 1, 0, 10**6, 0, 40_410_000),
                FillSide(address(2), 2, 0, -(10**6), 0, 0), bytes(32))  # fmt: skip
    observer.judge(sold)
    assert (
        len(observer.faults) == 1
        and " 1 from 10775000000/5000000000 to 534590000/4000000000" in observer.faults[0]
    )


@pytest.mark.long
@pytest.mark.parametrize("piece", range(20))
def test_many_coalitions_never_gain(piece: int, world: Any) -> None:
    lives(world, range(10_000 + piece * 500, 10_000 + (piece + 1) * 500), calm=piece % 2 == 0)
