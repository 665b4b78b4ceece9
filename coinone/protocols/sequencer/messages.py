"""Encode messages between members: one byte of kind, then the record."""

from coinone.base.primitives.records import Tagged
from coinone.protocols.sequencer.effects import ChangeCall, Message, Proposal
from coinone.rules.ledger.certificate import SignedVote

_MESSAGES: Tagged[Message] = Tagged({1: Proposal, 2: SignedVote, 3: ChangeCall})


def encode_message(message: Message) -> bytes:
    return _MESSAGES.encode(message)


def decode_message(data: bytes) -> Message:
    """Decode a message. Raises DecodeError or LimitExceeded."""
    return _MESSAGES.decode(data)
