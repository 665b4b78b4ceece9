"""What the relay has done by its caller: messages sent, connections closed, items applied, and messages heard."""

from dataclasses import dataclass
from typing import TypeAlias

from coinone.protocols.relay.messages import Message
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block


@dataclass(frozen=True, slots=True)
class Head:
    """This node's newest applied batch and block."""

    seq: int
    number: int


@dataclass(frozen=True, slots=True)
class Send:
    peer: int
    message: Message


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection; `fault` is set if the peer broke a rule."""

    peer: int
    reason: str
    fault: bool


@dataclass(frozen=True, slots=True)
class Deliver:
    """Check and apply the item, then call `delivered` or `refused`. Nothing else is delivered before that."""

    peer: int
    item: CertifiedBatch | Block


@dataclass(frozen=True, slots=True)
class Proved:
    """The connection is this member's; from now on `say` may use it."""

    peer: int
    member: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Hand this node the payload of a member's message, in the order of these effects."""

    member: int
    peer: int
    payload: bytes


Effect: TypeAlias = Send | Drop | Deliver | Proved | Heard
