"""Follow and serve the chain: events from peers in, effects out.

Theory of operation. Peers exchange hellos; then a peer pushes newer items to the others and requests missing ones by
range. Items may arrive in any order, repeatedly and from any peer; they wait in `_ahead` until they follow the head and
are then delivered for execution, one at a time:

    push or answer --> _ahead --follows the head--> Deliver --delivered--> head moves --> push to the others
                                                      \\--refused--> the peer who sent it is dropped

A batch follows when it is the next seq and its base block is known; a block, when it is the next number and
the batches it names are applied. Waiting items are signed by the federation; otherwise a forged item could occupy the
place of the right one indefinitely. Everything else is checked at execution: this file has no clock, socket or disk,
and trusts no peer.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, assert_never

from coinone.base.primitives.errors import DecodeError, InvalidInput, LimitExceeded
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.records import decode, encode
from coinone.protocols.relay import limits
from coinone.protocols.relay.carried import count_items, number_of, seq_of
from coinone.protocols.relay.effects import Deliver, Drop, Effect, Head, Send
from coinone.protocols.relay.messages import (
    PROTOCOL_VERSION,
    Batches,
    BatchPush,
    BlockPush,
    Blocks,
    GetBatches,
    GetBlocks,
    Goodbye,
    Hello,
    Items,
    Message,
    Ping,
    Pong,
    Range,
    decode_message,
)
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block


class ItemArchive(Protocol):
    """The encoded batches and blocks that this node can serve."""

    def batches(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]: ...

    def blocks(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]: ...


CheckSigned = Callable[[CertifiedBatch | Block], None]
"""Raises InvalidInput unless the federation signed it."""


@dataclass(slots=True)
class _Peer:
    heard_ms: int
    turn: int  # higher for peers that connected, or were slow, more recently
    ours: bool = False  # we connected to it
    hello: bool = False
    head: Head = field(default_factory=lambda: Head(0, 0))
    waits: dict[type[Range], int] = field(default_factory=dict)  # open requests and since when
    took_ms: int = limits.SLOW_MS  # time of its last answer
    pace_ms: int = limits.SLOW_MS  # the same once an item of it is applied; slow before that
    pinged_ms: int = 0
    useless: int = 0  # see limits.USELESS_ITEMS_MAX


_Item = TypeVar("_Item", CertifiedBatch, Block)


@dataclass(frozen=True, slots=True)
class _Kept(Generic[_Item]):
    """An item that does not follow the head yet, and its sender."""

    peer: int
    item: _Item
    size: int


class Relay:
    def __init__(
        self, chain_id: int, genesis: bytes, archive: ItemArchive, head: Head, check_signed: CheckSigned
    ) -> None:
        self._chain_id = chain_id
        self._genesis = genesis
        self._archive = archive
        self._head = head
        self._check_signed = check_signed
        self._peers: dict[int, _Peer] = {}
        self._turns = itertools.count()
        self._batches: dict[int, _Kept[CertifiedBatch]] = {}  # by seq, beyond the head
        self._blocks: dict[int, _Kept[Block]] = {}  # by number
        self._delivering: Deliver | None = None

    @property
    def peers(self) -> int:
        return len(self._peers)

    @property
    def best_number(self) -> int:
        """The greatest block number that a peer named by the operator reports; a stranger may report anything."""
        named = [state.head.number for state in list(self._peers.values()) if state.ours and state.hello]
        return max(named, default=0)

    def connected(self, peer: int, now_ms: int, ours: bool = False) -> list[Effect]:
        """A peer connected; `ours` if the operator named it: such a peer always has room."""
        if not ours and sum(not state.ours for state in self._peers.values()) >= limits.PEERS_MAX:
            return [Drop(peer, "too many peers", fault=False)]
        self._peers[peer] = _Peer(now_ms, next(self._turns), ours)
        head = self._head
        hello = Hello(PROTOCOL_VERSION, self._chain_id, self._genesis, head.seq, head.number)
        return [Send(peer, hello)]

    def frame_max(self, peer: int) -> int:
        """The largest frame to accept from a peer now: a small one until its hello."""
        state = self._peers.get(peer)
        return limits.FRAME_BYTES_MAX if state is not None and state.hello else limits.HELLO_BYTES_MAX

    def closed(self, peer: int, now_ms: int) -> list[Effect]:
        self._peers.pop(peer, None)
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
            if silent > (limits.SILENCE_MS_MAX if state.hello else limits.HELLO_TIMEOUT_MS):
                del self._peers[peer]
                effects.append(Drop(peer, "silent for too long", fault=False))
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

    def _handle(self, peer: int, state: _Peer, message: Message, now_ms: int) -> list[Effect]:
        match message:
            case Hello():
                return self._greet(state, message, now_ms)
            case Goodbye(reason):
                return self._drop(peer, f"peer said goodbye: {reason}", now_ms, fault=False)
            case _ if not state.hello:
                raise DecodeError("said something before hello")
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

    def _greet(self, state: _Peer, hello: Hello, now_ms: int) -> list[Effect]:
        if state.hello:
            raise DecodeError("said hello twice")
        if (hello.chain_id, hello.genesis) != (self._chain_id, self._genesis):
            raise DecodeError("is on another chain", chain_id=hello.chain_id)
        state.hello = True
        state.head = Head(hello.seq, hello.number)
        return self._ask(now_ms)

    def _serve(self, request: Range) -> Message:
        first, count, most = request.first, request.count, limits.RANGE_BYTES_MAX
        match request:
            case GetBatches():
                return Batches(first, tuple(self._archive.batches(first, count, most)))
            case GetBlocks():
                return Blocks(first, tuple(self._archive.blocks(first, count, most)))
            case _:
                assert_never(request)

    def _take(self, peer: int, state: _Peer, message: Items, now_ms: int) -> None:
        """Keep items that may follow the head later. A peer without items that it reported is no longer believed.
        Raises DecodeError."""
        match message:
            case BatchPush(raw):
                self._keep_batches(peer, state, (raw,))
            case BlockPush(raw):
                self._keep_blocks(peer, state, (raw,))
            case Batches(first, items):
                self._time(state, GetBatches, len(items), now_ms)
                self._keep_batches(peer, state, items)
                if not items:
                    state.head = Head(min(state.head.seq, first - 1), state.head.number)
            case Blocks(first, items):
                self._time(state, GetBlocks, len(items), now_ms)
                self._keep_blocks(peer, state, items)
                if not items:
                    state.head = Head(state.head.seq, min(state.head.number, first - 1))
            case _:
                assert_never(message)

    def _time(self, state: _Peer, kind: type[Range], items: int, now_ms: int) -> None:
        """Record the time of an answer per item: many items in a while are faster than one immediately, or none. Other
        peers are asked before its sender until an item of it is applied."""
        asked_ms = state.waits.pop(kind, None)
        self._put_behind(state)
        if asked_ms is not None:
            state.took_ms = div_down(now_ms - asked_ms, max(items, 1))

    def _keep_batches(self, peer: int, state: _Peer, items: Sequence[bytes]) -> None:
        """Keep batches that may follow the head later. Others are not decoded."""
        left = limits.CARRIED_ITEMS_MAX
        for raw in items:
            seq = seq_of(raw)
            state.head = Head(max(state.head.seq, seq), state.head.number)
            if seq not in self._batches and self._is_kept(state, seq - self._head.seq, len(raw)):
                left -= count_items(raw, left)
                certified = decode(CertifiedBatch, raw)
                self._check_signed(certified)
                self._batches[seq] = _Kept(peer, certified, len(raw))

    def _keep_blocks(self, peer: int, state: _Peer, items: Sequence[bytes]) -> None:
        left = limits.CARRIED_ITEMS_MAX
        for raw in items:
            number = number_of(raw)
            state.head = Head(state.head.seq, max(state.head.number, number))
            if number not in self._blocks and self._is_kept(state, number - self._head.number, len(raw)):
                left -= count_items(raw, left)
                block = decode(Block, raw)
                self._check_signed(block)
                self._blocks[number] = _Kept(peer, block, len(raw))

    def _is_kept(self, state: _Peer, ahead: int, size: int) -> bool:
        """Whether an item is kept; the next one always is, or a full store could never empty. Raises LimitExceeded for
        too many that this node has already."""
        state.useless += ahead <= 0
        if state.useless > limits.USELESS_ITEMS_MAX:
            raise LimitExceeded("sent too many old batches and blocks", most=limits.USELESS_ITEMS_MAX)
        return ahead == 1 or (1 < ahead <= limits.AHEAD_ITEMS_MAX and self._has_room(size))

    def _has_room(self, size: int) -> bool:
        batches = sum(one.size for one in self._batches.values())
        blocks = sum(one.size for one in self._blocks.values())
        return batches + blocks + size <= limits.AHEAD_BYTES_MAX

    def _next(self, now_ms: int) -> list[Effect]:
        """Deliver the item that follows the head, or request it."""
        if self._delivering is not None:
            return []
        head = self._head
        block = self._blocks.get(head.number + 1)
        if block is not None and block.item.header.batch_seq <= head.seq:
            del self._blocks[head.number + 1]
            return self._deliver(block.peer, block.item)
        batch = self._batches.get(head.seq + 1)
        if batch is not None and batch.item.batch.base_number <= head.number:
            del self._batches[head.seq + 1]
            return self._deliver(batch.peer, batch.item)
        return self._ask(now_ms)

    def _deliver(self, peer: int, item: CertifiedBatch | Block) -> list[Effect]:
        self._delivering = Deliver(peer, item)
        return [self._delivering]

    def _moved(self, item: CertifiedBatch | Block, source: int | None) -> list[Effect]:
        """Advance the head and push the item to peers that may not have it."""
        message: Message
        match item:
            case Block():
                self._head = Head(self._head.seq, item.number)
                self._blocks.pop(item.number, None)
                message = BlockPush(encode(item))
            case CertifiedBatch(batch):
                self._head = Head(batch.seq, self._head.number)
                self._batches.pop(batch.seq, None)
                message = BatchPush(encode(item))
            case _:
                assert_never(item)
        for state in self._peers.values():
            state.useless = max(0, state.useless - 1)
        others = [
            peer for peer, state in self._peers.items() if peer != source and self._wants(state, message)
        ]
        return [Send(peer, message) for peer in others]

    def _wants(self, state: _Peer, message: BatchPush | BlockPush) -> bool:
        """Whether a peer is pushed this item, the newest here: not one that has it, nor one far behind, which requests
        ranges at its own pace."""
        behind = self._head.seq - state.head.seq
        if isinstance(message, BatchPush):
            return state.hello and 0 < behind <= limits.AHEAD_ITEMS_MAX
        return state.hello and self._head.number > state.head.number and behind <= limits.AHEAD_ITEMS_MAX

    def _ask(self, now_ms: int) -> list[Effect]:
        """Request the first missing range of a kind from the fastest peer that has it."""
        effects: list[Effect] = []
        for request in self._missing():
            holder = self._holder(request, now_ms)
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
        if seq not in self._batches and seq <= best_seq and not self._is_delivering_batch():
            missing.append(GetBatches(seq, min(limits.RANGE_ITEMS_MAX, best_seq - seq + 1)))
        if number not in self._blocks and number <= best_number and not self._is_delivering_block():
            missing.append(GetBlocks(number, min(limits.RANGE_ITEMS_MAX, best_number - number + 1)))
        return missing

    def _is_delivering_batch(self) -> bool:
        return self._delivering is not None and isinstance(self._delivering.item, CertifiedBatch)

    def _is_delivering_block(self) -> bool:
        return self._delivering is not None and isinstance(self._delivering.item, Block)

    def _holder(self, request: Range, now_ms: int) -> int | None:
        """The peer to ask: the fastest; of slow or unknown ones, the one that connected or was slow longest ago. None
        while a request of the same kind is open."""
        for state in self._peers.values():
            late = [kind for kind, ms in state.waits.items() if now_ms - ms > limits.REQUEST_TIMEOUT_MS]
            for kind in late:
                del state.waits[kind]
                self._put_behind(state)
        if any(type(request) in state.waits for state in self._peers.values()):
            return None
        wanted = isinstance(request, GetBatches)
        holders = [
            (state.pace_ms, state.turn, peer)
            for peer, state in self._peers.items()
            if state.hello and (state.head.seq if wanted else state.head.number) >= request.first
        ]
        return min(holders)[2] if holders else None

    def _put_behind(self, state: _Peer) -> None:
        state.took_ms = state.pace_ms = limits.SLOW_MS
        state.turn = next(self._turns)

    def _drop(self, peer: int, reason: str, now_ms: int, fault: bool = True) -> list[Effect]:
        self._peers.pop(peer, None)
        self._batches = {seq: kept for seq, kept in self._batches.items() if kept.peer != peer}
        self._blocks = {number: kept for number, kept in self._blocks.items() if kept.peer != peer}
        return [Drop(peer, reason, fault), *self._ask(now_ms)]
