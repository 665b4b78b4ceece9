"""The pool of exchange actions."""

import pytest

from coinone.base.primitives.errors import InvalidAction, LimitExceeded
from coinone.base.primitives.limits import ACTION_ACCOUNT_BYTES_MAX, ACTION_BYTES_MAX
from coinone.protocols.txpool.actions import ActionPool, Waiting

ALICE, BOB = b"\x0a" * 20, b"\x0b" * 20


def item(number: int, signer: bytes = ALICE, size: int = 100) -> Waiting[None]:
    return Waiting(bytes(size), number.to_bytes(32, "big"), signer, None)


def test_actions_are_taken_oldest_first_and_stay_until_removed():
    pool: ActionPool[None] = ActionPool()
    for number in range(3):
        pool.add(item(number))
    assert [waiting.hash[-1] for waiting in pool.take(2, 10**6)] == [0, 1]
    pool.remove(waiting.hash for waiting in pool.take(2, 10**6))
    assert [waiting.hash[-1] for waiting in pool.take(2, 10**6)] == [2]


def test_no_more_bytes_are_taken_than_fit():
    pool: ActionPool[None] = ActionPool()
    for number in range(3):
        pool.add(item(number))
    assert len(pool.take(10, 250)) == 2


def test_the_same_action_waits_once():
    pool: ActionPool[None] = ActionPool()
    pool.add(item(1))
    with pytest.raises(InvalidAction, match="already known"):
        pool.add(item(1))


def test_one_signer_cannot_crowd_out_another():
    pool: ActionPool[None] = ActionPool()
    most = ACTION_ACCOUNT_BYTES_MAX // ACTION_BYTES_MAX
    for number in range(most):
        pool.add(item(number, ALICE, ACTION_BYTES_MAX))
    with pytest.raises(LimitExceeded, match="this signer"):
        pool.add(item(most, ALICE))
    pool.add(item(most + 1, BOB))
    pool.remove([item(0).hash])
    pool.add(item(most, ALICE))


def test_the_pool_as_a_whole_is_bounded():
    pool: ActionPool[None] = ActionPool(bytes_max=150)
    pool.add(item(1))
    with pytest.raises(LimitExceeded, match="too many actions waiting"):
        pool.add(item(2, BOB))


def test_an_action_too_large_is_refused():
    with pytest.raises(LimitExceeded, match="too large"):
        ActionPool().add(item(1, size=ACTION_BYTES_MAX + 1))
