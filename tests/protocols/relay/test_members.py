"""A peer is a member only by a proof for this very connection, and messages between members take the right one."""

from dataclasses import replace

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import recover, sign
from coinone.base.primitives.records import encode
from coinone.base.primitives.types import ZERO_HASH, Hash32
from coinone.protocols.relay import limits
from coinone.protocols.relay.attestation import sign_attestation
from coinone.protocols.relay.effects import Deliver, Drop, Effect, Head, Heard, Proved, Send
from coinone.protocols.relay.members import Attest
from coinone.protocols.relay.messages import (
    Attestation,
    Batches,
    BatchPush,
    GetBatches,
    Goodbye,
    Hello,
    MemberMessage,
    Ping,
)
from coinone.protocols.relay.relay import Relay
from coinone.protocols.secure_channel.handshake import KeyPair
from coinone.protocols.secure_channel.opening import ChannelOpening, Preamble
from coinone.rules.consensus.federation import pack_signature, unpack_signature
from tests.protocols.relay.test_relay import (
    CHAIN_ID,
    FEDERATION,
    GENESIS,
    Shelf,
    check_signed,
    hello,
    make_batch,
    told,
)

KEYS = [bytes(31) + bytes((number,)) for number in (1, 2, 3, 4)]
HASHES = [bytes((number,)) * 32 for number in range(200)]  # of handshakes, by peer


def attester(member: int) -> Attest:
    return lambda handshake_hash: (member, sign_attestation(CHAIN_ID, handshake_hash, KEYS[member]))


def proof(member: int, handshake_hash: Hash32) -> Attestation:
    return Attestation(member, sign_attestation(CHAIN_ID, handshake_hash, KEYS[member]))


def relay_of(member: int | None, *peers: int, archive: Shelf | None = None) -> Relay:
    """A node with peers that have said hello; member None: a node that follows."""
    attest = None if member is None else attester(member)
    relay = Relay(
        CHAIN_ID,
        GENESIS,
        archive or Shelf(),
        Head(0, 0),
        check_signed,
        FEDERATION,
        attest,
        takes=member is None,
    )
    for peer in peers:
        relay.connected(peer, 0, handshake_hash=HASHES[peer])
        told(relay, peer, hello())
    return relay


def with_members(own: int, members: dict[int, int]) -> Relay:
    """Member `own`, with these members by peer."""
    relay = relay_of(own, *members)
    for peer, member in members.items():
        assert told(relay, peer, proof(member, HASHES[peer])) == [Proved(peer, member)]
    return relay


def fault(effects: list[Effect]) -> str:
    """The reason for which a peer was dropped as at fault."""
    [drop] = effects
    assert isinstance(drop, Drop) and drop.fault
    return drop.reason


# Proofs


def test_what_is_signed_is_written_out_in_the_documentation() -> None:
    content = keccak256(b"coinone member" + (926002).to_bytes(8, "big") + HASHES[7])
    signature = unpack_signature(sign_attestation(926002, HASHES[7], KEYS[2]))
    assert recover(content, signature.r, signature.s, signature.v) == FEDERATION.members[2]


def test_a_member_proves_itself_once_after_both_hellos() -> None:
    relay = relay_of(1)
    [greeting] = relay.connected(5, 0, handshake_hash=HASHES[5])
    assert isinstance(greeting, Send) and isinstance(greeting.message, Hello)
    assert told(relay, 5, hello()) == [Send(5, proof(1, HASHES[5]))]
    assert told(relay, 5, Ping(0, 0))[1:] == []
    assert told(relay, 5, proof(2, HASHES[5])) == [Proved(5, 2)]
    assert relay.member_of(5) == 2 and relay.members == [2]


def test_a_node_that_follows_proves_nothing_and_learns_who_is_a_member() -> None:
    relay = relay_of(None)
    relay.connected(5, 0, handshake_hash=HASHES[5])
    assert told(relay, 5, hello()) == []
    assert told(relay, 5, proof(3, HASHES[5])) == [Proved(5, 3)]


def test_a_proof_before_the_hello_is_a_fault() -> None:
    relay = relay_of(0)
    relay.connected(5, 0, handshake_hash=HASHES[5])
    assert "before hello" in fault(told(relay, 5, proof(1, HASHES[5])))


@pytest.mark.parametrize(
    ("attestation", "reason"),
    [
        (proof(1, HASHES[6]), "signed by somebody else"),  # of another connection
        (replace(proof(1, HASHES[5]), member=2), "signed by somebody else"),
        (replace(proof(1, HASHES[5]), member=4), "no such member"),
        (Attestation(1, bytes(65)), "signature"),
        (Attestation(1, sign_attestation(CHAIN_ID + 1, HASHES[5], KEYS[1])), "signed by somebody else"),
        (Attestation(1, pack_signature(sign(HASHES[5], KEYS[1]))), "signed by somebody else"),  # no domain
    ],
)
def test_a_proof_that_does_not_hold_is_a_fault(attestation: Attestation, reason: str) -> None:
    relay = relay_of(0, 5)
    assert reason in fault(told(relay, 5, attestation))
    assert relay.members == [] and relay.peers == 0


def test_a_second_proof_is_a_fault_and_the_peer_is_a_member_no_more() -> None:
    relay = with_members(0, {5: 1})
    assert "proved twice" in fault(told(relay, 5, proof(1, HASHES[5])))
    assert relay.members == [] and relay.say(1, b"x") == []


def test_this_nodes_own_proof_sent_back_to_it_is_a_fault() -> None:
    """The hash is the same on both sides, so the signature is right; its number is what gives it away."""
    relay = relay_of(0)
    relay.connected(5, 0, handshake_hash=HASHES[5])
    [sent] = told(relay, 5, hello())
    assert isinstance(sent, Send)
    assert "the member that this node is" in fault(told(relay, 5, sent.message))


def test_a_proof_where_no_channel_gives_a_hash_is_neither_made_nor_taken() -> None:
    relay = relay_of(0)
    relay.connected(5, 0)
    assert told(relay, 5, hello()) == []
    assert "no channel" in fault(told(relay, 5, proof(1, ZERO_HASH)))


def channel_hashes(left: bytes, right: bytes) -> tuple[Hash32, Hash32]:
    """The handshake hashes of both ends of a real channel between the holders of two transport keys."""
    preamble = Preamble(7, CHAIN_ID, GENESIS)
    initiator = ChannelOpening(True, preamble, KeyPair(left), left[::-1])
    responder = ChannelOpening(False, preamble, KeyPair(right), right[::-1])
    first = initiator.take(responder.begin())
    responder.take(initiator.begin())
    responder.take(initiator.take(responder.take(first)))
    assert initiator.channel is not None and responder.channel is not None
    return initiator.channel.handshake_hash, responder.channel.handshake_hash


def test_somebody_between_two_members_cannot_forward_their_proofs() -> None:
    """The middle has a channel with each; what it gets on one is a bad signature on the other."""
    alice, middle, bob = (bytes((key,)) + bytes(30) + b"\x01" for key in (1, 2, 3))
    (at_alice, to_alice), (to_bob, at_bob) = channel_hashes(alice, middle), channel_hashes(middle, bob)
    assert at_alice == to_alice != to_bob == at_bob
    left, right = relay_of(0), relay_of(1)
    left.connected(9, 0, handshake_hash=at_alice)
    right.connected(9, 0, handshake_hash=at_bob)
    [sent], [answered] = told(left, 9, hello()), told(right, 9, hello())
    assert isinstance(sent, Send) and isinstance(answered, Send)
    assert "signed by somebody else" in fault(told(right, 9, sent.message))
    assert "signed by somebody else" in fault(told(left, 9, answered.message))


# Messages


def test_a_message_goes_to_its_member_or_to_all_that_are_connected() -> None:
    relay = with_members(0, {5: 1, 6: 3})
    relay.connected(7, 0, handshake_hash=HASHES[7])
    told(relay, 7, hello())  # a follower
    assert relay.say(3, b"x") == [Send(6, MemberMessage(b"x"))]
    assert relay.say(2, b"x") == []  # it misses it
    assert relay.say(None, b"y") == [Send(5, MemberMessage(b"y")), Send(6, MemberMessage(b"y"))]


def test_of_several_connections_of_a_member_the_newest_open_one_is_used_and_each_is_heard() -> None:
    relay = with_members(0, {5: 1, 6: 1})
    assert relay.say(None, b"x") == [Send(6, MemberMessage(b"x"))]
    assert told(relay, 5, MemberMessage(b"old")) == [Heard(1, 5, b"old")]
    assert told(relay, 6, MemberMessage(b"new")) == [Heard(1, 6, b"new")]
    relay.closed(6, 0)
    assert relay.say(1, b"x") == [Send(5, MemberMessage(b"x"))]
    relay.closed(5, 0)
    assert relay.say(1, b"x") == []


def test_a_member_has_a_bounded_number_of_connections_and_its_oldest_make_room() -> None:
    relay = with_members(0, dict.fromkeys(range(limits.MEMBER_CONNECTIONS_MAX), 1))
    relay.connected(9, 0, handshake_hash=HASHES[9])
    told(relay, 9, hello())
    assert told(relay, 9, proof(1, HASHES[9])) == [
        Proved(9, 1),
        Drop(0, "this member has newer connections", fault=False),
    ]
    assert relay.say(1, b"x") == [Send(9, MemberMessage(b"x"))]


def test_a_message_without_proof_is_a_fault() -> None:
    relay = relay_of(0, 5)
    assert "without proof" in fault(told(relay, 5, MemberMessage(b"x")))


def test_a_message_to_a_node_that_is_no_member_is_a_fault_even_from_a_member() -> None:
    relay = relay_of(None, 5)
    told(relay, 5, proof(1, HASHES[5]))
    assert "to a node that is none" in fault(told(relay, 5, MemberMessage(b"x")))


def test_the_payload_is_passed_on_as_it_is() -> None:
    relay = with_members(0, {5: 1})
    assert told(relay, 5, MemberMessage(b"\xff" * 100)) == [Heard(1, 5, b"\xff" * 100)]


# Places


def full_relay() -> Relay:
    return relay_of(0, *range(limits.PEERS_MAX))


def test_a_member_has_room_where_strangers_have_all_places() -> None:
    relay = full_relay()
    [greeting] = relay.connected(100, 0, handshake_hash=HASHES[100])
    assert isinstance(greeting, Send)
    assert relay.frame_max(100) == limits.HELLO_BYTES_MAX
    told(relay, 100, hello())
    assert relay.frame_max(100) == limits.HELLO_BYTES_MAX  # until it has proved itself
    assert told(relay, 100, proof(2, HASHES[100])) == [Proved(100, 2)]
    assert relay.frame_max(100) == limits.FRAME_BYTES_MAX
    assert relay.peers == limits.PEERS_MAX + 1


def test_members_take_no_places_of_others() -> None:
    relay = full_relay()
    told(relay, 3, proof(1, HASHES[3]))
    relay.connected(101, 0, handshake_hash=HASHES[101])
    told(relay, 101, hello())
    assert relay.frame_max(101) == limits.FRAME_BYTES_MAX  # it has the place that member 1 had


@pytest.mark.parametrize("message", [Ping(0, 0), GetBatches(1, 1), MemberMessage(b"x")])
def test_a_stranger_beyond_the_places_gets_nothing_but_a_hello(message: Ping) -> None:
    relay = full_relay()
    relay.connected(100, 0, handshake_hash=HASHES[100])
    told(relay, 100, hello())
    assert told(relay, 100, message) == [Drop(100, "too many peers", fault=False)]


def test_a_stranger_beyond_the_places_that_says_nothing_goes_after_five_seconds() -> None:
    relay = full_relay()
    relay.connected(100, 0, handshake_hash=HASHES[100])
    told(relay, 100, hello())
    assert Drop(100, "too many peers", fault=False) in relay.tick(5_001)
    assert relay.peers == limits.PEERS_MAX


def test_strangers_beyond_the_places_push_out_each_other_and_no_member(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "PROVING_MAX", 2)
    relay = full_relay()
    for peer in (100, 101, 102):
        effects = relay.connected(peer, 0, handshake_hash=HASHES[peer])
        told(relay, peer, hello())
        if peer == 100:
            told(relay, peer, proof(1, HASHES[peer]))
    assert len(effects) == 1  # member 1 has a place, so two wait
    assert relay.connected(103, 0, handshake_hash=HASHES[103])[0] == Drop(101, "too many peers", fault=False)
    assert relay.members == [1]


def test_a_node_that_follows_keeps_no_place_beyond_its_own() -> None:
    relay = relay_of(None, *range(limits.PEERS_MAX))
    assert relay.connected(100, 0, handshake_hash=HASHES[100]) == [Drop(100, "too many peers", fault=False)]


# Batches and blocks


def test_one_of_several_members_takes_no_batches_from_peers_and_asks_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    relay = relay_of(0)
    relay.connected(5, 0, handshake_hash=HASHES[5])
    asked = told(relay, 5, hello(seq=50))
    assert asked == [Send(5, proof(0, HASHES[5]))]
    raws = tuple(encode(make_batch(seq)) for seq in (1, 2))
    monkeypatch.setattr("coinone.protocols.relay.ahead.decode", None)  # nothing is decoded
    assert told(relay, 5, BatchPush(raws[0])) == []
    assert told(relay, 5, Batches(1, raws)) == []
    assert not relay._ahead.batches and relay.tick(1_000) == []


def test_one_of_several_members_serves_others_and_pushes_to_all_but_members() -> None:
    """Batch 1 came by votes to member 0 and to member 1; the follower has it from nobody yet."""
    shelf = Shelf()
    relay = relay_of(0, 5, 6, archive=shelf)
    told(relay, 5, proof(1, HASHES[5]))
    batch = make_batch(1)
    shelf.add(batch)
    assert relay.published(batch, 0) == [Send(6, BatchPush(encode(batch)))]
    assert told(relay, 6, GetBatches(1, 1)) == [Send(6, Batches(1, (encode(batch),)))]
    assert told(relay, 5, GetBatches(1, 1)) == [Send(5, Batches(1, (encode(batch),)))]


def test_a_batch_by_votes_and_the_same_from_a_peer_do_not_meet() -> None:
    """Before, at the same time and after: it is published once, and the peer is not at fault."""
    relay = relay_of(0, 5, 6)
    first, second = make_batch(1), make_batch(2)
    assert told(relay, 5, BatchPush(encode(first))) == []
    assert relay.published(first, 0) == [Send(6, BatchPush(encode(first)))]
    assert told(relay, 5, BatchPush(encode(first))) == []
    assert relay.published(second, 0) == [Send(peer, BatchPush(encode(second))) for peer in (5, 6)]
    assert not any(isinstance(effect, Deliver | Drop) for effect in relay.tick(0))


def test_a_peer_that_sends_a_member_old_batches_without_end_is_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "USELESS_ITEMS_MAX", 3)
    relay = relay_of(0, 5)
    relay.published(make_batch(1), 0)
    for _ in range(3):
        assert told(relay, 5, BatchPush(encode(make_batch(1)))) == []
    assert "too many old" in fault(told(relay, 5, BatchPush(encode(make_batch(1)))))


def test_a_member_that_says_goodbye_is_gone() -> None:
    relay = with_members(0, {5: 1})
    [drop] = told(relay, 5, Goodbye("shutting down"))
    assert isinstance(drop, Drop) and not drop.fault
    assert relay.members == []
