"""What the relay knows of a peer, and which peer it asks for a missing range: the fastest that has it."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from coinone.base.primitives.integers import div_down
from coinone.base.primitives.types import Hash32
from coinone.protocols.relay import limits
from coinone.protocols.relay.effects import Head
from coinone.protocols.relay.messages import GetBatches, Range


@dataclass(slots=True)
class Peer:
    heard_ms: int
    turn: int  # higher for peers that connected, or were slow, more recently
    ours: bool = False  # we connected to it
    handshake_hash: Hash32 | None = None  # of its channel; None if it has none, as in the simulation
    is_proving: bool = False  # there was no place, and it must prove that it is a member
    hello: bool = False
    head: Head = field(default_factory=lambda: Head(0, 0))
    waits: dict[type[Range], int] = field(default_factory=dict)  # open requests and since when
    took_ms: int = limits.SLOW_MS  # time of its last answer
    pace_ms: int = limits.SLOW_MS  # the same once an item of it is applied; slow before that
    pinged_ms: int = 0
    useless: int = 0  # see limits.USELESS_ITEMS_MAX

    @property
    def is_new(self) -> bool:
        """Whether it has yet to say hello, or to prove itself."""
        return not self.hello or self.is_proving

    def answered(self, kind: type[Range], items: int, now_ms: int, turn: int) -> None:
        """Record the time of an answer per item: many items in a while are faster than one immediately, or none. Other
        peers are asked before its sender until an item of it is applied."""
        asked_ms = self.waits.pop(kind, None)
        self.put_behind(turn)
        if asked_ms is not None:
            self.took_ms = div_down(now_ms - asked_ms, max(items, 1))

    def put_behind(self, turn: int) -> None:
        """Ask others first; `turn` is later than that of any other peer."""
        self.took_ms = self.pace_ms = limits.SLOW_MS
        self.turn = turn


def holder_of(
    request: Range, peers: Mapping[int, Peer], now_ms: int, turns: "itertools.count[int]"
) -> int | None:
    """The peer to ask: the fastest; of slow or unknown ones, the one that connected or was slow longest ago. None
    while a request of the same kind is open."""
    for state in peers.values():
        late = [kind for kind, ms in state.waits.items() if now_ms - ms > limits.REQUEST_TIMEOUT_MS]
        for kind in late:
            del state.waits[kind]
            state.put_behind(next(turns))
    if any(type(request) in state.waits for state in peers.values()):
        return None
    wanted = isinstance(request, GetBatches)
    holders = [
        (state.pace_ms, state.turn, peer)
        for peer, state in peers.items()
        if state.hello and (state.head.seq if wanted else state.head.number) >= request.first
    ]
    return min(holders)[2] if holders else None
