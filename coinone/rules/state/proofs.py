"""Proofs that an account or a slot has a value under a state root, as `eth_getProof` serves them (EIP-1186).

A proof lists the encodings of the nodes on the path from the root to the key, or to where the path ends. Nodes
shorter than a hash are inside their parent and not listed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidInput, StorageError
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.state.account import EMPTY_ACCOUNT, Account
from coinone.rules.state.database import Database
from coinone.rules.state.nodes import EMPTY_ROOT, Branch, Child, Leaf, Node, decode_node, nibbles
from coinone.rules.state.seal import TrieAccount, account_rows, decode_trie_account, storage_rows
from coinone.rules.state.trie import Load


@dataclass(frozen=True, slots=True)
class SlotProof:
    slot: int
    value: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    address: Address
    account: Account  # empty if the proof shows that it does not exist
    storage_root: Hash32
    proof: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]


def prove(database: Database, address: Address, slots: Sequence[int]) -> AccountProof:
    """Prove an account and slots under the root of the database's state."""
    leaf, proof = _walk(account_rows(database), nibbles(keccak256(address)))
    held = TrieAccount(EMPTY_ACCOUNT, EMPTY_ROOT) if leaf is None else decode_trie_account(leaf)
    load = storage_rows(database, address)
    return AccountProof(
        address, held.account, held.storage_root, proof, tuple(_prove_slot(load, s) for s in slots)
    )


def verify_proof(root: Hash32, key: Hash32, proof: Sequence[bytes]) -> bytes | None:
    """The value of the hashed `key`, or None if the proof shows its absence.

    Raises InvalidInput if the proof shows neither.
    """
    if root == EMPTY_ROOT and not proof:
        return None
    by_hash = {keccak256(node): node for node in proof}
    used: dict[Hash32, None] = {}

    def node_named(name: Hash32) -> bytes:
        if name not in by_hash:
            raise InvalidInput("proof: a node is missing")
        used[name] = None
        return by_hash[name]

    path, child = nibbles(key), b"\xa0" + root
    try:
        value = _descend(child, path, node_named)
    except DecodeError as error:
        raise InvalidInput("proof: a node cannot be read") from error
    if len(used) != len(proof):
        raise InvalidInput("proof: nodes that are not on the path")
    return value


def _descend(child: Child, path: bytes, node_named: Callable[[Hash32], bytes]) -> bytes | None:
    while child is not None:
        node: Node = decode_node(node_named(child[1:])) if isinstance(child, bytes) else child
        step = _step(node, path)
        if isinstance(step, bytes):
            return step or None
        child, path = step
    return None


def _step(node: Node, path: bytes) -> bytes | tuple[Child, bytes]:
    """The value if the path ends at `node` (empty: absent), else the next child and the rest of the path."""
    if isinstance(node, Branch):
        return (node.children[path[0]], path[1:]) if path else node.value
    if isinstance(node, Leaf):
        return node.value if node.path == path else b""
    if not node.path or not path.startswith(node.path):
        return b""
    return node.child, path[len(node.path) :]


def _walk(load: Load, path: bytes) -> tuple[bytes | None, tuple[bytes, ...]]:
    row = load(b"")
    if row is None:
        return None, ()
    proof = [row]
    node, rest = decode_node(row), path
    while True:
        step = _step(node, rest)
        if isinstance(step, bytes):
            return step or None, tuple(proof)
        child, rest = step
        if child is None:
            return None, tuple(proof)
        if isinstance(child, bytes):
            row = load(path[: len(path) - len(rest)])
            if row is None or keccak256(row) != child[1:]:
                raise StorageError("a stored trie node does not match its parent")
            proof.append(row)
            node = decode_node(row)
        else:
            node = child


def _prove_slot(load: Load, slot: int) -> SlotProof:
    leaf, proof = _walk(load, nibbles(keccak256(slot.to_bytes(32, "big"))))
    value = 0 if leaf is None else rlp.decode_int(rlp.decode(leaf))
    return SlotProof(slot, value, proof)
