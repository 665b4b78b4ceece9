"""Follow the chain: check and execute batches and blocks from other nodes by the same rules.

A node that is not a federation member has no sequencer; it takes certified batches and sealed blocks from the relay. An
executed batch is logged before it is relayed, as on a leader. The role is due as soon as an item is received, or, for a
block, once the pipeline, which makes one block at a time, is free; only the relay knows which item comes next, and when
a peer must be asked again.
"""

from concurrent.futures import Future
from typing import TypeAlias

from coinone.base.primitives.errors import InvalidInput, StorageError
from coinone.base.primitives.records import decode, encode
from coinone.node.executor.core import Core
from coinone.node.roles.block_pipeline import BlockPipeline, BlockSteps
from coinone.node.roles.role import NEVER
from coinone.node.storage.record import Kind, Record
from coinone.rules.chain.apply import undo_batch
from coinone.rules.chain.certified import apply_certified
from coinone.rules.chain.sealing import apply_block_steps
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block

Item: TypeAlias = CertifiedBatch | Block


class Follower:
    """The role that executes what other nodes made, one item at a time."""

    def __init__(self, core: Core, blocks: BlockPipeline) -> None:
        self._core = core
        self._blocks = blocks
        self._waiting: Item | None = None
        self._answer: Future[None] | None = None  # of the item that waits or is being applied

    def receive(self, item: Item) -> Future[None]:
        """Take the item that follows. The future ends once it is applied, or with the error: InvalidInput if the item
        breaks a rule, any other after it has halted the node."""
        self._core.check_running()
        assert self._answer is None, "the item before is being applied"
        self._waiting, self._answer = item, Future()
        self._answer.set_running_or_notify_cancel()  # a caller that stops waiting does not cancel the item
        return self._answer

    def due(self) -> float:
        if self._waiting is None or (isinstance(self._waiting, Block) and self._blocks.is_busy):
            return NEVER
        return 0.0

    def work(self, now: float) -> None:
        """Execute the batch that waits, or begin the block."""
        item, self._waiting = self._waiting, None
        if isinstance(item, Block):
            self._blocks.begin(self._checking(item), self._finish)
            return
        assert item is not None, "an item waits"
        try:
            self._execute(item)
        except Exception as error:
            self._finish(error)
        else:
            self._finish(None)

    def stop(self) -> None:
        """Answer the caller that waits for an item: the node is stopping."""
        if self._answer is not None:
            self._answer.set_exception(StorageError("node stopped before the item was applied"))

    def _execute(self, certified: CertifiedBatch) -> None:
        """Execute the next certified batch and log it. Raises InvalidBatch, StorageError or ResultsDiffer without
        changing anything."""
        core = self._core
        result = apply_certified(core.chain, certified)
        try:
            core.storage.log.append([Record(Kind.BATCH, certified.batch.seq, encode(certified))])
        except StorageError:
            undo_batch(core.chain)  # only what is stored may be read
            raise
        core.settle(result)

    def _checking(self, block: Block) -> BlockSteps:
        core = self._core
        names = range(core.chain.head.batch_seq + 1, block.header.batch_seq + 1)
        pending = dict(core.storage.pending_batches())
        batches = [decode(CertifiedBatch, pending[seq]) for seq in names if seq in pending]
        sealed = yield from apply_block_steps(core.chain, core.storage.store, block, batches)
        return block, sealed

    def _finish(self, error: Exception | None) -> None:
        """Answer. What is not the sender's fault halts the node first: who waits looks whether it did."""
        answer, self._answer = self._answer, None
        assert answer is not None, "an item is being applied"
        if error is None:
            answer.set_result(None)
            return
        if not isinstance(error, InvalidInput):
            self._core.halt(error)
        answer.set_exception(error)
