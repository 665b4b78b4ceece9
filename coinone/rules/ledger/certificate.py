"""Votes for batches and their certificates, as values and bytes. For the right to vote see consensus/federation.py."""

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
"""(member, signature), in rising order of members."""


NO_RESULTS = ZERO_HASH


class VoteKind(Enum):
    PREPARE = 1
    COMMIT = 2


@record
@dataclass(frozen=True, slots=True)
class Vote:
    """A vote for a batch. `term` is the term in which it is cast; a batch proposed again keeps its own older term."""

    kind: VoteKind
    term: U64
    seq: U64
    batch_hash: Hash32
    results: Hash32  # digest of the results; zero in a prepare, which is cast before execution

    def content(self, chain_id: int) -> Hash32:
        """The hash that is signed."""
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
    """The hash that a member signs, from a domain, the chain, and encoded fields."""
    return keccak256(domain + rlp.encode_joined([rlp.encode(chain_id), *fields]))
