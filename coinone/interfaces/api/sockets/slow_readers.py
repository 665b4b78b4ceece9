"""Who is behind with reading, and whether they take enough of what waits for them to go on.

What counts is what the reader's system has acknowledged. The node's own system keeps some megabytes of a connection and
takes more when a third of them are gone, for which a slow reader needs a minute. All who are behind may keep a bounded
memory together: beyond it nobody is waited for longer than WRITE_STALL_S, however much they take.
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
    """A connection that is cut when its reader takes too little for too long, also where it is closing: what little is
    unsent then waits for its reader, too."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _stall: asyncio.TimerHandle | None = None
    _watch: asyncio.TimerHandle | None = None
    _written = 0  # bytes that were written while others waited: none by HTTP

    @property
    def is_behind(self) -> bool:
        return self._stall is not None

    def write_counted(self, data: bytes) -> None:
        """Write what may come while other bytes wait."""
        self._written += len(data)
        self.transport.write(data)

    def cut(self) -> None:
        """End it at once. Else the system would keep what it has for a reader that never comes, some megabytes, for
        minutes."""
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
        """Who is still behind may be so for longer where it took enough since."""
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
        """Now and then: who leaves the last bytes of a connection that was closing at the last look, too, never takes
        them. `taken` is what was taken until then."""
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
        """Bytes that the reader took; counted from anywhere, so only what comes between two of them counts."""
        return self._written - _unsent(self.transport)


def _may_go_on(taken: int) -> bool:
    """Whether a reader is waited for again that has taken so many bytes in WRITE_STALL_S."""
    if taken < WRITE_PER_S_MIN * WRITE_STALL_S:
        return False
    return sum(each.get_write_buffer_size() for each in _behind) <= SLOW_READERS_BYTES_MAX


def _unsent(transport: asyncio.Transport) -> int:
    """Bytes that its reader's system has not acknowledged, also of those that the node's own system has."""
    found = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    return transport.get_write_buffer_size() + int.from_bytes(found, sys.byteorder)
