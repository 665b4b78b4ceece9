"""Following: batches and blocks that others made, checked and executed by the same rules.

A node that is no member of the federation has no sequencer; it takes certified batches and sealed blocks from
the relay. What it has once executed is logged before it is passed on, as in a leader.
"""

from coinone.base.primitives.errors import InvalidBatch, StorageError
from coinone.node.runtime.archive import commit_of
from coinone.node.runtime.core import Core
from coinone.node.runtime.published import NewBlock
from coinone.node.storage.record import Kind, Record
from coinone.rules.chain.apply import apply_batch
from coinone.rules.chain.batch import CertifiedBatch, decode_certified
from coinone.rules.chain.block import Block
from coinone.rules.chain.blocks import apply_block, commit_block
from coinone.rules.consensus.federation import check_certificate


def follow_batch(core: Core, certified: CertifiedBatch) -> None:
    """Execute the next certified batch and log it. Raises InvalidBatch; then nothing changed."""
    chain, batch, certificate = core.chain, certified.batch, certified.certificate
    _check_running(core)
    if (certificate.seq, certificate.batch_hash) != (batch.seq, batch.hash):
        raise InvalidBatch("certificate is for another batch", seq=batch.seq)
    check_certificate(certificate, chain.network.chain_id, chain.federation)
    result = apply_batch(chain, batch)
    # A quorum vouches for other results than ours: one of us is wrong, and to go on would hide which.
    assert result.digest == certificate.results, f"batch {batch.seq} gives other results than were certified"
    core.storage.log.append([Record(Kind.BATCH, batch.seq, certified.encode())])
    core.settle(result)


def follow_block(core: Core, block: Block) -> NewBlock:
    """Check the next block against the batches executed here, and commit it. Raises InvalidBlock."""
    chain, storage = core.chain, core.storage
    _check_running(core)
    pending = dict(storage.pending_batches())
    names = range(chain.head.batch_seq + 1, block.header.batch_seq + 1)
    raw = {seq: pending[seq] for seq in names if seq in pending}
    sealed = apply_block(chain, storage.store, block, [decode_certified(raw[seq]) for seq in raw])
    storage.commit_block(commit_of(block, sealed, raw))
    commit_block(chain, sealed)
    core.note_block()
    return NewBlock(block, sealed.placed.rows)


def _check_running(core: Core) -> None:
    if core.halted is not None:
        raise StorageError(f"node halted: {core.halted}")
