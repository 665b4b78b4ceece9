"""The messages of members on their way from connections to the node: in order, one of each member at a time.

A message may cost the node much more than its sender, so each member has one queue of bounded size, whatever number of
connections it has, and the node gets its next message when it is done with the last. While the queue is full, nothing
more is read from that member's connections: what it sends waits in the sockets and at the sender, and so does the
relay's traffic on them. Nothing is left out, unless this node takes nothing for so long that a connection ends (30 s of
silence, or 32 MB that the sender holds).
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from coinone.base.primitives.errors import InvalidInput
from coinone.protocols.relay.effects import Heard

# Of one member; then its connections are not read. All votes of some ten batches, or of one and 16 batches to catch up.
MEMBER_MESSAGES_WAITING_MAX = 64
# The same in bytes: some ten proposals of 400 kB, and more only by the one message that exceeds it.
MEMBER_BYTES_WAITING_MAX = 4_000_000

Hear: TypeAlias = Callable[[int, bytes], Awaitable[None]]
"""Hand the node a member's message; InvalidInput if the message is at fault."""
Refuse: TypeAlias = Callable[[Heard, InvalidInput], None]
Spawn: TypeAlias = Callable[[Awaitable[None]], None]


class Hearing:
    """Runs on one event loop."""

    def __init__(self, hear: Hear, refuse: Refuse, spawn: Spawn) -> None:
        self._hear = hear
        self._refuse = refuse
        self._spawn = spawn
        self._waiting: dict[int, deque[Heard]] = {}  # by member; a member without a queue has no task
        self._bytes_of_member: Counter[int] = Counter()
        self._bytes_of_peer: Counter[int] = Counter()
        self._changed = asyncio.Event()  # replaced at each change

    def put(self, heard: Heard) -> None:
        """Queue a message. The caller reads no more of its member while `is_full`."""
        self._count(heard, len(heard.payload))
        if heard.member in self._waiting:
            self._waiting[heard.member].append(heard)
            return
        self._waiting[heard.member] = deque((heard,))
        self._spawn(self._hand_over(heard.member))

    def is_full(self, member: int) -> bool:
        waiting = len(self._waiting.get(member, ()))
        return (
            waiting >= MEMBER_MESSAGES_WAITING_MAX
            or self._bytes_of_member[member] >= MEMBER_BYTES_WAITING_MAX
        )

    def held(self, peer: int) -> int:
        """The bytes that wait of a connection."""
        return self._bytes_of_peer[peer]

    async def change(self) -> None:
        """Wait until something was taken or discarded, or `notify` was called."""
        await self._changed.wait()

    def notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def discard(self, peer: int) -> None:
        """Forget what waits of a connection that was at fault."""
        for member, waiting in self._waiting.items():
            for heard in waiting:
                if heard.peer == peer:
                    self._count(heard, -len(heard.payload))
            self._waiting[member] = deque(heard for heard in waiting if heard.peer != peer)
        self.notify()

    async def _hand_over(self, member: int) -> None:
        """Hand a member's messages to the node until none waits."""
        while self._waiting[member]:
            heard = self._waiting[member].popleft()
            self._count(heard, -len(heard.payload))
            self.notify()
            try:
                await self._hear(member, heard.payload)
            except InvalidInput as error:
                self._refuse(heard, error)
        del self._waiting[member]

    def _count(self, heard: Heard, change: int) -> None:
        for counts, key in ((self._bytes_of_member, heard.member), (self._bytes_of_peer, heard.peer)):
            counts[key] += change
            if counts[key] == 0:
                del counts[key]
