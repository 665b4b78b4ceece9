"""Forced transactions: what a block lists, the next batch must carry, and it runs first in its own segment."""

from dataclasses import replace

import pytest

from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives.errors import InvalidBatch, InvalidBlock
from coinone.base.primitives.records import decode, encode
from coinone.node.roles.reporter import signed_prices
from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.forced import due_forced, split_forced
from coinone.rules.chain.sealing import apply_block, commit_block, seal_block
from coinone.rules.consensus.federation import pack_signature
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.seal import FederatedSeal
from tests.rules.chain.chain_world import (
    CHAIN_ID,
    KEYS,
    NETWORK,
    SECRETS,
    START_MS,
    World,
    account,
    l1_action,
    order,
    transfer,
)

POOR = (99).to_bytes(32, "big")


def block_of(world: World, *forced: bytes) -> Block:
    """The next block, of all that is pending, with this list; not applied."""
    header = seal_block(world.storage.store, world.chain, len(world.chain.applied), 0, forced).header
    hashes = tuple(result.batch.hash for result in world.chain.applied)
    return Block(
        header, hashes, FederatedSeal(0, pack_signature(sign(header.hash, SECRETS.federation))), forced
    )


def forcing(*forced: bytes) -> World:
    """A chain whose last block forces these."""
    world = World()
    world.batch()
    sealed = apply_block(world.chain, world.storage.store, block_of(world, *forced), world.certified)
    world.storage.store.write(sealed.changes)
    commit_block(world.chain, sealed)
    return world


def carried(world: World, *own: bytes):
    """The next batch as an honest leader makes it: what is due, then its own."""
    due = due_forced(world.chain, world.chain.head.number)
    return world.batch(*own, forced=due)


def drafted(world: World, *own: bytes):
    batch = carried(world, *own).batch
    undo_batch(world.chain)
    return batch


def test_a_forced_order_runs_before_all_others_of_its_segment_whatever_the_seed():
    asks = [order(KEYS[index], START_MS + index, 0, False, "97000", "0.01") for index in range(6)]
    for chosen in range(6):
        world = forcing(asks[chosen])
        carried(world, *[ask for index, ask in enumerate(asks) if index != chosen])
        taker = world.batch(order(KEYS[7], START_MS + 9, 0, True, "97000", "0.01", "Ioc"))
        fill = next(event for event in taker.exchange.events if type(event).__name__ == "Fill")
        assert fill.maker.account == account(chosen), "the first of equals in the book is the forced one"


def test_a_batch_that_leaves_a_forced_transaction_out_is_refused():
    world = forcing(order(KEYS[0], START_MS, 0, False, "97000", "0.01"))
    batch = drafted(world)
    for bad in (
        replace(batch, forced=0, transactions=batch.transactions[1:]),
        replace(batch, forced=0),
        replace(batch, transactions=(*batch.transactions[1:], batch.transactions[0])),
    ):
        with pytest.raises(InvalidBatch, match="forced"):
            apply_batch(world.chain, bad)
    assert apply_batch(world.chain, batch).exchange.outcomes[0].status == "executed"


def test_a_batch_that_claims_something_is_forced_is_refused():
    world = World()
    batch = drafted(world, order(KEYS[0], START_MS, 0, False, "97000", "0.01"))
    with pytest.raises(InvalidBatch, match="forced"):
        apply_batch(world.chain, replace(batch, forced=1))


def test_what_was_executed_before_its_turn_is_not_carried():
    ask, payment = order(KEYS[0], START_MS, 0, False, "97000", "0.01"), transfer(KEYS[1], 0, account(2), 5)
    world = World()
    world.batch(ask)
    world.evm_batch(payment)
    sealed = apply_block(world.chain, world.storage.store, block_of(world, ask, payment), world.certified)
    world.storage.store.write(sealed.changes)
    commit_block(world.chain, sealed)
    assert due_forced(world.chain, world.chain.head.number) == ()
    assert carried(world).batch.forced == 0


def test_forced_ethereum_transactions_wait_for_the_next_evm_batch_and_run_first_there():
    forced, own = transfer(KEYS[1], 0, account(2), 5), transfer(KEYS[0], 0, account(2), 7)
    world = forcing(forced)
    result = carried(world)  # batch 2: contracts do not run in it
    assert result.after.effects.forced == (forced,) and not result.records
    assert decode(Cursor, encode(result.after)) == result.after
    result = world.evm_batch(own)
    assert [record.sender for record in result.records] == [account(1), account(0)]
    assert result.after.effects.forced == ()


def test_one_that_cannot_run_is_skipped_and_invalidates_nothing():
    forced = transfer(POOR, 0, account(2), 5)
    world = forcing(forced)
    carried(world)
    result = world.evm_batch()
    assert [reason.split(" (")[0] for _, reason in result.skipped] == [
        "insufficient funds for gas * price + value"
    ]
    stranger = order(POOR, START_MS, 0, False, "97000", "0.01")
    world = forcing(stranger)
    assert carried(world).exchange.outcomes[0].status == "skipped"


def test_a_forced_action_that_is_skipped_burns_nothing():
    late = l1_action(KEYS[0], START_MS, {"type": "noop"}, expires_after=START_MS - 1)
    world = forcing(late)
    used = int(world.chain.exchange.rows.accounts["credits_used"][0])
    assert carried(world).exchange.outcomes[0].status == "skipped"
    assert world.chain.exchange.ledger.nonces.get(account(0)) is None
    assert int(world.chain.exchange.rows.accounts["credits_used"][0]) == used


def test_forced_transactions_are_no_part_of_the_batch_s_limits():
    forced = order(KEYS[0], START_MS, 0, False, "97000", "0.01")
    world = forcing(forced)
    batch = drafted(world)
    size = sum(map(len, batch.transactions[1:]))
    world.chain.network = replace(NETWORK, batches=replace(NETWORK.batches, bytes_max=size, actions_max=1))
    assert apply_batch(world.chain, batch).batch.forced == 1


def test_gas_of_forced_transactions_comes_off_the_batch_s():
    world = forcing(transfer(KEYS[1], 0, account(2), 5, gas=60_000))
    carried(world)
    batch = world.evm_batch(transfer(KEYS[0], 0, account(2), 7, gas=60_000)).batch
    undo_batch(world.chain)
    gas = {"evm_gas": 100_000, "wide_gas": 100_000}
    world.chain.network = replace(NETWORK, batches=replace(NETWORK.batches, **gas))
    with pytest.raises(InvalidBatch, match="too much gas"):
        apply_batch(world.chain, batch)


def test_what_the_gas_does_not_suffice_for_waits_for_the_batch_after():
    world = World()
    queue = [world.chain.verify(transfer(KEYS[index], 0, account(9), 1, gas=60_000)) for index in range(3)]
    now, later = split_forced(queue, 130_000)
    assert (now, later) == (queue[:2], queue[2:])
    assert split_forced(queue, 59_999) == ([], queue)


def test_a_list_is_bounded_and_its_entries_can_be_verified():
    small = replace(NETWORK, blocks=replace(NETWORK.blocks, forced_bytes=300))
    poor_gas = replace(NETWORK, batches=replace(NETWORK.batches, evm_gas=150_000))
    ask = order(KEYS[0], START_MS, 0, False, "97000", "0.01")
    prices = signed_prices(CHAIN_ID, START_MS, ((0, 97_000),), SECRETS.reporter)
    payments = [transfer(KEYS[index], 0, account(2), 5) for index in (1, 2)]  # 100,000 gas each
    for network, forced, match in (
        (small, (ask, *payments), "too many bytes"),
        (poor_gas, tuple(payments), "too much gas forced"),
        (NETWORK, (b"\x70junk",), "invalid forced"),
        (NETWORK, (prices,), "prices"),
        (NETWORK, (ask, ask), "twice"),
    ):
        world = World()
        world.batch()
        block = block_of(world, *forced)
        world.chain.network = network
        if network is poor_gas:
            block = replace(block, header=replace(block.header, gas_limit=network.block_gas_limit))
            block = replace(
                block, seal=FederatedSeal(0, pack_signature(sign(block.hash, SECRETS.federation)))
            )
        with pytest.raises(InvalidBlock, match=match):
            apply_block(world.chain, world.storage.store, block, world.certified)


def test_a_list_that_is_not_the_header_s_is_refused():
    world = World()
    world.batch()
    block = block_of(world, order(KEYS[0], START_MS, 0, False, "97000", "0.01"))
    with pytest.raises(InvalidBlock, match="not those of the header"):
        apply_block(world.chain, world.storage.store, replace(block, forced=()), world.certified)


def test_list_and_count_survive_being_written_down():
    world = World()
    world.batch()
    block = block_of(world, order(KEYS[0], START_MS, 0, False, "97000", "0.01"))
    assert decode(Block, encode(block)) == block
    batch = drafted(forcing(*block.forced))
    assert decode(Batch, batch.encoded) == batch and decode(Batch, batch.encoded).hash == batch.hash
