"""A batch whose valid certificate is for other results than this node computes: nothing changes, no peer is blamed."""

from dataclasses import replace
from pathlib import Path

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidInput, StorageError
from coinone.base.primitives.records import decode, encode
from coinone.node.clock import SystemClock
from coinone.node.executor.core import Core
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.recovery.verify import verify_chain
from coinone.node.roles.block_pipeline import BlockPipeline, at_once
from coinone.node.roles.follower import Follower
from coinone.node.storage.record import Kind, Record
from coinone.node.storage.storage import Storage, open_storage
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.chain.certified import ResultsDiffer, apply_certified
from coinone.rules.chain.sealing import apply_block
from coinone.rules.consensus.federation import certificate_of, sign_vote
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.certificate import Vote, VoteKind
from tests.node.leading import leader_of
from tests.rules.chain.chain_world import CHAIN_ID, KEYS, NETWORK, SECRETS, START_MS, World, order
from tests.rules.chain.test_blocks import seal, sealed_by_member

OTHER_RESULTS = b"\x11" * 32
MAP = 2**27


def with_other_results(certified: CertifiedBatch) -> CertifiedBatch:
    """Signed by the whole federation, which is one member."""
    batch = certified.batch
    vote = Vote(VoteKind.COMMIT, batch.term, batch.seq, batch.hash, OTHER_RESULTS)
    return CertifiedBatch(batch, certificate_of([sign_vote(vote, CHAIN_ID, 0, SECRETS.federation)]))


def image(world: World) -> tuple[object, ...]:
    chain = world.chain
    return chain.cursor, len(chain.applied), chain.exchange.rows.live_orders


def traded() -> World:
    world = World()
    world.batch(order(KEYS[0], START_MS, 0, True, "90000", "0.01"))
    return world


def test_other_results_than_ours_change_nothing_and_are_not_the_senders_fault() -> None:
    first, second = traded(), World()
    before = image(second)
    with pytest.raises(ResultsDiffer, match="batch 1 gives other results") as found:
        apply_certified(second.chain, with_other_results(first.certified[0]))
    assert not isinstance(found.value, InvalidInput) and image(second) == before
    assert apply_certified(second.chain, first.certified[0]).digest == first.certified[0].certificate.results
    assert image(second)[2] == image(first)[2] == 1


def test_a_block_with_such_a_batch_is_not_taken_in() -> None:
    first, second = traded(), World()
    block = seal(first)
    with pytest.raises(ResultsDiffer):
        apply_block(second.chain, second.storage.store, block, [with_other_results(first.certified[0])])
    assert image(second) == image(World())


def opened(folder: Path) -> tuple[Core, Storage]:
    storage = open_storage(folder, identity_of(NETWORK), MAP)
    chain = open_chain(NETWORK, storage, SECRETS, START_MS)
    return Core(chain, storage, SECRETS, lambda published: None), storage


def test_a_follower_keeps_no_such_batch(tmp_path: Path) -> None:
    core, storage = opened(tmp_path)
    first, follower = traded(), Follower(core, BlockPipeline(core, SystemClock(), at_once))
    answer = follower.receive(with_other_results(first.certified[0]))
    follower.work(0)
    assert isinstance(answer.exception(0), ResultsDiffer) and "gives other results" in str(core.halted)
    assert core.chain.cursor.seq == 0 and not storage.log.batches
    storage.close()
    core, storage = opened(tmp_path)
    follower = Follower(core, BlockPipeline(core, SystemClock(), at_once))
    answer = follower.receive(first.certified[0])
    follower.work(0)
    assert answer.result(0) is None and core.chain.cursor.seq == 1 and list(storage.log.batches) == [1]
    storage.close()


def answer_to(block: Block, folder: Path) -> tuple[BaseException | None, Core]:
    """What a follower that has the batches answers to `block`."""
    core, storage = opened(folder)
    pipeline = BlockPipeline(core, SystemClock(), at_once)
    follower = Follower(core, pipeline)
    follower.receive(traded().certified[0])
    follower.work(0)
    answer = follower.receive(block)
    follower.work(0)
    while not answer.done():
        pipeline.work(0)
    storage.close()
    return answer.exception(0), core


def test_a_follower_halts_at_a_block_that_a_member_sealed_with_another_root(tmp_path: Path) -> None:
    """It dropped the honest peer every two seconds, and reported that it was alone."""
    block = seal(traded())
    wrong = replace(block.header, exchange_root=OTHER_RESULTS)
    error, core = answer_to(sealed_by_member(wrong, block.batch_hashes), tmp_path / "wrong")
    assert isinstance(error, ResultsDiffer) and core.chain.head.number == 0
    assert f"sealed with exchange_root 0x{'11' * 32}" in str(core.halted)
    assert f"here it is 0x{block.header.exchange_root.hex()}" in str(core.halted)
    error, core = answer_to(block, tmp_path / "right")
    assert error is None and core.halted is None and core.chain.head == block.header


def test_nobody_without_a_members_key_halts_a_follower_with_a_block(tmp_path: Path) -> None:
    """The seal covers the header; what stands beside it is compared with the header first."""
    block = seal(traded())
    wrong = replace(block.header, exchange_root=OTHER_RESULTS)
    for number, forged in enumerate(
        (
            replace(block, header=wrong),
            sealed_by_member(wrong, block.batch_hashes, keccak256(b"stranger")),
            replace(block, forced=(b"more",)),
            replace(block, batch_hashes=()),
            replace(block, batch_hashes=(OTHER_RESULTS,)),
            replace(block, batch_hashes=block.batch_hashes * 2),
        )
    ):
        error, core = answer_to(forged, tmp_path / str(number))
        assert isinstance(error, InvalidInput) and core.halted is None, forged


def test_a_log_with_such_a_batch_does_not_open(tmp_path: Path) -> None:
    _, storage = opened(tmp_path)
    wrong = with_other_results(traded().certified[0])
    storage.log.append([Record(Kind.BATCH, 1, encode(wrong))])
    storage.close()
    with pytest.raises(StorageError, match="does not apply: batch 1 gives other results than were certified"):
        opened(tmp_path)


def test_a_folder_with_such_a_batch_in_a_block_does_not_verify(tmp_path: Path) -> None:
    core, storage = opened(tmp_path)
    core.close_batch(START_MS + 250)
    leader_of(core).finish_block()
    assert verify_chain(NETWORK, storage).number == 1
    wrong = with_other_results(decode(CertifiedBatch, storage.blocks.batch(1)))
    storage.store.write({NodeTable.BATCH: {u64(1): encode(wrong)}})
    with pytest.raises(StorageError, match="block 1 does not verify: batch 1 gives other results"):
        verify_chain(NETWORK, storage)
    storage.close()
