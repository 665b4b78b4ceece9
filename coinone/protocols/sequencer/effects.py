"""What a sequencer asks the world to do, in order.

`Persist` must be on disk before any later `Send` leaves; so whoever carries these out may write several at
once.
"""

from dataclasses import dataclass

from coinone.base.primitives.types import Hash32
from coinone.rules.chain.batch import Batch, CertifiedBatch
from coinone.rules.consensus.federation import SignedVote, Vote


@dataclass(frozen=True, slots=True)
class Proposal:
    """The leader's batch for the open seq, in the term its votes are cast in."""

    term: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Persist:
    """Write down what is about to be signed."""

    vote: Vote


@dataclass(frozen=True, slots=True)
class Send:
    """To every other member."""

    message: Proposal | SignedVote


@dataclass(frozen=True, slots=True)
class Execute:
    """A quorum prepared the batch: apply it and hand the results to `executed`."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Certified:
    """The batch is final among the federation: append it to the log, then answer."""

    certified: CertifiedBatch


Effect = Persist | Send | Execute | Certified
VoteKey = tuple[int, int, int]  # term, seq, kind


def vote_key(vote: Vote) -> VoteKey:
    return vote.term, vote.seq, vote.kind.value


def vote_content(vote: Vote) -> tuple[Hash32, Hash32]:
    return vote.batch_hash, vote.results
