"""uvicorn's two connection classes with deadlines, limits and a direct way to write frames.

By itself, uvicorn keeps a silent or half-header connection indefinitely, does not limit connections and waits without
end for a reader that never reads (all measured). And it reads up to 256 KiB of a connection in one piece: 43,000
WebSocket frames, or 6,000 requests, read before any other connection gets a turn. Here a connection is read in small
pieces, each worth a millisecond or two; the rest stays in the kernel, where the sender's own window bounds it. A
WebSocket frame from server to client is not masked, so its bytes are the same for every subscriber: `write_frames`
passes ready-made bytes to the socket, so that a message for a thousand readers takes one serialisation and a thousand
writes.
"""

import asyncio
import contextlib
from functools import partial
from typing import Any, cast

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from coinone.interfaces.api.admission.places import Place, Places
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.limits import (
    BODY_DEADLINE_S,
    HEADER_BYTES_MAX,
    HEADER_DEADLINE_S,
    READ_BODY_BYTES,
    READ_HEAD_BYTES,
    WRITE_PER_S_MIN,
    WS_BUFFER_BYTES_MAX,
    WS_FRAMES_AT_ONCE,
    WS_PONG_S,
    WS_READ_BYTES_MAX,
    WS_READ_BYTES_MIN,
    WS_SMALL_FRAMES_PER_MINUTE,
)
from coinone.interfaces.api.sockets.links import Application
from coinone.interfaces.api.sockets.slow_readers import WatchedConnection

_places = Places()
admit_many_from = _places.admit_many_from


def _application(config: Config) -> Application:
    """The application of the listener, as server.py configured uvicorn."""
    return cast(Application, config.app)


def _address(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


class _WholeAnswer:
    """Holds an answer's head back until its body follows, so that both are sent in one system call and one packet."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        if not self._head and data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 1"):
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = b""

    def is_closing(self) -> bool:
        """Whether the transport is closing; checked before answering `Expect: 100-continue`."""
        return self._transport.is_closing()

    def close(self) -> None:
        if self._head:
            self._transport.write(self._head)
        self._transport.close()


class _Bounded(WatchedConnection, asyncio.BufferedProtocol):
    """A connection that is counted by its address, read in small pieces, and cut when its reader takes too little
    for too long."""

    purse: TokenBucket | None = None  # of the latest request's sender
    _place: Place | None = None
    _piece = bytearray()

    def get_buffer(self, sizehint: int) -> bytearray:
        """The buffer for the next piece; its size is how much is read before others have their turn."""
        self._piece = bytearray(self._read_size())
        return self._piece

    def buffer_updated(self, nbytes: int) -> None:
        piece, self._piece = self._piece, bytearray()
        del piece[nbytes:]
        cast(asyncio.Protocol, self).data_received(bytes(piece))

    def eof_received(self) -> None:
        """Return None, so that the transport closes."""

    def _read_size(self) -> int:
        raise NotImplementedError

    def connection_lost(self, exc: Exception | None) -> None:
        self._release_count()
        super().connection_lost(exc)

    def _count(self, wire: asyncio.Transport) -> bool:
        """Count the connection. If its address, or the node, has too many, cut it and return false."""
        self._place = _places.take(_address(wire))
        if self._place is None:
            wire.abort()
            return False
        self._look()
        return True

    def _release_count(self) -> None:
        if self._place is not None:
            _places.give_back(self._place)
            self._place = None
        self._look_no_more()


class HttpProtocol(_Bounded, HttpToolsProtocol):
    """An HTTP connection that must send its request in time and take its answer in time."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: contextlib.ExitStack | None = None
    _head_bytes = 0
    _in_head = False
    _in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)
        super().connection_made(wire)
        self.app = partial(_application(self.config).http, self)
        if self._count(wire):
            self._arm(HEADER_DEADLINE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._no_more_unread()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Count the answer as unread: it is larger than the system's buffer."""
        if self.purse is not None and self._unread is None:
            self._unread = contextlib.ExitStack()
            self._unread.enter_context(self.purse.unread(self.transport.get_write_buffer_size(), self.cut))
        super().pause_writing()

    def resume_writing(self) -> None:
        self._no_more_unread()
        super().resume_writing()

    def _no_more_unread(self) -> None:
        if self._unread is not None:
            self._unread.close()
            self._unread = None

    def data_received(self, data: bytes) -> None:
        if self.parser is None:
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > 2 * HEADER_BYTES_MAX:
                self.transport.abort()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        if self._deadline is None:
            self._arm(HEADER_DEADLINE_S)
        super().on_message_begin()

    def _read_size(self) -> int:
        return READ_BODY_BYTES if self._in_body else READ_HEAD_BYTES

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        if len(self.url) + sum(len(k) + len(v) for k, v in self.headers) > HEADER_BYTES_MAX:
            self.transport.abort()
            return
        self._arm(BODY_DEADLINE_S)
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope["method"] == "POST":
            self.cycle.transport = cast(asyncio.Transport, _WholeAnswer(self.transport))

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._disarm()
        if self.cycle is not None or self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Pause reading while pipelined requests wait; uvicorn would resume it after each answer."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def handle_websocket_upgrade(self) -> None:
        """Refuse an upgrade before the answers to earlier requests are complete and taken, which no honest client
        does. They would count as unread indefinitely, or not at all, as a WebSocket counts only its own answers."""
        self._disarm()
        if self.is_behind or (self.cycle is not None and not self.cycle.response_complete):
            self.transport.abort()
            return
        # uvicorn fails midway if they are not
        if not self.url.isascii() or not all(value.isascii() for _, value in self.headers):
            self.send_400_response("A WebSocket's address and headers are ASCII.")
            return
        self._release_count()  # the WebSocket connection counts itself
        super().handle_websocket_upgrade()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class WebSocketProtocol(_Bounded, WebSocketsSansIOProtocol):
    """A WebSocket connection that accepts ready-made frames and holds a bounded number of unsent bytes.

    A piece of many frames makes the next one smaller, a piece of few makes it larger.
    """

    _size = WS_READ_BYTES_MIN
    _frames = 0  # of this piece
    _small = 0  # of this minute: pings, pongs and continuations, which no session counts
    _minute = 0.0
    _answer = 0  # bytes of a large answer being sent, which do not count against streams
    _before_ping = 0  # bytes written until the last ping was sent
    _taken_by_then = 0  # bytes taken, when its pong was last checked
    _cannot_answer = False  # the ping, at that time: earlier bytes were not taken yet

    def _read_size(self) -> int:
        return self._size

    def data_received(self, data: bytes) -> None:
        self._frames = 0
        super().data_received(data)
        size = self._size // 2 if self._frames > WS_FRAMES_AT_ONCE else 2 * self._size
        self._size = min(max(size, WS_READ_BYTES_MIN), WS_READ_BYTES_MAX)

    def handle_text(self, event: Any) -> None:
        if self._takes_message():
            super().handle_text(event)

    def handle_bytes(self, event: Any) -> None:
        if self._takes_message():
            super().handle_bytes(event)

    def handle_cont(self, event: Any) -> None:
        if self._takes_small():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        if self._takes_small():
            super().handle_ping()

    def handle_pong(self, event: Any) -> None:
        if self._takes_small():
            super().handle_pong(event)

    def _takes_message(self) -> bool:
        """Count a message's frame. Sessions count their messages themselves, until they have sent a close frame."""
        if self.close_sent:
            return self._takes_small()
        self._frames += 1
        return True

    def _takes_small(self) -> bool:
        """Count a control frame or continuation. If there are too many, cut the connection and return false."""
        self._frames += 1
        now = self.loop.time()
        if now - self._minute > 60.0:
            self._minute, self._small = now, 0
        self._small += 1
        if self._small > WS_SMALL_FRAMES_PER_MINUTE:
            self.transport.abort()
            return False
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)
        super().connection_made(wire)
        self.app = partial(_application(self.config).websocket, self)
        if self._count(wire):
            wire.set_write_buffer_limits(high=WS_BUFFER_BYTES_MAX)

    def handle_connect(self, event: Any) -> None:
        """Accept the handshake. If that fails, the transport is not yet this connection's, so it would not be
        notified of its loss."""
        try:
            super().handle_connect(event)
        except Exception:
            self._release_count()
            self.connections.discard(self)
            self.transport.abort()
            raise

    async def send(self, message: Any) -> None:
        """Mark the handshake complete after a refusal with an answer; uvicorn would log an error, as if there was
        none."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    def send_keepalive_ping(self) -> None:
        self._before_ping, self._taken_by_then = self._written, self._taken()
        self._cannot_answer = self._taken_by_then < self._before_ping
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        """Close a connection that has not answered a ping in time, unless its reader has yet to take what was
        written before the ping."""
        could_not = self._cannot_answer
        self._cannot_answer = self._has_yet_to_come_to_the_ping()
        if could_not or self._cannot_answer:  # it got the ping less than the whole time ago
            self.pong_timer = self.loop.call_later(WS_PONG_S, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

    def _has_yet_to_come_to_the_ping(self) -> bool:
        """Whether the reader is still taking bytes written before the ping, fast enough, or its answer is unread on
        this side."""
        then, self._taken_by_then = self._taken_by_then, self._taken()
        goes_on = self._taken_by_then - then >= WRITE_PER_S_MIN * WS_PONG_S
        return self.is_behind or self.read_paused or (goes_on and self._taken_by_then < self._before_ping)

    def write_frames(self, frames: bytes) -> bool:
        """Send whole frames; false (and the connection is cut) if the reader is too far behind."""
        if self._is_gone():
            return False
        unsent = self.transport.get_write_buffer_size() - self._answer
        if unsent + len(frames) > WS_BUFFER_BYTES_MAX:
            self.cut()
            return False
        self.write_counted(frames)
        return True

    def resume_writing(self) -> None:
        self._answer = 0
        super().resume_writing()

    async def write_whole(self, frames: bytes) -> bool:
        """Send an answer of any size, once the reader has taken what came before, and return when it has taken most
        of this; false if it has left. A reader that takes too little is cut."""
        size = len(frames)
        with contextlib.nullcontext() if self.purse is None else self.purse.unread(size, self.cut):
            while not self.writable.is_set():
                await self.writable.wait()
            if self._is_gone():
                return False
            self.write_counted(frames)
            del frames  # the transport has a copy
            self._answer = 0 if self.writable.is_set() else size
            await self.writable.wait()
            return not self._is_gone()

    def _is_gone(self) -> bool:
        return bool(self.close_sent or self.disconnected or self.transport.is_closing())


def text_frame(payload: bytes) -> bytes:
    """Encode one unmasked, final text frame (RFC 6455 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
