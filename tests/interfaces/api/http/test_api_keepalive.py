"""A slow WebSocket reader stays connected; one that has disappeared is disconnected."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from coinone.interfaces.api import server
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.server import ApiServer
from coinone.interfaces.api.sockets import protocols, slow_readers
from coinone.interfaces.api.sockets.links import Application
from coinone.interfaces.api.sockets.listeners import open_listeners
from coinone.interfaces.api.sockets.protocols import text_frame
from tests.functional.waiting import wait_for

UPGRADE = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"  # noqa: E501
TIMED_OUT = b"\x88\x18\x03\xf3keepalive ping timeout"  # a close frame, 1011


class Sized:
    """Says so many bytes at once, by the stream or as an answer, and then nothing."""

    def __init__(self, size: int, is_answer: bool) -> None:
        self.size, self.is_answer = size, is_answer

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def serve(self, link: Any, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if self.is_answer:
            await link.write_whole(text_frame(b"x" * self.size))
        elif self.size:
            link.write_frames(text_frame(b"x" * self.size))
        await asyncio.sleep(30)

    @property
    def exchange(self) -> Application:
        return Application(self.serve, self.serve)

    ethereum = exchange


@pytest.fixture
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A connection with 0.2 s for each wait, where it is 20 and 30; whose system takes 4 KiB."""
    monkeypatch.setattr(server, "WS_PING_S", 0.2)
    monkeypatch.setattr(server, "WS_PONG_S", 0.2)
    monkeypatch.setattr(protocols, "WS_PONG_S", 0.2)
    monkeypatch.setattr(slow_readers, "WRITE_STALL_S", 0.2)
    app: Any = Sized(*request.param)
    made = ApiServer(app, open_listeners(ApiConfig(exchange_port=0, ethereum_port=0)))
    made.start()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", made.exchange_port))
        connection.sendall(UPGRADE)
        yield connection
    made.stop()


def head(connection: socket.socket) -> bytes:
    """Of the handshake's answer, and of the message that comes first."""
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        got += connection.recv(1)
    return connection.recv(10, socket.MSG_WAITALL)


def read(connection: socket.socket, size: int, per_s: int) -> None:
    """Take so many bytes at this rate."""
    begun, got = time.monotonic(), 0
    while got < size:
        got += len(connection.recv(min(per_s // 50, size - got)))
        time.sleep(max(0.0, begun + got / per_s - time.monotonic()))


@pytest.mark.parametrize(
    ("opened", "size"),
    [((12_000_000, True), 12_000_000), ((2_000_000, False), 2_000_000)],
    indirect=["opened"],
    ids=["answer", "stream"],
)
def test_a_slow_reader_that_answers_pings_when_it_comes_to_them_stays(
    opened: socket.socket, size: int
) -> None:
    """It was closed after 40 s whatever it took. Here 0.4 s, and all is read in 1.5."""
    assert head(opened)[:2] == b"\x81\x7f"
    read(opened, size, per_s=size * 2 // 3)
    for _ in range(3):
        ping = opened.recv(6, socket.MSG_WAITALL)
        assert ping[:2] == b"\x89\x04"
        opened.sendall(b"\x8a\x84" + bytes(4) + ping[2:])


@pytest.mark.parametrize("opened", [(0, False)], indirect=True)
def test_who_has_read_all_and_sends_no_pong_is_closed_in_time(opened: socket.socket) -> None:
    begun, got = time.monotonic(), b""
    while piece := opened.recv(1000):
        got += piece
    assert got.endswith(TIMED_OUT)
    assert 0.35 < time.monotonic() - begun < 1.5


@pytest.mark.parametrize("opened", [(1_900_000, False)], indirect=True)
def test_who_takes_nothing_more_of_a_stream_is_closed(opened: socket.socket) -> None:
    """Too little waits for it to be behind, and it has not come to the ping."""
    wait_for(lambda: bool(protocols._places._open), "it is connected")
    wait_for(lambda: not protocols._places._open, "it is closed", seconds=5)
