"""What members say to one another, and what a sequencer asks the world to do, in order.

`Persist` must be on disk before any later `Send` leaves; so whoever carries these out may write several at
once.
"""

from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.primitives.records import record
from coinone.rules.ledger.batch import Batch, CertifiedBatch, WrappedBatch
from coinone.rules.ledger.certificate import SignedVote, Vote
from coinone.rules.ledger.term_change import ChangeVote, Prepared, SignedChange, TermChange


@record
@dataclass(frozen=True, slots=True)
class Proposal:
    """The leader's batch for the open seq, under its own vote to prepare it. `change` comes along where the batch is
    one of an older term that must be proposed again: its bytes cannot name the new term."""

    vote: SignedVote
    batch: WrappedBatch
    change: TermChange | None = None


@record
@dataclass(frozen=True, slots=True)
class ChangeCall:
    """A vote for another term, and the batch that it names as prepared."""

    signed: SignedChange
    batch: WrappedBatch | None


@record
@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch that may be certified somewhere, with the quorum of prepares that shows it."""

    prepared: Prepared
    batch: WrappedBatch


Message: TypeAlias = Proposal | SignedVote | ChangeCall
Promise: TypeAlias = Vote | PreparedBatch | ChangeVote


@dataclass(frozen=True, slots=True)
class Persist:
    """Write down what is about to be signed, or what it rests on."""

    promise: Promise


@dataclass(frozen=True, slots=True)
class Send:
    """To every other member."""

    message: Message


@dataclass(frozen=True, slots=True)
class Execute:
    """Apply the batch and hand the results to `executed`."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Certified:
    """The batch is final among the federation: append it to the log, then answer."""

    certified: CertifiedBatch


Effect: TypeAlias = Persist | Send | Execute | Certified
