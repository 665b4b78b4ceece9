"""Unread answers are bounded for each IPv6 site (/48) and for all remote clients: the one with most is cut off."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from coinone.interfaces.api.admission.unread import Unread, UnreadAnswer
from coinone.interfaces.api.admission.weights import RateLimits
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.http.asgi import answer
from coinone.interfaces.api.server import ApiServer
from coinone.interfaces.api.sockets.links import Application
from coinone.interfaces.api.sockets.listeners import open_listeners
from coinone.interfaces.api.sockets.protocols import _places, text_frame
from tests.functional.waiting import wait_for

MIB = 1024 * 1024
SIZE = 20 * MIB  # of each answer: several more than the system takes
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"  # noqa: E501


class Stand:
    """Answers that wait, and whose connections were ended."""

    def __init__(self, most: int, most_of_site: int) -> None:
        self.unread = Unread(most, most_of_site)
        self.cut: list[str] = []

    def add(self, owner: str, size: int) -> UnreadAnswer:
        made = UnreadAnswer(owner, size, lambda: self.cut.append(f"{owner} {size}"))
        self.unread.add(made)
        return made


def test_of_a_full_site_the_line_that_has_most_loses_its_largest_answer() -> None:
    stand = Stand(most=1000, most_of_site=100)
    for owner, size in (("2001:db8:1:1::/64", 30), ("2001:db8:1:1::/64", 20), ("2001:db8:1:2::/64", 40)):
        stand.add(owner, size)
    stand.add("2001:db8:2:1::/64", 100)  # another site
    assert stand.cut == []
    stand.add("2001:db8:1:3::/64", 15)  # 105; the first line has 50
    assert stand.cut == ["2001:db8:1:1::/64 30"]
    assert stand.unread.size == 175


def test_of_all_strangers_the_site_that_has_most_makes_room() -> None:
    stand = Stand(most=100, most_of_site=60)
    stand.add("203.0.113.5", 30)
    stand.add("2001:db8:1:1::/64", 20)
    stand.add("2001:db8:1:2::/64", 25)
    stand.add("203.0.113.6", 26)  # 101; the /48 has 45
    assert stand.cut == ["2001:db8:1:2::/64 25"]


def test_of_equals_the_newcomer_is_cut_off() -> None:
    stand = Stand(most=100, most_of_site=60)
    for number in range(10):
        stand.add(f"203.0.113.{number}", 10)
    stand.add("203.0.113.99", 10)
    assert stand.cut == ["203.0.113.99 10"]


def test_what_is_read_or_was_cut_off_counts_no_more() -> None:
    stand = Stand(most=100, most_of_site=60)
    first, second = stand.add("203.0.113.5", 50), stand.add("203.0.113.6", 60)
    assert stand.cut == ["203.0.113.6 60"]
    stand.unread.remove(second)  # its connection is lost a moment later
    assert stand.unread.size == 50
    stand.unread.remove(first)
    assert stand.unread.size == 0


class Generous:
    """Answers everybody at length; who asks says in the path which address it is."""

    def __init__(self, unread: Unread) -> None:
        self.weights = RateLimits(1200)
        self.weights._unread = unread

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def serve(self, link: Any, scope: Any, receive: Any, send: Any) -> None:
        link.purse = self.weights.purse(scope["path"][1:])
        if scope["type"] == "http":
            await answer(send, b"x" * SIZE)
            return
        await receive()
        await send({"type": "websocket.accept"})
        await link.write_whole(text_frame(b"x" * SIZE))
        await asyncio.sleep(30)

    @property
    def exchange(self) -> Application:
        return Application(self.serve, self.serve)

    ethereum = exchange


@pytest.fixture
def app() -> Generous:
    return Generous(Unread(most=100 * MIB, most_of_site=60 * MIB))


@pytest.fixture
def server(app: Generous) -> Iterator[ApiServer]:
    made = ApiServer(app, open_listeners(ApiConfig(exchange_port=0, ethereum_port=0)))  # type: ignore[arg-type]
    made.start()
    yield made
    made.stop()


def asked(server: ApiServer, address: str, more: bytes) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.settimeout(30)
    made.connect(("127.0.0.1", server.exchange_port))
    made.sendall(b"GET /" + address.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n")
    with suppress(ConnectionResetError):
        made.recv(16, socket.MSG_PEEK)
    return made


def is_sent_all(connection: socket.socket) -> bool:
    size = 0
    try:
        while size < SIZE:
            got = len(connection.recv(MIB))
            if not got:
                return False
            size += got
    except ConnectionResetError:
        return False
    return True


@pytest.mark.parametrize("more", [b"", UPGRADE], ids=["http", "websocket"])
def test_lines_of_one_site_that_read_nothing_are_cut_off_and_others_are_sent_all(
    app: Generous, server: ApiServer, more: bytes
) -> None:
    """A hundred lines of a /48, each below its own bound, made a node 2.5 GiB larger. Here 20 lines of 20 MiB."""
    with ExitStack() as opened:
        other = opened.enter_context(asked(server, "2001:db8:77::1", more))
        lines = [opened.enter_context(asked(server, f"2001:db8:66:{n:x}::1", more)) for n in range(20)]
        wait_for(lambda: sum(app.weights._unread._of_sites.values()) > 60 * MIB, "much waits")
        assert app.weights._unread.size <= 80 * MIB
        assert is_sent_all(other)
        assert sum(map(is_sent_all, lines)) <= 6  # of 60 MiB, without what the system has taken of each
    wait_for(lambda: app.weights._unread.size == 0, "nothing waits")
    assert not app.weights._unread._of_owners
    assert not app.weights._unread._of_sites


@pytest.mark.parametrize("more", [b"", UPGRADE], ids=["http", "websocket"])
def test_who_has_little_is_sent_all_while_others_fill_what_all_strangers_may(
    app: Generous, server: ApiServer, more: bytes
) -> None:
    with ExitStack() as opened:
        for address in ("2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:2:1::1", "2001:db8:2:2::1"):
            opened.enter_context(asked(server, address, more))
        for number in range(5):
            one = opened.enter_context(asked(server, f"203.0.113.{number}", more))
            assert is_sent_all(one)
        assert app.weights._unread.size <= 100 * MIB


@pytest.mark.parametrize("more", [b"", UPGRADE], ids=["http", "websocket"])
def test_of_who_is_cut_off_the_system_keeps_nothing(app: Generous, server: ApiServer, more: bytes) -> None:
    """It kept 3 MB of each for minutes, in case they were read: 1.2 GB of 400 connections."""
    app.weights._unread = Unread(most=10 * MIB, most_of_site=10 * MIB)
    with asked(server, "203.0.113.5", more) as connection:
        wait_for(lambda: not _places._open, "it is cut off")
        size = 0
        with pytest.raises(ConnectionResetError):
            while True:
                size += len(connection.recv(MIB)) or pytest.fail("all was sent that the system had")
    assert size < MIB


def test_programs_of_this_machine_count_with_nobody(app: Generous) -> None:
    cuts: list[bool] = []
    with app.weights.purse("127.0.0.1").unread(200 * MIB, lambda: cuts.append(True)):
        assert app.weights._unread.size == 0
    assert not cuts
