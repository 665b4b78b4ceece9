"""Frames survive any slicing, messages have one spelling, and nothing hostile gets further."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidInput
from coinone.protocols.relay.framing import FrameReader, frame
from coinone.protocols.relay.limits import (
    FRAME_BYTES_MAX,
    GOODBYE_TEXT_MAX,
    MEMBER_MESSAGE_BYTES_MAX,
    RANGE_ITEMS_MAX,
)
from coinone.protocols.relay.messages import (
    PROTOCOL_VERSION,
    Attestation,
    Batches,
    BatchPush,
    BlockPush,
    Blocks,
    GetBatches,
    GetBlocks,
    Goodbye,
    Hello,
    MemberMessage,
    Message,
    Ping,
    Pong,
    decode_message,
    encode_message,
)

u64 = st.integers(0, 2**64 - 1)
items = st.lists(st.binary(max_size=40), max_size=5).map(tuple)
messages = st.one_of(
    st.builds(Hello, st.just(PROTOCOL_VERSION), u64, st.binary(max_size=200), u64, u64),
    st.builds(BatchPush, st.binary(max_size=60)),
    st.builds(BlockPush, st.binary(max_size=60)),
    st.builds(GetBatches, u64, st.integers(1, RANGE_ITEMS_MAX)),
    st.builds(GetBlocks, u64, st.integers(1, RANGE_ITEMS_MAX)),
    st.builds(Batches, u64, items),
    st.builds(Blocks, u64, items),
    st.builds(Ping, u64, u64),
    st.builds(Pong, u64, u64),
    st.builds(Attestation, st.integers(0, 2**16 - 1), st.binary(min_size=65, max_size=65)),
    st.builds(MemberMessage, st.binary(min_size=1, max_size=60)),
    st.builds(Goodbye, st.sampled_from(["", "shutting down"])),
)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=6), st.integers(1, 17))
def test_payloads_arrive_whole_however_the_stream_is_sliced(payloads: list[bytes], step: int) -> None:
    stream = b"".join(frame(payload) for payload in payloads)
    reader = FrameReader()
    received: list[bytes] = []
    for start in range(0, len(stream), step):
        received += reader.receive(stream[start : start + step])
    assert received == payloads


def test_an_announced_length_beyond_the_limit_is_refused_before_the_body_comes() -> None:
    with pytest.raises(InvalidInput, match="frame too large"):
        list(FrameReader().receive((FRAME_BYTES_MAX + 1).to_bytes(4, "big")))


def test_an_empty_frame_is_refused() -> None:
    with pytest.raises(InvalidInput, match="empty frame"):
        list(FrameReader().receive(bytes(4)))


def test_the_largest_frame_may_change_between_two_that_came_together() -> None:
    reader, received = FrameReader(10), []
    for payload in reader.receive(frame(b"hello") + frame(bytes(100))):
        received.append(payload)
        reader.most = 100
    assert received == [b"hello", bytes(100)]


def test_a_message_of_very_many_items_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(data: bytes) -> None:
        raise AssertionError("decoded")

    payload = b"\x05" + rlp.encode([0, [[]] * 100_000])
    monkeypatch.setattr(rlp, "decode", never)
    with pytest.raises(InvalidInput, match="too many items"):
        decode_message(payload)


@given(messages)
def test_a_message_is_read_back_as_sent(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


def bent(message: Message, place: int, byte: int, kind: str) -> bytes:
    """A message's bytes with one set, taken out or put in."""
    data = bytearray(encode_message(message))
    place %= len(data)
    data[place : place + (kind != "add")] = b"" if kind == "cut" else bytes([byte])
    return bytes(data)


@given(
    st.binary(max_size=60)
    | st.builds(
        bent, messages, st.integers(0, 300), st.integers(0, 255), st.sampled_from(["set", "cut", "add"])
    )
)
@example(encode_message(Ping(0, 0)).replace(b"\x80", b"\x00", 1))  # a zero in another spelling
def test_arbitrary_bytes_are_a_message_of_one_spelling_or_a_named_error(payload: bytes) -> None:
    try:
        message = decode_message(payload)
    except InvalidInput:
        return
    if not isinstance(message, Goodbye):  # its text is cleaned on reading
        assert encode_message(message) == payload


def test_the_kinds_of_older_messages_stay_when_new_ones_come() -> None:
    assert [encode_message(one)[0] for one in (Ping(0, 0), Goodbye(""))] == [7, 9]
    assert encode_message(Attestation(0, bytes(65)))[0] == 10
    assert encode_message(MemberMessage(b"x"))[0] == 11


def test_the_largest_message_between_members_fits_into_a_frame_and_a_larger_one_is_refused() -> None:
    """In a frame: one byte of kind, four each of the list's and the payload's prefix, and the payload."""
    payload = encode_message(MemberMessage(bytes(MEMBER_MESSAGE_BYTES_MAX)))
    assert len(frame(payload)) == 4 + 1 + 4 + 4 + 8_524_288
    with pytest.raises(InvalidInput):
        decode_message(payload[:1] + rlp.encode([bytes(MEMBER_MESSAGE_BYTES_MAX + 1)]))
    with pytest.raises(InvalidInput):
        decode_message(payload[:1] + rlp.encode([b""]))


@pytest.mark.parametrize("count", [0, RANGE_ITEMS_MAX + 1])
def test_a_range_outside_its_bounds_is_refused(count: int) -> None:
    kind = encode_message(GetBatches(1, 1))[:1]
    with pytest.raises(InvalidInput, match="integer out of range"):
        decode_message(kind + rlp.encode([1, count]))


def test_hostile_goodbye_text_is_cut_and_made_printable() -> None:
    kind = encode_message(Goodbye(""))[:1]
    message = decode_message(kind + rlp.encode([b"\x1b[2J<script>" + b"a" * 1000]))
    assert isinstance(message, Goodbye)
    assert message.reason.startswith("?[2J<script>") and len(message.reason) == GOODBYE_TEXT_MAX
