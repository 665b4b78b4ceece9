"""The listeners against clients that are slow, silent, greedy or malformed, over real sockets."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from coinone.interfaces.api import limits
from coinone.interfaces.api import server as server_module
from coinone.interfaces.api.admission import places
from coinone.interfaces.api.admission.seldom import LINES_PER_MINUTE, Seldom
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.http.asgi import answer, read_body
from coinone.interfaces.api.server import ApiServer
from coinone.interfaces.api.sockets import protocols, slow_readers
from coinone.interfaces.api.sockets.links import Application
from coinone.interfaces.api.sockets.listeners import AddressInUse, bind, open_listeners
from coinone.interfaces.api.sockets.protocols import text_frame
from tests.functional.waiting import wait_for

LARGE = 4 * limits.WS_BUFFER_BYTES_MAX
PATIENCE_S = 30  # with a busy machine; what the server should end and does not fails after it


class Echo:
    """Applications that answer a POST with its body, and a WebSocket with what it says or, elsewhere, with a flood."""

    async def start(self) -> None:
        self.flooded, self.flood_ended = 0, False

    async def stop(self) -> None:
        pass

    async def serve(self, link: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answer(send, await read_body(scope, receive))
            return
        await receive()
        if scope["path"] == "/refused":
            await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b"no"})
            return
        if scope["path"] == "/silent":
            return
        await send({"type": "websocket.accept"})
        if scope["path"] == "/echo":
            while (message := await receive())["type"] == "websocket.receive":
                link.write_frames(text_frame(message["text"].encode()))
            return
        if scope["path"] == "/large":
            for _ in range(3):
                sending = asyncio.create_task(link.write_whole(text_frame(b"y" * LARGE)))
                await asyncio.sleep(0)
                link.write_frames(text_frame(b"a stream"))  # which goes on meanwhile
                await sending
            return
        frame = text_frame(b"x" * 100_000)
        while link.write_frames(frame):
            self.flooded += 1
            await asyncio.sleep(0)
        self.flood_ended = True

    @property
    def exchange(self) -> Application:
        return Application(self.serve, self.serve)

    ethereum = exchange


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(protocols, "HEADER_DEADLINE_S", 0.5)
    monkeypatch.setattr(protocols, "BODY_DEADLINE_S", 0.5)
    monkeypatch.setattr(places, "CONNECTIONS_PER_LOOPBACK_MAX", 20)
    monkeypatch.setattr(server_module, "Seldom", lambda: Seldom(lambda: 0.0))  # all in one minute
    config = ApiConfig(exchange_port=0, ethereum_port=0)
    app: Any = Echo()
    made = ApiServer(app, open_listeners(config))
    made.start()
    yield made
    made.stop()


def connect(server: ApiServer, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((address, server.exchange_port), timeout=PATIENCE_S)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def answered(connection: socket.socket, body: bytes) -> bool:
    """Whether an answer with `body` comes; head and body may come apart."""
    got = b""
    while not got.endswith(b"\r\n\r\n" + body):
        part = connection.recv(65536)
        if not part:
            return False
        got += part
    return True


def is_served(server: ApiServer) -> bool:
    with connect(server) as connection, contextlib.suppress(OSError):
        connection.sendall(post(b"[2]"))
        return answered(connection, b"[2]")
    return False


def post(body: bytes, extra: str = "") -> bytes:
    head = f"POST /info HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_both_loopbacks_are_served(server: ApiServer, address: str) -> None:
    try:
        connection = connect(server, address)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with connection:
        connection.sendall(post(b"[1]", "Connection: close\r\n"))
        assert read_all(connection).endswith(b"\r\n\r\n[1]")


def test_a_connection_is_kept_for_the_next_request(server: ApiServer) -> None:
    with connect(server) as connection:
        for body in (b"[1]", b"[22]"):
            connection.sendall(post(body))
            assert answered(connection, body)


def test_who_asks_before_sending_a_body_is_told_to_go_on(server: ApiServer) -> None:
    """curl asks so for large bodies. It was a fault of ours, 500 and a page of log, before any weight was paid."""
    with connect(server) as connection:
        head, body = post(b"[1]", "Expect: 100-continue\r\n").split(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert answered(connection, b"[1]")


@pytest.mark.parametrize("sent", [b"", b"POST /info HTTP/1.1\r\nHost: loc", post(b"{}" * 50)[:-3]])
def test_a_silent_or_half_finished_client_is_cut_off(server: ApiServer, sent: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(sent)
        assert read_all(connection) == b""


def test_a_client_that_sends_a_byte_at_a_time_is_cut_off(server: ApiServer) -> None:
    with connect(server) as connection, pytest.raises(OSError):
        for byte in post(b"{}" * 200):
            connection.sendall(bytes((byte,)))
            time.sleep(0.02)


def test_half_a_second_request_does_not_keep_the_connection_for_ever(server: ApiServer) -> None:
    with connect(server) as connection:
        connection.sendall(post(b"[1]"))
        assert answered(connection, b"[1]")
        connection.sendall(b"POST /info HT")
        assert read_all(connection) == b""


def test_headers_beyond_the_bound_are_cut_off(server: ApiServer) -> None:
    for count in (1, 40):  # one endless header, and many
        with connect(server) as connection:
            line = b"X-A: " + b"a" * (4 * limits.HEADER_BYTES_MAX // count) + b"\r\n"
            with contextlib.suppress(OSError):
                connection.sendall(b"POST /info HTTP/1.1\r\nHost: localhost\r\n" + line * count + b"\r\n")
            assert read_all(connection) == b""


def test_a_body_beyond_the_bound_is_refused_before_it_is_read(server: ApiServer) -> None:
    with connect(server) as connection:
        head = (
            f"POST /info HTTP/1.1\r\nHost: localhost\r\nContent-Length: {limits.BODY_BYTES_MAX + 1}\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert b" 500 " in connection.recv(65536)  # Echo turns no error into an answer; App does


def test_more_connections_than_the_bound_are_closed_at_once_and_room_comes_back(server: ApiServer) -> None:
    held = [connect(server) for _ in range(20)]
    for connection in held:
        connection.sendall(post(b"[1]"))
        assert answered(connection, b"[1]")
    with connect(server) as one_more:
        assert read_all(one_more) == b""
    held.pop().close()
    wait_for(lambda: is_served(server), "room for another connection", PATIENCE_S)
    for connection in held:
        connection.close()


def test_rubbish_is_answered_or_cut_off_and_the_next_client_is_served(server: ApiServer) -> None:
    for rubbish in (b"\x16\x03\x01\x02", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 100, b"PRI * HTTP/2.0\r\n\r\n"):
        with connect(server) as connection:
            connection.sendall(rubbish)
            read_all(connection)
    with connect(server) as connection:
        connection.sendall(post(b"[3]"))
        assert answered(connection, b"[3]")


def test_a_reader_that_never_reads_is_dropped_at_the_bound(server: ApiServer) -> None:
    with connect(server) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        app: Any = server._app
        wait_for(lambda: app.flood_ended, "the end of the flood", PATIENCE_S)
        # its own bound and what the kernel's socket buffers take
        assert 0 < app.flooded * 100_000 < limits.WS_BUFFER_BYTES_MAX + 12_000_000


def test_a_taken_port_is_named_with_the_flag_that_moves_it() -> None:
    (taken,) = bind(("127.0.0.1",), 0, "--port")
    with taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUse, match=f"port {port} .* --port moves it"):
            bind(("127.0.0.1",), port, "--port")


def test_frames_have_the_length_forms_of_the_standard() -> None:
    # RFC 6455 5.2: 7 bits, then 16, then 64
    assert text_frame(b"hi") == b"\x81\x02hi"
    assert text_frame(b"x" * 126)[:4] == b"\x81\x7e\x00\x7e"
    assert text_frame(b"x" * 65536)[:10] == b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"


def test_requests_sent_ahead_of_their_answers_wait_unread(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One connection that asked for much at once held everybody up while it was read, and 40 bytes of memory waited for
    each byte that it sent."""
    waiting = []
    before = protocols.HttpProtocol.data_received

    def read(self: Any, data: bytes) -> None:
        before(self, data)
        waiting.append(len(self.pipeline))

    monkeypatch.setattr(protocols.HttpProtocol, "data_received", read)
    request, count = post(b"[1]"), 5_000
    with connect(server) as connection:
        sending = threading.Thread(target=connection.sendall, args=(request * count,))
        sending.start()
        got = b""
        while got.count(b"\r\n\r\n[1]") < count:
            part = connection.recv(65536)
            assert part, "every one is answered"
            got += part
        sending.join()
    assert max(waiting) <= limits.READ_BODY_BYTES // len(request) + 1  # a piece may begin in a body


@pytest.mark.parametrize(
    "header", [b"Sec-WebSocket-Protocol: \xff", b"Connection: Upgrade, \xff", b"X-Any: \xe9"]
)
def test_an_upgrade_that_is_not_ascii_is_refused_and_gives_its_place_back(
    server: ApiServer, header: bytes
) -> None:
    """uvicorn failed between two connections, and the second's place was never given back: 64 such requests shut an
    address out for ever, 2,500 a node's own machine."""
    for _ in range(3 * places.CONNECTIONS_PER_LOOPBACK_MAX):
        with connect(server) as connection:
            connection.sendall(
                b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                + header
                + b"\r\n\r\n"
            )
            assert read_all(connection).startswith(b"HTTP/1.1 400 ")


def handshake(server: ApiServer, path: str) -> socket.socket:
    connection = connect(server)
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    return connection


def refused(server: ApiServer, path: str) -> bytes:
    with handshake(server, path) as connection:
        return read_all(connection)


def test_a_handshake_that_is_refused_with_a_reason_is_no_line_of_the_log(
    server: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    answer = refused(server, "/refused")
    assert answer.startswith(b"HTTP/1.1 403 ") and answer.endswith(b"no")
    assert caplog.records == []


def test_handshakes_that_fail_are_a_few_lines_a_minute(
    server: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(LINES_PER_MINUTE + 5):
        assert refused(server, "/silent").startswith(b"HTTP/1.1 500 ")
    assert len(caplog.records) == LINES_PER_MINUTE


def websocket(server: ApiServer, path: str) -> socket.socket:
    connection = handshake(server, path)
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        got += connection.recv(1)
    assert got.startswith(b"HTTP/1.1 101 ")
    return connection


def masked(opcode: int, payload: bytes = b"", final: bool = True) -> bytes:
    """A client's frame of at most 125 bytes; its mask is zero."""
    return bytes((final << 7 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def test_a_message_in_many_pieces_arrives_whole(server: ApiServer) -> None:
    with websocket(server, "/echo") as connection:
        pieces = [masked(1, b"ab" * 50, False), *[masked(0, b"cd" * 50, False)] * 1_000, masked(0)]
        connection.sendall(b"".join(pieces))
        want = text_frame(b"ab" * 50 + b"cd" * 50_000)
        got = b""
        while len(got) < len(want):
            got += connection.recv(65536)
        assert got == want


@pytest.mark.parametrize("opcode", [9, 10, 0], ids=["pings", "pongs", "pieces"])
def test_frames_that_say_nothing_are_read_a_few_at_a_time_and_end_the_connection(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch, opcode: int
) -> None:
    """A quarter of a MiB of them was read in one go, a second in which nobody else was answered."""
    sizes = []
    before = protocols.WebSocketProtocol.data_received

    def read(self: Any, data: bytes) -> None:
        sizes.append(len(data))
        before(self, data)

    monkeypatch.setattr(protocols.WebSocketProtocol, "data_received", read)
    with websocket(server, "/echo") as connection:
        with contextlib.suppress(OSError):
            connection.sendall(masked(1, final=False) if opcode == 0 else b"")
            connection.sendall(masked(opcode, final=opcode != 0) * 100_000)
        read_all(connection)  # until it is cut
    frames = len(masked(opcode)) * limits.WS_SMALL_FRAMES_PER_MINUTE
    assert sum(sizes[1:]) <= frames + limits.WS_READ_BYTES_MAX  # the first is the handshake
    assert max(sizes[10:]) == limits.WS_READ_BYTES_MIN
    assert is_served(server)


def test_large_answers_are_sent_whole_to_who_reads_them(server: ApiServer) -> None:
    """Whoever asked by WebSocket for a block of 40,000 logs was cut off instead. A frame's head is 10 bytes, and 2."""
    with websocket(server, "/large") as connection:
        size = 0
        while size < 3 * (LARGE + 10 + 10):
            part = connection.recv(1 << 20)
            assert part
            size += len(part)


def test_who_does_not_read_its_large_answer_is_cut_off(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_readers, "WRITE_STALL_S", 0.3)
    with websocket(server, "/large") as connection:
        time.sleep(1)
        assert len(read_all(connection)) < 3 * LARGE
