"""Side branches of an imported chain, and the choice of the branch to follow.

Ethereum's rule: before the merge, the branch with the most total difficulty, and of two equals the one known first;
after it, the head given by consensus, which for an import is the newest block of the file. Blocks of other branches are
kept by their hash, so that further blocks can build on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coinone.base.primitives.errors import InvalidBlock
from coinone.base.primitives.types import Hash32
from coinone.node.imported.archive import EthereumArchive
from coinone.node.storage.storage import Storage
from coinone.node.storage.tables import NodeTable
from coinone.rules.chain.imported.header import EthereumBlock, EthereumHeader, decode_ethereum_block


@dataclass(frozen=True, slots=True)
class SideChain:
    """Blocks on top of a block of the main chain."""

    fork: EthereumHeader  # on the main chain
    blocks: tuple[tuple[bytes, EthereumBlock], ...]  # those after it, each with its RLP

    def block_hash(self, archive: EthereumArchive, number: int) -> Hash32:
        """The hash of a block as seen from the branch, for BLOCKHASH."""
        if number <= self.fork.number:
            return archive.block_hash(number)
        return self.blocks[number - self.fork.number - 1][1].header.hash


class SideBlocks:
    """Blocks that are not on the main chain. Single-threaded."""

    def __init__(self, storage: Storage, archive: EthereumArchive) -> None:
        self._storage = storage
        self._archive = archive

    def knows(self, block_hash: Hash32) -> bool:
        return self._storage.store.get(NodeTable.SIDE_BLOCK, block_hash) is not None

    def keep(self, block_hash: Hash32, raw: bytes) -> None:
        self._storage.store.write({NodeTable.SIDE_BLOCK: {block_hash: raw}})

    def branch_of(self, raw: bytes, block: EthereumBlock) -> SideChain:
        """The branch from the main chain up to the block. Raises InvalidBlock if an ancestor is unknown."""
        blocks = [(raw, block)]
        while (number := self._archive.number_of(blocks[-1][1].header.parent_hash)) is None:
            parent = self._storage.store.get(NodeTable.SIDE_BLOCK, blocks[-1][1].header.parent_hash)
            if parent is None:
                raise InvalidBlock("does not follow a block that is known", number=block.header.number)
            blocks.append((parent, decode_ethereum_block(parent)))
        fork = self._archive.header(number)
        assert fork is not None, "blocks up to the head are on disk"
        return SideChain(fork, tuple(reversed(blocks)))

    def leave_line(self, fork: EthereumHeader, head: EthereumHeader) -> None:
        """Undo the blocks of the main chain after `fork` and keep them. Raises StorageError if one is too old."""
        for number in range(head.number, fork.number, -1):
            raw, header = self._archive.raw(number), self._archive.header(number)
            assert raw is not None and header is not None, "blocks up to the head are on disk"
            self.keep(header.hash, raw)
            self._storage.undo_block()


def is_followed(branch: SideChain, line: Sequence[EthereumHeader]) -> bool:
    """Whether the branch's last block becomes the head; `line` are the main chain's blocks since the fork."""
    newest = branch.blocks[-1][1].header
    if newest.difficulty == 0:
        return True
    if line and line[-1].difficulty == 0:
        return False  # work no longer counts
    return sum(block.header.difficulty for _, block in branch.blocks) > sum(row.difficulty for row in line)
