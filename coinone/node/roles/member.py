"""The duties of one of several members: its clock, and the blocks that all of them make.

While the federation makes the blocks, a block is what its batches say: a header follows from its parent and them. So no
member waits for another one's block. Each makes the next as soon as the batches of a block's interval are certified,
and seals it; the seal is not in the hash. A member that starts again, or catches up, makes the same ones.
"""

from coinone.base.primitives.integers import div_down
from coinone.node.executor.core import Core
from coinone.node.keys import Secrets
from coinone.node.roles.block_pipeline import BlockPipeline
from coinone.node.roles.leader import block_steps
from coinone.node.roles.role import NEVER


class MemberClock:
    """Passes the time to the member, which repeats what others may have missed and ends the term of a silent leader."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def due(self) -> float:
        return self._core.member.due_ms / 1000

    def work(self, now: float) -> None:
        self._core.tick(int(now * 1000))


class MemberBlocks:
    """Makes the block of the next batches that are certified."""

    def __init__(self, core: Core, secrets: Secrets, blocks: BlockPipeline) -> None:
        self._core = core
        self._secrets = secrets
        self._blocks = blocks
        network = core.chain.network
        self._count = max(div_down(network.blocks.interval_ms, network.batches.interval_ms), 1)

    def due(self) -> float:
        certified = self._core.member.seq - self._core.chain.head.batch_seq
        return 0.0 if certified >= self._count and not self._blocks.is_busy else NEVER

    def work(self, now: float) -> None:
        self._blocks.begin(block_steps(self._core, self._secrets, self._count))
