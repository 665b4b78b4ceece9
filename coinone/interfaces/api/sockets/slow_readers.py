"""Detect slow readers, and cut those that take too little.

What counts is what the reader's system has acknowledged. The node's own system buffers some megabytes of a connection
and accepts more when a third of them are sent, for which a slow reader needs a minute. All slow readers together may
keep a bounded amount of memory: beyond it none is waited for longer than WRITE_STALL_S, however much it takes.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
import termios

from coinone.interfaces.api.limits import SLOW_READERS_BYTES_MAX, WRITE_PER_S_MIN, WRITE_STALL_S

_NO_LINGER = struct.pack("ii", 1, 0)
_behind: set[asyncio.Transport] = set()


class WatchedConnection(asyncio.BaseProtocol):
    """A connection that is cut when its reader takes too little for too long, also while it is closing: unsent bytes
    then still wait for their reader."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _stall: asyncio.TimerHandle | None = None
    _watch: asyncio.TimerHandle | None = None
    _written = 0  # bytes written while others waited: none by HTTP

    @property
    def is_behind(self) -> bool:
        return self._stall is not None

    def write_counted(self, data: bytes) -> None:
        """Write bytes that may follow others that still wait."""
        self._written += len(data)
        self.transport.write(data)

    def cut(self) -> None:
        """End the connection immediately. Otherwise the system would keep some megabytes for minutes, for a reader
        that never reads them."""
        with contextlib.suppress(OSError):  # it is closed already
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER
            )
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        _behind.add(self.transport)
        self._stall = self.loop.call_later(WRITE_STALL_S, self._judge, self._taken())
        super().pause_writing()

    def _judge(self, taken: int) -> None:
        """Allow a slow reader to continue only if it took enough since."""
        now = self._taken()
        if not _may_go_on(now - taken):
            self.cut()
            return
        self._stall = self.loop.call_later(WRITE_STALL_S, self._judge, now)

    def resume_writing(self) -> None:
        self._wait_no_more()
        super().resume_writing()

    def _wait_no_more(self) -> None:
        if self._stall is not None:
            _behind.discard(self.transport)
            self._stall.cancel()
            self._stall = None

    def _look(self, taken: int | None = None) -> None:
        """Check regularly whether the reader of a closing connection takes its last bytes, or else cut it. `taken`
        is what had been taken at the last check of a closing connection."""
        now = self._taken() if self.transport.is_closing() else None
        if taken is not None and now is not None and not _may_go_on(now - taken):
            self.cut()
            return
        self._watch = self.loop.call_later(WRITE_STALL_S, self._look, now)

    def _look_no_more(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _taken(self) -> int:
        """Bytes that the reader took; counted from an arbitrary start, so only differences count."""
        return self._written - _unsent(self.transport)


def _may_go_on(taken: int) -> bool:
    """Whether to wait again for a reader that took so many bytes in WRITE_STALL_S."""
    if taken < WRITE_PER_S_MIN * WRITE_STALL_S:
        return False
    return sum(each.get_write_buffer_size() for each in _behind) <= SLOW_READERS_BYTES_MAX


def _unsent(transport: asyncio.Transport) -> int:
    """Bytes that the reader's system has not acknowledged, including those in the node's own system."""
    found = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    return transport.get_write_buffer_size() + int.from_bytes(found, sys.byteorder)
