"""What a contract on trial reads from leaves is what it would read from the exchange in memory."""

import pytest
from eth_abi import encode

from coinone.rules.chain.bridge.own import Whole
from coinone.rules.chain.bridge.precompiles import OWN
from coinone.rules.chain.bridge.seen import BESTS_KEY, ExchangeSeen, encode_bests, numbers_of
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.state.database import MemoryDatabase, Table
from tests.rules.chain.chain_world import KEYS, World, account, order

STRANGER = b"\xee" * 20
GAS = 1_000_000
BBO = OWN[(0x080E).to_bytes(20, "big")]


def traded() -> World:
    """Account 1 is long against 0; account 2 rests on both sides of BTC, account 3 on one of ETH."""
    world = World()
    world.batch(order(KEYS[0], world.now_ms, 0, False, "97000", "0.02"))
    world.batch(order(KEYS[1], world.now_ms, 0, True, "97000", "0.02", "Ioc"))
    world.batch(
        order(KEYS[2], world.now_ms, 0, True, "96900", "0.01"),
        order(KEYS[2], world.now_ms + 1, 0, False, "97100", "0.01"),
    )
    return world


def seen(world: World) -> ExchangeSeen:
    """Over what is on disk after a block: the leaves, the numbers of their accounts, the best prices."""
    chain, database = world.chain, MemoryDatabase()
    leaves = dict(all_leaves(chain.exchange))
    database.write({
        Table.EXCHANGE: leaves,
        Table.EXCHANGE_NUMBER: dict(numbers_of(leaves)),
        Table.META: {BESTS_KEY: encode_bests(chain.applied[-1].bests)},
    })  # fmt: skip
    return ExchangeSeen(chain.exchange.config, database)


def arguments(named: tuple[str, ...], who: bytes, market: int) -> bytes:
    types = [argument.split()[0] for argument in named]
    return encode(types, [who if name == "address" else market for name in types])


@pytest.mark.parametrize("who", [account(0), account(1), account(2), account(3), STRANGER])
def test_every_reader_answers_alike(who: bytes) -> None:
    world = traded()
    whole, leaves = Whole(world.chain.exchange), seen(world)
    for own in OWN.values():
        data = arguments(own.arguments, who, 0)
        assert own.run(leaves, data, GAS) == own.run(whole, data, GAS), own.answer


def test_best_prices_are_those_after_the_last_batch() -> None:
    world = traded()
    for market in range(3):
        data = encode(["uint32"], [market])
        assert BBO.run(seen(world), data, GAS) == BBO.run(Whole(world.chain.exchange), data, GAS)
    # BTC has one decimal: 96,900 and 97,100
    assert world.chain.applied[-1].bests == ((969_000, 971_000), (0, 0), (0, 0))


def test_a_batch_that_touches_no_book_keeps_the_best_prices() -> None:
    world = traded()
    before = world.chain.applied[-1].bests
    world.batch()
    assert world.chain.applied[-1].bests == before
