"""Lead: close batches and begin blocks at their intervals.

A batch is late rather than doubled: after a pause of any length one batch closes, and the cadence continues from there.
A block is begun right after a batch, and the pipeline makes it between the following batches. One of several members
closes batches only, while it leads: all of them make the same blocks (member.py).
"""

from coinone.base.crypto.secp256k1 import sign
from coinone.node.clock import Clock
from coinone.node.executor.core import Core
from coinone.node.keys import Secrets
from coinone.node.roles.block_pipeline import BlockPipeline, BlockSteps
from coinone.node.roles.role import NEVER
from coinone.node.views.published import NewBlock
from coinone.rules.chain.sealing import seal_block_steps
from coinone.rules.consensus.federation import pack_signature
from coinone.rules.consensus.mode import EMPTY_BLOCKS_MAX, empty_blocks
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.seal import FederatedSeal


class Leader:
    """The role of a federation member."""

    def __init__(self, core: Core, secrets: Secrets, clock: Clock, blocks: BlockPipeline) -> None:
        self.blocks = blocks
        self._core = core
        self._secrets = secrets
        self._clock = clock
        network = core.chain.network
        self._batch_s = network.batches.interval_ms / 1000
        self._block_s = network.blocks.interval_ms / 1000
        now = clock.steady_s()
        self._next_batch = now
        self._next_block = now + self._block_s

    def due(self) -> float:
        return self._next_batch if self._core.member.may_propose else NEVER

    def work(self, now: float) -> None:
        self._next_batch = max(self._next_batch + self._batch_s, now)
        self.close_batch()
        if now >= self._next_block and not self.blocks.is_busy and not self._core.is_one_of_several:
            self._next_block = max(self._next_block + self._block_s, now)
            self.begin_block()

    def close_batch(self) -> None:
        self._core.close_batch(self._clock.wall_ms())

    def begin_block(self) -> None:
        """Begin a block of all applied batches that fit into it; none if one more block without batches would end
        the federation's mode."""
        chain = self._core.chain
        count = min(len(chain.applied), chain.network.blocks.batches_max)
        if count == 0 and empty_blocks(chain.head, chain.headers) + 1 >= EMPTY_BLOCKS_MAX:
            return
        self.blocks.begin(block_steps(self._core, self._secrets, count))

    def finish_block(self) -> NewBlock:
        """Make a block without a pause: the one in progress, or the next one."""
        if not self.blocks.is_busy:
            self.begin_block()
        return self.blocks.finish()


def block_steps(core: Core, secrets: Secrets, count: int) -> BlockSteps:
    """Make the next block of the lowest `count` applied batches, and seal it as this member."""
    chain = core.chain
    sealed = yield from seal_block_steps(core.storage.store, chain, count, timestamp=0)
    header, member = sealed.header, chain.federation.members.index(secrets.member)
    seal = FederatedSeal(member, pack_signature(sign(header.hash, secrets.federation)))
    names = tuple(result.batch.hash for result in sealed.results)
    return Block(header, names, seal, sealed.forced), sealed
