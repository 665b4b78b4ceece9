"""Following: batches and blocks that others made, checked and executed by the same rules.

A node that is no member of the federation has no sequencer; it takes certified batches and sealed blocks from
the relay. What it has once executed is logged before it is passed on, as in a leader.
"""

from collections.abc import Callable

from coinone.base.primitives.errors import InvalidBatch, StorageError
from coinone.node.executor.core import Core
from coinone.node.storage.record import Kind, Record
from coinone.node.views.archive import commit_of
from coinone.node.views.published import NewBlock
from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.sealing import SealedBlock, apply_block_steps, commit_block
from coinone.rules.consensus.federation import check_certificate
from coinone.rules.ledger.batch import CertifiedBatch, decode_certified
from coinone.rules.ledger.block import Block
from coinone.rules.state.steps import advance


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
    try:
        core.storage.log.append([Record(Kind.BATCH, batch.seq, certified.encode())])
    except StorageError:
        undo_batch(chain)  # what is read must be what is kept
        raise
    core.settle(result)


class FollowedBlock:
    """The next block on its way to our disk: checked and sealed in slices on the executor, written beside it, taken in.
    One at a time; batches may follow meanwhile. Raises InvalidBlock on the way if it breaks a rule."""

    def __init__(self, core: Core, block: Block) -> None:
        _check_running(core)
        self._core, self._block = core, block
        pending = dict(core.storage.pending_batches())
        names = range(core.chain.head.batch_seq + 1, block.header.batch_seq + 1)
        self._batches = {seq: pending[seq] for seq in names if seq in pending}
        batches = [decode_certified(raw) for raw in self._batches.values()]
        self._steps = apply_block_steps(core.chain, core.storage.store, block, batches)
        self._sealed: SealedBlock | None = None

    def advance(self, has_time: Callable[[], bool]) -> bool:
        """Whether it is sealed."""
        self._sealed = advance(self._steps, has_time)
        return self._sealed is not None

    def write(self) -> None:
        """On any thread, once it is sealed."""
        assert self._sealed is not None
        self._core.storage.write_block(commit_of(self._block, self._sealed, self._batches))

    def take_in(self) -> NewBlock:
        """It is on disk: make it the head."""
        assert self._sealed is not None
        self._core.storage.block_written(self._block.header.batch_seq)
        commit_block(self._core.chain, self._sealed)
        return NewBlock(self._block, self._sealed.placed.rows)


def follow_block(core: Core, block: Block) -> NewBlock:
    """All at once, where nothing else goes on."""
    following = FollowedBlock(core, block)
    following.advance(lambda: True)
    following.write()
    new = following.take_in()
    core.note_block()
    return new


def _check_running(core: Core) -> None:
    if core.halted is not None:
        raise StorageError(f"node halted: {core.halted}")
