"""Make blocks durable: seal them in slices between batches, then commit them atomically in the background (D7).

A leader begins its own blocks, a follower the blocks that it received; from there on both are treated alike. The commit
reads and writes every row that the block changed, and waits for the disk, so it runs on a separate thread. It uses
frozen values only. Until it is done the block is not visible: batches continue above it as before, and after a crash
they are in the log.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

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
Done: TypeAlias = Callable[[Exception | None], None]  # the block is the head, or the error

COMMIT_POLL_S = 0.005  # how often to check whether a block is on disk


@dataclass(frozen=True, slots=True)
class _Writing:
    """A block that is being written to disk."""

    block: Block
    sealed: SealedBlock
    done: Future[None]


class BlockPipeline:
    """The role that makes blocks. At most one block is being made; batches continue above it meanwhile."""

    def __init__(self, core: Core, clock: Clock, background: Background) -> None:
        self._core = core
        self._clock = clock
        self._background = background
        self._steps: BlockSteps | None = None
        self._writing: _Writing | None = None
        self._done: Done | None = None
        self._next = NEVER

    @property
    def is_busy(self) -> bool:
        return self._steps is not None or self._writing is not None

    @property
    def is_writing(self) -> bool:
        return self._writing is not None

    def begin(self, steps: BlockSteps, done: Done | None = None) -> None:
        """Begin a block. `done`, for a block from another node, is called at its end and judges the error."""
        assert not self.is_busy, "a block is being made"
        self._steps, self._done, self._next = steps, done, 0.0

    def due(self) -> float:
        return self._next if self.is_busy else NEVER

    def work(self, now: float) -> None:
        """Seal a slice, or check whether the block is on disk. Raises any error, unless `done` takes it."""
        done = self._done
        try:
            self.advance(for_ms(self._clock, SEAL_SLICE_MS))
        except Exception as error:
            self._steps = self._writing = self._done = None
            if done is None:
                raise
            done(error)
        self._next = now + COMMIT_POLL_S if self.is_writing else 0.0

    def advance(self, has_time: Callable[[], bool]) -> NewBlock | None:
        """Seal while `has_time`; return the block once it is the head. Raises InvalidBlock or InvalidBatch if it
        breaks a rule, StorageError if it cannot be written."""
        if self._steps is not None:
            found = advance(self._steps, has_time)
            if found is not None:
                self._steps, self._writing = None, self._write(*found)
        if self._writing is None or not self._writing.done.done():
            return None
        return self._take_in()

    def finish(self) -> NewBlock:
        """Continue without a pause until the block is the head."""
        new = self.advance(lambda: True)
        return self._take_in() if new is None else new

    def abandon(self) -> None:
        """Abandon the block that is being sealed; a block that is being written is completed."""
        self._steps = None
        if self._writing is not None:
            self._take_in()

    def _write(self, block: Block, sealed: SealedBlock) -> _Writing:
        storage = self._core.storage
        log = storage.log.batches  # batches of an undone block are already in its table
        batches = {seq: log[seq] for seq in range(block.first_seq, block.header.batch_seq + 1) if seq in log}
        done = self._background(lambda: storage.write_block(commit_of(block, sealed, batches)))
        return _Writing(block, sealed, done)

    def _take_in(self) -> NewBlock:
        """Wait until the block is on disk, make it the head, and announce it."""
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
        done, self._done = self._done, None
        if done is not None:
            done(None)
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
