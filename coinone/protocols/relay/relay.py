"""Follow and serve the chain: events from peers in, effects out.

Theory of operation. Peers exchange hellos; then a peer pushes newer items to the others and requests missing ones by
range. Items may arrive in any order, repeatedly and from any peer; they wait (ahead.py) until they follow the head and
are then delivered for execution, one at a time:

    push or answer --> ahead --follows the head--> Deliver --delivered--> head moves --> push to the others
                                                      \\--refused--> the peer who sent it is dropped

A batch follows when it is the next seq and its base block is known; a block, when it is the next number and
the batches it names are applied. Waiting items are signed by the federation; otherwise a forged item could occupy the
place of the right one indefinitely. Everything else is checked at execution: this file has no clock, socket or disk,
and trusts no peer.

A node that is one of several members takes no items from peers: its own votes bring batches, and it makes the blocks
itself. It only serves others, and its relay carries what members say to each other (members.py).
"""

import itertools
from collections.abc import Sequence
from typing import Protocol, assert_never

from coinone.base.primitives.errors import DecodeError, InvalidInput
from coinone.base.primitives.records import encode
from coinone.base.primitives.types import Hash32
from coinone.protocols.relay import limits
from coinone.protocols.relay.ahead import CheckSigned, ItemsAhead
from coinone.protocols.relay.effects import Deliver, Drop, Effect, Head, Heard, Proved, Send
from coinone.protocols.relay.members import Attest, MemberLinks
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
    Items,
    MemberMessage,
    Message,
    Ping,
    Pong,
    Range,
    decode_message,
)
from coinone.protocols.relay.peer import Peer, holder_of
from coinone.rules.consensus.federation import Federation
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block


class ItemArchive(Protocol):
    """The encoded batches and blocks that this node can serve."""

    def batches(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]: ...

    def blocks(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]: ...


_FULL = "too many peers"


class Relay:
    """`attest` is set if this node is one of several members. `takes` is unset if it accepts no batches and blocks from
    peers."""

    def __init__(
        self,
        chain_id: int,
        genesis: bytes,
        archive: ItemArchive,
        head: Head,
        check_signed: CheckSigned,
        federation: Federation,
        attest: Attest | None = None,
        takes: bool = True,
    ) -> None:
        self._chain_id = chain_id
        self._genesis = genesis
        self._archive = archive
        self._head = head
        self._ahead = ItemsAhead(check_signed, takes)
        self._links = MemberLinks(chain_id, federation, attest)
        self._takes = takes
        self._peers: dict[int, Peer] = {}
        self._turns = itertools.count()
        self._delivering: Deliver | None = None

    @property
    def peers(self) -> int:
        return len(self._peers)

    @property
    def best_number(self) -> int:
        """The greatest block number that a peer named by the operator reports; a stranger may report anything."""
        named = [state.head.number for state in list(self._peers.values()) if state.ours and state.hello]
        return max(named, default=0)

    @property
    def members(self) -> list[int]:
        """The other members that are connected; from any thread."""
        return self._links.connected

    def member_of(self, peer: int) -> int | None:
        """The member that a peer proved to be, while it is connected."""
        return self._links.member_of(peer)

    def connected(
        self, peer: int, now_ms: int, ours: bool = False, handshake_hash: Hash32 | None = None
    ) -> list[Effect]:
        """A peer connected; `ours` if the operator named it: such a peer always has room, and so has a member."""
        effects: list[Effect] = []
        is_proving = not ours and self._is_full
        if is_proving:
            if not self._links.has_voice or handshake_hash is None:
                return [Drop(peer, _FULL, fault=False)]
            effects = self._make_room(now_ms)
        self._peers[peer] = Peer(now_ms, next(self._turns), ours, handshake_hash, is_proving)
        head = self._head
        hello = Hello(PROTOCOL_VERSION, self._chain_id, self._genesis, head.seq, head.number)
        return [*effects, Send(peer, hello)]

    def frame_max(self, peer: int) -> int:
        """The largest frame to accept from a peer now: a small one until its hello, or its proof if it needs one."""
        state = self._peers.get(peer)
        return limits.HELLO_BYTES_MAX if state is None or state.is_new else limits.FRAME_BYTES_MAX

    def closed(self, peer: int, now_ms: int) -> list[Effect]:
        self._forget(peer)
        return self._ask(now_ms)

    def received(self, peer: int, payload: bytes, now_ms: int) -> list[Effect]:
        """Process a frame's payload. Never raises: a peer at fault is dropped."""
        state = self._peers.get(peer)
        if state is None:
            return []
        state.heard_ms = now_ms
        try:
            return self._handle(peer, state, decode_message(payload), now_ms)
        except InvalidInput as error:
            return self._drop(peer, str(error), now_ms)

    def tick(self, now_ms: int) -> list[Effect]:
        """Process time: ping silent peers, drop dead ones, request overdue items from others."""
        effects: list[Effect] = []
        for peer, state in list(self._peers.items()):
            silent = now_ms - state.heard_ms
            if silent > (limits.HELLO_TIMEOUT_MS if state.is_new else limits.SILENCE_MS_MAX):
                self._forget(peer)
                reason = _FULL if state.is_proving else "silent for too long"
                effects.append(Drop(peer, reason, fault=False))
            elif silent > limits.PING_INTERVAL_MS and now_ms - state.pinged_ms > limits.PING_INTERVAL_MS:
                state.pinged_ms = now_ms
                effects.append(Send(peer, Ping(self._head.seq, self._head.number)))
        return effects + self._ask(now_ms)

    def published(self, item: CertifiedBatch | Block, now_ms: int) -> list[Effect]:
        """This node made the next batch or block."""
        return self._moved(item, source=None) + self._next(now_ms)

    def delivered(self, now_ms: int) -> list[Effect]:
        """The delivered item is applied."""
        done, self._delivering = self._delivering, None
        assert done is not None, "nothing was being delivered"
        if done.peer in self._peers:
            self._peers[done.peer].pace_ms = min(self._peers[done.peer].took_ms, limits.SLOW_MS)
        return self._moved(done.item, source=done.peer) + self._next(now_ms)

    def refused(self, reason: str, now_ms: int) -> list[Effect]:
        """The delivered item broke a rule: drop its sender and ask other peers."""
        done, self._delivering = self._delivering, None
        assert done is not None, "nothing was being delivered"
        return self._drop(done.peer, reason, now_ms) + self._next(now_ms)

    def say(self, member: int | None, payload: bytes) -> list[Effect]:
        """Send what this node says to a member, or to all others for None. A member that is not connected misses it:
        members repeat what matters."""
        assert self._links.has_voice, "this node is one of several members"
        message = MemberMessage(payload)
        return [Send(peer, message) for peer in self._links.routes(member)]

    @property
    def _is_full(self) -> bool:
        strangers = [
            peer
            for peer, state in self._peers.items()
            if not state.ours and not state.is_proving and self._links.member_of(peer) is None
        ]
        return len(strangers) >= limits.PEERS_MAX

    def _make_room(self, now_ms: int) -> list[Effect]:
        """Drop the oldest of the peers in excess that have not proved that they are members, if there are too many."""
        proving = [peer for peer, state in self._peers.items() if state.is_proving]
        if len(proving) < limits.PROVING_MAX:
            return []
        return self._drop(proving[0], _FULL, now_ms, fault=False)

    def _handle(self, peer: int, state: Peer, message: Message, now_ms: int) -> list[Effect]:
        match message:
            case Hello():
                return self._greet(peer, state, message, now_ms)
            case Goodbye(reason):
                return self._drop(peer, f"peer said goodbye: {reason}", now_ms, fault=False)
            case _ if not state.hello:
                raise DecodeError("said something before hello")
            case Attestation():
                return self._prove(peer, state, message, now_ms)
            case _ if state.is_proving:
                return self._drop(peer, _FULL, now_ms, fault=False)
            case MemberMessage(payload):
                return [Heard(self._links.sender(peer), peer, payload)]
            case Ping(seq, number):
                state.head = Head(seq, number)
                return [Send(peer, Pong(self._head.seq, self._head.number)), *self._next(now_ms)]
            case Pong(seq, number):
                state.head = Head(seq, number)
            case GetBatches() | GetBlocks():
                return [Send(peer, self._serve(message))]
            case BatchPush() | BlockPush() | Batches() | Blocks():
                self._take(peer, state, message, now_ms)
            case _:
                assert_never(message)
        return self._next(now_ms)

    def _greet(self, peer: int, state: Peer, hello: Hello, now_ms: int) -> list[Effect]:
        if state.hello:
            raise DecodeError("said hello twice")
        if (hello.chain_id, hello.genesis) != (self._chain_id, self._genesis):
            raise DecodeError("is on another chain", chain_id=hello.chain_id)
        state.hello = True
        state.head = Head(hello.seq, hello.number)
        proof = [Send(peer, proof) for proof in self._links.own_proof(state.handshake_hash)]
        return [*proof, *self._ask(now_ms)]

    def _prove(self, peer: int, state: Peer, proof: Attestation, now_ms: int) -> list[Effect]:
        """The peer is a member, if its proof holds. Raises InvalidSignature or DecodeError."""
        self._links.prove(peer, proof, state.handshake_hash)
        state.is_proving = False
        effects: list[Effect] = [Proved(peer, proof.member)]
        for old in self._links.excess(proof.member):
            effects += self._drop(old, "this member has newer connections", now_ms, fault=False)
        return effects

    def _serve(self, request: Range) -> Message:
        first, count, most = request.first, request.count, limits.RANGE_BYTES_MAX
        match request:
            case GetBatches():
                return Batches(first, tuple(self._archive.batches(first, count, most)))
            case GetBlocks():
                return Blocks(first, tuple(self._archive.blocks(first, count, most)))
            case _:
                assert_never(request)

    def _take(self, peer: int, state: Peer, message: Items, now_ms: int) -> None:
        """Keep items that may follow the head later. A peer without items that it reported is no longer believed.
        Raises DecodeError."""
        match message:
            case BatchPush(raw):
                self._ahead.keep_batches(peer, state, (raw,), self._head)
            case BlockPush(raw):
                self._ahead.keep_blocks(peer, state, (raw,), self._head)
            case Batches(first, items):
                state.answered(GetBatches, len(items), now_ms, next(self._turns))
                self._ahead.keep_batches(peer, state, items, self._head)
                if not items:
                    state.head = Head(min(state.head.seq, first - 1), state.head.number)
            case Blocks(first, items):
                state.answered(GetBlocks, len(items), now_ms, next(self._turns))
                self._ahead.keep_blocks(peer, state, items, self._head)
                if not items:
                    state.head = Head(state.head.seq, min(state.head.number, first - 1))
            case _:
                assert_never(message)

    def _next(self, now_ms: int) -> list[Effect]:
        """Deliver the item that follows the head, or request it."""
        if self._delivering is not None:
            return []
        kept = self._ahead.take_next(self._head)
        if kept is not None:
            self._delivering = Deliver(kept.peer, kept.item)
            return [self._delivering]
        return self._ask(now_ms)

    def _moved(self, item: CertifiedBatch | Block, source: int | None) -> list[Effect]:
        """Advance the head and push the item to peers that may not have it. Members take none (see `takes`)."""
        message: Message
        match item:
            case Block():
                self._head = Head(self._head.seq, item.number)
                self._ahead.blocks.pop(item.number, None)
                message = BlockPush(encode(item))
            case CertifiedBatch(batch):
                self._head = Head(batch.seq, self._head.number)
                self._ahead.batches.pop(batch.seq, None)
                message = BatchPush(encode(item))
            case _:
                assert_never(item)
        for state in self._peers.values():
            state.useless = max(0, state.useless - 1)
        others = [
            peer
            for peer, state in self._peers.items()
            if peer != source and self._links.member_of(peer) is None and self._wants(state, message)
        ]
        return [Send(peer, message) for peer in others]

    def _wants(self, state: Peer, message: BatchPush | BlockPush) -> bool:
        """Whether a peer is pushed this item, the newest here: not one that has it, nor one far behind, which requests
        ranges at its own pace."""
        behind = self._head.seq - state.head.seq
        if state.is_new:
            return False
        if isinstance(message, BatchPush):
            return 0 < behind <= limits.AHEAD_ITEMS_MAX
        return self._head.number > state.head.number and behind <= limits.AHEAD_ITEMS_MAX

    def _ask(self, now_ms: int) -> list[Effect]:
        """Request the first missing range of a kind from the fastest peer that has it."""
        if not self._takes:
            return []
        effects: list[Effect] = []
        for request in self._missing():
            holder = holder_of(request, self._peers, now_ms, self._turns)
            if holder is not None:
                state = self._peers[holder]
                state.waits[type(request)] = now_ms
                effects.append(Send(holder, request))
        return effects

    def _missing(self) -> list[Range]:
        """The first gaps after the head that a peer can fill."""
        peers = [state for state in self._peers.values() if state.hello]
        best_seq = max((state.head.seq for state in peers), default=0)
        best_number = max((state.head.number for state in peers), default=0)
        missing: list[Range] = []
        seq, number = self._head.seq + 1, self._head.number + 1
        if seq not in self._ahead.batches and seq <= best_seq and not self._is_delivering_batch():
            missing.append(GetBatches(seq, min(limits.RANGE_ITEMS_MAX, best_seq - seq + 1)))
        if number not in self._ahead.blocks and number <= best_number and not self._is_delivering_block():
            missing.append(GetBlocks(number, min(limits.RANGE_ITEMS_MAX, best_number - number + 1)))
        return missing

    def _is_delivering_batch(self) -> bool:
        return self._delivering is not None and isinstance(self._delivering.item, CertifiedBatch)

    def _is_delivering_block(self) -> bool:
        return self._delivering is not None and isinstance(self._delivering.item, Block)

    def _drop(self, peer: int, reason: str, now_ms: int, fault: bool = True) -> list[Effect]:
        self._forget(peer)
        self._ahead.discard(peer)
        return [Drop(peer, reason, fault), *self._ask(now_ms)]

    def _forget(self, peer: int) -> None:
        self._peers.pop(peer, None)
        self._links.closed(peer)
