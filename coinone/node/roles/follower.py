"""Follow the chain: check and execute batches and blocks from other nodes by the same rules.

A node that is not a federation member has no sequencer; it takes certified batches and sealed blocks from the relay. An
executed batch is logged before it is relayed, as on a leader. A follower works when a peer sends something, so it has
no schedule; its blocks are made by the pipeline, on the pipeline's schedule.
"""

from concurrent.futures import Future

from coinone.base.primitives.errors import StorageError
from coinone.base.primitives.records import decode, encode
from coinone.node.executor.core import Core
from coinone.node.roles.block_pipeline import Answer, BlockPipeline, BlockSteps
from coinone.node.storage.record import Kind, Record
from coinone.rules.chain.apply import undo_batch
from coinone.rules.chain.certified import apply_certified
from coinone.rules.chain.sealing import apply_block_steps
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block


class Follower:
    def __init__(self, core: Core, blocks: BlockPipeline) -> None:
        self._core = core
        self._blocks = blocks

    def take_batch(self, certified: CertifiedBatch) -> None:
        """Execute the next certified batch and log it. Raises InvalidBatch, StorageError or ResultsDiffer without
        changing anything."""
        core = self._core
        core.check_running()
        result = apply_certified(core.chain, certified)
        try:
            core.storage.log.append([Record(Kind.BATCH, certified.batch.seq, encode(certified))])
        except StorageError:
            undo_batch(core.chain)  # only what is stored may be read
            raise
        core.settle(result)

    def take_block(self, block: Block) -> Answer:
        """Begin the next block; return a future for the new head or the error. One block at a time; batches may
        follow meanwhile."""
        self._core.check_running()
        answer: Answer = Future()
        answer.set_running_or_notify_cancel()  # a caller that stops waiting does not cancel the block
        self._blocks.begin(self._checking(block), answer)
        return answer

    def _checking(self, block: Block) -> BlockSteps:
        core = self._core
        names = range(core.chain.head.batch_seq + 1, block.header.batch_seq + 1)
        pending = dict(core.storage.pending_batches())
        batches = [decode(CertifiedBatch, pending[seq]) for seq in names if seq in pending]
        sealed = yield from apply_block_steps(core.chain, core.storage.store, block, batches)
        return block, sealed
