"""Merkle trees, branches and partial trees: a real block, a real proof, and every forgery that is known."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.primitives.errors import DecodeError, InvalidInput
from coinone.rules.bitcoin.encoding import compact_size, hash256, sized
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header_chain import check_work
from coinone.rules.bitcoin.merkle import BRANCH_MAX, TRANSACTIONS_MAX, fold, merkle_branch, merkle_root
from coinone.rules.bitcoin.networks import MAIN
from coinone.rules.bitcoin.partial_merkle import PartialMerkleTree, build, decode_merkle_block, matches

BLOCK_100000 = [  # its transactions and root, as explorers show them
    "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
    "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
    "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
    "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
]
ROOT_100000 = "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766"

MERKLE_BLOCK = bytes.fromhex(  # the example of Bitcoin's developer reference for the merkleblock message
    "0100000082bb869cf3a793432a66e826e05a6fc37469f8efb7421dc880670100000000007f16c5962e8bd963659c793ce370d95f093bc7e367117b3c30"
    "c1f8fdd0d9728776381b4d4c86041b554b852907000000043612262624047ee87660be1a707519a443b1c1ce3d248cbfc6c15870f6c5daa2019f5b01"
    "d4195ecbc9398fbf3c3b1fa9bb3183301d7a1fb3bd174fcfa40a2b6541ed70551dd7e841883ab8f0b16bf04176b7d1480e4f0af9f3d4c3595768d068"
    "20d2a7bc994987302e5b1ac80fc425fe25f8b63169ea78e68fbaaefa59379bbf011d"
)


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(count)]


def naive_root(nodes: list[bytes]) -> bytes:
    """As Satoshi's first version computed it: what is odd repeats its last, and nothing is refused."""
    while len(nodes) > 1:
        nodes = nodes + nodes[-1:] if len(nodes) % 2 else nodes
        nodes = [hash256(a + b) for a, b in zip(nodes[::2], nodes[1::2], strict=True)]
    return nodes[0]


def test_a_real_block_has_its_root() -> None:
    txids = [bytes.fromhex(txid)[::-1] for txid in BLOCK_100000]
    root = bytes.fromhex(ROOT_100000)[::-1]
    assert merkle_root(txids) == root
    assert [fold(txid, place, merkle_branch(txids, place)) for place, txid in enumerate(txids)] == [root] * 4


@pytest.mark.parametrize("count", range(1, 34))
def test_every_leaf_s_branch_leads_to_the_root(count: int) -> None:
    txids = leaves(count)
    root = merkle_root(txids)
    assert root == naive_root(txids)
    for place, txid in enumerate(txids):
        branch = merkle_branch(txids, place)
        assert fold(txid, place, branch) == root
        for wrong in {place ^ 1 << height for height in range(len(branch))}:
            try:
                assert fold(txid, wrong, branch) != root
            except InvalidBitcoin as refused:
                assert refused.reason == "place of a repeated node"


@pytest.mark.parametrize("count", [3, 5, 6, 7, 9, 10, 12, 13])
def test_a_repeated_end_has_the_shorter_list_s_root_and_is_refused(count: int) -> None:
    """CVE-2012-2459: [1, 2, 3] and [1, 2, 3, 3] have one root."""
    txids = leaves(count)
    odd_part = count & -count  # the leaves below the node that is repeated
    repeated = txids + txids[-odd_part:]
    assert naive_root(repeated) == merkle_root(txids)
    with pytest.raises(InvalidBitcoin, match="equal siblings"):
        merkle_root(repeated)


def test_a_place_in_the_repetition_is_refused() -> None:
    """Of three leaves the third stands at places 2 and 3 for whoever folds without looking."""
    txids = leaves(3)
    branch = merkle_branch(txids, 2)
    assert hash256(branch[1] + hash256(branch[0] + txids[2])) == merkle_root(txids)  # place 3
    with pytest.raises(InvalidBitcoin, match="repeated"):
        fold(txids[2], 3, branch)


@pytest.mark.parametrize("place", [-1, 4, 5, 2**31])
def test_a_place_beyond_the_tree_is_refused(place: int) -> None:
    with pytest.raises(InvalidBitcoin, match="no such place"):
        fold(leaves(4)[0], place, merkle_branch(leaves(4), 0))


def test_the_highest_tree_is_that_of_a_block_of_the_shortest_transactions() -> None:
    assert TRANSACTIONS_MAX == 16_666  # 4,000,000 // (4 * 60)
    assert 2 ** (BRANCH_MAX - 1) < TRANSACTIONS_MAX <= 2**BRANCH_MAX


def test_a_real_partial_tree_proves_its_transaction() -> None:
    header, tree = decode_merkle_block(MERKLE_BLOCK)
    check_work(header.hash, header.bits, MAIN)
    found = matches(tree)
    assert found.root == header.merkle_root
    assert tree.total == 7
    shown = [(place, txid[::-1].hex()) for place, txid in found.leaves]
    assert shown == [(4, "652b0aa4cf4f17bdb31f7a1d308331bba91f3b3cbf8f39c9cb5e19d4015b9f01")]
    assert header.encode() + tree.encode() == MERKLE_BLOCK


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_a_partial_tree_proves_what_was_wanted_and_no_more(case: tuple[int, set[int]]) -> None:
    count, wanted = case
    txids = leaves(count)
    tree = build(txids, sorted(wanted))
    found = matches(tree)
    assert found.root == merkle_root(txids)
    assert list(found.leaves) == [(place, txids[place]) for place in sorted(wanted)]
    assert decode_merkle_block(bytes(80) + tree.encode())[1] == tree


def has_root(tree: PartialMerkleTree, root: bytes) -> bool:
    try:
        return matches(tree).root == root
    except InvalidInput:
        return False


def proves_nothing_false(tree: PartialMerkleTree, txids: list[bytes]) -> bool:
    """Refused, of another block, or it proves leaves that are there."""
    try:
        found = matches(tree)
    except InvalidInput:
        return True
    return found.root != merkle_root(txids) or set(found.leaves) <= set(enumerate(txids))


def test_no_change_of_a_partial_tree_proves_what_is_not_there() -> None:
    """Two changes keep the root: another number of transactions (9 to 16 make one shape), and a leaf's own flag."""
    txids = leaves(13)
    tree, root = build(txids, [0, 6]), merkle_root(txids)
    assert has_root(tree, root)
    raw = tree.encode()
    tried = 0
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            _, other = decode_merkle_block(bytes(80) + bytes(changed))
        except InvalidInput:
            continue
        tried += 1
        assert proves_nothing_false(other, txids), bit
        if other.hashes != tree.hashes:
            assert not has_root(other, root)
    assert tried > 8 * 32 * len(tree.hashes)
    for at in range(len(tree.hashes)):
        assert not has_root(tree._replace(hashes=tree.hashes[:at] + tree.hashes[at + 1 :]), root)
        assert not has_root(tree._replace(hashes=(*tree.hashes[:at], bytes(32), *tree.hashes[at:])), root)
        swapped = [*tree.hashes]
        swapped[at - 1], swapped[at] = swapped[at], swapped[at - 1]
        assert not has_root(tree._replace(hashes=tuple(swapped)), root)
    for size in range(len(raw)):
        with pytest.raises(InvalidInput):
            decode_merkle_block(bytes(80) + raw[:size])
    with pytest.raises(DecodeError, match="behind the end"):
        decode_merkle_block(bytes(80) + raw + b"\0")


FORGERIES: list[tuple[str, Callable[[PartialMerkleTree], PartialMerkleTree], str]] = [
    ("no transactions", lambda tree: tree._replace(total=0), "number of transactions"),
    (
        "more than a block holds",
        lambda tree: tree._replace(total=TRANSACTIONS_MAX + 1),
        "number of transactions",
    ),
    ("more hashes than transactions", lambda tree: tree._replace(hashes=tree.hashes * 2), "more hashes"),
    ("more hashes than flags", lambda tree: tree._replace(flags=b""), "more hashes"),
    ("a hash left", lambda tree: tree._replace(hashes=(*tree.hashes, bytes(32))), "hashes left"),
    ("a hash missing", lambda tree: tree._replace(hashes=tree.hashes[:-1]), "too few hashes"),
    ("a byte of flags left", lambda tree: tree._replace(flags=tree.flags + b"\0"), "flags left"),
    (
        "a bit of padding set",
        lambda tree: tree._replace(flags=tree.flags[:-1] + bytes((tree.flags[-1] | 0x80,))),
        "flags left",
    ),
    ("all flags set", lambda tree: tree._replace(flags=b"\xff" * len(tree.flags)), "flags|hashes"),
]


@pytest.mark.parametrize(
    ("forge", "reason"), [each[1:] for each in FORGERIES], ids=[each[0] for each in FORGERIES]
)
def test_a_forged_partial_tree_says_what_is_wrong(
    forge: Callable[[PartialMerkleTree], PartialMerkleTree], reason: str
) -> None:
    tree = build(leaves(7), [2])
    assert (len(tree.hashes), len(tree.flags)) == (4, 1)
    with pytest.raises(InvalidInput, match=reason):
        matches(forge(tree))


def test_a_partial_tree_cannot_repeat_a_node() -> None:
    """CVE-2012-2459 again: three leaves told as four, the third proved at two places."""
    txids = leaves(3)
    forged = PartialMerkleTree(4, (hash256(txids[0] + txids[1]), txids[2], txids[2]), bytes((0b11101,)))
    with pytest.raises(InvalidBitcoin, match="equal siblings"):
        matches(forged)


def test_flags_beyond_the_longest_length_are_refused() -> None:
    body = (7).to_bytes(4, "little") + compact_size(1) + bytes(32) + sized(b"\x01")
    decode_merkle_block(bytes(80) + body)
    with pytest.raises(DecodeError, match="shortest"):
        decode_merkle_block(bytes(80) + body[:-2] + b"\xfd\x01\x00\x01")
