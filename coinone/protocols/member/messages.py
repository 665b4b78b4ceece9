"""The messages between members, in one table. A payload is one byte of kind and a record.

A certified batch is sent as the bytes that are in the log. Sizes and items are checked before anything is decoded,
those inside a batch included: decoding many items of one byte takes long.
"""

from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import LimitExceeded
from coinone.base.primitives.records import Tagged, record
from coinone.base.primitives.types import U64
from coinone.protocols.member.limits import MEMBER_MESSAGE_ITEMS_MAX
from coinone.protocols.relay.carried import count_items
from coinone.protocols.relay.limits import CARRIED_ITEMS_MAX, MEMBER_MESSAGE_BYTES_MAX
from coinone.protocols.sequencer.effects import ChangeCall, Proposal
from coinone.protocols.sequencer.effects import Message as SequencerMessage
from coinone.rules.ledger.certificate import SignedVote


@record
@dataclass(frozen=True, slots=True)
class HeadReport:
    """The sender's newest certified batch: a member that has later ones sends the next few."""

    seq: U64


@record
@dataclass(frozen=True, slots=True)
class CertifiedPush:
    """A certified batch, encoded: a new one, or one that the receiver lacks."""

    raw: bytes


@record
@dataclass(frozen=True, slots=True)
class Forward:
    """A transaction of any kind that a client gave to the sender, for the leader's pools."""

    raw: bytes


Message: TypeAlias = SequencerMessage | HeadReport | CertifiedPush | Forward

_KINDS = {1: Proposal, 2: SignedVote, 3: ChangeCall, 4: HeadReport, 5: CertifiedPush, 6: Forward}
_WITH_BATCH = [kind for kind, cls in _KINDS.items() if cls in (Proposal, ChangeCall)]
_MESSAGES: Tagged[Message] = Tagged(_KINDS)


def encode_message(message: Message) -> bytes:
    return _MESSAGES.encode(message)


def decode_message(payload: bytes) -> Message:
    """Decode a payload. Raises DecodeError or LimitExceeded."""
    if len(payload) > MEMBER_MESSAGE_BYTES_MAX:
        raise LimitExceeded(
            "message between members too large", have=len(payload), most=MEMBER_MESSAGE_BYTES_MAX
        )
    if payload and payload[0] in _WITH_BATCH:
        count_items(payload[1:], CARRIED_ITEMS_MAX)
    else:
        rlp.check_items(payload[1:], MEMBER_MESSAGE_ITEMS_MAX)
    return _MESSAGES.decode(payload)
