"""Batches: the ledger is a chain of them, and blocks only confirm it (D1).

A batch has the hash of the one before it, the block at which its rules are read (*base*), its time, and the leader's
revealed seed, which orders its transactions. Its hash covers a Merkle root of the transactions, so that inclusion of
one can be proved. For execution see chain/apply.py.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.merkle import MerkleTree
from coinone.base.primitives import rlp
from coinone.base.primitives.parameters import BATCH_BYTES_MAX
from coinone.base.primitives.records import encode, encoded_fields, record
from coinone.base.primitives.types import I64, U32, U64, Hash32, Size, Wrapped
from coinone.rules.ledger.certificate import Certificate
from coinone.rules.ledger.term_change import TermChange

_HEAD = (
    "term", "seq", "parent_hash", "base_number", "base_hash", "time_ms", "evm_offset_s", "seed", "term_change",
    "forced",
)  # fmt: skip


@record
@dataclass(frozen=True)
class Batch:
    term: U64
    seq: U64
    parent_hash: Hash32
    base_number: U64
    base_hash: Hash32
    time_ms: U64
    evm_offset_s: I64  # offset of contracts' time from exchange time; zero except on dev (D15)
    seed: Hash32
    term_change: TermChange | None
    forced: U32  # number of first transactions that are forced (chain/forced.py)
    transactions: tuple[Annotated[bytes, Size(1, BATCH_BYTES_MAX)], ...]

    @cached_property
    def hash(self) -> Hash32:
        root = rlp.encode(self.transactions_tree().root())
        return keccak256(b"coinone-batch" + rlp.encode_joined([*encoded_fields(self, *_HEAD), root]))

    @cached_property
    def encoded(self) -> bytes:
        return encode(self)

    def transactions_tree(self) -> MerkleTree:
        """The Merkle tree of the transactions, for the hash and for proofs of inclusion."""
        tree = MerkleTree()
        for index, raw in enumerate(self.transactions):
            tree.set(index, raw)
        return tree


WrappedBatch: TypeAlias = Annotated[Batch, Wrapped(BATCH_BYTES_MAX)]


@record
@dataclass(frozen=True)
class CertifiedBatch:
    """A batch with the quorum of commits that makes it final among the federation."""

    batch: WrappedBatch
    certificate: Annotated[Certificate, Wrapped()]
