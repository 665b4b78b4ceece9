"""Preambles, the way from them to an open channel, and the messages in it."""

import contextlib
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.types import ZERO_HASH
from coinone.protocols.secure_channel import channel as channel_module
from coinone.protocols.secure_channel.channel import SecureChannel
from coinone.protocols.secure_channel.cipher import CipherState
from coinone.protocols.secure_channel.errors import ForgedMessage, HandshakeFailed, OtherKey, OtherNetwork
from coinone.protocols.secure_channel.handshake import KeyPair
from coinone.protocols.secure_channel.limits import PLAIN_BYTES_MAX, TAG_BYTES
from coinone.protocols.secure_channel.opening import PREAMBLE_BYTES, ChannelOpening, Preamble

HERE = Preamble(5, 926002, b"\x11" * 32)
KEY, PEER_KEY = KeyPair(b"\x01" * 32), KeyPair(b"\x02" * 32)
HASH = b"\x07" * 32
SEND, RECEIVE = b"\x03" * 32, b"\x04" * 32


def openings(
    own: Preamble = HERE, peers: Preamble = HERE, pinned: bytes | None = None
) -> tuple[ChannelOpening, ChannelOpening]:
    return (
        ChannelOpening(True, own, KEY, b"\x05" * 32, pinned),
        ChannelOpening(False, peers, PEER_KEY, b"\x06" * 32),
    )


def opened(initiator: ChannelOpening, responder: ChannelOpening) -> tuple[SecureChannel, SecureChannel]:
    """Both ends, after five messages: two preambles of 50 bytes, and the three of XX."""
    first = initiator.take(responder.begin())
    assert responder.take(initiator.begin()) == b""
    last = initiator.take(responder.take(first))
    assert responder.take(last) == b""
    assert initiator.channel is not None and responder.channel is not None
    assert initiator.wants == responder.wants == 0
    return initiator.channel, responder.channel


def a_channel() -> tuple[SecureChannel, SecureChannel]:
    here = SecureChannel(CipherState(SEND), CipherState(RECEIVE), PEER_KEY.public, HASH)
    return here, SecureChannel(CipherState(RECEIVE), CipherState(SEND), KEY.public, HASH)


def test_both_ends_learn_the_others_key_and_understand_each_other() -> None:
    here, there = opened(*openings(pinned=PEER_KEY.public))
    assert (here.peer_key, there.peer_key) == (PEER_KEY.public, KEY.public)
    assert list(there.receive(here.seal(b"hello"))) == [b"hello"]
    assert list(here.receive(there.seal(b"and you"))) == [b"and you"]


def test_both_ends_have_the_same_handshake_hash_and_other_connections_others() -> None:
    """Also one between the same two nodes, whose keys for the connection are new."""
    here, there = opened(*openings())
    again = ChannelOpening(True, HERE, KEY, b"\x08" * 32), ChannelOpening(False, HERE, PEER_KEY, b"\x09" * 32)
    other, _ = opened(*again)
    assert here.handshake_hash == there.handshake_hash != other.handshake_hash
    assert len(here.handshake_hash) == 32


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (replace(HERE, version=6), r"other rules or messages \(want=5, have=6\)"),
        (replace(HERE, chain_id=1), r"another network \(want=926002, have=1\)"),
        (replace(HERE, genesis=b"\x22" * 32), "another chain"),
    ],
)
def test_a_node_of_another_network_is_refused_by_name_on_both_sides(other: Preamble, reason: str) -> None:
    initiator, responder = openings(peers=other)
    with pytest.raises(OtherNetwork, match=reason):
        initiator.take(responder.begin())
    with pytest.raises(OtherNetwork):
        responder.take(initiator.begin())


def test_what_is_no_preamble_is_refused_by_name() -> None:
    with pytest.raises(OtherNetwork, match="is no Coinone node"):
        openings()[1].take(b"GET / HTTP/1.1\r\nHost: localhost:30301\r\n".ljust(PREAMBLE_BYTES))


def test_a_node_without_genesis_joins_and_takes_no_one_else_in() -> None:
    joining = replace(HERE, genesis=ZERO_HASH)
    opened(*openings(own=joining))
    with pytest.raises(OtherNetwork, match="another chain"):
        openings(peers=joining)[0].take(joining.encode())


@pytest.mark.parametrize("place", range(PREAMBLE_BYTES))
@pytest.mark.parametrize("of_initiator", [True, False])
def test_a_preamble_that_was_changed_on_the_way_ends_the_opening(place: int, of_initiator: bool) -> None:
    """Also where the change makes another valid preamble, such as that of a node that joins."""
    initiator, responder = openings()
    preambles = [bytearray(initiator.begin()), bytearray(responder.begin())]
    changed = preambles[0 if of_initiator else 1]
    changed[place] ^= 1
    with pytest.raises((OtherNetwork, HandshakeFailed)):
        responder.take(bytes(preambles[0]))
        initiator.take(responder.take(initiator.take(bytes(preambles[1]))))


def test_a_preamble_made_into_that_of_a_joining_node_ends_the_opening() -> None:
    initiator, responder = openings()
    assert responder.take(replace(HERE, genesis=ZERO_HASH).encode()) == b""  # the responder takes it for one
    with pytest.raises(HandshakeFailed):
        initiator.take(responder.take(initiator.take(responder.begin())))


def test_another_key_than_the_pinned_one_is_refused_before_this_sides_key_is_shown() -> None:
    initiator, responder = openings(pinned=KEY.public)
    responder.take(initiator.begin())
    answer = responder.take(initiator.take(responder.begin()))
    with pytest.raises(OtherKey, match="another key than the pinned one"):
        initiator.take(answer)
    assert initiator.channel is None and responder.channel is None


def test_who_answers_with_a_key_that_it_only_knows_the_public_half_of_is_refused() -> None:
    """The middle has its own ephemeral key and seals the pinned public key under it: the proof is what it lacks."""
    initiator, middle = openings(pinned=PEER_KEY.public)
    middle._keys = (KeyPair(b"\x07" * 32), middle._keys[1])
    middle.take(initiator.begin())
    first = initiator.take(middle.begin())
    handshake = middle._handshake
    assert handshake is not None
    handshake.read(first)
    state = handshake._state
    ephemeral = handshake._write_key("e")
    handshake._mix_secret("ee")
    forged = ephemeral + state.encrypt(PEER_KEY.public)
    handshake._mix_secret("es")  # with the key that it has
    with pytest.raises(HandshakeFailed, match="does not belong"):
        initiator.take(forged + state.encrypt(b""))


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.integers(1, 700))
def test_messages_arrive_whole_and_in_order_however_the_bytes_are_sliced(
    contents: list[bytes], slice_size: int
) -> None:
    here, there = a_channel()
    sent = b"".join(here.seal(content) for content in contents)
    got = [
        content
        for start in range(0, len(sent), slice_size)
        for content in there.receive(sent[start : start + slice_size])
    ]
    assert got == contents and there.held == 0


def test_the_largest_message_has_65535_bytes() -> None:
    here, there = a_channel()
    sent = here.seal(bytes(PLAIN_BYTES_MAX))
    assert len(sent) == 2 + 65_535
    assert list(there.receive(sent)) == [bytes(PLAIN_BYTES_MAX)]
    with pytest.raises(AssertionError, match="out of bounds"):
        here.seal(bytes(PLAIN_BYTES_MAX + 1))


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_gives_nothing_of_its_message_and_of_no_later_one(place: int, change: int) -> None:
    here, there = a_channel()
    first, second = bytearray(here.seal(b"first" * 20)), here.seal(b"second")
    first[place % len(first)] ^= change
    got: list[bytes] = []
    # a longer length waits for more; the second message, and a third one of any size, are then read as its rest
    with pytest.raises(ForgedMessage):
        got.extend(there.receive(bytes(first) + second + bytes(70_000)))
    assert got == []


def test_a_repeated_a_left_out_and_a_returned_message_are_refused() -> None:
    here, there = a_channel()
    first, second = here.seal(b"first"), here.seal(b"second")
    assert list(there.receive(first)) == [b"first"]
    with pytest.raises(ForgedMessage, match="repeated"):
        list(there.receive(first))
    _, late = a_channel()
    with pytest.raises(ForgedMessage, match="left out"):
        list(late.receive(second))
    again, _ = a_channel()
    with pytest.raises(ForgedMessage):
        list(again.receive(again.seal(b"back to its sender")))


def test_a_message_that_is_cut_off_gives_nothing() -> None:
    here, there = a_channel()
    sent = here.seal(b"all or nothing")
    assert list(there.receive(sent[:-1])) == []
    assert there.held == len(sent) - 1


@pytest.mark.parametrize("size", [0, 1, TAG_BYTES])
def test_a_message_without_contents_is_refused(size: int) -> None:
    """A peer that sends them without end would be heard and say nothing."""
    _, there = a_channel()
    with pytest.raises(ForgedMessage, match="holds nothing"):
        list(there.receive(size.to_bytes(2, "big") + bytes(size)))


@given(st.binary(max_size=400))
def test_no_bytes_are_a_message_by_chance(data: bytes) -> None:
    _, there = a_channel()
    with contextlib.suppress(InvalidInput):
        assert list(there.receive(data)) == []
    assert there.held <= len(data)


def test_both_ends_change_the_key_of_a_direction_after_the_same_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel_module, "REKEY_MESSAGES", 3)
    here, there = a_channel()
    sent = [here.seal(bytes([number])) for number in range(7)]
    assert [*there.receive(b"".join(sent))] == [bytes([number]) for number in range(7)]
    old = ChaCha20Poly1305(SEND)
    assert old.decrypt(bytes(4) + b"\2" + bytes(7), sent[2][2:], b"") == b"\2"  # the last of the first key
    with pytest.raises(InvalidTag):
        old.decrypt(bytes(4) + b"\3" + bytes(7), sent[3][2:], b"")
