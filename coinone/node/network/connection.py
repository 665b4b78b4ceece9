"""One open connection to a peer: frames in, and frames out through a bounded queue, in an encrypted channel."""

import asyncio
import contextlib
from collections.abc import Iterator

from coinone.base.primitives.types import Hash32
from coinone.protocols.relay.framing import FrameReader, frame
from coinone.protocols.relay.limits import HELLO_BYTES_MAX
from coinone.protocols.secure_channel.channel import SecureChannel
from coinone.protocols.secure_channel.limits import PLAIN_BYTES_MAX

OUTBOX_BYTES_MAX = 32_000_000  # per peer, two of the largest answers; with more it is dropped as too slow
# Unsent at a goodbye; with more, the socket is closed immediately to free memory.
FAREWELL_BYTES_MAX = 1_000_000
FAREWELL_S = 2.0  # to read a goodbye; then the socket is closed


class PeerConnection:
    """Created when the channel is open; `write` runs as a task until `finish`."""

    def __init__(self, writer: asyncio.StreamWriter, channel: SecureChannel) -> None:
        self._writer = writer
        self._channel = channel
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queued = 0
        self.frames = FrameReader(HELLO_BYTES_MAX)

    @property
    def peer_key(self) -> bytes:
        """The public key that the peer proved."""
        return self._channel.peer_key

    @property
    def handshake_hash(self) -> Hash32:
        """The hash of this connection's handshake, the same on both sides."""
        return self._channel.handshake_hash

    @property
    def unsent(self) -> int:
        """Bytes queued here and in the transport's buffer."""
        return self._queued + self._writer.transport.get_write_buffer_size()

    @property
    def held(self) -> int:
        """Bytes held for this peer, in both directions."""
        return self.unsent + self._channel.held + self.frames.held

    def receive(self, data: bytes) -> Iterator[bytes]:
        """The payloads of the frames that `data` completes. Raises InvalidInput."""
        for plaintext in self._channel.receive(data):
            yield from self.frames.receive(plaintext)

    def send(self, payload: bytes) -> bool:
        """Queue a frame; False if the peer is too slow to take it."""
        if self.unsent + len(payload) > OUTBOX_BYTES_MAX:
            return False
        data = frame(payload)
        self._queued += len(data)
        self._queue.put_nowait(data)
        return True

    def finish(self) -> None:
        """Close after the queue is written or FAREWELL_S have passed; immediately if much is unread."""
        self._queue.put_nowait(None)
        if self.unsent > FAREWELL_BYTES_MAX:
            self._writer.transport.abort()
            return
        asyncio.get_running_loop().call_later(FAREWELL_S, self._writer.transport.abort)

    async def write(self) -> None:
        """Seal and write a piece at a time: what waits for a slow peer is not held twice."""
        with contextlib.suppress(ConnectionError, OSError):
            while (data := await self._queue.get()) is not None:
                for start in range(0, len(data), PLAIN_BYTES_MAX):
                    piece = data[start : start + PLAIN_BYTES_MAX]
                    self._queued -= len(piece)
                    self._writer.write(self._channel.seal(piece))
                    await self._writer.drain()
        self._writer.close()
