"""Mode A ends after 60 blocks without a batch; until mode B is built, what would be in it is refused by name."""

from dataclasses import replace

import pytest

from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives.errors import NotSupported
from coinone.node.executor.core import Core
from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.sealing import apply_block, commit_block, seal_block
from coinone.rules.consensus.federation import Federation, pack_signature
from coinone.rules.consensus.mode import EMPTY_BLOCKS_MAX, empty_blocks, is_mode_b
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.seal import FederatedSeal
from tests.node.leading import leader_of
from tests.rules.chain.chain_world import SECRETS, World

ANYBODY = Federation((b"\x01" * 20,))


def headers(batch_seqs):
    """A chain of headers that carry batches up to these."""
    base = World().chain.head
    return {number: replace(base, number=number, batch_seq=seq) for number, seq in enumerate(batch_seqs)}


@pytest.mark.parametrize(
    ("batch_seqs", "empty"),
    [
        ([0], 0),
        ([0, 1], 0),
        ([0, 0], 1),
        ([0, 1, 1, 1], 2),
        ([0] * 60, 59),
        ([0] * 61, 60),
        ([0, 5] + [5] * 59, 59),
        ([0, 5] + [5] * 60, 60),
        ([0, 5] + [5] * 200, 60),
    ],
)
def test_the_last_blocks_without_a_batch_are_counted_up_to_sixty(batch_seqs, empty):
    chain = headers(batch_seqs)
    last = chain[len(batch_seqs) - 1]
    assert empty_blocks(last, chain.get) == empty
    assert is_mode_b(ANYBODY, last, chain.get) == (empty == 60)


def test_without_members_every_block_is_of_mode_b():
    chain = headers([0, 1])
    assert is_mode_b(Federation(()), chain[1], chain.get)


def silent(blocks: int) -> World:
    """A chain that certified nothing for so many blocks, after one that carries a batch."""
    world = World()
    world.batch()
    for count in [1] + [0] * blocks:
        sealed = seal_block(world.storage.store, world.chain, count, 0)
        world.storage.store.write(sealed.changes)
        commit_block(world.chain, sealed)
    return world


def test_a_batch_after_fifty_nine_empty_blocks_is_applied():
    world = silent(EMPTY_BLOCKS_MAX - 1)
    assert world.batch().after.seq == 2


def test_a_certified_batch_after_sixty_empty_blocks_is_refused_by_name():
    world = silent(EMPTY_BLOCKS_MAX - 1)
    world.batch()
    batch = undo_batch(world.chain).batch
    sealed = seal_block(world.storage.store, world.chain, 0, 0)
    world.storage.store.write(sealed.changes)
    commit_block(world.chain, sealed)
    with pytest.raises(NotSupported, match="mode B"):
        apply_batch(world.chain, batch)


def test_a_block_after_sixty_empty_blocks_is_refused_by_name():
    world = silent(EMPTY_BLOCKS_MAX)
    header = seal_block(world.storage.store, world.chain, 0, 0).header
    block = Block(header, (), FederatedSeal(0, pack_signature(sign(header.hash, SECRETS.federation))))
    with pytest.raises(NotSupported, match="mode B"):
        apply_block(world.chain, world.storage.store, block, [])


def test_a_block_maker_leaves_out_the_empty_block_that_would_end_mode_a():
    world = silent(EMPTY_BLOCKS_MAX - 2)
    leader = leader_of(Core(world.chain, world.storage, SECRETS, lambda published: None))
    leader.begin_block()
    assert leader.blocks.is_busy, "one more empty block is lawful"
    leader.blocks.abandon()
    world = silent(EMPTY_BLOCKS_MAX - 1)
    leader = leader_of(Core(world.chain, world.storage, SECRETS, lambda published: None))
    leader.begin_block()
    assert not leader.blocks.is_busy
