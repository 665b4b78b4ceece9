"""One Merkle-Patricia trie: loaded lazily, hashed late.

Changes only mark nodes dirty; `commit` hashes each dirty node once, however many keys under it changed.
Nodes are stored by their *path*, not their hash, so an update overwrites the old node and no garbage is left.
A node never changes its path: where nodes merge or split, new ones are created.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import StorageError
from coinone.base.primitives.types import Hash32
from coinone.rules.state.nodes import (
    EMPTY_ROOT,
    STUB_SIZE,
    Branch,
    Child,
    Extension,
    Leaf,
    Node,
    decode_node,
    encode_node,
    ref_of,
)
from coinone.rules.state.steps import finished

NODES_PER_STEP = 256  # hashed between two yields: about 2 ms
Load: TypeAlias = Callable[[bytes], bytes | None]  # path -> stored encoding
_NIBBLE = tuple(bytes((nibble,)) for nibble in range(16))
Writes: TypeAlias = dict[bytes, bytes | None]  # path -> new encoding, or None to delete the row


class Trie:
    """Keys are nibble paths (`nodes.nibbles`); values are non-empty bytes."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._stale: dict[bytes, None] = {}  # paths whose stored row is out of date
        row = load(b"")
        self._root: Child = None if row is None else decode_node(row, ref_of(row))

    def get(self, key: bytes) -> bytes | None:
        node, depth = self._root, 0
        while True:
            node = self._loaded(node, key[:depth])
            if node is None:
                return None
            if isinstance(node, Branch):
                if depth == len(key):
                    return node.value or None
                node, depth = node.children[key[depth]], depth + 1
            elif isinstance(node, Leaf):
                return node.value if key[depth:] == node.path else None
            else:
                step = len(node.path)
                if key[depth : depth + step] != node.path:
                    return None
                node, depth = node.child, depth + step

    def set(self, key: bytes, value: bytes) -> None:
        assert value, "values are not empty: deletion has its own method"
        self._root = self._insert(self._root, key, 0, value)

    def update(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Set many keys, each given once; a node above several of them is visited once."""
        ordered = sorted(items)
        if ordered:
            self._root = self._insert_all(self._root, ordered, 0)

    def delete(self, key: bytes) -> None:
        if self.get(key) is not None:
            self._root = self._remove(self._root, key, 0)

    def commit(self) -> tuple[Hash32, Writes]:
        return finished(self.commit_steps())

    def commit_steps(self) -> Generator[None, None, tuple[Hash32, Writes]]:
        """Hash dirty nodes, children before parents, yielding in between. Returns the root and the rows to write."""
        root = self._root
        assert not isinstance(root, bytes)
        dirty = [] if root is None or root.ref is not None else [(root, b"")]
        for count, (node, path) in enumerate(dirty, 1):
            dirty.extend(_dirty_children(node, path))  # and so their dirty children in turn
            if count % NODES_PER_STEP == 0:
                yield
        writes: Writes = {}
        for count, (node, path) in enumerate(reversed(dirty), 1):
            encoding = encode_node(node)
            node.ref = ref_of(encoding)
            if len(encoding) >= 32 or not path:  # the root has a row even if it is shorter than a hash
                writes[path] = encoding
            if count % NODES_PER_STEP == 0:
                yield
        for path in self._stale:
            writes.setdefault(path, None)
        self._stale = {}
        return self.root(), writes

    def root(self) -> Hash32:
        """The root hash. No node may be dirty."""
        if self._root is None:
            return EMPTY_ROOT
        assert not isinstance(self._root, bytes) and self._root.ref is not None, "commit first"
        ref = self._root.ref
        return ref[1:] if len(ref) == STUB_SIZE else keccak256(ref)

    def _loaded(self, child: Child, path: bytes) -> Node | None:
        """Resolve a child; a stub is loaded from its row, whose hash must be the one its parent holds."""
        if not isinstance(child, bytes):
            return child
        row = self._load(path)
        if row is None or keccak256(row) != child[1:]:
            raise StorageError(f"trie node at path {path.hex()} is missing or does not match its hash")
        return decode_node(row, child)

    def _touch(self, node: Node, path: bytes) -> None:
        """Mark `node` dirty and its stored row, if any, as out of date."""
        if node.ref is not None:
            if len(node.ref) == STUB_SIZE or not path:
                self._stale[path] = None
            node.ref = None

    def _insert(self, child: Child, key: bytes, depth: int, value: bytes) -> Node:
        node = self._loaded(child, key[:depth])
        if node is None:
            return Leaf(key[depth:], value)
        self._touch(node, key[:depth])
        if isinstance(node, Branch):
            if depth == len(key):
                node.value = value
            else:
                index = key[depth]
                node.children[index] = self._insert(node.children[index], key, depth + 1, value)
            return node
        rest = key[depth:]
        shared = _shared(node.path, rest)
        if shared == len(node.path):
            if isinstance(node, Extension):
                node.child = self._insert(node.child, key, depth + shared, value)
                return node
            if shared == len(rest):
                assert isinstance(node, Leaf)
                node.value = value
                return node
        branch = _split(node, shared)
        if shared == len(rest):
            branch.value = value
        else:
            branch.children[rest[shared]] = Leaf(rest[shared + 1 :], value)
        return _under(rest[:shared], branch)

    def _insert_all(self, child: Child, items: Sequence[tuple[bytes, bytes]], depth: int) -> Node:
        """Insert several sorted keys that share their first `depth` nibbles."""
        first, last = items[0][0], items[-1][0]
        if len(items) == 1:
            return self._insert(child, first, depth, items[0][1])
        node = self._loaded(child, first[:depth])
        shared = depth + _shared(
            first[depth:], last[depth:]
        )  # the keys are sorted: what first and last share, all share
        if node is None:
            return _under(first[depth:shared], self._fill(Branch([None] * 16), items, shared))
        self._touch(node, first[:depth])
        if isinstance(node, Branch):
            return self._fill(node, items, depth)
        at = _shared(node.path, first[depth:shared])
        if isinstance(node, Extension) and at == len(node.path):
            node.child = self._insert_all(node.child, items, depth + at)
            return node
        return _under(first[depth : depth + at], self._fill(_split(node, at), items, depth + at))

    def _fill(self, branch: Branch, items: Sequence[tuple[bytes, bytes]], depth: int) -> Branch:
        """Set keys that end at this branch or continue through its children."""
        start, count = 0, len(items)
        if len(items[0][0]) == depth:
            branch.value, start = items[0][1], 1
        while start < count:
            index, stop = items[start][0][depth], start + 1
            while stop < count and items[stop][0][depth] == index:
                stop += 1
            branch.children[index] = self._insert_all(branch.children[index], items[start:stop], depth + 1)
            start = stop
        return branch

    def _remove(self, child: Child, key: bytes, depth: int) -> Child:
        """Remove a key that is known to exist."""
        node = self._loaded(child, key[:depth])
        assert node is not None
        self._touch(node, key[:depth])
        if isinstance(node, Leaf):
            return None
        if isinstance(node, Extension):
            below = self._remove(node.child, key, depth + len(node.path))
            assert below is not None, "a branch under an extension holds at least two keys"
            return self._joined(node.path, below, key[: depth + len(node.path)])
        assert isinstance(node, Branch)
        if depth == len(key):
            node.value = b""
        else:
            index = key[depth]
            node.children[index] = self._remove(node.children[index], key, depth + 1)
        return self._collapsed(node, key[:depth])

    def _collapsed(self, branch: Branch, path: bytes) -> Node:
        """Replace a branch that has a single entry left."""
        left = [index for index, child in enumerate(branch.children) if child is not None]
        if len(left) + bool(branch.value) > 1:
            return branch
        if not left:
            return Leaf(b"", branch.value)
        step = bytes((left[0],))
        return self._joined(step, branch.children[left[0]], path + step)

    def _joined(self, prefix: bytes, below: Child, path_below: bytes) -> Node:
        """A node for `prefix` above `below`, merged with it where possible."""
        node = self._loaded(below, path_below)
        assert node is not None
        if isinstance(node, Branch):
            return Extension(prefix, node)
        self._touch(node, path_below)
        if isinstance(node, Leaf):
            return Leaf(prefix + node.path, node.value)
        assert isinstance(node, Extension)
        return Extension(prefix + node.path, node.child)


def _dirty_children(node: Child, path: bytes) -> list[tuple[Node, bytes]]:
    if isinstance(node, Branch):
        return [
            (child, path + _NIBBLE[index])
            for index, child in enumerate(node.children)
            if child is not None and not isinstance(child, bytes) and child.ref is None
        ]
    if isinstance(node, Extension):
        child = node.child
        if child is not None and not isinstance(child, bytes) and child.ref is None:
            return [(child, path + node.path)]
    return []


def _under(prefix: bytes, branch: Branch) -> Node:
    return Extension(prefix, branch) if prefix else branch


def _shared(a: bytes, b: bytes) -> int:
    """The length of the common prefix."""
    most = min(len(a), len(b))
    for index in range(most):
        if a[index] != b[index]:
            return index
    return most


def _split(node: Leaf | Extension, at: int) -> Branch:
    """A branch at position `at` of `node`'s path that holds the rest of `node`."""
    branch = Branch([None] * 16)
    if at == len(node.path):
        assert isinstance(node, Leaf)
        branch.value = node.value
        return branch
    rest = node.path[at + 1 :]
    if isinstance(node, Leaf):
        branch.children[node.path[at]] = Leaf(rest, node.value)
    else:
        assert isinstance(node, Extension)
        branch.children[node.path[at]] = Extension(rest, node.child) if rest else node.child
    return branch
