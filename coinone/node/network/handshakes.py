"""Open the encrypted channel of a new connection, within bounds of time and number.

Until then a connection is a stranger's. It holds its socket and at most 95 bytes, and is cut after HANDSHAKE_S. Where
too many are in progress, in all or of one address, the oldest one is cut: an honest peer needs two round trips, and is
the oldest only if others open connections faster than that; connections that stay silent replace each other. Where
one address begins too many in a second, the rest of them are closed at no further cost.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from coinone.base.primitives.integers import div_down
from coinone.base.primitives.types import ZERO_HASH, Hash32
from coinone.node.clock import Entropy, system_entropy
from coinone.protocols.relay.messages import PROTOCOL_VERSION
from coinone.protocols.secure_channel.channel import SecureChannel
from coinone.protocols.secure_channel.handshake import KeyPair
from coinone.protocols.secure_channel.limits import KEY_BYTES
from coinone.protocols.secure_channel.opening import ChannelOpening, Preamble

HANDSHAKE_S = 5.0  # as long as a hello may take afterwards
# Incoming ones in progress: an honest one that takes 0.3 s is cut only at 430 new connections a second.
HANDSHAKES_MAX = 128
HANDSHAKES_PER_ADDRESS_MAX = 16  # more than an office or a provider behind one address starts together
# New ones of one address in a second: 0.4 ms each for this node, a quarter of that for somebody who sends random keys.
HANDSHAKES_PER_SECOND_MAX = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """What this node is to its peers: its chain, and the key that it proves."""

    chain_id: int
    genesis: Hash32  # hash of block 0; zero for a node that joins
    keys: KeyPair
    entropy: Entropy = system_entropy
    version: int = PROTOCOL_VERSION

    @property
    def public_key(self) -> bytes:
        return self.keys.public

    def opening(self, initiates: bool, pinned: bytes | None = None) -> ChannelOpening:
        """One side of a new connection."""
        preamble = Preamble(self.version, self.chain_id, self.genesis)
        return ChannelOpening(initiates, preamble, self.keys, self.entropy(KEY_BYTES), pinned)


def passing_identity(chain_id: int, entropy: Entropy = system_entropy) -> Identity:
    """For a node that has no data folder yet: a key for one connection."""
    return Identity(chain_id, ZERO_HASH, KeyPair(entropy(KEY_BYTES)), entropy)


async def open_channel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opening: ChannelOpening
) -> SecureChannel:
    """Run the handshake. Raises InvalidInput for a peer that is refused, OSError if it leaves or takes too long."""
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            writer.write(opening.begin())
            while opening.channel is None:
                writer.write(opening.take(await reader.readexactly(opening.wants)))
    except asyncio.IncompleteReadError:
        raise ConnectionResetError("closed during the handshake") from None
    except TimeoutError:
        raise TimeoutError(f"no handshake within {HANDSHAKE_S:g} s") from None
    return opening.channel


class Handshakes:
    """The incoming handshakes in progress, oldest first."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._open: dict[asyncio.StreamWriter, str] = {}  # each with the owner of its address
        self._second = 0
        self._begun: Counter[str] = Counter()  # in that second, by owner

    def __len__(self) -> int:
        return len(self._open)

    def admits(self, owner: str) -> bool:
        """Whether this owner of an address may begin one more; asking counts as one."""
        second = div_down(self._now_ms(), 1000)
        if second != self._second:
            self._second, self._begun = second, Counter()
        self._begun[owner] += 1
        return self._begun[owner] <= HANDSHAKES_PER_SECOND_MAX

    @contextmanager
    def place(self, writer: asyncio.StreamWriter, owner: str) -> Iterator[None]:
        """A place for the time of a handshake; `owner` is that of the peer's address."""
        self._open[writer] = owner
        if Counter(self._open.values())[owner] > HANDSHAKES_PER_ADDRESS_MAX:
            self._cut(next(each for each, other in self._open.items() if other == owner))
        elif len(self._open) > HANDSHAKES_MAX:
            self._cut(next(iter(self._open)))
        try:
            yield
        finally:
            self._open.pop(writer, None)

    def cut_all(self) -> None:
        for writer in list(self._open):
            self._cut(writer)

    def _cut(self, writer: asyncio.StreamWriter) -> None:
        del self._open[writer]
        writer.transport.abort()
