"""Messages between members have one spelling, and what is too large is refused before it is decoded."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidInput, LimitExceeded
from coinone.base.primitives.records import Tagged
from coinone.protocols.member.messages import (
    CertifiedPush,
    HeadReport,
    Message,
    decode_message,
    encode_message,
)
from coinone.protocols.relay.limits import MEMBER_MESSAGE_BYTES_MAX
from coinone.protocols.sequencer.effects import ChangeCall, Proposal
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.certificate import NO_RESULTS, SignedVote, Vote, VoteKind
from coinone.rules.ledger.term_change import ChangeVote, SignedChange

ONE, SIGNATURE = b"\x01" * 32, bytes(65)
BATCH = Batch(0, 5, ONE, 0, ONE, 1_000, 0, ONE, None, 0, (b"\x70x",))
VOTE = SignedVote(Vote(VoteKind.PREPARE, 0, 5, ONE, NO_RESULTS), 63, SIGNATURE)
CALL = SignedChange(1, ChangeVote(1, 4, ONE, None), SIGNATURE)
MESSAGES = [
    Proposal(VOTE, BATCH), VOTE, ChangeCall(CALL, None), ChangeCall(CALL, BATCH), HeadReport(2**64 - 1),
    CertifiedPush(b"batch"),
]  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_read_back_as_sent(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


@given(st.sampled_from(MESSAGES), st.integers(0, 600), st.integers(0, 255))
def test_a_changed_message_has_one_spelling_or_a_named_error(message: Message, place: int, byte: int) -> None:
    data = bytearray(encode_message(message))
    data[place % len(data)] = byte
    with contextlib.suppress(InvalidInput):
        assert encode_message(decode_message(bytes(data))) == data


@pytest.mark.parametrize(
    ("payload", "error", "reason"),
    [
        (b"", DecodeError, "unknown kind of message"),
        (b"\x00\xc0", DecodeError, "unknown kind of message"),
        (b"\x07\xc1\x80", DecodeError, "unknown kind of message"),
        (b"\x04\xc0", DecodeError, "wrong number of fields"),
        (b"\x04" + rlp.encode([bytes(1) + b"\x05"]), DecodeError, "leading zero"),
        (b"\x04" + rlp.encode([b"\x01" + bytes(8)]), InvalidInput, "integer too long"),
        (b"\x01\x80", DecodeError, "list expected"),
        (b"\x05" + bytes(MEMBER_MESSAGE_BYTES_MAX), LimitExceeded, "message between members too large"),
        (b"\x02" + rlp.encode([[[]] * 16]), LimitExceeded, "too many items"),
    ],
)
def test_a_malformed_message_is_refused_by_name(payload: bytes, error: type, reason: str) -> None:
    with pytest.raises(error, match=reason):
        decode_message(payload)


@pytest.mark.parametrize("kind", [1, 3])
def test_items_inside_a_batch_are_counted_before_it_is_decoded(
    kind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = rlp.encode([b""] * 100_000)
    payload = bytes((kind,)) + rlp.encode([[], inside])
    assert len(payload) < MEMBER_MESSAGE_BYTES_MAX

    def never(self: object, data: bytes) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Tagged, "decode", never)
    with pytest.raises(LimitExceeded, match="too many items"):
        decode_message(payload)
