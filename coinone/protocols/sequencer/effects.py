"""The votes that members send each other, and the effects that a sequencer requests, in order.

`Persist` must be on disk before any later `Broadcast` leaves; several may be written together.
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
    """The leader's batch for the open seq, under its own vote to prepare it. `change` is included if the batch is
    of an older term and must be proposed again: its bytes cannot name the new term."""

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
    """A batch that may be certified elsewhere, with its quorum of prepares."""

    prepared: Prepared
    batch: WrappedBatch


Message: TypeAlias = Proposal | SignedVote | ChangeCall
Promise: TypeAlias = Vote | PreparedBatch | ChangeVote


@dataclass(frozen=True, slots=True)
class Persist:
    """Persist what is about to be signed, or its justification."""

    promise: Promise


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Send a message to every other member."""

    message: Message


@dataclass(frozen=True, slots=True)
class Execute:
    """Apply the batch and pass the results to `executed`."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Certified:
    """The federation has certified the batch: append it to the log, then answer clients."""

    certified: CertifiedBatch


Effect: TypeAlias = Persist | Broadcast | Execute | Certified
