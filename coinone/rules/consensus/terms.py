"""Terms: who leads, from which batch on, and with which chain of seeds (D1, D2).

A change of term rests on a quorum of members' *change votes*. Each says how far its signer's certified chain goes
and, with the signatures that prove it, which batch after that it saw a quorum of prepares for. Its signer votes no
more in older terms.

Why nothing certified is ever lost: a batch is certified by a quorum of commits, each cast after a quorum of
prepares was seen. Any two quorums share an honest member. So among the votes of a change there is one whose signer
committed the batch, and it names it: as certified, or as prepared. What is named as prepared in the highest term
must be proposed again, bytes unchanged, before anything else (`claim_of`). No other batch can have a higher quorum
of prepares, since to be prepared in a later term it would have had to pass this same rule.

The new leader adds the tip of its seed chain and signs the whole. A change travels in the first batch that its
term makes. Term 0 begins in genesis without one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidBatch, InvalidSignature
from coinone.base.primitives.limits import FEDERATION_MEMBERS_MAX
from coinone.base.primitives.types import Hash32
from coinone.rules.consensus.federation import (
    NO_RESULTS,
    Federation,
    Signatures,
    Vote,
    VoteKind,
    check_member,
    check_quorum,
    check_signatures,
    pack_signature,
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


@dataclass(frozen=True, slots=True)
class Term:
    """The term that runs, as state: the next seed must reveal `seed`, and `seeds_left` remain."""

    number: int
    first_seq: int
    seed: Hash32
    seeds_left: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a quorum of change votes comes to: the last certified batch, and what must be proposed after it."""

    seq: int
    batch_hash: Hash32
    again: Prepared | None

    @property
    def parent(self) -> tuple[int, Hash32]:
        """Seq and hash of the batch after which the new term begins."""
        return (self.seq, self.batch_hash) if self.again is None else (self.again.seq, self.again.batch_hash)


def claim_of(votes: Iterable[ChangeVote]) -> Claim:
    """Raises InvalidBatch where two votes name different batches as the last certified one."""
    rows = list(votes)
    last = max(rows, key=lambda vote: vote.seq)
    if any(vote.batch_hash != last.batch_hash for vote in rows if vote.seq == last.seq):
        raise InvalidBatch("term change: votes name different batches as certified", seq=last.seq)
    open_there = [vote.prepared for vote in rows if vote.prepared and vote.prepared.seq == last.seq + 1]
    again = max(open_there, key=lambda prepared: prepared.term, default=None)
    return Claim(last.seq, last.batch_hash, again)


def sign_change_vote(vote: ChangeVote, chain_id: int, member: int, key: bytes) -> SignedChange:
    return SignedChange(vote, member, pack_signature(sign(vote.content(chain_id), key)))


def sign_term_change(change: TermChange, chain_id: int, key: bytes) -> TermChange:
    """The change with its leader's signature put in."""
    return replace(change, leader_signature=pack_signature(sign(change.content(chain_id), key)))


def check_term_change(
    change: TermChange, chain_id: int, federation: Federation, current: Term, parent: tuple[int, Hash32]
) -> None:
    """Raise InvalidBatch unless `change` lawfully ends `current` after the batch `parent` (seq, hash)."""
    if change.term <= current.number:
        raise InvalidBatch("term does not rise", want=current.number + 1, have=change.term)
    if (change.first_seq, change.parent_hash) != (parent[0] + 1, parent[1]):
        raise InvalidBatch("term begins after another batch", want=parent[0] + 1, have=change.first_seq)
    check_certified_change(change, chain_id, federation)


def check_certified_change(change: TermChange, chain_id: int, federation: Federation) -> Claim:
    """What can be known of a change by itself. Raises InvalidBatch; returns what its votes come to."""
    if change.seed_length < 1:
        raise InvalidBatch("term without seeds")
    check_quorum("term change", [signed.member for signed in change.votes], federation)
    claim = claim_of(signed.vote for signed in change.votes)
    if (change.first_seq - 1, change.parent_hash) != claim.parent:
        raise InvalidBatch("term change: leaves out a batch that its votes name", seq=claim.parent[0])
    for signed in change.votes:
        if signed.vote.term != change.term:
            raise InvalidBatch("term change: vote for another term", member=signed.member)
        check_change_vote(signed, chain_id, federation)
    try:
        leader = federation.leader(change.term)
        check_member(federation, leader, change.content(chain_id), change.leader_signature)
    except InvalidSignature as error:
        raise InvalidBatch("term change: not signed by its leader") from error
    return claim


def check_change_vote(signed: SignedChange, chain_id: int, federation: Federation) -> None:
    """Raise InvalidBatch unless its member cast it, and can prove what it says was prepared."""
    vote, prepared = signed.vote, signed.vote.prepared
    try:
        check_member(federation, signed.member, vote.content(chain_id), signed.signature)
    except InvalidSignature as error:
        raise InvalidBatch("term change: bad signature", member=signed.member) from error
    if prepared is None:
        return
    if prepared.seq != vote.seq + 1 or prepared.term >= vote.term:
        raise InvalidBatch("term change: prepared out of place", member=signed.member, seq=prepared.seq)
    check_quorum("prepared", [member for member, _ in prepared.signatures], federation)
    check_signatures("prepared", prepared.vote, prepared.signatures, chain_id, federation)


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
