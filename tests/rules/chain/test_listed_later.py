"""A chain whose batch lists a market: its best prices, what contracts read of it, its roots, and undo."""

import pytest
from eth_abi import encode

from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.bridge.own import Whole
from coinone.rules.chain.bridge.precompiles import OWN
from coinone.rules.chain.sealing import seal_block
from coinone.rules.exchange.state.leaves import all_leaves, market_key
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.exchange.state.root import LeafStore
from tests.rules.chain.chain_world import KEYS, NETWORK, World, account, l1_action
from tests.rules.chain.test_exchange_seen import GAS, arguments, seen
from tests.rules.exchange.listing import add_to_table, says

LISTED = len(NETWORK.markets)
NEXT = LISTED + 1  # the tables have room for one more than genesis lists, and grow with this one


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    add_to_table(monkeypatch)
    world = World()
    world.batch()
    return world


def listing(world: World, turn: int = 0) -> bytes:
    return l1_action(KEYS[0], world.now_ms + turn, says(f"NEW{turn}", 2, 250_000))


def test_every_reader_of_contracts_answers_about_a_market_that_a_batch_listed(world: World) -> None:
    world.batch(listing(world), listing(world, 1))
    assert world.chain.applied[-1].bests == ((0, 0),) * (NEXT + 1)
    whole, leaves = Whole(world.chain.exchange), seen(world)
    of_markets = [own for own in OWN.values() if any("market" in name for name in own.arguments)]
    assert len(of_markets) == 6  # position twice, mark, oracle, asset info, bbo
    for own in of_markets:
        data = arguments(own.arguments, account(0), NEXT)
        assert own.run(leaves, data, GAS) == own.run(whole, data, GAS), own.answer
    info = OWN[(0x080A).to_bytes(20, "big")]
    _, answer = info.run(leaves, encode(["uint32"], [NEXT]), GAS)
    assert b"NEW1" in answer


def test_a_batch_that_listed_a_market_is_undone_and_executed_again_the_same(world: World) -> None:
    before = dict(all_leaves(world.chain.exchange)), world.chain.applied[-1].bests
    first = world.batch(listing(world), listing(world, 1))
    header = seal_block(world.storage.store, world.chain, len(world.chain.applied), 0).header
    undo_batch(world.chain)
    assert (dict(all_leaves(world.chain.exchange)), world.chain.applied[-1].bests) == before
    again = apply_batch(world.chain, first.batch)
    assert (again.digest, again.bests) == (first.digest, first.bests)
    assert seal_block(world.storage.store, world.chain, len(world.chain.applied), 0).header == header


def test_the_root_of_a_node_that_ran_on_is_that_of_one_that_began_from_the_leaves(world: World) -> None:
    store = LeafStore(dict(all_leaves(world.chain.exchange)))
    store.update(world.batch(listing(world), listing(world, 1)).exchange.leaves)
    leaves = dict(all_leaves(world.chain.exchange))
    assert {market_key(LISTED), market_key(NEXT)} <= leaves.keys()
    assert LeafStore(leaves).root() == store.root()
    rebuilt = exchange_from_leaves(world.chain.exchange.config, reversed(list(leaves.items())))
    assert dict(all_leaves(rebuilt)) == leaves
