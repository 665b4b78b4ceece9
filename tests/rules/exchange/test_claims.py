"""A post-only order claims its lots, and its owner's idle margin, only if nothing but what crosses it can refuse it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from coinone.rules.exchange.claims import claims
from coinone.rules.exchange.kernel import run_segment
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.sure import UNSURE, sure_orders
from coinone.rules.exchange.tables import OpKind, Side, Tif
from tests.rules.exchange.near_limits import ops_near_limits, to_the_limits, world_of_few
from tests.rules.exchange.post_only_orders import BTC, ETH, ops_of

BUY, SELL = Side.BUY, Side.SELL
Coins = Callable[..., list[float]]


def sure_in(w: Any) -> Coins:
    """(account, market, side, price, coins, fields of the row) of each order -> its coins, 0 if it is not sure."""
    return lambda *orders: coins_of(orders, sure_orders(w.ex.rows, ops_of(w, *orders)).lots)


def claimed_in(w: Any) -> Coins:
    """The same, but the coins that it claims."""
    return lambda *orders: coins_of(orders, claims(w.ex.rows, ops_of(w, *orders)))


def coins_of(orders: Any, found: Any) -> list[float]:
    return [
        max(lots, 0) / (10**5, 10**4)[order[1]] for lots, order in zip(found.tolist(), orders, strict=True)
    ]


def test_the_orders_are_sure_that_an_account_bears_together_in_the_order_of_the_race(
    world: Callable[..., Any],
) -> None:
    """At 50x 1 BTC at the mark of 50,000 needs 1,000, 1 ETH at 3,000 60. 2,400 bear two bids of 1 BTC, or those and
    asks of 2, but not three, nor two and 7 ETH: the last is not sure. Two for 2 BTC at 50,190 cost 380 besides and a
    fee of 15; at 50,200, 400 are all there is."""
    sure = sure_in(world({1: 2_400}))
    bid = (1, BTC, BUY, 49_000, 1)
    assert sure(bid, bid) == [1, 1]
    assert sure(bid, bid, bid, (1, BTC, SELL, 50_000, 2)) == [1, 1, 0, 2]
    assert sure(bid, bid, (1, BTC, SELL, 50_000, 1)) == [1, 1, 1]
    assert sure(bid, bid, (1, ETH, BUY, 2_990, 6)) == [1, 1, 6]
    assert sure(bid, bid, (1, ETH, BUY, 2_990, 7)) == [1, 1, 0]
    assert sure((1, BTC, BUY, 50_190, 2)) == [2]
    assert sure((1, BTC, BUY, 50_200, 2)) == [0]


def test_what_only_reduces_needs_no_margin_but_reduces_once(world: Callable[..., Any]) -> None:
    """2 holds 1 BTC with 1,007.5 less a fee of 7.5: no margin is free, but 1 BTC may be sold, whole or
    in two halves."""
    w = world({2: 1_007.5, 9: 10**6})
    w.batch(w.buy(2, 1, 50_000, "Alo"), w.sell(9, 1, 50_000))
    sure, ask, half = sure_in(w), (2, BTC, SELL, 50_500, 1), (2, BTC, SELL, 50_500, 0.5)
    assert sure(ask, (2, BTC, BUY, 49_000, 1)) == [1, 0]
    assert sure(ask, ask) == [1, 0]
    assert sure(half, half) == [0.5, 0.5]
    reducing = {"reduce_only": 1}
    assert sure((*half, reducing)) == [0.5]
    assert sure((*half, reducing), (*half, reducing)) == [0.5, 0]


def test_a_modify_counts_as_the_larger_of_both_its_orders(world: Callable[..., Any]) -> None:
    """2,400 are worth 2 BTC of bids at 50x. With 1 resting, it may become 2, or 1.5 beside 0.5, but not 0.1 beside 1.5,
    for it may rest still when that enters. Two may not modify it, and after an unsure modify all is unsure in that
    market. The other side has its own margin."""
    w = world({1: 2_400})
    w.batch(w.buy(1, 1, 49_000, "Alo", cloid=7))
    sure, modify = sure_in(w), {"kind": OpKind.MODIFY_CLOID, "target_lo": 7}
    assert sure((1, BTC, BUY, 49_500, 2, modify)) == [2]
    assert sure((1, BTC, BUY, 49_500, 2.5, modify)) == [0]
    assert sure((1, BTC, BUY, 49_500, 1.5, modify), (1, BTC, BUY, 49_000, 0.5)) == [1.5, 0.5]
    assert sure((1, BTC, BUY, 49_500, 0.1, modify), (1, BTC, BUY, 49_000, 1.5)) == [0.1, 0]
    assert sure((1, BTC, BUY, 49_500, 1, modify), (1, BTC, BUY, 49_600, 1, modify)) == [1, 0]
    assert sure((1, BTC, SELL, 50_500, 2, modify)) == [2]
    unknown = (1, BTC, BUY, 49_500, 1, {"kind": OpKind.MODIFY_CLOID, "target_lo": 8})
    assert sure(unknown, (1, BTC, SELL, 50_500, 1), (1, ETH, BUY, 2_990, 1)) == [0, 0, 1]


def test_an_order_with_a_client_id_that_is_taken_is_not_sure(world: Callable[..., Any]) -> None:
    w = world({1: 10**6})
    w.batch(w.buy(1, 1, 49_000, "Alo", cloid=7))
    sure = sure_in(w)
    seven, eight = {"has_cloid": 1, "cloid_lo": 7}, {"has_cloid": 1, "cloid_lo": 8}
    assert sure((1, BTC, BUY, 49_500, 1, seven), (1, BTC, BUY, 49_500, 1, eight)) == [0, 1]
    assert sure((1, BTC, BUY, 49_500, 1, eight), (1, BTC, BUY, 49_500, 1, eight)) == [1, 0]
    assert sure((1, BTC, BUY, 49_500, 1, seven | {"kind": OpKind.MODIFY_CLOID, "target_lo": 7})) == [1]


def test_orders_beyond_an_accounts_numbers_are_not_sure(world: Callable[..., Any]) -> None:
    """16 of an account rest at a price: with 10 there 6 more, not 7, and as many as it likes elsewhere, up to 1,000."""
    w = world({1: 10**7})
    w.batch(*[w.buy(1, 0.01, 49_000, "Alo") for _ in range(10)])
    sure, there, other = sure_in(w), (1, BTC, BUY, 49_000, 0.01), (1, BTC, BUY, 49_001, 0.01)
    assert sure(*[there] * 6, other) == [0.01] * 7
    assert sure(*[there] * 7, other) == [0.01] * 6 + [0, 0.01]
    many = [(1, BTC, BUY, 48_000 + n, 0.01) for n in range(991)]
    assert sure(*many) == [0.01] * 990 + [0]


def test_what_its_own_accounts_order_keeps_out_is_not_sure(world: Callable[..., Any]) -> None:
    """3 has an ask at 50,240, and 9 one at 50,200, over which 3 may yet rest. What lies beyond the band of a twentieth,
    or is no price of the market, is not sure."""
    w = world({3: 10**6, 9: 10**6})
    w.batch(w.sell(3, 1, 50_240, "Alo"), w.sell(9, 1, 50_200, "Alo"))
    sure = sure_in(w)
    assert sure((3, BTC, BUY, 50_240, 1), (3, BTC, BUY, 50_239, 1)) == [0, 1]
    assert sure((3, BTC, BUY, 47_400, 1), (3, BTC, BUY, 47_500.5, 1)) == [0, 0]


def test_orders_claim_their_lots_as_often_as_their_account_could_bear_its_stake(
    world: Callable[..., Any],
) -> None:
    """2,400, at 50x and 50,000: a bid for 1 BTC stakes 1,000, and could be borne 2.4 times; two 1.2 times; with 6 ETH,
    360 more, 1.7647 times (2,400 / 1,360); an ask beside it stakes nothing more. Nothing counts more than 16 times, and
    all that is sure once: 1 BTC at 50,190 for 1,205, of which 190 may be lost."""
    claimed = claimed_in(world({1: 2_400, 2: 1_205}))
    bid = (1, BTC, BUY, 49_800, 1)
    assert claimed(bid) == [2.4]
    assert claimed(bid, bid) == [1.2, 1.2]
    assert claimed(bid, (1, ETH, BUY, 2_990, 6)) == [1.76470, 10.5882]
    assert claimed(bid, (1, BTC, SELL, 50_500, 0.5)) == [2.4, 1.2]
    assert claimed((1, BTC, BUY, 49_800, 0.01)) == [0.16]
    assert claimed((2, BTC, BUY, 50_190, 1)) == [1.205]


def refusals(seed: int) -> dict[Status, int]:
    """What became of orders near the limits, the sure ones in a random order first: they must rest or cross."""
    random = np.random.default_rng(seed)
    rows: Rows = world_of_few(random)
    counted: dict[Status, int] = {}
    for now in range(0, 24, 2):
        ops = ops_near_limits(random, rows, int(random.integers(1, 40)))
        run_segment(rows, ops, now)
        rows.journal.begin()
        to_the_limits(random, rows)
        ops = ops_near_limits(random, rows, int(random.integers(1, 30)))
        ops = ops[(ops["liquidation"] == 0) & ~np.isin(ops["kind"], (OpKind.CANCEL, OpKind.CANCEL_CLOID))]
        if not len(ops):
            continue
        ops["tif"] = Tif.ALO
        sure = sure_orders(rows, ops).lots
        order = np.argsort(np.where(sure == UNSURE, len(ops), random.permutation(len(ops))), kind="stable")
        results = run_segment(rows, ops[order], now + 1).results
        for lots, status in zip(sure[order], results["status"], strict=True):
            if lots != UNSURE:
                assert status in (Status.OPEN, Status.BAD_ALO), (seed, Status(status))
                counted[Status(status)] = counted.get(Status(status), 0) + 1
        rows.journal.begin()
    return counted


def test_what_is_sure_is_refused_for_nothing_but_what_crosses_it() -> None:
    counted = [refusals(seed) for seed in range(60)]
    assert sum(found.get(Status.OPEN, 0) for found in counted) > 400
    assert sum(found.get(Status.BAD_ALO, 0) for found in counted) > 40


@pytest.mark.slow
def test_what_is_sure_is_refused_for_nothing_but_what_crosses_it_in_many_more_worlds() -> None:
    for seed in range(60, 260):
        refusals(seed)
