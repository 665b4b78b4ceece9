"""Votes for batches and the certificates they make, as values and bytes. Who may vote: consensus/federation.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.parameters import FEDERATION_MEMBERS_MAX
from coinone.base.primitives.records import encoded_fields, record
from coinone.base.primitives.types import U16, U64, ZERO_HASH, Count, Hash32, Signature65

Signatures: TypeAlias = Annotated[tuple[tuple[U16, Signature65], ...], Count(FEDERATION_MEMBERS_MAX)]
"""(member, signature), members rising."""


NO_RESULTS = ZERO_HASH


class VoteKind(Enum):
    PREPARE = 1
    COMMIT = 2


@record
@dataclass(frozen=True, slots=True)
class Vote:
    """`term` is the term the vote is cast in; a batch proposed again keeps the older term of its own."""

    kind: VoteKind
    term: U64
    seq: U64
    batch_hash: Hash32
    results: Hash32  # digest of the results; zero in a prepare, which is cast before execution

    def content(self, chain_id: int) -> Hash32:
        """What is signed."""
        return content_hash(b"coinone-vote", chain_id, encoded_fields(self))


@record
@dataclass(frozen=True, slots=True)
class SignedVote:
    vote: Vote
    member: U16
    signature: Signature65


@record
@dataclass(frozen=True, slots=True)
class Certificate:
    """A quorum of commits for one batch and one digest of its results."""

    term: U64
    seq: U64
    batch_hash: Hash32
    results: Hash32
    signatures: Signatures

    @property
    def vote(self) -> Vote:
        return Vote(VoteKind.COMMIT, self.term, self.seq, self.batch_hash, self.results)


def content_hash(domain: bytes, chain_id: int, fields: Sequence[bytes]) -> Hash32:
    """What a member signs: a domain of its own, the chain, and fields that are encoded already."""
    return keccak256(domain + rlp.encode_joined([rlp.encode(chain_id), *fields]))
