"""Blocks beside the line, and which branch an imported chain follows.

Ethereum's rule: before the merge the branch with the most total difficulty, of two equals the one known first; since
then the head that one is given, which for an import is the newest block of the file. Blocks that are not on the branch
followed are kept by their hash, so that others can build on them.
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
class Branch:
    """Blocks on top of one that is on the line."""

    fork: EthereumHeader  # on the line
    blocks: tuple[tuple[bytes, EthereumBlock], ...]  # from the one after it, each with its RLP

    def block_hash(self, archive: EthereumArchive, number: int) -> Hash32:
        """What BLOCKHASH asks for, seen from the branch."""
        if number <= self.fork.number:
            return archive.block_hash(number)
        return self.blocks[number - self.fork.number - 1][1].header.hash


class SideBlocks:
    """Blocks that are not on the line. One thread."""

    def __init__(self, storage: Storage, archive: EthereumArchive) -> None:
        self._storage = storage
        self._archive = archive

    def knows(self, block_hash: Hash32) -> bool:
        return self._storage.store.get(NodeTable.SIDE_BLOCK, block_hash) is not None

    def keep(self, block_hash: Hash32, raw: bytes) -> None:
        self._storage.store.write({NodeTable.SIDE_BLOCK: {block_hash: raw}})

    def branch_of(self, raw: bytes, block: EthereumBlock) -> Branch:
        """Down from the block to the line. Raises InvalidBlock if its ancestors are not known."""
        blocks = [(raw, block)]
        while (number := self._archive.number_of(blocks[-1][1].header.parent_hash)) is None:
            parent = self._storage.store.get(NodeTable.SIDE_BLOCK, blocks[-1][1].header.parent_hash)
            if parent is None:
                raise InvalidBlock("does not follow a block that is known", number=block.header.number)
            blocks.append((parent, decode_ethereum_block(parent)))
        fork = self._archive.header(number)
        assert fork is not None, "blocks up to the head are on disk"
        return Branch(fork, tuple(reversed(blocks)))

    def leave_line(self, fork: EthereumHeader, head: EthereumHeader) -> None:
        """Take back the blocks of the line behind `fork`, and keep them. Raises StorageError for one too old."""
        for number in range(head.number, fork.number, -1):
            raw, header = self._archive.raw(number), self._archive.header(number)
            assert raw is not None and header is not None, "blocks up to the head are on disk"
            self.keep(header.hash, raw)
            self._storage.undo_block()


def is_followed(branch: Branch, line: Sequence[EthereumHeader]) -> bool:
    """Whether the branch's last block is the head from now on; `line` are the blocks since the fork up to the head."""
    newest = branch.blocks[-1][1].header
    if newest.difficulty == 0:
        return True
    if line and line[-1].difficulty == 0:
        return False  # work counts no more
    return sum(block.header.difficulty for _, block in branch.blocks) > sum(row.difficulty for row in line)
