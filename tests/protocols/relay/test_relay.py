"""Followers reach the head through loss, duplication and reordering, and nobody at fault stays connected."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidBatch
from coinone.base.primitives.records import encode
from coinone.base.primitives.types import ZERO_HASH
from coinone.protocols.relay import limits
from coinone.protocols.relay.effects import Deliver, Drop, Effect, Head, Send
from coinone.protocols.relay.messages import (
    PROTOCOL_VERSION,
    Batches,
    BatchPush,
    GetBatches,
    GetBlocks,
    Goodbye,
    Hello,
    Message,
    Ping,
    decode_message,
    encode_message,
)
from coinone.protocols.relay.relay import Relay
from coinone.rules.consensus.federation import Federation
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.certificate import Certificate
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.seal import GenesisSeal

GENESIS = b"\x07" * 32
CHAIN_ID = 926002
FEDERATION = Federation(tuple(address_of(bytes(31) + bytes((key,))) for key in (1, 2, 3, 4)))


def make_batch(seq: int, base: int = 0, body: bytes = b"tx") -> CertifiedBatch:
    batch = Batch(0, seq, ZERO_HASH, base, ZERO_HASH, seq, 0, ZERO_HASH, None, 0, (body,))
    return CertifiedBatch(batch, Certificate(0, seq, batch.hash, ZERO_HASH, ()))


def make_block(number: int, batch_seq: int) -> Block:
    zero = ZERO_HASH
    header = Header(
        zero, number, number, bytes(20), 0, 0, 0, zero, zero, zero, bytes(256), zero, batch_seq, zero, zero
    )
    return Block(header, (), GenesisSeal())


def check_signed(item: CertifiedBatch | Block) -> None:
    """Of what stands here all is taken for signed but what says otherwise."""
    if isinstance(item, CertifiedBatch) and item.batch.transactions == (b"unsigned",):
        raise InvalidBatch("certificate: no quorum")


@dataclass
class Shelf:
    """An archive in memory."""

    batch_items: dict[int, bytes] = field(default_factory=dict)
    block_items: dict[int, bytes] = field(default_factory=dict)

    def batches(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]:
        return [self.batch_items[seq] for seq in range(first, first + count) if seq in self.batch_items]

    def blocks(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]:
        return [
            self.block_items[number] for number in range(first, first + count) if number in self.block_items
        ]

    def add(self, item: CertifiedBatch | Block) -> None:
        if isinstance(item, Block):
            self.block_items[item.number] = encode(item)
        else:
            self.batch_items[item.batch.seq] = encode(item)


class Node:
    """A relay and its shelf; applying is putting on the shelf, in order."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.relay = Relay(CHAIN_ID, GENESIS, self.shelf, Head(0, 0), check_signed, FEDERATION)
        self.applied: list[tuple[str, int]] = []

    def apply(self, item: CertifiedBatch | Block, now: int) -> list[Effect]:
        self.shelf.add(item)
        self.applied.append(("block", item.number) if isinstance(item, Block) else ("batch", item.batch.seq))
        return self.relay.delivered(now)


class World:
    """Nodes joined by links that lose, double and reorder; a node names a peer by its number."""

    def __init__(self, seed: int, loss: float) -> None:
        self.random = random.Random(seed)
        self.loss = loss
        self.now = 0
        self.nodes: list[Node] = []
        self.mail: list[tuple[int, int, bytes]] = []  # (to, from, payload)
        self.lost = 0

    def join(self, left: int, right: int) -> None:
        self.carry_out(left, self.nodes[left].relay.connected(right, self.now))
        self.carry_out(right, self.nodes[right].relay.connected(left, self.now))

    def carry_out(self, node: int, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                is_hello = isinstance(effect.message, Hello)
                if not is_hello and self.random.random() < self.loss:
                    self.lost += 1
                    continue
                copies = 2 if not is_hello and self.random.random() < 0.1 else 1
                self.mail += [(effect.peer, node, encode_message(effect.message))] * copies
            elif isinstance(effect, Deliver):
                self.carry_out(node, self.nodes[node].apply(effect.item, self.now))
            else:
                assert not effect.fault, f"an honest peer was blamed: {effect}"
                self.nodes[effect.peer].relay.closed(node, self.now)
                self.join(node, effect.peer)

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            self.now += 100
            mail, self.mail = self.mail, []
            hellos = [letter for letter in mail if isinstance(decode_message(letter[2]), Hello)]
            others = [letter for letter in mail if letter not in hellos]
            self.random.shuffle(others)
            for to, source, payload in hellos + others:
                self.carry_out(to, self.nodes[to].relay.received(source, payload, self.now))
            for number, node in enumerate(self.nodes):
                self.carry_out(number, node.relay.tick(self.now))


@pytest.mark.parametrize("seed", range(12))
def test_a_line_of_followers_reaches_the_head_in_order_through_a_bad_network(seed: int) -> None:
    world = World(seed, loss=0.3)
    world.nodes = [Node() for _ in range(4)]
    for left in range(3):
        world.join(left, left + 1)
    base = 0
    leader = world.nodes[0]
    for seq in range(1, 60):
        for item in [make_batch(seq, base)] + ([make_block(seq // 8, seq)] if seq % 8 == 0 else []):
            leader.shelf.add(item)
            leader.applied.append(("block", item.number) if isinstance(item, Block) else ("batch", seq))
            world.carry_out(0, leader.relay.published(item, world.now))
            base = item.number if isinstance(item, Block) else base
        world.run(1)
    world.run(1_200)
    assert world.lost > 0, "nothing was lost, so nothing was tested"
    for node in world.nodes[1:]:
        assert sorted(node.applied) == sorted(leader.applied)
        assert [seq for kind, seq in node.applied if kind == "batch"] == list(range(1, 60))
        assert node.shelf == leader.shelf


def hello(
    seq: int = 0, chain_id: int = CHAIN_ID, genesis: bytes = GENESIS, version: int = PROTOCOL_VERSION
) -> Message:
    return Hello(version, chain_id, genesis, seq, 0)


def told(relay: Relay, peer: int, message: Message, now: int = 0) -> list[Effect]:
    return relay.received(peer, encode_message(message), now)


def connected(*peers: int, seq: int = 0) -> Relay:
    relay = Relay(CHAIN_ID, GENESIS, Shelf(), Head(0, 0), check_signed, FEDERATION)
    for peer in peers:
        relay.connected(peer, 0)
        told(relay, peer, hello(seq))
    return relay


@pytest.mark.parametrize(
    "greeting",
    [
        hello(chain_id=1),
        hello(genesis=ZERO_HASH),
        hello(version=PROTOCOL_VERSION - 1),
        BatchPush(b"x"),
        Ping(1, 1),
    ],
)
def test_a_peer_of_another_chain_or_without_manners_is_dropped(greeting: Message) -> None:
    relay = Relay(CHAIN_ID, GENESIS, Shelf(), Head(0, 0), check_signed, FEDERATION)
    relay.connected(1, 0)
    [effect] = told(relay, 1, greeting)
    assert isinstance(effect, Drop) and effect.fault
    assert relay.peers == 0


def test_a_peer_with_other_rules_and_the_same_genesis_is_refused_by_name() -> None:
    relay = Relay(CHAIN_ID, GENESIS, Shelf(), Head(0, 0), check_signed, FEDERATION)
    relay.connected(1, 0)
    reason = "has other rules or messages (want=7, have=2)"
    assert told(relay, 1, hello(version=2)) == [Drop(1, reason, fault=True)]


@pytest.mark.parametrize("fields", [[], [b"more"], [[b"more"], b"\x09"]])
def test_a_hello_of_a_later_version_with_other_fields_is_refused_by_its_version(fields: list[Any]) -> None:
    """It was refused as `rlp: wrong number of fields`, from which no operator concludes that an update is due."""
    relay = Relay(CHAIN_ID, GENESIS, Shelf(), Head(0, 0), check_signed, FEDERATION)
    relay.connected(1, 0)
    payload = b"\x00" + rlp.encode([PROTOCOL_VERSION + 1, CHAIN_ID, *fields])
    assert relay.received(1, payload, 0) == [
        Drop(1, "has other rules or messages (want=7, have=8)", fault=True)
    ]


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x01\xc1", b"\x00" * 40, b"\x00\xc0", b"\x00\x80"])
def test_garbage_drops_the_peer_and_nothing_else(payload: bytes) -> None:
    relay = connected(1, 2)
    [effect] = relay.received(1, payload, 0)
    assert isinstance(effect, Drop) and (effect.peer, effect.fault) == (1, True)
    assert relay.peers == 1


def test_who_sends_a_batch_that_breaks_a_rule_goes_and_another_is_asked() -> None:
    relay = connected(1, 2)
    [deliver] = told(relay, 1, BatchPush(encode(make_batch(1, body=b"forged"))))
    assert isinstance(deliver, Deliver)
    told(relay, 2, BatchPush(encode(make_batch(1))))
    effects = relay.refused("bad certificate", 0)
    assert effects[0] == Drop(1, "bad certificate", fault=True)
    assert effects[-1] == Deliver(2, make_batch(1))


def test_a_peer_that_never_answers_is_passed_over() -> None:
    relay, now = Relay(CHAIN_ID, GENESIS, Shelf(), Head(0, 0), check_signed, FEDERATION), 7_000_000
    relay.connected(1, now)
    assert told(relay, 1, hello(seq=5), now) == [Send(1, GetBatches(1, 5))]
    relay.connected(2, now)
    assert told(relay, 2, hello(seq=5), now) == []  # one request on its way is enough
    in_time = now + limits.REQUEST_TIMEOUT_MS
    assert not [effect for effect in relay.tick(in_time) if isinstance(effect, Send)]
    assert Send(2, GetBatches(1, 5)) in relay.tick(in_time + 1)


def test_a_peer_that_promises_what_it_has_not_is_believed_no_more() -> None:
    relay = connected(1)
    told(relay, 1, BatchPush(encode(make_batch(900))))
    assert told(relay, 1, Batches(1, ())) == []


def test_a_batch_waits_for_the_block_it_is_based_on() -> None:
    relay = connected(1)
    assert not [e for e in told(relay, 1, BatchPush(encode(make_batch(1, base=1)))) if isinstance(e, Deliver)]


def test_nobody_holds_a_follower_up_with_a_forged_batch_whose_block_never_comes() -> None:
    """Based on block 10^9 it waited for ever, and no other batch of its seq was taken or asked for, whoever sent it."""
    relay = connected(1, 2, seq=5)
    effects = told(relay, 1, BatchPush(encode(make_batch(1, base=10**9, body=b"unsigned"))))
    assert effects == [Drop(1, "certificate: no quorum", fault=True), Send(2, GetBatches(1, 5))]
    effects = told(relay, 2, Batches(1, tuple(encode(make_batch(seq)) for seq in range(1, 6))))
    assert effects == [Deliver(2, make_batch(1))]


def test_who_answers_with_something_else_is_not_asked_again_before_others() -> None:
    relay = connected(1, 2, seq=5)
    assert Send(2, GetBatches(1, 5)) in told(relay, 1, Batches(1, (encode(make_batch(3)),)))


def answered(relay: Relay, peer: int, first: int, last: int, now: int) -> list[Effect]:
    """What is asked for once the batches that `peer` sends are applied, one after another."""
    effects = told(
        relay, peer, Batches(first, tuple(encode(make_batch(seq)) for seq in range(first, last + 1))), now
    )
    while any(isinstance(effect, Deliver) for effect in effects):
        effects = relay.delivered(now)
    return [e for e in effects if isinstance(e, Send) and not isinstance(e.message, BatchPush)]


def test_who_answers_with_one_batch_after_five_seconds_keeps_nobody_behind() -> None:
    """It was asked again each time, since what it sent was right: 0.2 batches a second, while the chain makes 4."""
    relay = connected(1, 2, seq=1_000)
    assert answered(relay, 1, 1, 1, now=4_800) == [Send(2, GetBatches(2, 256))]
    assert answered(relay, 2, 2, 257, now=4_900) == [Send(2, GetBatches(258, 256))]
    assert answered(relay, 2, 258, 513, now=5_000) == [Send(2, GetBatches(514, 256))]


def test_a_quick_peer_is_asked_for_blocks_too_while_batches_are_on_their_way() -> None:
    relay = connected(1, 2, seq=1_000)
    answered(relay, 1, 1, 256, now=20)
    assert Send(1, GetBlocks(1, 9)) in told(relay, 1, Ping(1_000, 9), 20)


def test_items_far_beyond_the_head_are_not_hoarded() -> None:
    relay = connected(1)
    for seq in range(2, 2 * limits.AHEAD_ITEMS_MAX, 7):
        told(relay, 1, BatchPush(encode(make_batch(seq))))
    assert max(relay._ahead.batches) <= limits.AHEAD_ITEMS_MAX


def test_silence_is_answered_by_a_ping_and_then_by_hanging_up() -> None:
    relay = connected(1)
    assert relay.tick(limits.PING_INTERVAL_MS + 1) == [Send(1, Ping(0, 0))]
    [drop] = relay.tick(limits.SILENCE_MS_MAX + 1)
    assert isinstance(drop, Drop) and not drop.fault


def test_a_place_is_held_for_five_seconds_without_a_hello() -> None:
    """64 connections that sent nothing held all places for 30 s, and again."""
    relay = Relay(CHAIN_ID, GENESIS, Shelf(), Head(0, 0), check_signed, FEDERATION)
    for peer in range(limits.PEERS_MAX):
        relay.connected(peer, 0)
    told(relay, 7, hello(), 4_000)
    assert relay.tick(5_000) == []
    assert relay.connected(64, 5_000) == [Drop(64, "too many peers", fault=False)]
    drops = [effect for effect in relay.tick(5_001) if isinstance(effect, Drop)]
    assert [drop.peer for drop in drops] == [peer for peer in range(64) if peer != 7]
    assert relay.peers == 1 and isinstance(relay.connected(65, 5_001)[0], Send)


def test_one_peer_more_than_the_limit_is_turned_away() -> None:
    relay = connected(*range(limits.PEERS_MAX))
    [drop] = relay.connected(limits.PEERS_MAX, 0)
    assert isinstance(drop, Drop) and drop.reason == "too many peers"


def test_strangers_keep_no_peer_out_that_the_operator_named() -> None:
    relay = connected(*range(limits.PEERS_MAX))
    assert relay.connected(1_000, 0) == [Drop(1_000, "too many peers", fault=False)]
    named = relay.connected(1_001, 0, ours=True)
    assert isinstance(named[0], Send) and isinstance(named[0].message, Hello)


def test_only_peers_that_the_operator_named_are_believed_how_far_the_chain_is() -> None:
    relay = connected(1)
    relay.connected(2, 0, ours=True)
    told(relay, 1, Hello(PROTOCOL_VERSION, CHAIN_ID, GENESIS, 0, 2**60))
    assert relay.best_number == 0
    told(relay, 2, Hello(PROTOCOL_VERSION, CHAIN_ID, GENESIS, 0, 12))
    assert relay.best_number == 12


def test_goodbye_is_no_fault() -> None:
    relay = connected(1)
    [drop] = told(relay, 1, Goodbye("shutting down"))
    assert isinstance(drop, Drop) and not drop.fault


def test_a_slow_peer_that_sends_much_at_once_is_quicker_than_one_that_sends_little() -> None:
    relay = connected(1, seq=1_000)
    told(relay, 1, Batches(1, tuple(encode(make_batch(seq)) for seq in range(1, 9))), 800)
    assert relay._peers[1].took_ms == 100  # eight in 800 ms
