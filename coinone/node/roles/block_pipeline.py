"""Blocks on their way to the disk: sealed in slices between batches, then one atomic commit beside them (D7).

A leader feeds its own blocks in, a follower those that it was given; from there on they go one way. The commit reads
and writes every row that the block changed, and waits for the disk, so it runs on a thread of its own. It works on
frozen values only. Until it is done the block is nowhere: batches go on above it as before, and a crash finds them in
the log.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.primitives.errors import InvalidInput, StorageError
from coinone.node.clock import Clock, for_ms
from coinone.node.executor.core import Core
from coinone.node.limits import SEAL_SLICE_MS, SOLVENCY_CHECK_BLOCKS
from coinone.node.roles.role import NEVER
from coinone.node.views.archive import commit_of
from coinone.node.views.published import NewBlock
from coinone.rules.chain.invariants import check_solvency
from coinone.rules.chain.sealing import SealedBlock, commit_block
from coinone.rules.ledger.block import Block
from coinone.rules.state.steps import Steps, advance

Job: TypeAlias = Callable[[], None]
Background: TypeAlias = Callable[[Job], Future[None]]  # runs a job once, elsewhere or synchronously
BlockSteps: TypeAlias = Steps[tuple[Block, SealedBlock]]
Answer: TypeAlias = Future[NewBlock]  # never cancelled

COMMIT_POLL_S = 0.005  # how often to ask whether a block is on disk


@dataclass(frozen=True, slots=True)
class _Writing:
    """A block on its way to the disk."""

    block: Block
    sealed: SealedBlock
    done: Future[None]


class BlockPipeline:
    """A role. At most one block is being made; batches go on above it meanwhile."""

    def __init__(self, core: Core, clock: Clock, background: Background) -> None:
        self._core = core
        self._clock = clock
        self._background = background
        self._steps: BlockSteps | None = None
        self._writing: _Writing | None = None
        self._answer: Answer | None = None
        self._next = NEVER

    @property
    def is_busy(self) -> bool:
        return self._steps is not None or self._writing is not None

    @property
    def is_writing(self) -> bool:
        return self._writing is not None

    def begin(self, steps: BlockSteps, answer: Answer | None = None) -> None:
        """Start on a block. `answer`, for a block that somebody else made, gets the new head or what was wrong."""
        assert not self.is_busy, "a block is being made"
        self._steps, self._answer, self._next = steps, answer, 0.0

    def due(self) -> float:
        return self._next if self.is_busy else NEVER

    def work(self, now: float) -> None:
        """Seal a slice, or ask whether the block is on disk. Raises what went wrong, unless the block is somebody
        else's: then they are told, after the node has halted for anything that is not their fault."""
        answer = self._answer
        try:
            self.advance(for_ms(self._clock, SEAL_SLICE_MS))
        except Exception as error:
            self._steps = self._writing = self._answer = None
            if answer is None:
                raise
            if not isinstance(error, InvalidInput):
                self._core.halt(error)
            answer.set_exception(error)
        self._next = now + COMMIT_POLL_S if self.is_writing else 0.0

    def advance(self, has_time: Callable[[], bool]) -> NewBlock | None:
        """Seal while `has_time`; the block, once it is the head. Raises InvalidBlock or InvalidBatch if it breaks a
        rule, StorageError if it cannot be written."""
        if self._steps is not None:
            found = advance(self._steps, has_time)
            if found is not None:
                self._steps, self._writing = None, self._write(*found)
        if self._writing is None or not self._writing.done.done():
            return None
        return self._take_in()

    def finish(self) -> NewBlock:
        """Go on without a pause until the block is the head."""
        new = self.advance(lambda: True)
        return self._take_in() if new is None else new

    def abandon(self) -> None:
        """Make no block of what is being sealed; one that is being written stands."""
        self._steps = None
        if self._writing is not None:
            self._take_in()

    def stop(self) -> None:
        """The node stops: whoever waits for a block is told."""
        if self._answer is not None:
            self._answer.set_exception(StorageError("node stopped before the block was taken in"))

    def _write(self, block: Block, sealed: SealedBlock) -> _Writing:
        storage = self._core.storage
        log = storage.log.batches  # batches of a block that was taken back are in its table already
        batches = {seq: log[seq] for seq in range(block.first_seq, block.header.batch_seq + 1) if seq in log}
        done = self._background(lambda: storage.write_block(commit_of(block, sealed, batches)))
        return _Writing(block, sealed, done)

    def _take_in(self) -> NewBlock:
        """The block is on disk, or will be in a moment: make it the head, and announce it."""
        writing, self._writing = self._writing, None
        assert writing is not None, "no block is being written"
        writing.done.result()
        core, block, sealed = self._core, writing.block, writing.sealed
        core.storage.block_written(block.header.batch_seq)
        commit_block(core.chain, sealed)
        if block.number % SOLVENCY_CHECK_BLOCKS == 0:
            check_solvency(core.chain)
        new = NewBlock(block, sealed.placed.rows)
        core.note_block(new)
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.set_result(new)
        return new


def at_once(job: Job) -> Future[None]:
    """Run the job synchronously."""
    done: Future[None] = Future()
    try:
        job()
        done.set_result(None)
    except BaseException as error:
        done.set_exception(error)
    return done
