"""Messages between members as bytes: one byte of kind, then an RLP list."""

from typing import assert_never

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.protocols.sequencer.effects import ChangeCall, Message, Proposal
from coinone.rules.ledger.batch import Batch, decode_batch
from coinone.rules.ledger.certificate import SignedVote, Vote, VoteKind
from coinone.rules.ledger.term_change import (
    parse_signed_change,
    parse_term_item,
    signed_change_item,
    term_item,
)

_PROPOSAL, _VOTE, _CHANGE = 1, 2, 3


def encode_message(message: Message) -> bytes:
    match message:
        case SignedVote():
            return bytes((_VOTE,)) + rlp.encode(_vote_item(message))
        case Proposal(vote, batch, change):
            return bytes((_PROPOSAL,)) + rlp.encode([_vote_item(vote), batch.encoded, term_item(change)])
        case ChangeCall(signed, prepared):
            encoded = b"" if prepared is None else prepared.encoded
            return bytes((_CHANGE,)) + rlp.encode([signed_change_item(signed), encoded])
        case _:
            assert_never(message)


def decode_message(data: bytes) -> Message:
    """Raises DecodeError, or LimitExceeded."""
    item = rlp.decode(data[1:])
    if data[0] == _VOTE:
        return _parse_vote(item)
    if data[0] == _PROPOSAL:
        vote, batch, change = rlp.decode_list(item, 3)
        return Proposal(_parse_vote(vote), decode_batch(rlp.decode_bytes(batch)), parse_term_item(change))
    if data[0] == _CHANGE:
        signed, batch = rlp.decode_list(item, 2)
        return ChangeCall(parse_signed_change(signed), _optional_batch(rlp.decode_bytes(batch)))
    raise DecodeError("unknown message of a member", kind=data[0])


def vote_fields(vote: Vote) -> list[rlp.Encodable]:
    return [vote.kind.value, vote.term, vote.seq, vote.batch_hash, vote.results]


def parse_vote_fields(item: rlp.Item) -> Vote:
    """Raises DecodeError."""
    kind, term, seq, batch_hash, results = rlp.decode_list(item, 5)
    number = rlp.decode_int(kind, 1)
    if number not in (VoteKind.PREPARE.value, VoteKind.COMMIT.value):
        raise DecodeError("unknown kind of vote", kind=number)
    return Vote(
        VoteKind(number),
        rlp.decode_int(term, 8),
        rlp.decode_int(seq, 8),
        rlp.decode_bytes(batch_hash, 32),
        rlp.decode_bytes(results, 32),
    )


def _vote_item(signed: SignedVote) -> list[rlp.Encodable]:
    return [vote_fields(signed.vote), signed.member, signed.signature]


def _parse_vote(item: rlp.Item) -> SignedVote:
    fields, member, signature = rlp.decode_list(item, 3)
    return SignedVote(parse_vote_fields(fields), rlp.decode_int(member, 2), rlp.decode_bytes(signature, 65))


def _optional_batch(data: bytes) -> Batch | None:
    return decode_batch(data) if data else None
