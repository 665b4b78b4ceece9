"""The pool of exchange actions: two lanes, and nobody crowds out another."""

import pytest

from coinone.base.primitives.errors import InvalidAction, LimitExceeded
from coinone.base.primitives.parameters import ACTION_BYTES_MAX
from coinone.protocols.txpool.actions import ActionPool, Waiting
from coinone.protocols.txpool.limits import (
    ACTION_ACCOUNT_BYTES_MAX,
    ACTION_LOOKS_PER_BATCH,
    CANCEL_TARGETS_EXTRA,
)

ALICE, BOB = 1, 2


def item(number: int, line: int = ALICE, size: int = 100, cancels: int = 0, orders: int = 1) -> Waiting[None]:
    """An action with this hash and nonce: an order, or a cancel of so many."""
    return Waiting(
        raw=bytes(size),
        hash=number.to_bytes(32, "big"),
        signer=line.to_bytes(20, "big"),
        nonce=number,
        line=line,
        is_cancel=cancels > 0,
        count=cancels or orders,
        credits=0 if cancels else orders,
        action=None,
    )


def filled(*items: Waiting[None], open_orders: int = 0) -> ActionPool[None]:
    pool: ActionPool[None] = ActionPool()
    for one in items:
        pool.add(one, open_orders)
    return pool


def taken(pool: ActionPool[None], most: int, room: int = 10**6, cancels: bool = False) -> list[int]:
    return [one.nonce for one in pool.take(cancels, most, room, lambda one: True)]


def test_actions_of_an_account_are_taken_oldest_first_and_stay_until_removed():
    pool = filled(item(0), item(1), item(2))
    assert taken(pool, 2) == [0, 1]
    pool.remove(item(number).hash for number in (0, 1))
    assert taken(pool, 2) == [2]


def test_no_more_bytes_are_taken_than_fit():
    assert taken(filled(item(0), item(1), item(2)), 10, 250) == [0, 1]


def test_a_large_action_does_not_keep_small_ones_of_others_waiting():
    assert taken(filled(item(0, ALICE, 1_000), item(1, BOB, 100)), 10, 500) == [1]


def test_the_same_action_waits_once_and_so_does_a_nonce():
    pool = filled(item(1))
    with pytest.raises(InvalidAction, match="duplicate nonce"):
        pool.add(item(1), 0)
    with pytest.raises(InvalidAction, match="duplicate nonce"):
        pool.add(item(1, size=101), 0)
    pool.remove([item(1).hash])
    pool.add(item(1), 0)


def test_one_account_cannot_crowd_out_another():
    most = ACTION_ACCOUNT_BYTES_MAX // ACTION_BYTES_MAX
    pool = filled(*[item(number, ALICE, ACTION_BYTES_MAX) for number in range(most)])
    with pytest.raises(LimitExceeded, match="this account"):
        pool.add(item(most, ALICE), 0)
    pool.add(item(most + 1, BOB), 0)
    pool.remove([item(0).hash])
    pool.add(item(most, ALICE), 0)


def test_accounts_take_turns_and_who_was_served_longest_ago_comes_first():
    pool = filled(*[item(number) for number in range(5)], item(10, BOB), item(11, BOB), item(20, 3))
    first = taken(pool, 2)
    assert first == [0, 10]
    pool.remove(number.to_bytes(32, "big") for number in first)
    assert taken(pool, 4) == [20, 1, 11, 2]


def test_the_largest_actions_of_others_hold_up_no_small_one():
    """Ten accounts with 400 bytes each, five with 100, then 3's 100, and room for 1,000 a batch: in turns two of the
    large and two of the small fit, and 3's came in the third batch. Half is for the smallest that accounts sent first:
    five of 100, and then in turns one of 400 and one of 100. What `admit` refused is not asked for again."""
    pool = filled(*[item(n, 10 + n, 400) for n in range(10)], *[item(20 + n, 30 + n) for n in range(5)])
    pool.add(item(99, 3), 0)
    assert taken(pool, 100, 1_000) == [20, 21, 22, 23, 24, 0, 99]
    asked: list[int] = []
    pool.take(False, 100, 1_000, lambda one: bool(asked.append(one.nonce)))
    assert sorted(asked) == sorted(set(asked))


def test_the_pool_as_a_whole_is_bounded_and_a_quarter_of_it_is_for_cancels():
    pool: ActionPool[None] = ActionPool(bytes_max=400)
    for number in range(3):
        pool.add(item(number, number), 0)
    with pytest.raises(LimitExceeded, match="too many actions waiting"):
        pool.add(item(3, 3), 0)
    pool.add(item(4, 4, cancels=1), 0)
    with pytest.raises(LimitExceeded, match="too many actions waiting"):
        pool.add(item(5, 5, cancels=1), 0)


def test_an_accounts_own_orders_do_not_keep_its_cancels_out():
    most = ACTION_ACCOUNT_BYTES_MAX // ACTION_BYTES_MAX
    pool = filled(*[item(number, ALICE, ACTION_BYTES_MAX) for number in range(most)])
    pool.add(item(99, ALICE, cancels=1), 0)
    assert taken(pool, 1, cancels=True) == [99]


def test_no_more_cancels_wait_than_there_are_orders_to_cancel():
    """Two open orders, three more waiting, and eight for answers that cross."""
    pool = filled(item(0, orders=3), item(1, cancels=2 + 3 + CANCEL_TARGETS_EXTRA), open_orders=2)
    with pytest.raises(LimitExceeded, match="more cancels"):
        pool.add(item(2, cancels=1), 2)
    pool.add(item(3, BOB, cancels=1), 0)


def test_what_waits_adds_up_to_its_credits():
    pool = filled(item(0, orders=3), item(1), item(2, BOB), item(3, cancels=5))
    assert (pool.credits_of(ALICE), pool.credits_of(BOB), pool.credits_of(7)) == (4, 1, 0)


def test_what_the_batch_may_not_hold_is_passed_over():
    pool = filled(*[item(number) for number in range(4)])
    assert [one.nonce for one in pool.take(False, 9, 10**6, lambda one: one.nonce % 2 == 1)] == [1, 3]


def test_the_work_for_one_batch_is_bounded_whatever_waits():
    pool = filled(*[item(number, number, 1) for number in range(ACTION_LOOKS_PER_BATCH + 5)])
    looked = []
    pool.take(False, 10**6, 10**6, lambda one: bool(looked.append(one.nonce)))
    assert len(looked) == ACTION_LOOKS_PER_BATCH


def test_an_action_too_large_is_refused():
    with pytest.raises(LimitExceeded, match="too large"):
        ActionPool().add(item(1, size=ACTION_BYTES_MAX + 1), 0)
