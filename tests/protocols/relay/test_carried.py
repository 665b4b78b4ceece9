"""What a peer sends costs the reading of a few numbers until it is known to be wanted and small enough to decode."""

from dataclasses import replace

import pytest

from coinone.base.primitives import rlp
from coinone.base.primitives.records import encode
from coinone.protocols.relay import ahead, limits
from coinone.protocols.relay.carried import count_items
from coinone.protocols.relay.effects import Deliver, Drop, Head, Send
from coinone.protocols.relay.messages import Batches, BatchPush, BlockPush, Blocks, Message
from coinone.protocols.relay.relay import Relay
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from tests.protocols.relay.test_relay import (
    CHAIN_ID,
    FEDERATION,
    GENESIS,
    Shelf,
    check_signed,
    connected,
    hello,
    make_batch,
    make_block,
    told,
)

BYTE = b"\x01"  # an item of one byte, or the number 1


def never(*_: object) -> None:
    raise AssertionError("decoded")


def wrapped(*parts: bytes) -> bytes:
    """A record of byte strings, each of which holds an encoding."""
    return rlp.encode(list(parts))


FLOOD = rlp.encode_joined([BYTE] * 1_000_000)  # as a batch, its seq is 1; as a header, its number


@pytest.mark.parametrize(
    "message",
    [
        BatchPush(wrapped(FLOOD, b"")),
        BatchPush(wrapped(encode(make_batch(1).batch), FLOOD)),
        BlockPush(rlp.encode([FLOOD, [], [BYTE], []])),
        Batches(1, (wrapped(FLOOD, b""),)),
        Blocks(1, (rlp.encode([FLOOD, [], [BYTE], []]),)),
    ],
)
def test_what_is_inside_a_batch_certificate_or_header_is_counted_before_it_is_decoded(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million items are 1 MB and took 0.1 s; a frame holds twelve."""
    node = connected(1)
    monkeypatch.setattr(ahead, "decode", never)
    [drop] = told(node, 1, message)
    assert isinstance(drop, Drop) and drop.fault and drop.reason.startswith("rlp: too many items")


@pytest.mark.parametrize(
    "raw", [FLOOD, wrapped(), wrapped(b""), wrapped(BYTE), wrapped(rlp.encode([1, [1]]))]
)
def test_what_has_no_seq_where_it_belongs_is_a_fault(raw: bytes) -> None:
    [drop] = told(connected(1), 1, BatchPush(raw))
    assert isinstance(drop, Drop) and drop.fault


def test_the_items_of_an_answer_are_counted_together() -> None:
    """A seal covers the header, not the list beside it: each block passes alone, and 60 of them would take 3 s."""
    many = (BYTE,) * 60_000
    blocks = [encode(replace(make_block(number, 0), forced=many)) for number in (1, 2)]
    [deliver] = told(connected(1), 1, Blocks(1, (blocks[0],)))
    assert isinstance(deliver, Deliver)
    [drop] = told(connected(1), 1, Blocks(1, tuple(blocks)))
    assert isinstance(drop, Drop) and drop.reason.startswith("rlp: too many items")


def test_the_largest_honest_answer_has_fewer_items() -> None:
    signatures = tuple((member, bytes(65)) for member in range(64))
    batch = make_batch(1)
    signed = encode(CertifiedBatch(batch.batch, replace(batch.certificate, signatures=signatures)))
    # the pair and its two strings, the batch with 11 fields and a transaction, the certificate with 5 fields and
    # 64 pairs of a member and a signature: 3 + 1 + 11 + 1 + 1 + 5 + 64 * 3
    assert count_items(signed, 1_000) == 214
    payments = (limits.RANGE_BYTES_MAX - 256 * len(signed)) // 100  # the smallest has more than 100 bytes
    assert 256 * 214 + payments < limits.CARRIED_ITEMS_MAX


def test_what_this_node_has_or_does_not_keep_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Relay(CHAIN_ID, GENESIS, Shelf(), Head(500, 50), check_signed, FEDERATION)
    node.connected(1, 0)
    told(node, 1, hello())
    monkeypatch.setattr(ahead, "decode", never)
    unwanted = [make_batch(seq, body=b"unsigned") for seq in (1, 500, 501 + limits.AHEAD_ITEMS_MAX)]
    assert not [e for e in told(node, 1, Batches(1, tuple(map(encode, unwanted)))) if isinstance(e, Drop)]
    with pytest.raises(AssertionError, match="decoded"):  # the next one is
        told(node, 1, BatchPush(encode(make_batch(501))))


@pytest.mark.parametrize("item", [make_batch(1), make_block(1, 0)])
def test_a_peer_that_sends_only_old_items_is_dropped(
    item: CertifiedBatch | Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "USELESS_ITEMS_MAX", 10)
    node = Relay(CHAIN_ID, GENESIS, Shelf(), Head(500, 50), check_signed, FEDERATION)
    node.connected(1, 0)
    told(node, 1, hello(500))
    push = BlockPush(encode(item)) if isinstance(item, Block) else BatchPush(encode(item))
    assert [told(node, 1, push) for _ in range(10)] == [[]] * 10
    assert told(node, 1, push) == [Drop(1, "sent too many old batches and blocks (most=10)", fault=True)]


def test_a_peer_that_pushes_what_just_came_from_another_is_not_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two peers that push every batch, the second is late each time."""
    monkeypatch.setattr(limits, "USELESS_ITEMS_MAX", 10)
    node = connected(1, 2)
    for seq in range(1, 100):
        push = BatchPush(encode(make_batch(seq)))
        assert told(node, 1, push) == [Deliver(1, make_batch(seq))]
        node.delivered(0)
        assert told(node, 2, push) == []


def test_a_peer_is_not_pushed_what_it_has() -> None:
    node = connected(1, 2)
    told(node, 2, BatchPush(encode(make_batch(2))))  # peer 2 is at 2, and batch 1 is still missing here
    told(node, 1, BatchPush(encode(make_batch(1))))
    assert not [effect for effect in node.delivered(0) if isinstance(effect, Send)]
    [push] = [effect for effect in node.delivered(0) if isinstance(effect, Send)]
    assert push == Send(1, BatchPush(encode(make_batch(2))))
