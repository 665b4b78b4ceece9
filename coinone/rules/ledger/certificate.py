"""Votes for batches and the certificates they make, as values and bytes. Who may vote: consensus/federation.py."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.parameters import FEDERATION_MEMBERS_MAX
from coinone.base.primitives.types import ZERO_HASH, Hash32

Signatures: TypeAlias = tuple[tuple[int, bytes], ...]  # (member, signature), members rising


class VoteKind(Enum):
    PREPARE = 1
    COMMIT = 2


@dataclass(frozen=True, slots=True)
class Vote:
    """`term` is the term the vote is cast in; a batch proposed again keeps the older term of its own."""

    kind: VoteKind
    term: int
    seq: int
    batch_hash: Hash32
    results: Hash32  # digest of the results; zero in a prepare, which is cast before execution

    def content(self, chain_id: int) -> Hash32:
        """What is signed."""
        fields = [chain_id, self.kind.value, self.term, self.seq, self.batch_hash, self.results]
        return keccak256(b"coinone-vote" + rlp.encode(fields))


@dataclass(frozen=True, slots=True)
class SignedVote:
    vote: Vote
    member: int
    signature: bytes  # r, s, v: 65 bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """A quorum of commits for one batch and one digest of its results."""

    term: int
    seq: int
    batch_hash: Hash32
    results: Hash32
    signatures: Signatures

    @property
    def vote(self) -> Vote:
        return Vote(VoteKind.COMMIT, self.term, self.seq, self.batch_hash, self.results)


def encode_certificate(certificate: Certificate) -> bytes:
    signatures = signatures_item(certificate.signatures)
    return rlp.encode(
        [certificate.term, certificate.seq, certificate.batch_hash, certificate.results, signatures]
    )


def signatures_item(signatures: Signatures) -> list[rlp.Encodable]:
    return [[member, signature] for member, signature in signatures]


def parse_signatures(item: rlp.Item) -> Signatures:
    """Raises DecodeError."""
    rows = rlp.decode_list(item)
    if len(rows) > FEDERATION_MEMBERS_MAX:
        raise DecodeError("too many signatures", have=len(rows))
    return tuple(_parse_signature(row) for row in rows)


def _parse_signature(row: rlp.Item) -> tuple[int, bytes]:
    member, signature = rlp.decode_list(row, 2)
    return rlp.decode_int(member, 2), rlp.decode_bytes(signature, 65)


def decode_certificate(data: bytes) -> Certificate:
    """Raises DecodeError."""
    term, seq, batch_hash, results, rows = rlp.decode_list(rlp.decode(data), 5)
    return Certificate(
        rlp.decode_int(term, 8),
        rlp.decode_int(seq, 8),
        rlp.decode_bytes(batch_hash, 32),
        rlp.decode_bytes(results, 32),
        parse_signatures(rows),
    )


NO_RESULTS = ZERO_HASH
