"""A round: the open seq in one term, and the votes received for it."""

from dataclasses import dataclass, field

from coinone.base.primitives.types import Hash32
from coinone.protocols.sequencer.effects import Proposal
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.certificate import SignedVote, Vote, VoteKind

Votes = dict[VoteKind, dict[int, SignedVote]]


def _no_votes() -> Votes:
    return {VoteKind.PREPARE: {}, VoteKind.COMMIT: {}}


@dataclass(slots=True)
class Round:
    """The state of a round. `votes` has each member's newest of either kind, of any term: the next round may need
    them."""

    votes: Votes = field(default_factory=_no_votes)
    batch: Batch | None = None
    proposal: Proposal | None = None  # ours, while we lead
    executing: bool = False
    results: Hash32 | None = None
    decided: CertifiedBatch | None = None  # certified by others

    def keep(self, signed: SignedVote) -> None:
        """Keep a member's newest vote of its kind; of two in one term the first."""
        votes = self.votes[signed.vote.kind]
        known = votes.get(signed.member)
        if known is None or known.vote.term < signed.vote.term:
            votes[signed.member] = signed

    def has(self, signed: SignedVote) -> bool:
        return self.votes[signed.vote.kind].get(signed.member) == signed

    def equal(self, vote: Vote) -> list[SignedVote]:
        """The signed votes equal to this one."""
        return [signed for signed in self.votes[vote.kind].values() if signed.vote == vote]

    def of(self, member: int, term: int) -> list[SignedVote]:
        """The votes of `member` in `term`."""
        own = [votes[member] for votes in self.votes.values() if member in votes]
        return [signed for signed in own if signed.vote.term == term]
