"""HTTP/1.1 with persistent connections: one transport for asyncio, one for threads.

A request uses an idle connection if there is one. The server may close it at that very moment, so a request that fails
on a *reused* connection is sent once more on a new one; that is safe because reads change nothing and a signed action
takes effect at most once.
"""

import asyncio
import contextlib
import http.client
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

from coinone.interfaces.client.errors import NoAnswer, Refused

TIMEOUT_S = 10.0  # a batch takes 250 ms and a block 2 s, so ten silent seconds mean a dead node
IDLE_CONNECTIONS_MAX = 64  # kept for later; more are closed
BODY_BYTES_MAX = 64 * 2**20  # a year of candles is 20 MB


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The host and port of a URL such as http://localhost:3001."""

    host: str
    port: int
    tls: bool
    prefix: str

    @staticmethod
    def parse(url: str) -> "Endpoint":
        """Parse a URL. Raises Refused."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Refused(f"not an http(s) address: {url}: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
            raise Refused(f"not an http(s) address: {url}")
        tls = parts.scheme == "https"
        return Endpoint(parts.hostname, port or (443 if tls else 80), tls, parts.path.rstrip("/"))

    def request(self, path: str, body: bytes | None) -> bytes:
        """The bytes of a POST of JSON, or of a GET if there is no body."""
        method, host = "GET" if body is None else "POST", f"[{self.host}]" if ":" in self.host else self.host
        head = f"{method} {self.prefix}{path} HTTP/1.1\r\nHost: {host}:{self.port}\r\n"
        if body is None:
            return (head + "\r\n").encode()
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class AsyncHttp:
    """Requests to one endpoint, with a connection for each concurrent request."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S, idle_max: int = IDLE_CONNECTIONS_MAX) -> None:
        self._endpoint = Endpoint.parse(url)
        self._timeout_s = timeout_s
        self._idle_max = idle_max
        self._idle: deque[_Connection] = deque()

    async def send(self, path: str, body: bytes | None = None) -> Response:
        """Send a POST, or a GET if there is no body, and return the response. Raises NoAnswer."""
        request = self._endpoint.request(path, body)
        while self._idle:
            connection = self._idle.popleft()
            if connection.usable():
                with contextlib.suppress(_Closed):
                    return await self._exchange(connection, request)
        return await self._exchange(await self._connect(), request)

    async def close(self) -> None:
        while self._idle:
            self._idle.popleft().close()

    async def _exchange(self, connection: "_Connection", request: bytes) -> Response:
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await connection.exchange(request)
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {self._timeout_s:g} s") from error
        except asyncio.CancelledError:
            connection.close()
            raise
        if connection.usable() and len(self._idle) < self._idle_max:
            self._idle.appendleft(connection)  # most recently used first, so that the others can time out
        else:
            connection.close()
        return response

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context() if self._endpoint.tls else None
        try:
            async with asyncio.timeout(self._timeout_s):
                _, protocol = await loop.create_connection(
                    _Connection, self._endpoint.host, self._endpoint.port, ssl=context
                )
        except (OSError, TimeoutError) as error:
            raise NoAnswer(f"cannot reach {self._endpoint.host}:{self._endpoint.port}: {error}") from error
        return protocol


class _Closed(NoAnswer):
    """The server closed the connection, which it may do at any time while it is idle."""


class _Connection(asyncio.Protocol):
    """One connection with one request at a time; httptools parses responses."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()

    async def exchange(self, request: bytes) -> Response:
        assert self._transport is not None and self._answer is None, "one request at a time"
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()  # later bytes would be taken for the next request's response
            raise
        finally:
            self._answer = None

    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(NoAnswer(f"not HTTP: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(_Closed(f"the connection closed before the answer: {exc or 'end of stream'}"))

    def on_body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > BODY_BYTES_MAX:
            self._fail(NoAnswer("the answer is too long"))

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Response(self._parser.get_status_code(), bytes(self._body)))

    def _fail(self, error: NoAnswer) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


class SyncHttp:
    """Requests without an event loop: one persistent connection per thread."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._endpoint = Endpoint.parse(url)
        self._timeout_s = timeout_s
        self._threads = threading.local()

    def send(self, path: str, body: bytes | None = None) -> Response:
        """Send a POST, or a GET if there is no body, and return the response. Raises NoAnswer."""
        kept: http.client.HTTPConnection | None = getattr(self._threads, "connection", None)
        if kept is not None:
            with contextlib.suppress(_Closed):
                return self._exchange(kept, path, body)
        self._threads.connection = self._open()
        return self._exchange(self._threads.connection, path, body)

    def close(self) -> None:
        """Close the calling thread's connection; those of other threads close when they end."""
        connection = getattr(self._threads, "connection", None)
        if connection is not None:
            connection.close()
            self._threads.connection = None

    def _open(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._endpoint.tls else http.client.HTTPConnection
        return kind(self._endpoint.host, self._endpoint.port, timeout=self._timeout_s)

    def _exchange(self, connection: http.client.HTTPConnection, path: str, body: bytes | None) -> Response:
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request("GET" if body is None else "POST", self._endpoint.prefix + path, body, headers)
            answer = connection.getresponse()
            content = answer.read(BODY_BYTES_MAX + 1)
            if len(content) > BODY_BYTES_MAX:
                self.close()
                raise NoAnswer("the answer is too long")
            return Response(answer.status, content)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            kind = NoAnswer if isinstance(error, TimeoutError | ConnectionRefusedError) else _Closed
            where = f"{self._endpoint.host}:{self._endpoint.port}"
            words = getattr(error, "strerror", None) or error or type(error).__name__
            raise kind(f"no answer from {where}: {words}") from error
