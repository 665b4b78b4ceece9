"""Terms: who leads, from which batch on, and with which chain of seeds (D1, D2).

A change of term rests on a quorum of members' *change votes*. Each states how far its signer's certified chain goes
and, with the signatures that prove it, which next batch had a quorum of prepares. Its signer no longer votes in older
terms.

Why nothing certified is ever lost: a batch is certified by a quorum of commits, each cast after a quorum of
prepares was seen. Any two quorums share an honest member. So among the votes of a change there is one whose signer
committed the batch, and it names it: as certified, or as prepared. What is named as prepared in the highest term
must be proposed again, bytes unchanged, before anything else (`claim_of`). No other batch can have a higher quorum
of prepares, since to be prepared in a later term it would have had to pass this same rule.

The new leader adds the tip of its seed chain and signs the whole. A change is part of the first batch that its
term makes. Term 0 begins in genesis without one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives.errors import InvalidBatch, InvalidSignature
from coinone.base.primitives.records import record
from coinone.base.primitives.types import U64, Hash32
from coinone.rules.consensus.federation import (
    Federation,
    check_member,
    check_quorum,
    check_signatures,
    pack_signature,
)
from coinone.rules.ledger.term_change import ChangeVote, Prepared, SignedChange, TermChange


@record
@dataclass(frozen=True, slots=True)
class Term:
    """The current term, as state: the next seed must reveal `seed`, and `seeds_left` remain."""

    number: U64
    first_seq: U64
    seed: Hash32
    seeds_left: U64


@dataclass(frozen=True, slots=True)
class Claim:
    """The conclusion of a quorum of change votes: the last certified batch, and what must be proposed after it."""

    seq: int
    batch_hash: Hash32
    again: Prepared | None

    @property
    def parent(self) -> tuple[int, Hash32]:
        """Seq and hash of the batch after which the new term begins."""
        return (self.seq, self.batch_hash) if self.again is None else (self.again.seq, self.again.batch_hash)


def claim_of(votes: Iterable[ChangeVote]) -> Claim:
    """The claim of change votes. Raises InvalidBatch if two votes name different last certified batches."""
    rows = list(votes)
    last = max(rows, key=lambda vote: vote.seq)
    if any(vote.batch_hash != last.batch_hash for vote in rows if vote.seq == last.seq):
        raise InvalidBatch("term change: votes name different batches as certified", seq=last.seq)
    open_there = [vote.prepared for vote in rows if vote.prepared and vote.prepared.seq == last.seq + 1]
    again = max(open_there, key=lambda prepared: prepared.term, default=None)
    return Claim(last.seq, last.batch_hash, again)


def sign_change_vote(vote: ChangeVote, chain_id: int, member: int, key: bytes) -> SignedChange:
    return SignedChange(member, vote, pack_signature(sign(vote.content(chain_id), key)))


def sign_term_change(change: TermChange, chain_id: int, key: bytes) -> TermChange:
    """Sign the change as its leader."""
    return replace(change, leader_signature=pack_signature(sign(change.content(chain_id), key)))


def check_term_change(
    change: TermChange, chain_id: int, federation: Federation, current: Term, parent: tuple[int, Hash32]
) -> None:
    """Raise InvalidBatch unless `change` validly ends `current` after the batch `parent` (seq, hash)."""
    if change.term <= current.number:
        raise InvalidBatch("term does not rise", want=current.number + 1, have=change.term)
    if (change.first_seq, change.parent_hash) != (parent[0] + 1, parent[1]):
        raise InvalidBatch("term begins after another batch", want=parent[0] + 1, have=change.first_seq)
    check_certified_change(change, chain_id, federation)


def check_certified_change(change: TermChange, chain_id: int, federation: Federation) -> Claim:
    """Check a change by itself; return the claim of its votes. Raises InvalidBatch."""
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
    """Raise InvalidBatch unless its member signed it and proves the prepared batch that it names."""
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
