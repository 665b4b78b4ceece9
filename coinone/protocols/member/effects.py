"""What a member has done by its host, in the order of the list.

A `Write` comes before everything that depends on it, an `Execute` last.
"""

from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.primitives.errors import InvalidInput
from coinone.protocols.member.messages import Message
from coinone.protocols.sequencer.effects import Execute, Promise
from coinone.rules.ledger.batch import CertifiedBatch

Written: TypeAlias = Promise | CertifiedBatch


@dataclass(frozen=True, slots=True)
class Write:
    """Persist these in this order, with one sync, before any later effect."""

    records: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class SendTo:
    """Send a message to a member, or to all others if `peer` is None."""

    peer: int | None
    message: Message


@dataclass(frozen=True, slots=True)
class Answer:
    """The batch is certified and written: answer clients, and publish it."""

    certified: CertifiedBatch


@dataclass(frozen=True, slots=True)
class Refuse:
    """What `peer` sent breaks a rule and had no effect. A DecodeError or LimitExceeded is the peer's fault; other
    errors may come of clocks or of messages that crossed."""

    peer: int
    error: InvalidInput


@dataclass(frozen=True, slots=True)
class Enter:
    """As the leader, take a transaction that a client gave to member `peer`."""

    peer: int
    raw: bytes


Effect: TypeAlias = Write | SendTo | Execute | Answer | Refuse | Enter
