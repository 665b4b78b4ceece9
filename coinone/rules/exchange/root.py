"""The exchange root: one hash over all that can influence a later batch, and proofs of single accounts.

root = keccak("coinone-rows" || accounts tree || markets tree || unclaimed tree || keccak(globals leaf)).
Trees are those of base/crypto/merkle.py. The accounts tree's leaf n is the account with number n: its leaf and the
hash of all its orders by oid, so that one proof shows a user their complete state. A proof shows all orders or none,
so they need no tree, which would take ten times as long. Computed once per block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.merkle import MerkleTree, merkle_root, verify
from coinone.base.primitives import rlp
from coinone.base.primitives.types import ZERO_HASH, Hash32
from coinone.rules.exchange import leaves as form

_TAG = b"coinone-rows"
Leaves = Mapping[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """What convinces a holder of the root that account `number` has exactly this leaf and these orders."""

    number: int
    leaf: bytes
    orders: tuple[tuple[int, bytes], ...]  # (oid, leaf), rising
    places: int  # size of the accounts tree
    path: tuple[Hash32, ...]
    roots: tuple[Hash32, Hash32, Hash32, Hash32]  # accounts, markets, unclaimed, globals

    @property
    def rows_root(self) -> Hash32:
        return _combine(self.roots)


class LeafStore:
    """All leaves as of the last block, and the trees over them."""

    def __init__(self, leaves: Leaves) -> None:
        self._leaves: dict[bytes, bytes] = {}
        self._orders: dict[int, dict[int, bytes]] = {}
        self._unclaimed: dict[bytes, bytes] = {}
        self._unclaimed_root: Hash32 | None = None  # None: to be made anew
        self._accounts, self._markets = MerkleTree(), MerkleTree()
        self._staged: tuple[Leaves, Leaves] | None = None  # what `root_with` put in, and what it replaced
        self._apply(leaves)

    def update(self, leaves: Leaves) -> None:
        """Take in the leaves that a block changed."""
        if self._staged is not None and self._staged[0] == leaves:
            self._staged = None  # the block whose root was asked for: it is in already
            return
        self._unstage()
        self._apply(leaves)

    def root(self) -> Hash32:
        self._unstage()
        return _combine(self._roots())

    def root_with(self, leaves: Leaves) -> Hash32:
        """The root as it will be after `update(leaves)`."""
        self._unstage()
        before = {key: self._leaves.get(key) for key in leaves}
        self._apply(leaves)
        self._staged = (dict(leaves), before)
        return _combine(self._roots())

    def _apply(self, leaves: Leaves) -> None:
        changed: dict[int, None] = {}
        for key, leaf in leaves.items():
            self._put(key, leaf)
            if key[:1] in (form.ACCOUNT, form.ORDER):
                changed[int.from_bytes(key[1:9], "big")] = None
            elif key[:1] == form.MARKET:
                self._markets.set(int.from_bytes(key[1:], "big"), leaf)
        for number in changed:
            self._accounts.set(number, self._account_leaf(number))

    def _unstage(self) -> None:
        """The block whose root was asked for did not come."""
        if self._staged is None:
            return
        before, self._staged = self._staged[1], None
        self._apply(before)
        if any(leaf is None and key[:1] in (form.ACCOUNT, form.MARKET) for key, leaf in before.items()):
            self._replant()  # a tree names its size and cannot shrink

    def items(self) -> dict[bytes, bytes]:
        return dict(self._leaves)

    def holds(self, number: int) -> bool:
        """Is there an account with this number?"""
        return form.account_key(number) in self._leaves

    def prove(self, number: int) -> AccountProof:
        """The proof of an account that exists."""
        self._unstage()
        return AccountProof(
            number=number,
            leaf=self._leaves[form.account_key(number)],
            orders=tuple(sorted(self._orders.get(number, {}).items())),
            places=len(self._accounts),
            path=self._accounts.proof(number),
            roots=self._roots(),
        )

    def _put(self, key: bytes, leaf: bytes | None) -> None:
        if leaf is None:
            self._leaves.pop(key, None)
        else:
            self._leaves[key] = leaf
        if key[:1] == form.UNCLAIMED:
            self._unclaimed_root = None
            self._unclaimed.pop(key, None)
            if leaf is not None:
                self._unclaimed[key] = leaf
        if key[:1] == form.ORDER:
            orders = self._orders.setdefault(int.from_bytes(key[1:9], "big"), {})
            if leaf is None:
                orders.pop(int.from_bytes(key[9:], "big"), None)
            else:
                orders[int.from_bytes(key[9:], "big")] = leaf

    def _account_leaf(self, number: int) -> bytes | None:
        leaf = self._leaves.get(form.account_key(number))
        return (
            None if leaf is None else account_leaf(leaf, tuple(sorted(self._orders.get(number, {}).items())))
        )

    def _roots(self) -> tuple[Hash32, Hash32, Hash32, Hash32]:
        if self._unclaimed_root is None:
            self._unclaimed_root = merkle_root([key + leaf for key, leaf in sorted(self._unclaimed.items())])
        counters = keccak256(self._leaves.get(form.GLOBALS, b""))
        return self._accounts.root(), self._markets.root(), self._unclaimed_root, counters

    def _replant(self) -> None:
        leaves = self._leaves
        self._accounts, self._markets = MerkleTree(), MerkleTree()
        self._leaves, self._orders, self._unclaimed = {}, {}, {}
        self._unclaimed_root = None
        self._apply(leaves)


def account_leaf(leaf: bytes, orders: Sequence[tuple[int, bytes]]) -> bytes:
    """What stands in the accounts tree: the account's leaf and the hash of its orders (ORDER_LEAF_SIZE bytes each)."""
    listed = (
        keccak256(b"".join([oid.to_bytes(8, "big") + order for oid, order in orders]))
        if orders
        else ZERO_HASH
    )
    return rlp.encode([leaf, listed])


def verify_account(root: Hash32, proof: AccountProof) -> bool:
    """Does `proof` show this account and exactly these orders under `root`?"""
    if any(len(order) != form.ORDER_LEAF_SIZE for _, order in proof.orders):
        return False
    leaf = account_leaf(proof.leaf, proof.orders)
    shown = verify(proof.roots[0], proof.places, proof.number, leaf, proof.path)
    return shown and _combine(proof.roots) == root


def _combine(roots: tuple[Hash32, Hash32, Hash32, Hash32]) -> Hash32:
    return keccak256(_TAG + b"".join(roots))
