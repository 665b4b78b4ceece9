"""Verifying a chain whose leader came to a block's forced transactions long after the block."""

import pytest

from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives.records import encode
from coinone.node.recovery.verify import verify_chain
from coinone.node.views.archive import commit_of
from coinone.protocols.sequencer.effects import Certified, Execute
from coinone.protocols.sequencer.sequencer import Draft
from coinone.rules.chain import state
from coinone.rules.chain.apply import apply_batch
from coinone.rules.chain.sealing import commit_block, seal_block
from coinone.rules.consensus.federation import pack_signature
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.seal import FederatedSeal
from tests.rules.chain.chain_world import KEYS, NETWORK, SECRETS, START_MS, World, order


def batch_on(world: World, base: Header, *forced: bytes) -> None:
    world.now_ms += 250
    draft = Draft(base.number, base.hash, 0, forced, len(forced))
    for effect in world.sequencer.propose(world.now_ms, draft):
        if isinstance(effect, Execute):
            result = apply_batch(world.chain, effect.batch)
            done = world.sequencer.executed(result.after, result.digest)
            world.certified += [after.certified for after in done if isinstance(after, Certified)]


def block(world: World, *forced: bytes) -> None:
    """Of the batch that is pending, with this list."""
    sealed = seal_block(world.storage.store, world.chain, 1, 0, forced)
    header, entry = sealed.header, world.certified[-1]
    seal = FederatedSeal(0, pack_signature(sign(header.hash, SECRETS.federation)))
    made = Block(header, (entry.batch.hash,), seal, forced)
    world.storage.commit_block(commit_of(made, sealed, {entry.batch.seq: encode(entry)}))
    commit_block(world.chain, sealed)


def test_a_list_that_memory_has_let_go_is_read_from_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: two headers are kept in memory. Block 1 forces an order; the batches of blocks 1 to 4 stand on genesis,
    that of block 5 on block 4, so that it carries the order, when the list of block 1 is no longer in memory."""
    monkeypatch.setattr(state, "HEADERS_IN_MEMORY_MAX", 2)
    world, ask = World(), order(KEYS[0], START_MS, 0, False, "97000", "0.01")
    genesis = world.chain.head
    for number in range(1, 5):
        batch_on(world, genesis)
        block(world, *([ask] if number == 1 else []))
    batch_on(world, world.chain.head, ask)
    block(world)
    assert verify_chain(NETWORK, world.storage) == world.chain.head
