"""A binary Merkle tree over numbered leaves, updated in place.

Leaf n never moves, so the path of a proof depends on the leaf's number only. Leaves and inner nodes are hashed under
different first bytes (no node passes for a leaf), and the root commits to the number of places (no tree passes for a
bigger or smaller one). An empty place has the hash zero, which no leaf has, so absence can be proved too.
"""

from collections.abc import Iterator, Sequence

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.parameters import MERKLE_DEPTH_MAX
from coinone.base.primitives.types import ZERO_HASH, Hash32

HASHES_PER_STEP = 1_024  # between two pauses: about 2 ms
_LEAF, _NODE, _ROOT = b"\x00", b"\x01", b"\x02"


def _empty_hashes() -> list[Hash32]:
    hashes = [ZERO_HASH]
    for _ in range(MERKLE_DEPTH_MAX):
        hashes.append(keccak256(_NODE + hashes[-1] + hashes[-1]))
    return hashes


_EMPTY = _empty_hashes()  # hashes of empty subtrees by height


class MerkleTree:
    def __init__(self) -> None:
        self._levels: list[list[Hash32]] = [[]]  # level 0 holds the leaves' hashes
        self._dirty: dict[int, None] = {}

    def __len__(self) -> int:
        """The number of places: one more than the highest index ever set."""
        return len(self._levels[0])

    def set(self, index: int, leaf: bytes | None) -> None:
        """Set the leaf at `index`, or remove it with None."""
        assert 0 <= index < 1 << MERKLE_DEPTH_MAX, "no such place"
        leaves = self._levels[0]
        if index >= len(leaves):
            self._dirty.update(dict.fromkeys(range(len(leaves), index + 1)))
            leaves.extend([ZERO_HASH] * (index + 1 - len(leaves)))
        leaves[index] = leaf_hash(leaf)
        self._dirty[index] = None

    def root(self) -> Hash32:
        self._update()
        top = self._levels[-1][0] if self._levels[0] else ZERO_HASH
        return _named(len(self), top)

    def proof(self, index: int) -> tuple[Hash32, ...]:
        """The sibling hashes from the leaf upwards."""
        assert 0 <= index < len(self), "no such place"
        self._update()
        siblings = []
        for height, level in enumerate(self._levels[:-1]):
            sibling = (index >> height) ^ 1
            siblings.append(level[sibling] if sibling < len(level) else _EMPTY[height])
        return tuple(siblings)

    def hash_steps(self) -> Iterator[None]:
        """Hash each dirty inner node once, level by level, yielding in between; afterwards `root` is free. Nothing may
        be set meanwhile."""
        dirty = sorted(self._dirty)
        self._dirty = {}
        height = 0
        while len(self._levels[height]) > 1:
            level = self._levels[height]
            if height + 1 == len(self._levels):
                self._levels.append([])
                dirty = list(range(len(level)))
            above = self._levels[height + 1]
            above.extend([ZERO_HASH] * ((len(level) + 1) // 2 - len(above)))
            dirty = list(dict.fromkeys(index >> 1 for index in dirty))
            for count, index in enumerate(dirty, 1):
                right = level[2 * index + 1] if 2 * index + 1 < len(level) else _EMPTY[height]
                above[index] = keccak256(_NODE + level[2 * index] + right)
                if count % HASHES_PER_STEP == 0:
                    yield
            height += 1

    def _update(self) -> None:
        for _ in self.hash_steps():
            pass


class TreeAhead:
    """Pending changes of a tree, which itself stays as it is until `take_in`. Only changed nodes are stored, so the
    cost depends on the changes and not on the size of the tree. The tree must not be changed meanwhile."""

    def __init__(self, tree: MerkleTree) -> None:
        tree._update()
        self._levels = tree._levels
        self._places = len(tree)
        self._changed: list[dict[int, Hash32]] = [{}]  # by height: index -> hash
        self._is_hashed = False

    def __len__(self) -> int:
        return self._places

    def set(self, index: int, leaf: bytes | None) -> None:
        """Set or remove a leaf, as in MerkleTree."""
        assert 0 <= index < 1 << MERKLE_DEPTH_MAX, "no such place"
        self._places = max(self._places, index + 1)
        self._changed[0][index] = leaf_hash(leaf)
        self._is_hashed = False

    def hash_steps(self) -> Iterator[None]:
        """Hash each node above a change once, yielding in between; afterwards `root` is free."""
        del self._changed[1:]
        dirty, places, height = sorted(self._changed[0]), self._places, 0
        while places > 1:
            if height + 1 >= len(self._levels):  # above the old root: its first node is new in any case
                dirty = [0, *dirty]
            above: dict[int, Hash32] = {}
            for count, index in enumerate(dict.fromkeys(index >> 1 for index in dirty), 1):
                left, right = self._node(height, 2 * index), self._node(height, 2 * index + 1)
                above[index] = keccak256(_NODE + left + right)
                if count % HASHES_PER_STEP == 0:
                    yield
            self._changed.append(above)
            dirty, places, height = list(above), (places + 1) // 2, height + 1
        self._is_hashed = True

    def root(self) -> Hash32:
        if not self._is_hashed:
            for _ in self.hash_steps():
                pass
        return _named(self._places, self._node(len(self._changed) - 1, 0))

    def take_in(self) -> None:
        """Apply the changes to the tree."""
        self.root()
        places = self._places
        for height, changed in enumerate(self._changed):
            if height == len(self._levels):
                self._levels.append([])
            level = self._levels[height]
            level.extend([_EMPTY[height]] * (places - len(level)))
            for index, node in changed.items():
                level[index] = node
            places = (places + 1) // 2

    def _node(self, height: int, index: int) -> Hash32:
        changed = self._changed[height].get(index)
        if changed is not None:
            return changed
        level = self._levels[height] if height < len(self._levels) else []
        return level[index] if index < len(level) else _EMPTY[height]


def merkle_root(leaves: Sequence[bytes]) -> Hash32:
    """The root over a fixed list of leaves."""
    tree = MerkleTree()
    for index, leaf in enumerate(leaves):
        tree.set(index, leaf)
    return tree.root()


def leaf_hash(leaf: bytes | None) -> Hash32:
    return ZERO_HASH if leaf is None else keccak256(_LEAF + leaf)


def verify(root: Hash32, size: int, index: int, leaf: bytes | None, proof: Sequence[Hash32]) -> bool:
    """Whether `leaf` (None: empty) is at `index` in the tree of `size` places with this root."""
    if not 0 <= index < size or len(proof) != (size - 1).bit_length():
        return False
    if any(len(sibling) != 32 for sibling in proof):
        return False
    node = leaf_hash(leaf)
    for height, sibling in enumerate(proof):
        pair = sibling + node if index >> height & 1 else node + sibling
        node = keccak256(_NODE + pair)
    return _named(size, node) == root


def _named(size: int, top: Hash32) -> Hash32:
    return keccak256(_ROOT + size.to_bytes(8, "big") + top)
