"""Changes of term and the votes they rest on, as values and bytes. What makes one lawful: consensus/terms.py."""

from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.parameters import FEDERATION_MEMBERS_MAX
from coinone.base.primitives.types import Hash32
from coinone.rules.ledger.certificate import (
    NO_RESULTS,
    Signatures,
    Vote,
    VoteKind,
    parse_signatures,
    signatures_item,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch and the quorum of prepares for it, in the highest term its holder saw one."""

    term: int
    seq: int
    batch_hash: Hash32
    signatures: Signatures

    @property
    def vote(self) -> Vote:
        return Vote(VoteKind.PREPARE, self.term, self.seq, self.batch_hash, NO_RESULTS)


@dataclass(frozen=True, slots=True)
class ChangeVote:
    """`seq` and `batch_hash` name the last certified batch that the signer has; `prepared` follows it."""

    term: int
    seq: int
    batch_hash: Hash32
    prepared: Prepared | None

    def content(self, chain_id: int) -> Hash32:
        return keccak256(b"coinone-change" + rlp.encode([chain_id, *change_vote_fields(self)]))


@dataclass(frozen=True, slots=True)
class SignedChange:
    vote: ChangeVote
    member: int
    signature: bytes


ChangeVotes: TypeAlias = tuple[SignedChange, ...]  # members rising


@dataclass(frozen=True, slots=True)
class TermChange:
    """The beginning of `term` at batch `first_seq`, the one after `parent_hash`."""

    term: int
    first_seq: int
    parent_hash: Hash32
    seed_tip: Hash32
    seed_length: int
    votes: ChangeVotes
    leader_signature: bytes

    def content(self, chain_id: int) -> Hash32:
        """What the new leader signs: the term, and the votes it rests on."""
        head: list[rlp.Encodable] = [chain_id, self.term, self.first_seq, self.parent_hash]
        tail: list[rlp.Encodable] = [self.seed_tip, self.seed_length, _votes_item(self.votes)]
        return keccak256(b"coinone-term" + rlp.encode(head + tail))


def term_item(change: TermChange | None) -> rlp.Encodable:
    """The RLP item of a change; none is an empty string."""
    if change is None:
        return b""
    head: list[rlp.Encodable] = [change.term, change.first_seq, change.parent_hash, change.seed_tip]
    return [*head, change.seed_length, _votes_item(change.votes), change.leader_signature]


def parse_term_item(item: rlp.Item) -> TermChange | None:
    """Raises DecodeError."""
    if item == b"":
        return None
    term, first_seq, parent, tip, length, votes, signature = rlp.decode_list(item, 7)
    rows = rlp.decode_list(votes)
    if len(rows) > FEDERATION_MEMBERS_MAX:
        raise DecodeError("term change: too many votes", have=len(rows))
    return TermChange(
        rlp.decode_int(term, 8),
        rlp.decode_int(first_seq, 8),
        rlp.decode_bytes(parent, 32),
        rlp.decode_bytes(tip, 32),
        rlp.decode_int(length, 4),
        tuple(parse_signed_change(row) for row in rows),
        rlp.decode_bytes(signature, 65),
    )


def signed_change_item(signed: SignedChange) -> rlp.Encodable:
    return [signed.member, change_vote_fields(signed.vote), signed.signature]


def parse_signed_change(row: rlp.Item) -> SignedChange:
    """Raises DecodeError."""
    member, fields, signature = rlp.decode_list(row, 3)
    vote = parse_change_vote(fields)
    return SignedChange(vote, rlp.decode_int(member, 2), rlp.decode_bytes(signature, 65))


def change_vote_fields(vote: ChangeVote) -> list[rlp.Encodable]:
    return [vote.term, vote.seq, vote.batch_hash, prepared_item(vote.prepared)]


def parse_change_vote(fields: rlp.Item) -> ChangeVote:
    """Raises DecodeError."""
    term, seq, batch_hash, prepared = rlp.decode_list(fields, 4)
    return ChangeVote(
        rlp.decode_int(term, 8),
        rlp.decode_int(seq, 8),
        rlp.decode_bytes(batch_hash, 32),
        parse_prepared(prepared),
    )


def prepared_item(prepared: Prepared | None) -> rlp.Encodable:
    """None is an empty string."""
    if prepared is None:
        return b""
    signatures = signatures_item(prepared.signatures)
    return [prepared.term, prepared.seq, prepared.batch_hash, signatures]


def parse_prepared(item: rlp.Item) -> Prepared | None:
    """Raises DecodeError."""
    if item == b"":
        return None
    term, seq, batch_hash, signatures = rlp.decode_list(item, 4)
    return Prepared(
        rlp.decode_int(term, 8),
        rlp.decode_int(seq, 8),
        rlp.decode_bytes(batch_hash, 32),
        parse_signatures(signatures),
    )


def _votes_item(votes: ChangeVotes) -> list[rlp.Encodable]:
    return [signed_change_item(signed) for signed in votes]
