"""Limits of a batch shrink while batches wait for blocks, for cancels last: figures of rules/chain/batch_limits.py."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.primitives.errors import InvalidBatch
from coinone.node.networks import load_network
from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.batch_limits import limits_of
from tests.rules.chain.chain_world import KEYS, NETWORK, World, account, l1_action, order, transfer

CADENCE = replace(
    load_network("main").batches,
    actions_max=4_000,
    bytes_max=8_000,
    evm_gas=2_000_000,
    wide_gas=16_777_216,
    unincluded_full=512,
    unincluded_max=2_048,
)
BASE = World().chain.head


def limits(seq: int, waiting: int):
    return limits_of(CADENCE, seq, replace(BASE, batch_seq=seq - waiting))


@pytest.mark.parametrize(
    ("waiting", "all_kinds", "ordinary"),
    [
        (1, 4_000, 3_000),
        (512, 4_000, 3_000),
        (1_280, 4_000, 1_500),
        (2_048, 4_000, 0),
        (2_816, 2_000, 0),
        (3_584, 0, 0),
        (9_999, 0, 0),
    ],
)
def test_the_more_batches_wait_for_blocks_the_less_a_batch_may_hold(waiting, all_kinds, ordinary):
    found = limits(10_000, waiting)
    assert (found.transactions, found.ordinary_transactions) == (all_kinds, ordinary)
    assert (found.bytes, found.ordinary_bytes) == (2 * all_kinds, 2 * ordinary)


def test_gas_shrinks_with_the_rest():
    assert limits(10_040, 10).gas == 16_777_216  # a wide batch
    assert limits(10_040, 1_280).gas == 8_388_608
    assert limits(10_004, 1_280).gas == 1_000_000  # a small one
    assert limits(10_004, 2_048).gas == 0


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_longer_queue_never_widens_a_limit(one, other):
    less, more = sorted((one, other))
    wide, narrow = limits(40_000, less), limits(40_000, more)
    for name in ("bytes", "transactions", "ordinary_bytes", "ordinary_transactions", "gas"):
        assert getattr(wide, name) >= getattr(narrow, name)


def squeezed(**terms) -> World:
    """A chain whose next batch is number 5, with no block yet: five batches will have waited."""
    world = World()
    for _ in range(4):
        world.batch()
    world.chain.network = replace(NETWORK, batches=replace(NETWORK.batches, **terms))
    return world


def drafted(world: World, *transactions: bytes):
    """The next batch with these, made under the network's own limits."""
    network, world.chain.network = world.chain.network, NETWORK
    world.batch(*transactions)
    batch = undo_batch(world.chain).batch
    world.chain.network = network
    return batch


def cancel(key: bytes, nonce: int) -> bytes:
    return l1_action(key, nonce, {"type": "cancel", "cancels": [{"a": 0, "o": 1}]})


def test_cancels_and_prices_pass_where_nothing_else_does():
    world = squeezed(unincluded_full=1, unincluded_max=5)
    assert len(apply_batch(world.chain, drafted(world, cancel(KEYS[0], world.now_ms))).exchange.outcomes) == 1
    world = squeezed(unincluded_full=1, unincluded_max=5)
    with pytest.raises(InvalidBatch, match="but for cancels"):
        apply_batch(world.chain, drafted(world, order(KEYS[0], world.now_ms, 0, True, "90000", "0.01")))


def test_contracts_have_no_gas_while_too_many_batches_wait():
    world = World()
    for _ in range(3):
        world.batch()
    world.chain.network = replace(
        NETWORK, batches=replace(NETWORK.batches, unincluded_full=1, unincluded_max=4, evm_gas=50_000)
    )
    with pytest.raises(InvalidBatch, match="but for cancels"):
        apply_batch(world.chain, drafted(world, transfer(KEYS[0], 0, account(1), 1, gas=50_000)))


def test_beyond_everything_a_batch_may_still_be_empty():
    world = squeezed(unincluded_full=1, unincluded_max=2)
    batch = drafted(world)
    with pytest.raises(InvalidBatch, match="too many"):
        apply_batch(world.chain, batch)  # it holds the oracle's prices
    assert apply_batch(world.chain, replace(batch, transactions=())).after.seq == 5
