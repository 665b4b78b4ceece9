"""The exchange root: one hash over all that can influence a later batch, and proofs of single accounts.

root = keccak("coinone-rows" || accounts tree || markets tree || unclaimed tree || keccak(globals leaf)). Trees are
those of base/crypto/merkle.py. The accounts tree's leaf n is the account with number n: its leaf and, for each kind of
leaves under accounts (`UNDER_ACCOUNTS`: its orders), the hash of all of them by key, so that one proof shows a user
their complete state. A proof shows all orders or none, so they need no tree, which would take ten times as long.
Computed once per block.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.merkle import MerkleTree, TreeAhead, merkle_root, verify
from coinone.base.primitives import rlp
from coinone.base.primitives.types import ZERO_HASH, Hash32
from coinone.rules.exchange.state.leaf_forms import ACCOUNT, GLOBALS, MARKET, ORDER_LEAF_SIZE, UNCLAIMED
from coinone.rules.exchange.state.leaves import next_account_in
from coinone.rules.exchange.state.ledger import UNDER_ACCOUNTS
from coinone.rules.state.steps import finished

_TAG = b"coinone-rows"
_NAME_SIZE = 8  # of the rest of a key under an account
_PER_STEP = 2_048  # leaves sorted or orders hashed between two yields: about 2 ms
Leaves = Mapping[bytes, bytes | None]
_Roots = tuple[Hash32, Hash32, Hash32, Hash32]  # accounts, markets, unclaimed, globals
_Under = dict[bytes, dict[int, dict[bytes, bytes]]]
"""Leaves under accounts: by kind, by the account's number, by the rest of their keys (of an order its oid)."""
Listed = tuple[
    tuple[bytes, bytes], ...
]  # the leaves of one kind under one account, by rising rest of the key
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class ExchangeProof:
    """A proof to a holder of the root that account `number` has exactly this leaf and these orders."""

    number: int
    leaf: bytes
    listed: tuple[Listed, ...]  # in the order of UNDER_ACCOUNTS: orders first
    places: int  # size of the accounts tree
    path: tuple[Hash32, ...]
    roots: _Roots

    @property
    def orders(self) -> list[tuple[int, bytes]]:
        """(oid, leaf) of each order, rising."""
        return [(int.from_bytes(oid, "big"), leaf) for oid, leaf in self.listed[0]]

    @property
    def rows_root(self) -> Hash32:
        return _combine(self.roots)


@dataclass(slots=True)
class _Ahead:
    """Pending changes of a block's leaves, and the trees over them; only what changes, separate from the present
    state."""

    leaves: Leaves  # the change itself
    account_tree: TreeAhead
    market_tree: TreeAhead
    roots: _Roots
    accounts: dict[int, bytes | None] = field(default_factory=dict)
    under: _Under = field(default_factory=lambda: _nothing_under())
    unclaimed: dict[bytes, bytes] | None = None  # None: as before


class LeafStore:
    """All leaves as of the last block, and the trees over them.

    A block's root is computed in short steps, while the present state stays as it is, so that accounts can be proved
    meanwhile; when the block is committed, the prepared changes are applied.
    """

    def __init__(self, leaves: Leaves) -> None:
        self._accounts: dict[int, bytes] = {}  # by number
        self._under = _nothing_under()
        self._unclaimed: dict[bytes, bytes] = {}
        self._account_tree, self._market_tree = MerkleTree(), MerkleTree()
        empty = merkle_root([])
        self._roots: _Roots = (empty, empty, empty, keccak256(b""))
        self._ahead: _Ahead | None = None
        self.update(leaves)

    def update(self, leaves: Leaves) -> None:
        """Apply the leaves that a block changed: without further hashing, if `root_steps` computed their root last."""
        if self._ahead is None or self._ahead.leaves is not leaves:
            self.root_with(leaves)
        ahead, self._ahead = self._ahead, None
        assert ahead is not None, "computing the root prepares it"
        for number, leaf in ahead.accounts.items():
            if leaf is None:
                self._accounts.pop(number, None)
            else:
                self._accounts[number] = leaf
        for kind, changed in ahead.under.items():
            self._under[kind].update(changed)
            for number in [number for number, entries in changed.items() if not entries]:
                del self._under[kind][number]
        if ahead.unclaimed is not None:
            self._unclaimed = ahead.unclaimed
        ahead.account_tree.take_in()
        ahead.market_tree.take_in()
        self._roots = ahead.roots

    def root(self) -> Hash32:
        return _combine(self._roots)

    def root_with(self, leaves: Leaves) -> Hash32:
        """The root after `update(leaves)`."""
        return finished(self.root_steps(leaves))

    def root_steps(self, leaves: Leaves) -> Generator[None, None, Hash32]:
        """Compute `root_with` in short steps. Nothing may be updated meanwhile, nor `leaves` changed."""
        self._ahead = None
        ahead = _Ahead(leaves, TreeAhead(self._account_tree), TreeAhead(self._market_tree), self._roots)
        for count, (key, leaf) in enumerate(leaves.items(), 1):
            self._put(ahead, key, leaf)
            if count % _PER_STEP == 0:
                yield
        yield from self._set_accounts(ahead)
        _keep_places(ahead.account_tree, leaves.get(GLOBALS))
        yield from ahead.account_tree.hash_steps()
        _, _, unclaimed, counters = self._roots
        if ahead.unclaimed is not None:
            unclaimed = yield from _list_root_steps(ahead.unclaimed)
        if GLOBALS in leaves:
            counters = keccak256(leaves[GLOBALS] or b"")
        ahead.roots = ahead.account_tree.root(), ahead.market_tree.root(), unclaimed, counters
        self._ahead = ahead
        return _combine(ahead.roots)

    def holds(self, number: int) -> bool:
        """Whether there is an account with this number."""
        return number in self._accounts

    def prove(self, number: int) -> ExchangeProof:
        """The proof of an existing account."""
        return ExchangeProof(
            number=number,
            leaf=self._accounts[number],
            listed=tuple(
                [tuple(sorted(accounts.get(number, {}).items())) for accounts in self._under.values()]
            ),
            places=len(self._account_tree),
            path=self._account_tree.proof(number),
            roots=self._roots,
        )

    def _put(self, ahead: _Ahead, key: bytes, leaf: bytes | None) -> None:
        kind = key[:1]
        if kind in UNDER_ACCOUNTS:
            number, changed = int.from_bytes(key[1:9], "big"), ahead.under[kind]
            entries = changed.get(number)
            if entries is None:
                entries = changed[number] = dict(self._under[kind].get(number, ()))
            _put(entries, key[9:], leaf)
        elif kind == ACCOUNT:
            ahead.accounts[int.from_bytes(key[1:], "big")] = leaf
        elif kind == MARKET:
            ahead.market_tree.set(int.from_bytes(key[1:], "big"), leaf)
        elif kind == UNCLAIMED:
            if ahead.unclaimed is None:
                ahead.unclaimed = dict(self._unclaimed)
            _put(ahead.unclaimed, key, leaf)

    def _set_accounts(self, ahead: _Ahead) -> Iterator[None]:
        """Put the changed accounts into the accounts tree."""
        work = 0
        for number in dict.fromkeys(chain(ahead.accounts, *ahead.under.values())):
            leaf = ahead.accounts[number] if number in ahead.accounts else self._accounts.get(number)
            listed = [
                sorted((changed[number] if number in changed else self._under[kind].get(number, {})).items())
                for kind, changed in ahead.under.items()
            ]
            ahead.account_tree.set(number, None if leaf is None else account_leaf(leaf, listed))
            work += 4 + sum(map(len, listed))  # an account costs about as much as four of its orders
            work += len(leaf or b"") // ORDER_LEAF_SIZE
            if work >= _PER_STEP:
                work = 0
                yield


def _put(rows: dict[K, bytes], key: K, leaf: bytes | None) -> None:
    if leaf is None:
        rows.pop(key, None)
    else:
        rows[key] = leaf


def _keep_places(tree: TreeAhead, globals_leaf: bytes | None) -> None:
    """Reserve a place for every number ever given, also if the accounts with the highest numbers were removed.

    So the tree of a node that loads the leaves equals that of a node that has seen the accounts come and go.
    """
    places = 0 if globals_leaf is None else next_account_in(globals_leaf)
    if places > 1 and places > len(tree):
        tree.set(places - 1, None)


def _list_root_steps(leaves: Mapping[bytes, bytes]) -> Generator[None, None, Hash32]:
    """Compute the root over a list of keys with their leaves, in the order of the keys, in steps."""
    tree = MerkleTree()
    for index, (key, leaf) in enumerate(sorted(leaves.items())):
        tree.set(index, key + leaf)
        if index % _PER_STEP == _PER_STEP - 1:
            yield
    yield from tree.hash_steps()
    return tree.root()


def account_leaf(leaf: bytes, listed: Sequence[Sequence[tuple[bytes, bytes]]]) -> bytes:
    """A leaf of the accounts tree: the account's leaf, and the hash of its leaves of each kind.

    The hash of an empty list is zero. At the end such hashes are left out, except that of the orders: what accounts
    may have more of later does not change the leaves of those without it.
    """
    hashes = [keccak256(b"".join(chain.from_iterable(each))) if each else ZERO_HASH for each in listed]
    while len(hashes) > 1 and hashes[-1] == ZERO_HASH:
        hashes.pop()
    return rlp.encode([leaf, *hashes])


def verify_account(root: Hash32, proof: ExchangeProof) -> bool:
    """Whether `proof` shows this account and exactly these orders under `root`."""
    for size, each in zip(UNDER_ACCOUNTS.values(), proof.listed, strict=True):
        if any(len(name) != _NAME_SIZE or len(leaf) != size for name, leaf in each):
            return False
    leaf = account_leaf(proof.leaf, proof.listed)
    shown = verify(proof.roots[0], proof.places, proof.number, leaf, proof.path)
    return shown and _combine(proof.roots) == root


def _nothing_under() -> _Under:
    return {kind: {} for kind in UNDER_ACCOUNTS}


def _combine(roots: _Roots) -> Hash32:
    return keccak256(_TAG + b"".join(roots))
