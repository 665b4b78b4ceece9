"""Making blocks: sealing in slices between batches, then one atomic commit beside them (D7).

The commit reads and writes every row that the block changed, and waits for the disk, so it runs on a thread of its
own. It works on frozen values only. Until it is done the block is nowhere: batches close above it as before, and a
crash finds them in the log.
"""

from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.crypto.secp256k1 import sign
from coinone.node.executor.core import Core
from coinone.node.keys import Secrets
from coinone.node.views.archive import commit_of
from coinone.node.views.published import NewBlock
from coinone.rules.chain.sealing import SealedBlock, commit_block, seal_block_steps
from coinone.rules.consensus.federation import pack_signature
from coinone.rules.consensus.mode import EMPTY_BLOCKS_MAX, empty_blocks
from coinone.rules.ledger.block import Block
from coinone.rules.state.steps import advance

Job: TypeAlias = Callable[[], None]
Background: TypeAlias = Callable[[Job], "Future[None]"]  # runs a job once, elsewhere or at once


@dataclass(frozen=True, slots=True)
class _Writing:
    """A block on its way to the disk."""

    block: Block
    sealed: SealedBlock
    done: "Future[None]"


class BlockMaker:
    """At most one block is being made; batches close above it meanwhile."""

    def __init__(self, core: Core, secrets: Secrets, background: Background) -> None:
        self._core = core
        self._secrets = secrets
        self._background = background
        self._steps: Generator[None, None, SealedBlock] | None = None
        self._writing: _Writing | None = None

    @property
    def is_busy(self) -> bool:
        return self._steps is not None or self._writing is not None

    @property
    def is_writing(self) -> bool:
        return self._writing is not None

    def begin(self) -> None:
        """Start on a block of all batches that are applied, as far as one block may hold them; on none where one
        more block without batches would end the federation's mode."""
        assert not self.is_busy, "a block is being made"
        core = self._core
        chain = core.chain
        count = min(len(chain.applied), chain.network.blocks.batches_max)
        if count == 0 and empty_blocks(chain.head, chain.headers) + 1 >= EMPTY_BLOCKS_MAX:
            return
        self._steps = seal_block_steps(core.storage.store, chain, count, timestamp=0)

    def advance(self, has_time: Callable[[], bool]) -> NewBlock | None:
        """Seal while `has_time`; the block, once it is on disk. Raises StorageError if it cannot be written."""
        if self._steps is not None:
            sealed = advance(self._steps, has_time)
            if sealed is not None:
                self._steps = None
                self._writing = self._write(sealed)
        if self._writing is None or not self._writing.done.done():
            return None
        return self._take_in()

    def finish(self) -> NewBlock:
        """Make the block without a pause, beginning if need be."""
        if not self.is_busy:
            self.begin()
        block = self.advance(lambda: True)
        return self._take_in() if block is None else block

    def abandon(self) -> None:
        """Make no block of what is being sealed; one that is being written stands."""
        self._steps = None
        if self._writing is not None:
            self._take_in()

    def _write(self, sealed: SealedBlock) -> _Writing:
        core, header = self._core, sealed.header
        storage = core.storage
        member = core.chain.federation.members.index(self._secrets.member)
        seal = (member, pack_signature(sign(header.hash, self._secrets.federation)))
        block = Block(header, tuple(result.batch.hash for result in sealed.results), seal, sealed.forced)
        log = storage.log.batches  # batches of a block that was taken back are in its table already
        batches = {seq: log[seq] for seq in range(block.first_seq, header.batch_seq + 1) if seq in log}
        done = self._background(lambda: storage.write_block(commit_of(block, sealed, batches)))
        return _Writing(block, sealed, done)

    def _take_in(self) -> NewBlock:
        """The block is on disk, or will be in a moment: make it the head."""
        writing, self._writing = self._writing, None
        assert writing is not None, "no block is being written"
        writing.done.result()
        self._core.storage.block_written(writing.block.header.batch_seq)
        commit_block(self._core.chain, writing.sealed)
        return NewBlock(writing.block, writing.sealed.placed.rows)


def at_once(job: Job) -> "Future[None]":
    """No background: where nothing else goes on."""
    done: Future[None] = Future()
    try:
        job()
        done.set_result(None)
    except BaseException as error:
        done.set_exception(error)
    return done
