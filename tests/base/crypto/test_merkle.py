"""The tree against a plain recursive definition; proofs and every way of spoiling them."""

import hypothesis.strategies as st
from hypothesis import given, settings

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.merkle import MerkleTree, TreeAhead, merkle_root, verify


def plain_top(leaves: list[bytes | None]) -> bytes:
    """The definition: pad with empty places to a power of two, hash pairs until one is left."""
    width = 1 << max(0, len(leaves) - 1).bit_length()
    level = [bytes(32) if leaf is None else keccak256(b"\x00" + leaf) for leaf in leaves]
    level += [bytes(32)] * (width - len(level))
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [keccak256(b"\x01" + left + right) for left, right in pairs]
    return level[0]


def plain_root(leaves: list[bytes | None]) -> bytes:
    return keccak256(b"\x02" + len(leaves).to_bytes(8, "big") + plain_top(leaves))


def put(leaves: list[bytes | None], index: int, leaf: bytes | None) -> None:
    leaves += [None] * (index + 1 - len(leaves))
    leaves[index] = leaf


leaf = st.one_of(st.none(), st.binary(max_size=5))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 40), leaf, st.booleans()), max_size=40))
def test_incremental_root_equals_the_definition(writes: list[tuple[int, bytes | None, bool]]) -> None:
    tree, plain = MerkleTree(), []
    for index, value, look in writes:
        tree.set(index, value)
        put(plain, index, value)
        if look:
            assert tree.root() == plain_root(plain)
    assert tree.root() == plain_root(plain) and len(tree) == len(plain)
    for index, value in enumerate(plain):
        proof = tree.proof(index)
        assert verify(tree.root(), len(plain), index, value, proof)
        assert not verify(tree.root(), len(plain), index, b"other leaf", proof)
        assert not verify(tree.root(), len(plain) + 1, index, value, proof)
        assert not verify(tree.root(), len(plain), index, value, (*proof, bytes(32)))
        if value is not None:
            assert not verify(tree.root(), len(plain), index, None, proof)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.integers(0, 70), leaf, max_size=8), st.booleans(), st.booleans()),
        max_size=12,
    )
)
def test_changes_ahead_of_a_tree_give_the_root_of_the_definition_and_become_its_own(
    changes: list[tuple[dict[int, bytes | None], bool, bool]],
) -> None:
    tree, plain = MerkleTree(), list[bytes | None]()
    for written, look, take in changes:
        ahead, changed = TreeAhead(tree), plain.copy()
        for index, value in written.items():
            ahead.set(index, value)
            put(changed, index, value)
            if look:
                assert ahead.root() == plain_root(changed)
        assert ahead.root() == plain_root(changed) and len(ahead) == len(changed)
        assert tree.root() == plain_root(plain) and len(tree) == len(plain)
        if take:
            ahead.take_in()
            plain = changed
    assert tree.root() == plain_root(plain)
    for index, value in enumerate(plain):
        assert verify(tree.root(), len(plain), index, value, tree.proof(index))


def test_changes_ahead_of_a_large_tree_copy_none_of_it() -> None:
    """Of 2^16 leaves one changes: 17 nodes, one at each height."""
    tree = MerkleTree()
    for index in range(1 << 16):
        tree.set(index, b"")
    ahead = TreeAhead(tree)
    ahead.set(12_345, b"other")
    root = ahead.root()
    assert root != tree.root() and sum(map(len, ahead._changed)) == 17
    ahead.take_in()
    assert tree.root() == root


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    tree = MerkleTree()
    for index in range(4):
        tree.set(index, bytes([index]))
    low, high = tree.proof(0)
    inner = b"\x01" + keccak256(b"\x00\x00") + low
    assert not verify(tree.root(), 2, 0, inner, (high,))
    assert not verify(tree.root(), 4, 0, inner, (high,))


def test_the_root_of_the_empty_tree_is_not_zero() -> None:
    assert MerkleTree().root() == plain_root([]) != bytes(32)


@given(st.lists(st.binary(max_size=5), max_size=20))
def test_the_root_of_a_list_equals_the_definition(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == plain_root(list(leaves))
