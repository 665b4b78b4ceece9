"""Batches: the ledger is a chain of them, blocks only confirm it (D1).

A batch names the one before it by hash, the block its rules are read at (*base*), its time, and the leader's
revealed seed, which orders its transactions. Its hash covers a Merkle root of the transactions, so that one
can be proved to be in it. How a batch is executed: apply.py.
"""

from dataclasses import dataclass
from functools import cached_property

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.merkle import MerkleTree
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.parameters import BATCH_BYTES_MAX
from coinone.base.primitives.types import Hash32
from coinone.rules.ledger.certificate import Certificate, decode_certificate, encode_certificate
from coinone.rules.ledger.term_change import TermChange, parse_term_item, term_item


@dataclass(frozen=True)
class Batch:
    term: int
    seq: int
    parent_hash: Hash32
    base_number: int
    base_hash: Hash32
    time_ms: int
    evm_offset_s: int  # how far contracts' time is from exchange time; zero except on dev (D15)
    seed: Hash32
    term_change: TermChange | None
    transactions: tuple[bytes, ...]
    forced: int = 0  # so many of the first transactions are forced (chain/forced.py)

    @cached_property
    def hash(self) -> Hash32:
        return keccak256(b"coinone-batch" + rlp.encode([*self._head(), self.transactions_tree().root()]))

    @cached_property
    def encoded(self) -> bytes:
        return rlp.encode([*self._head(), list(self.transactions)])

    def transactions_tree(self) -> MerkleTree:
        """For the hash, and for proofs that a transaction is in the batch."""
        tree = MerkleTree()
        for index, raw in enumerate(self.transactions):
            tree.set(index, raw)
        return tree

    def _head(self) -> list[rlp.Encodable]:
        offset = self.evm_offset_s.to_bytes(8, "big", signed=True)
        return [
            self.term, self.seq, self.parent_hash, self.base_number, self.base_hash, self.time_ms, offset,
            self.seed, term_item(self.term_change), self.forced,
        ]  # fmt: skip


@dataclass(frozen=True)
class CertifiedBatch:
    """A batch with the quorum of commits that makes it final among the federation."""

    batch: Batch
    certificate: Certificate

    def encode(self) -> bytes:
        return rlp.encode([self.batch.encoded, encode_certificate(self.certificate)])


def decode_batch(data: bytes) -> Batch:
    """Raises DecodeError, or LimitExceeded."""
    if len(data) > BATCH_BYTES_MAX:
        raise LimitExceeded("batch too large", have=len(data), most=BATCH_BYTES_MAX)
    fields = rlp.decode_list(rlp.decode(data), 11)
    term, seq, base_number, time_ms = (rlp.decode_int(fields[place], 8) for place in (0, 1, 3, 5))
    return Batch(
        term=term,
        seq=seq,
        parent_hash=rlp.decode_bytes(fields[2], 32),
        base_number=base_number,
        base_hash=rlp.decode_bytes(fields[4], 32),
        time_ms=time_ms,
        evm_offset_s=int.from_bytes(rlp.decode_bytes(fields[6], 8), "big", signed=True),
        seed=rlp.decode_bytes(fields[7], 32),
        term_change=parse_term_item(fields[8]),
        transactions=tuple(_transaction(item) for item in rlp.decode_list(fields[10])),
        forced=rlp.decode_int(fields[9], 4),
    )


def decode_certified(data: bytes) -> CertifiedBatch:
    """Raises DecodeError, or LimitExceeded."""
    batch, certificate = rlp.decode_list(rlp.decode(data), 2)
    return CertifiedBatch(
        decode_batch(rlp.decode_bytes(batch)), decode_certificate(rlp.decode_bytes(certificate))
    )


def _transaction(item: rlp.Item) -> bytes:
    raw = rlp.decode_bytes(item)
    if not raw:
        raise DecodeError("empty transaction")
    return raw
