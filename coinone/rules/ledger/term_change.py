"""Changes of term and the votes they rest on, as values and bytes. For the rules see consensus/terms.py."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from coinone.base.primitives.parameters import FEDERATION_MEMBERS_MAX
from coinone.base.primitives.records import encoded_fields, record
from coinone.base.primitives.types import U16, U32, U64, Count, Hash32, Signature65
from coinone.rules.ledger.certificate import NO_RESULTS, Signatures, Vote, VoteKind, content_hash


@record
@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch and the quorum of prepares for it, in the highest term in which its holder saw one."""

    term: U64
    seq: U64
    batch_hash: Hash32
    signatures: Signatures

    @property
    def vote(self) -> Vote:
        return Vote(VoteKind.PREPARE, self.term, self.seq, self.batch_hash, NO_RESULTS)


@record
@dataclass(frozen=True, slots=True)
class ChangeVote:
    """`seq` and `batch_hash` name the last certified batch that the signer has; `prepared` follows it."""

    term: U64
    seq: U64
    batch_hash: Hash32
    prepared: Prepared | None

    def content(self, chain_id: int) -> Hash32:
        return content_hash(b"coinone-change", chain_id, encoded_fields(self))


@record
@dataclass(frozen=True, slots=True)
class SignedChange:
    member: U16
    vote: ChangeVote
    signature: Signature65


ChangeVotes: TypeAlias = Annotated[tuple[SignedChange, ...], Count(FEDERATION_MEMBERS_MAX)]  # members rising


_SIGNED = ("term", "first_seq", "parent_hash", "seed_tip", "seed_length", "votes")


@record
@dataclass(frozen=True, slots=True)
class TermChange:
    """The beginning of `term` at batch `first_seq`, the one after `parent_hash`."""

    term: U64
    first_seq: U64
    parent_hash: Hash32
    seed_tip: Hash32
    seed_length: U32
    votes: ChangeVotes
    leader_signature: Signature65

    def content(self, chain_id: int) -> Hash32:
        """The hash that the new leader signs: the term, and the votes it rests on."""
        return content_hash(b"coinone-term", chain_id, encoded_fields(self, *_SIGNED))
