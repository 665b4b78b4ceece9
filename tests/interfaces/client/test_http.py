"""The HTTP transport against a server that misbehaves in the ways servers do."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from coinone.interfaces.client import http as client_http
from coinone.interfaces.client.client import decode
from coinone.interfaces.client.errors import NoAnswer, Refused
from coinone.interfaces.client.http import AsyncHttp, Endpoint, Response, SyncHttp

Answer = Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Reads one request at a time and lets `answer` decide; counts connections and requests."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.connections = 0
        self.requests: list[bytes] = []

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(size))
                await self._answer(len(self.requests), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def well(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


def test_requests_one_after_another_share_a_connection() -> None:
    async def scenario() -> None:
        async with Server(well) as server:
            http = AsyncHttp(server.url)
            for _ in range(5):
                assert await http.send("/info", b'{"a":1}') == Response(200, b"{}")
            assert (server.connections, len(server.requests)) == (1, 5)
            assert b"POST /info HTTP/1.1" in server.requests[0] and server.requests[0].endswith(b'{"a":1}')
            await http.close()

    asyncio.run(scenario())


def test_requests_at_the_same_time_have_a_connection_each() -> None:
    async def slow(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(OK)

    async def scenario() -> None:
        async with Server(slow) as server:
            http = AsyncHttp(server.url)
            await asyncio.gather(*(http.send("/info", b"{}") for _ in range(4)))
            await asyncio.gather(*(http.send("/info", b"{}") for _ in range(4)))
            assert (server.connections, len(server.requests)) == (4, 8)
            await http.close()

    asyncio.run(scenario())


def test_a_connection_that_died_while_idle_is_replaced_without_notice() -> None:
    async def then_hang_up(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)  # promises to keep the connection, and does not
        await writer.drain()
        writer.close()

    async def scenario() -> None:
        async with Server(then_hang_up) as server:
            http = AsyncHttp(server.url)
            for _ in range(3):
                assert (await http.send("/info", b"{}")).status == 200
            assert server.connections == 3

    asyncio.run(scenario())


def test_a_fresh_connection_that_dies_without_an_answer_is_reported() -> None:
    async def hang_up(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def scenario() -> None:
        async with Server(hang_up) as server:
            with pytest.raises(NoAnswer, match="closed"):
                await AsyncHttp(server.url).send("/exchange", b"{}")
            assert len(server.requests) == 1

    asyncio.run(scenario())


def test_silence_ends_at_the_timeout_and_the_late_answer_is_nobodys() -> None:
    given_up, late_left = asyncio.Event(), asyncio.Event()

    async def silent_once(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if number == 1:
            await given_up.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
            late_left.set()
        else:
            writer.write(OK)

    async def scenario() -> None:
        async with Server(silent_once) as server:
            http = AsyncHttp(server.url, timeout_s=1.0)
            with pytest.raises(NoAnswer, match="no answer within"):
                await http.send("/info", b"{}")
            given_up.set()
            await late_left.wait()
            assert (await http.send("/info", b"{}")).body == b"{}"

    asyncio.run(scenario())


def test_a_cancelled_request_leaves_no_connection_with_an_answer_on_its_way() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go_on.wait()
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}".encode())

    async def scenario() -> None:
        async with Server(slow) as server:
            http = AsyncHttp(server.url)
            first = asyncio.create_task(http.send("/info", b"{}"))
            await asked.wait()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            go_on.set()
            assert (await http.send("/info", b"{}")).body == b"2"

    asyncio.run(scenario())


def test_chunked_answers_and_connection_close_are_understood() -> None:
    async def chunked(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        writer.write(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    async def scenario() -> None:
        async with Server(chunked) as server:
            http = AsyncHttp(server.url)
            assert (await http.send("/info", b"{}")).body == b"abcde"
            assert (await http.send("/info", b"{}")).body == b"abcde"
            assert server.connections == 2

    asyncio.run(scenario())


def test_what_is_not_http_is_reported() -> None:
    async def gibberish(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    async def scenario() -> None:
        async with Server(gibberish) as server:
            with pytest.raises(NoAnswer, match="not HTTP"):
                await AsyncHttp(server.url).send("/info", b"{}")

    asyncio.run(scenario())


def test_the_blocking_transport_keeps_its_connection_and_replaces_a_dead_one() -> None:
    async def close_the_second(
        number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(OK)
        if number == 2:
            await writer.drain()
            writer.close()

    async def scenario() -> None:
        async with Server(close_the_second) as server:
            http = SyncHttp(server.url)
            for _ in range(4):
                assert (await asyncio.to_thread(http.send, "/info", b"{}")).status == 200
            assert len(server.requests) == 4 and server.connections >= 2

    asyncio.run(scenario())


@pytest.mark.parametrize("transport", [AsyncHttp, SyncHttp])
def test_an_answer_without_end_is_not_read_to_it(
    monkeypatch: pytest.MonkeyPatch, transport: type[AsyncHttp | SyncHttp]
) -> None:
    monkeypatch.setattr(client_http, "BODY_BYTES_MAX", 1000)

    async def talk(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b" " * 5000)

    async def scenario() -> None:
        async with Server(talk) as server:
            http = transport(server.url)
            with pytest.raises(NoAnswer, match="too long"):
                if isinstance(http, AsyncHttp):
                    await http.send("/info", b"{}")
                else:
                    await asyncio.to_thread(http.send, "/info", b"{}")

    asyncio.run(scenario())


def test_without_a_body_it_is_a_get() -> None:
    assert Endpoint.parse("http://localhost:3001/api/").request("/health", None) == (
        b"GET /api/health HTTP/1.1\r\nHost: localhost:3001\r\n\r\n"
    )
    assert (
        Endpoint.parse("http://[::1]").request("/", b"").startswith(b"POST / HTTP/1.1\r\nHost: [::1]:80\r\n")
    )


def test_nobody_listening_is_reported_by_both_transports() -> None:
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1:1"):
        asyncio.run(AsyncHttp("http://127.0.0.1:1").send("/info", b"{}"))
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1:1"):
        SyncHttp("http://127.0.0.1:1").send("/info", b"{}")


def test_an_answer_tells_the_senders_fault_from_the_nodes() -> None:
    with pytest.raises(Refused, match="unknown type"):
        decode(Response(422, b'{"code": 422, "msg": "unknown type"}'))
    with pytest.raises(NoAnswer, match="HTTP 503"):
        decode(Response(503, b'{"code": 503, "msg": "stopping"}'))
    with pytest.raises(NoAnswer, match="not JSON"):
        decode(Response(200, b"<html>"))


@pytest.mark.parametrize(
    "url", ["localhost:3001", "ftp://x", "http://", "", "http://localhost:99999", "http://[::1", "http://x/ü"]
)
def test_an_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="address"):
        Endpoint.parse(url)
