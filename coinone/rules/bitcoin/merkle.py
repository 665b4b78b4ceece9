"""Merkle trees as Bitcoin builds them: the root stands in a header, the branch of a leaf proves it.

A level with an odd number of nodes repeats its last one. So a list of leaves whose end is repeated has the root of the
shorter list (CVE-2012-2459), and a node of the tree looks like any 64 bytes (inclusion.py). Two equal siblings that are
both there therefore refuse the tree or branch: real leaves all differ.
"""

from collections.abc import Sequence

from coinone.base.primitives.types import Hash32
from coinone.rules.bitcoin.encoding import hash256
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.transaction import BLOCK_WEIGHT_MAX, WITNESS_FACTOR

TRANSACTION_BYTES_LEAST = 60  # Core's MIN_TRANSACTION_WEIGHT: no transaction has fewer
TRANSACTIONS_MAX = BLOCK_WEIGHT_MAX // (WITNESS_FACTOR * TRANSACTION_BYTES_LEAST)  # of a block
BRANCH_MAX = (TRANSACTIONS_MAX - 1).bit_length()  # 15 siblings


def tree_levels(leaves: Sequence[Hash32]) -> list[list[Hash32]]:
    """All nodes, from the leaves to the root, without repetitions. Raises InvalidBitcoin, as `merkle_root`."""
    assert leaves, "a block has at least its coinbase"
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        level = levels[-1]
        if any(level[at] == level[at + 1] for at in range(0, len(level) - 1, 2)):
            raise InvalidBitcoin("equal siblings in the tree")
        padded = level if len(level) % 2 == 0 else [*level, level[-1]]
        levels.append([hash256(padded[at] + padded[at + 1]) for at in range(0, len(padded), 2)])
    return levels


def merkle_root(leaves: Sequence[Hash32]) -> Hash32:
    """Raises InvalidBitcoin if the end of the list is repeated."""
    *_, top = tree_levels(leaves)
    return top[0]


def merkle_branch(leaves: Sequence[Hash32], index: int) -> tuple[Hash32, ...]:
    """The siblings of a leaf and of the nodes above it, from the bottom."""
    assert 0 <= index < len(leaves), "no such leaf"
    *below, _ = tree_levels(leaves)
    siblings = []
    for height, level in enumerate(below):
        sibling = index >> height ^ 1
        siblings.append(level[min(sibling, len(level) - 1)])
    return tuple(siblings)


def fold(leaf: Hash32, index: int, branch: Sequence[Hash32]) -> Hash32:
    """The root that a branch leads to. Raises InvalidBitcoin where the tree has no such place."""
    if not 0 <= index < 1 << len(branch):
        raise InvalidBitcoin("no such place in the tree", have=index, height=len(branch))
    node = leaf
    for height, sibling in enumerate(branch):
        if index >> height & 1:
            if sibling == node:
                raise InvalidBitcoin("place of a repeated node", have=index)
            node = hash256(sibling + node)
        else:
            node = hash256(node + sibling)
    return node
