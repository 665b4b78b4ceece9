"""Making blocks: sealing in slices between batches, then one atomic commit (D7)."""

from collections.abc import Callable, Generator

from coinone.base.crypto.secp256k1 import sign
from coinone.node.runtime.archive import commit_of
from coinone.node.runtime.core import Core
from coinone.node.runtime.keys import Secrets
from coinone.node.runtime.published import NewBlock
from coinone.rules.chain.block import Block
from coinone.rules.chain.blocks import SealedBlock, commit_block, seal_block_steps
from coinone.rules.consensus.federation import pack_signature


class BlockMaker:
    """At most one block is being sealed; batches close above it meanwhile."""

    def __init__(self, core: Core, secrets: Secrets) -> None:
        self._core = core
        self._secrets = secrets
        self._steps: Generator[None, None, SealedBlock] | None = None

    @property
    def is_sealing(self) -> bool:
        return self._steps is not None

    def begin(self) -> None:
        """Start on a block of all batches that are applied, as far as one block may hold them."""
        assert self._steps is None, "a block is being sealed"
        core = self._core
        count = min(len(core.chain.applied), core.chain.network.blocks.batches_max)
        self._steps = seal_block_steps(core.storage.store, core.chain, count, timestamp=0)

    def advance(self, has_time: Callable[[], bool]) -> NewBlock | None:
        """Seal while `has_time`; the block, once it is committed."""
        assert self._steps is not None, "no block is being sealed"
        try:
            next(self._steps)
            while has_time():
                next(self._steps)
        except StopIteration as done:
            self._steps = None
            return self._commit(done.value)
        return None

    def finish(self) -> NewBlock:
        """Seal without a pause, beginning if need be."""
        if self._steps is None:
            self.begin()
        block = self.advance(lambda: True)
        assert block is not None, "sealing ends"
        return block

    def abandon(self) -> None:
        self._steps = None

    def _commit(self, sealed: SealedBlock) -> NewBlock:
        core = self._core
        chain, header = core.chain, sealed.header
        member = chain.federation.members.index(self._secrets.member)
        seal = (member, pack_signature(sign(header.hash, self._secrets.federation)))
        block = Block(header, tuple(result.batch.hash for result in sealed.results), seal)
        log = core.storage.log.batches  # batches of a block that was taken back are in its table already
        batches = {seq: log[seq] for seq in range(block.first_seq, header.batch_seq + 1) if seq in log}
        core.storage.commit_block(commit_of(block, sealed, batches))
        commit_block(chain, sealed)
        return NewBlock(block, sealed.placed.rows)
