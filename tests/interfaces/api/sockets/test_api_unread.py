"""Unread answers count against their client's address until they are read or the client has disconnected."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.weights import RateLimits, TokenBucket
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.http.asgi import HttpError, answer, read_body
from coinone.interfaces.api.server import ApiServer
from coinone.interfaces.api.sockets import protocols, slow_readers
from coinone.interfaces.api.sockets.links import Application
from coinone.interfaces.api.sockets.listeners import open_listeners
from coinone.interfaces.api.sockets.protocols import HttpProtocol, _places, text_frame
from tests.functional.waiting import wait_for

LARGE = 42 * 1024 * 1024  # more than 32 beside what the system takes; two thirds are less
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"  # noqa: E501


class Generous:
    """Applications that answer everybody at length, on account of one address."""

    def __init__(self) -> None:
        self.purse: TokenBucket = RateLimits(1200).purse("203.0.113.5")

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def serve(self, link: Any, scope: Any, receive: Any, send: Any) -> None:
        link.purse = self.purse
        if scope["type"] == "http":
            await answer(send, b"x" * LARGE)
            return
        await receive()
        await send({"type": "websocket.accept"})
        frame = text_frame(b"x" * (LARGE // 3))
        await asyncio.gather(*(link.write_whole(frame) for _ in range(3)))

    @property
    def exchange(self) -> Application:
        return Application(self.serve, self.serve)

    ethereum = exchange


@pytest.fixture
def app() -> Generous:
    return Generous()


@pytest.fixture
def server(app: Any) -> Iterator[ApiServer]:
    made = ApiServer(app, open_listeners(ApiConfig(exchange_port=0, ethereum_port=0)))
    made.start()
    yield made
    made.stop()


def reads_its_answers(purse: TokenBucket) -> bool:
    try:
        purse.require()
    except LimitExceeded:
        return False
    return True


def asked(server: ApiServer, more: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.exchange_port), timeout=30)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n")
    return connection


@pytest.mark.parametrize("more", [b"", UPGRADE], ids=["http", "websocket"])
def test_an_address_that_reads_none_of_its_answers_is_let_in_nowhere_until_it_does(
    app: Generous, server: ApiServer, more: bytes
) -> None:
    """Explorer pages of 15 MB by HTTP, histories by WebSocket: 1.7 GB and 1.2 GB of one to four addresses."""
    with asked(server, more) as connection:
        wait_for(lambda: not reads_its_answers(app.purse), "answers count as unread")
        size = 0
        while size < LARGE:
            size += len(connection.recv(1 << 20))
        wait_for(lambda: app.purse._unread == 0, "nothing is unread")
    assert reads_its_answers(app.purse)


@pytest.mark.parametrize("more", [b"", UPGRADE], ids=["http", "websocket"])
def test_what_a_client_left_unread_counts_no_more_when_it_is_gone(
    app: Generous, server: ApiServer, more: bytes
) -> None:
    with asked(server, more):
        wait_for(lambda: not reads_its_answers(app.purse), "answers count as unread")
    wait_for(lambda: app.purse._unread == 0, "nothing counts as unread")
    assert reads_its_answers(app.purse)


def is_cut(connection: socket.socket) -> bool:
    """Whether the node ends it before all of a large answer was sent."""
    size = 0
    try:
        while size < LARGE:
            got = connection.recv(1 << 20)
            if not got:
                return True
            size += len(got)
    except ConnectionResetError:
        return True
    return False


def test_an_upgrade_before_earlier_answers_are_read_ends_the_connection(
    app: Generous, server: ApiServer
) -> None:
    """What was unread stayed counted when the client was long gone: two upgrades, and a whole line could ask for
    nothing until the node began anew."""
    with asked(server, b"") as connection:
        wait_for(lambda: not reads_its_answers(app.purse), "answers count as unread")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE + b"\r\n")
        wait_for(lambda: app.purse._unread == 0, "nothing counts as unread")
        assert is_cut(connection)


def test_an_upgrade_sent_ahead_of_an_answer_ends_the_connection(app: Generous, server: ApiServer) -> None:
    """The answer came when the connection was a WebSocket, and counted as unread nowhere."""
    ahead = b"\r\nGET / HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE
    with asked(server, ahead) as connection:
        assert is_cut(connection)
    assert app.purse._unread == 0


@pytest.mark.parametrize("more", [b"", UPGRADE], ids=["http", "websocket"])
def test_who_takes_nothing_and_sends_no_more_holds_its_place_for_a_minute_at_most(
    app: Generous, server: ApiServer, monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    """The last bytes of an answer waited for their reader without end, where they were too few to count as unread: a
    place for 100 kB more than the system takes. Twice 0.2 s here, for 30."""
    monkeypatch.setattr(slow_readers, "WRITE_STALL_S", 0.2)
    monkeypatch.setattr(protocols, "WS_BUFFER_BYTES_MAX", 2**30)  # of a WebSocket it is 2 MiB
    monkeypatch.setattr(HttpProtocol, "pause_writing", lambda self: None)  # of HTTP it is 64 KiB
    with asked(server, more) as connection:
        wait_for(lambda: any(_places._open.values()), "a place is taken")
        connection.shutdown(socket.SHUT_WR)
        wait_for(lambda: not _places._open, "the place is free", seconds=5)


MORE = pytest.mark.parametrize(
    "more", [b"", b"Connection: close\r\n", UPGRADE], ids=["http", "http that closes", "websocket"]
)


def read_slowly(connection: socket.socket, size: int, per_s: int) -> int:
    """So many bytes of an answer at this rate; how many came before the node ended the connection."""
    begun, got = time.monotonic(), 0
    while got < size:
        try:
            piece = connection.recv(min(size - got, per_s // 50 or 1))
        except ConnectionResetError:
            break
        if not piece:
            break
        got += len(piece)
        time.sleep(max(0.0, begun + got / per_s - time.monotonic()))
    return got


@MORE
def test_a_slow_reader_that_goes_on_reading_is_sent_all(
    app: Generous, server: ApiServer, monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    """It was cut when it had not caught up in 30 s. Here looks are 0.2 s apart, and 42 MiB are read in 2.5 s."""
    monkeypatch.setattr(slow_readers, "WRITE_STALL_S", 0.2)
    with asked(server, more) as connection:
        assert read_slowly(connection, LARGE, per_s=LARGE * 2 // 5) == LARGE


class Streaming(Generous):
    """While an answer waits for its reader, more comes than it reads: 4 MB/s for a second."""

    async def serve(self, link: Any, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        answering = asyncio.create_task(link.write_whole(text_frame(b"x" * LARGE)))
        for _ in range(100):
            await asyncio.sleep(0.01)
            self.is_open = link.write_frames(text_frame(b"y" * 40_000))
        answering.cancel()


@pytest.mark.parametrize("app", [Streaming()], ids=["streaming"])
def test_what_streams_add_meanwhile_does_not_make_a_reader_slow(
    app: Streaming, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it grows by a megabyte; it takes three."""
    monkeypatch.setattr(slow_readers, "WRITE_STALL_S", 0.2)
    with asked(server, UPGRADE) as connection:
        assert read_slowly(connection, 3_000_000, per_s=3_000_000) == 3_000_000
        assert app.is_open


@MORE
def test_a_reader_of_a_few_bytes_a_second_is_cut(
    app: Generous, server: ApiServer, monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    """At 100 bytes a second; 16 KiB/s are asked for."""
    monkeypatch.setattr(slow_readers, "WRITE_STALL_S", 0.2)
    with asked(server, more) as connection:
        wait_for(lambda: app.purse._unread > 0, "the answer waits for its reader")
        begun = time.monotonic()
        while _places._open and time.monotonic() - begun < 5:
            assert connection.recv(2)
            time.sleep(0.02)
        assert time.monotonic() - begun < 1
        assert not _places._open


@MORE
def test_where_much_waits_for_all_slow_readers_nobody_may_be_behind_for_longer(
    app: Generous, server: ApiServer, monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    """Else a thousand lines that read slowly would have the node keep 25 GB for half an hour."""
    monkeypatch.setattr(slow_readers, "WRITE_STALL_S", 0.2)
    monkeypatch.setattr(slow_readers, "SLOW_READERS_BYTES_MAX", LARGE // 8)
    with asked(server, more) as connection:
        assert read_slowly(connection, LARGE, per_s=LARGE * 2 // 5) < LARGE
    wait_for(lambda: not slow_readers._behind, "nobody is behind")


MEASURED = """
import asyncio, json, os
from coinone.interfaces.api.http.asgi import read_body
from coinone.interfaces.api.server import give_large_blocks_back
def own():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) // 1024
def rounds(size):
    small = []
    for _ in range(4):
        large = []
        for _ in range(150_000_000 // size):
            large.append(bytearray(b"x") * size)
            small.append(bytearray(b"x") * (size // 150))  # what stays lies between them
        del large
    return small
async def post(stay):
    for _ in range(60):
        stay.append(bytearray(1_000))
        await asyncio.sleep(0)
        yield {"type": "http.request", "body": bytes(16_384), "more_body": True}
    await asyncio.sleep(0.1)
    yield {"type": "http.request", "body": b"", "more_body": False}
async def bodies():
    stay = []
    await asyncio.gather(*(read_body({"headers": []}, post(stay).__anext__) for _ in range(300)))
    return stay
def kept(work):
    # Each in a process of its own, whose memory is as it is after the imports.
    reads, writes = os.pipe()
    if os.fork() == 0:
        before = own()
        stay = work()
        os.write(writes, str(own() - before).encode())
        os._exit(0)
    os.wait()
    return int(os.read(reads, 100))
give_large_blocks_back()
found = {str(size): kept(lambda: rounds(size)) for size in (15_000_000, 7_000_000, 1_000_000, 500_000)}
print(json.dumps({"bodies": kept(lambda: asyncio.run(bodies()))} | found))
"""


@pytest.fixture(scope="module")
def kept() -> dict[str, int]:
    """MiB that a process keeps of what it took and freed, by what it was."""
    ran = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(ran.stdout)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
@pytest.mark.parametrize("size", [15_000_000, 7_000_000, 1_000_000, 500_000])
def test_what_large_answers_and_bodies_took_goes_back_to_the_system(kept: dict[str, int], size: int) -> None:
    """150 MB are taken and freed, four times. Of 7 MB, what a transport keeps of an answer of 10, and of a body of
    1 MB none went back."""
    assert kept[str(size)] < 20


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_what_unfinished_bodies_took_goes_back_to_the_system(kept: dict[str, int]) -> None:
    """300 of nearly 1 MiB at once, in pieces, are 280 MiB; 18 stay, which lie between them."""
    assert kept["bodies"] < 100


@pytest.mark.parametrize("size", [0, 32_768, 32_769, 262_144, 262_145, 1_048_576])
@pytest.mark.parametrize("piece", [8_192, 70_000])
def test_a_body_that_comes_in_pieces_is_read_whole(size: int, piece: int) -> None:
    whole = bytes(n % 251 for n in range(size))
    pieces = iter([whole[at : at + piece] for at in range(0, size, piece)] + [b""])
    left = len(range(0, size, piece))

    async def receive() -> Any:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": next(pieces), "more_body": left >= 0}

    assert asyncio.run(read_body({"headers": []}, receive)) == whole


def test_a_body_of_more_than_1_MiB_in_pieces_is_refused() -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": bytes(65_536), "more_body": True}

    with pytest.raises(HttpError, match="body too large"):
        asyncio.run(read_body({"headers": []}, receive))
