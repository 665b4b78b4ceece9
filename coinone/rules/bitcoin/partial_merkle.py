"""Partial Merkle trees (BIP37): part of a block's tree, with the transactions somebody asked for, and nothing to spare.

The tree is walked from the root, left before right. A flag says of each node that is reached whether a wanted leaf is
below it; a hash is given where none is, and of each wanted leaf. Bitcoin nodes make such proofs (gettxoutproof). The
checks are those of Core's CPartialMerkleTree::ExtractMatches, and the bits that fill the last byte must be zero.
The number of transactions is nobody's word but the sender's: what that allows, inclusion.py refuses.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.types import Hash32
from coinone.rules.bitcoin.encoding import ByteReader, compact_size, hash256, sized
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header import HEADER_BYTES, BitcoinHeader, decode_header
from coinone.rules.bitcoin.merkle import TRANSACTIONS_MAX, tree_levels


class PartialMerkleTree(NamedTuple):
    total: int  # transactions in the block
    hashes: tuple[Hash32, ...]
    flags: bytes  # lowest bit of a byte first

    def encode(self) -> bytes:
        return (
            self.total.to_bytes(4, "little")
            + compact_size(len(self.hashes))
            + b"".join(self.hashes)
            + sized(self.flags)
        )


class Matches(NamedTuple):
    root: Hash32
    leaves: tuple[tuple[int, Hash32], ...]  # place in the block, txid; rising


def decode_merkle_block(data: bytes) -> tuple[BitcoinHeader, PartialMerkleTree]:
    """A header and a part of its block's tree, as Bitcoin nodes write them."""
    reader = ByteReader(data)
    header = decode_header(reader.take(HEADER_BYTES))
    total = reader.integer(4)
    hashes = tuple([reader.take(32) for _ in range(reader.count(32))])
    tree = PartialMerkleTree(total, hashes, reader.sized())
    reader.finish()
    return header, tree


def build(txids: Sequence[Hash32], wanted: Sequence[int]) -> PartialMerkleTree:
    """The part of a block's tree that proves the transactions at the wanted places."""
    assert all(0 <= place < len(txids) for place in wanted), "no such transaction"
    levels = tree_levels(txids)
    flags: list[bool] = []
    hashes: list[Hash32] = []

    def visit(height: int, at: int) -> None:
        first, behind = at << height, min((at + 1) << height, len(txids))
        is_parent = any(first <= place < behind for place in wanted)
        flags.append(is_parent)
        if height == 0 or not is_parent:
            hashes.append(levels[height][at])
            return
        visit(height - 1, 2 * at)
        if 2 * at + 1 < len(levels[height - 1]):
            visit(height - 1, 2 * at + 1)

    visit(len(levels) - 1, 0)
    number = sum(flag << at for at, flag in enumerate(flags))
    return PartialMerkleTree(len(txids), tuple(hashes), number.to_bytes((len(flags) + 7) // 8, "little"))


def matches(tree: PartialMerkleTree) -> Matches:
    """The root of the tree and the leaves that it proves. Raises InvalidBitcoin, or DecodeError."""
    if not 1 <= tree.total <= TRANSACTIONS_MAX:
        raise InvalidBitcoin("number of transactions", have=tree.total, most=TRANSACTIONS_MAX)
    if len(tree.hashes) > tree.total or len(tree.hashes) > 8 * len(tree.flags):
        raise InvalidBitcoin("more hashes than transactions or flags", have=len(tree.hashes))
    walk = _Walk(tree)
    root = walk.visit((tree.total - 1).bit_length(), 0)
    walk.finish()
    return Matches(root, tuple(walk.leaves))


class _Walk:
    def __init__(self, tree: PartialMerkleTree) -> None:
        self._total = tree.total
        self._flags = int.from_bytes(tree.flags, "little")
        self._bits = 8 * len(tree.flags)
        self._used = 0
        self._hashes: Iterator[Hash32] = iter(tree.hashes)
        self.leaves: list[tuple[int, Hash32]] = []

    def visit(self, height: int, at: int) -> Hash32:
        if self._used >= self._bits:
            raise DecodeError("bitcoin: partial tree has too few flags", have=self._bits)
        is_parent = self._flags >> self._used & 1
        self._used += 1
        if height == 0 or not is_parent:
            node = self._next_hash()
            if is_parent:
                self.leaves.append((at, node))
            return node
        left = right = self.visit(height - 1, 2 * at)
        if 2 * at + 1 < _width(self._total, height - 1):
            right = self.visit(height - 1, 2 * at + 1)
            if right == left:
                raise InvalidBitcoin("equal siblings in the tree")
        return hash256(left + right)

    def finish(self) -> None:
        if (self._used + 7) // 8 != self._bits // 8 or self._flags >> self._used:
            raise DecodeError("bitcoin: partial tree has flags left", used=self._used, have=self._bits)
        if next(self._hashes, None) is not None:
            raise DecodeError("bitcoin: partial tree has hashes left")

    def _next_hash(self) -> Hash32:
        found = next(self._hashes, None)
        if found is None:
            raise DecodeError("bitcoin: partial tree has too few hashes")
        return found


def _width(total: int, height: int) -> int:
    """Nodes at this height; the last one may stand for fewer leaves."""
    return (total + (1 << height) - 1) >> height
