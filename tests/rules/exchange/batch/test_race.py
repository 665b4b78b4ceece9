"""The race: its logarithm, its weights by hand, and that neither splitting nor a large order by a small one pays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.crypto.keccak import keccak256
from coinone.rules.exchange.batch import race
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.batch.race import draws, log2, raced, weights
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.wire.action import Segment
from coinone.rules.exchange.wire.segments import Item

QUOTE = 10**6


@pytest.mark.parametrize(
    ("value", "log"),
    [
        (1, 0),
        (2, 1 << 32),
        (1 << 64, 64 << 32),
        (3, (1 << 32) + 2_512_394_809),  # log2(1.5) = 0.584962500721156..., times 2^32 = 2,512,394,809.98
        (5, (2 << 32) + 1_382_670_639),  # log2(1.25) = 0.321928094887362..., times 2^32 = 1,382,670,639.2
    ],
)
def test_the_logarithm_of_small_numbers(value: int, log: int) -> None:
    assert log2(value) == log


@given(st.integers(1, 2**64))
def test_the_logarithm_is_that_of_floating_point(value: int) -> None:
    assert -(2.0**-26) < log2(value) / 2**32 - math.log2(value) < 1e-12 * 64


def test_the_draw_is_exponential() -> None:
    """-log2 of an even draw has the mean 1 / ln 2 = 1.4427 and passes 1 in half of the cases, 3 in an eighth."""
    drawn = [x / 2**32 for x in draws(b"seed", Segment.TAKERS, bytes(20), 20_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(1.4427, rel=0.02)
    assert sum(x > 1 for x in drawn) / len(drawn) == pytest.approx(1 / 2, abs=0.01)
    assert sum(x > 3 for x in drawn) / len(drawn) == pytest.approx(1 / 8, abs=0.01)


def item_of(w: Any, signed: Any) -> Item:
    who = int.from_bytes(signed.signer, "big")
    return Item(0, signed.action, w.slot(who), signed.signer, signed.nonce, signed.signer, signed.digest, b"")


def item_who(item: Item) -> int:
    return int.from_bytes(item.signer, "big")


def batch_of(w: Any, seed: int) -> Execution:
    return Execution(w.ex, BatchContext(w.seq + 1, w.now, keccak256(bytes((seed,)))))


def weight(w: Any, signed: Any) -> int:
    return weights(w.ex.rows, [item_of(w, signed)])[0]


def test_the_weight_is_the_margin_at_the_greatest_leverage_of_what_can_trade(
    world: Callable[..., Any],
) -> None:
    """Asks of 0.2 at 50,000 and 0.3 at 50,010; the mark is 50,000, 50x: 0.1 BTC are 100 quote of margin."""
    w = world({1: 10**6, 2: 10**5})
    w.batch(w.sell(1, 0.2, 50_000), w.sell(1, 0.3, 50_010))
    assert weight(w, w.buy(2, 0.1, 50_000, "Ioc")) == 100 * QUOTE
    assert weight(w, w.buy(2, 1, 50_000, "Ioc")) == 1_000 * QUOTE  # whatever rests there
    assert weight(w, w.buy(2, 1, 50_010, "Ioc")) == 1_000 * QUOTE
    assert weight(w, w.buy(2, 1, 49_990, "Ioc")) == 1  # cannot trade
    assert weight(w, w.buy(2, 1, 49_990)) == 1_000 * QUOTE  # rests
    assert weight(w, w.buy(2, 1, 47_000)) == 1  # beyond the band of 5 %: rests where nothing is filled


def test_what_it_opens_counts_up_to_the_free_equity_and_what_it_reduces_up_to_the_position(
    world: Callable[..., Any],
) -> None:
    w = world({1: 10**6, 2: 10**4})
    w.batch(w.sell(1, 9, 50_000, "Alo"), w.buy(2, 9, 50_000))  # 9,000 of 10,000 less 202.5 of fees are margin
    w.batch(w.sell(1, 2, 50_000), w.buy(1, 20, 49_990))
    assert weight(w, w.buy(2, 2, 50_000, "Ioc")) == 797_500_000
    assert weight(w, w.sell(2, 9, 49_990, "Ioc")) == 9_000 * QUOTE
    assert weight(w, w.sell(2, 20, 49_990, "Ioc", reduce_only=True)) == 9_000 * QUOTE
    assert weight(w, w.buy(2, 1, 50_000, "Ioc", reduce_only=True)) == 1


def test_ones_own_resting_orders_lend_no_weight(world: Callable[..., Any]) -> None:
    """1 rests its own 40 BTC at 50,600, somebody else 0.5 at 50,700. Up to 50,699 an order for 41 could only cancel
    its own and trade with nobody: it weighs nothing. By hand, up to 50,700: 41 * 50,000 / 50."""
    w = world({1: 1_000_000, 2: 10_000_000})
    w.batch(w.sell(1, 40, 50_600, "Alo"), w.sell(2, 0.5, 50_700, "Alo"))
    assert weight(w, w.buy(1, 41, 50_699, "Ioc")) == 1
    assert weight(w, w.buy(1, 41, 50_700, "Ioc")) == 41_000 * QUOTE


def test_an_action_weighs_as_its_least_order(world: Callable[..., Any]) -> None:
    w = world({1: 10**6, 2: 10**6})
    w.batch(w.sell(1, 10, 50_000))
    small, large = w.spec(True, 0.01, 50_000, "Ioc"), w.spec(True, 5, 50_000, "Ioc")
    assert weight(w, w.signed(2, w.many(small, large))) == 10 * QUOTE


def test_a_modify_may_use_the_margin_of_the_orders_it_can_replace(world: Callable[..., Any]) -> None:
    w = world({1: 1_010})
    w.batch(w.buy(1, 1, 49_990))  # 1,000 are reserved
    assert weight(w, w.buy(1, 0.5, 49_980)) == 10 * QUOTE
    assert weight(w, w.signed(1, w.modify(1, w.spec(True, 0.5, 49_980, "Alo")))) == 500 * QUOTE


def test_an_accounts_own_actions_keep_their_order(world: Callable[..., Any]) -> None:
    w = world({1: 10**6, 2: 10**6})
    items = [item_of(w, w.buy(who, 0.1 + 0.1 * n, 49_000)) for n in range(6) for who in (1, 2)]
    for turn in range(20):
        order = raced(batch(w, turn), items[::-1], Segment.TAKERS)
        for who in (w.slot(1), w.slot(2)):
            own = [item.nonce for item in order if item.account == who]
            assert own == sorted(own)


def batch(w: Any, turn: int) -> Execution:
    return Execution(w.ex, BatchContext(w.seq + 1, w.now + 1, keccak256(b"turn%d" % turn)))


def shares_of_first(w: Any, accounts: Sequence[Sequence[int]], batches: int) -> list[float]:
    """How often each owner is first with all their accounts' taker orders, each for all the account's equity."""
    owner_of = {w.slot(who): n for n, owner in enumerate(accounts) for who in owner}
    items = [
        item_of(w, w.buy(who, w.equity(who) / QUOTE * 50 / 50_000, 50_000, "Ioc"))
        for owner in accounts
        for who in owner
    ]
    firsts = [0] * len(accounts)
    for turn in range(batches):
        firsts[owner_of[raced(batch(w, turn), items, Segment.TAKERS)[0].account]] += 1
    return [count / batches for count in firsts]


@pytest.mark.parametrize("parts", [1, 10, 100])
def test_one_of_21_equals_is_first_as_often_in_one_account_as_in_many(
    parts: int, world: Callable[..., Any]
) -> None:
    """1 / 21 = 4.76 %; three standard deviations over 1,200 batches are 1.84 %."""
    honest = [[n] for n in range(2, 22)]
    split = list(range(100, 100 + parts))
    w = world({1: 10**7} | {owner[0]: 10_000 for owner in honest} | dict.fromkeys(split, 10_000 // parts))
    w.batch(w.sell(1, 100, 50_000))
    assert shares_of_first(w, [split, *honest], 1_200)[0] == pytest.approx(1 / 21, abs=0.0184)


def test_twenty_accounts_with_the_equity_of_one_are_first_as_often_as_one(world: Callable[..., Any]) -> None:
    """20 accounts of 500 against 20 honest ones of 10,000: one in 21 again, where tickets gave a half."""
    split, honest = list(range(100, 120)), [[n] for n in range(2, 22)]
    w = world({1: 10**7} | {owner[0]: 10_000 for owner in honest} | dict.fromkeys(split, 500))
    w.batch(w.sell(1, 100, 50_000))
    assert shares_of_first(w, [split, *honest], 1_200)[0] == pytest.approx(1 / 21, abs=0.0184)


def test_splitting_buys_nothing_where_little_is_to_be_had(world: Callable[..., Any]) -> None:
    """What rests is less than any of the orders, 0.001 BTC: still one in 21. An order that weighed only what rests, 1
    quote for each, was a ticket: the owner of 20 accounts was first in half of the batches."""
    split, honest = list(range(100, 120)), [[n] for n in range(2, 22)]
    w = world({1: 10**7} | {owner[0]: 10_000 for owner in honest} | dict.fromkeys(split, 500))
    w.batch(w.sell(1, 0.001, 50_000))
    assert shares_of_first(w, [split, *honest], 1_200)[0] == pytest.approx(1 / 21, abs=0.0184)


def test_twice_the_margin_is_first_twice_as_often(world: Callable[..., Any]) -> None:
    w = world({1: 10**7, 2: 20_000, 3: 10_000})
    w.batch(w.sell(1, 100, 50_000))
    assert shares_of_first(w, [[2], [3]], 1_200)[0] == pytest.approx(2 / 3, abs=0.041)


@pytest.mark.parametrize("dummy", ["beside", "before", "far"])
def test_a_dummy_order_takes_a_small_one_nowhere(dummy: str, world: Callable[..., Any]) -> None:
    """2 wants 0.01 BTC (10 quote of margin) ahead of 3's 1 BTC (1,000) and has a million idle: an order of 19 BTC
    in the same action, in an action before, or so far away that it can only be refused. Still 1 % or less."""
    w = world({1: 10**7, 2: 10**6, 3: 10**4})
    w.batch(w.sell(1, 30, 50_000))
    small, large = w.spec(True, 0.01, 50_000, "Ioc"), w.spec(True, 19, 50_000, "Ioc")
    if dummy == "beside":
        wanted = [w.signed(2, w.many(large, small))]
    elif dummy == "before":
        wanted = [w.signed(2, w.many(large)), w.signed(2, w.many(small))]
    else:
        wanted = [w.signed(2, w.many(w.spec(True, 10**4, 10_000, "Ioc"), small))]
    rival = item_of(w, w.buy(3, 1, 50_000, "Ioc"))
    items = [*(item_of(w, signed) for signed in wanted), rival]
    ahead = 0
    for turn in range(600):
        order = raced(batch(w, turn), items, Segment.TAKERS)
        ahead += order.index(items[-2]) < order.index(rival)
    assert ahead / 600 < 0.02


def test_the_race_decides_who_takes_what_there_is(world: Callable[..., Any]) -> None:
    """One ask of 0.1; 2 has 100 times 3's margin at stake, and takes it in nearly all batches."""
    w = world({1: 10**7, 2: 10**5, 3: 10**5})
    taken = 0
    for _ in range(40):
        before = w.position(2)
        w.batch(w.sell(1, 0.1, 50_000, "Alo"), w.buy(2, 0.1, 50_000, "Ioc"), w.buy(3, 0.001, 50_000, "Ioc"))
        taken += w.position(2) - before == 10_000
    assert taken >= 36


def test_a_table_entry_is_the_floor() -> None:
    """log2(1 + 1 / 4096) = log(4097 / 4096) / log(2) = 0.00035217748030102726..., times 2^32 = 1,512,590.76."""
    assert race._logs()[1] == 1_512_590
    assert len(race._logs()) == 4_097
