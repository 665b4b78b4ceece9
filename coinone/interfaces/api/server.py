"""uvicorn on its own thread, with the limits it lacks.

The node's executor must never wait for a client, so the interface has a thread and an event loop of its
own. Two listeners share them: the exchange's (pages, REST, WebSocket, and JSON-RPC at /rpc) and Ethereum's.
Each is bound to the IPv4 and the IPv6 loopback; port 0 takes any free one (tests).
"""

import asyncio
import logging
import resource
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn

from coinone.base.primitives.errors import CoinoneError
from coinone.interfaces.api.app import RpcApp
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.limits import CONNECTIONS_MAX, WS_MESSAGE_BYTES_MAX
from coinone.interfaces.api.protocols import HttpProtocol, WebSocketProtocol

log = logging.getLogger(__name__)


class AddressInUse(CoinoneError):
    """A port is taken, or an address cannot be bound; the text names the flag that moves it."""


def bind(addresses: tuple[str, ...], port: int, flag: str) -> list[socket.socket]:
    """Listening sockets on every address that this machine has. Raises AddressInUse."""
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            bound = _bind_one(family, address, port)
            if bound is not None:
                sockets.append(bound)
                port = bound.getsockname()[1]
    except OSError as error:
        for opened in sockets:
            opened.close()
        raise AddressInUse(
            f"port {port} on {address} cannot be used: {error.strerror}; {flag} moves it"
        ) from error
    if not sockets:
        raise AddressInUse(f"none of the addresses {', '.join(addresses)} exists on this machine")
    return sockets


def _bind_one(family: int, address: str, port: int) -> socket.socket | None:
    """One listening socket; None where the machine has no such address family."""
    try:
        made = socket.socket(
            family, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )  # or asyncio leaves Nagle on: 40 ms
    except OSError:
        return None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
    except OSError as error:
        made.close()
        if family == socket.AF_INET6 and error.errno in _NO_SUCH_ADDRESS:
            return None
        raise
    made.set_inheritable(False)
    return made


_NO_SUCH_ADDRESS = frozenset({97, 99})  # EAFNOSUPPORT, EADDRNOTAVAIL: IPv6 is switched off here


class ApiServer:
    """Both listeners of one node. `start` returns when they accept; `stop` when their thread has ended."""

    def __init__(self, app: RpcApp, config: ApiConfig) -> None:
        self._app = app
        self._exchange_sockets: list[socket.socket] = []
        self._exchange = getattr(app, "exchange", None)  # a node of an imported chain has none
        if self._exchange is not None:
            self._exchange_sockets = bind(config.bind, config.exchange_port, "--port")
        try:
            self._ethereum_sockets = bind(config.bind, config.ethereum_port, "--rpc-port")
        except AddressInUse:
            _close(self._exchange_sockets)
            raise
        self.exchange_port: int = _port_of(self._exchange_sockets)  # 0 where there is no exchange
        self.ethereum_port: int = _port_of(self._ethereum_sockets)
        self._servers: list[uvicorn.Server] = []
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    def start(self) -> None:
        raise_descriptor_limit()
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self, timeout_s: float = 5.0) -> None:
        for server in self._servers:
            server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            log.exception("the interface stopped")
        finally:
            self._ready.set()
            _close(self._exchange_sockets + self._ethereum_sockets)

    async def _serve(self) -> None:
        await self._app.start()
        try:
            listeners = [(self._app.ethereum, self._ethereum_sockets)]
            if self._exchange is not None:
                listeners.append((self._exchange, self._exchange_sockets))
            self._servers = [_server(listener) for listener, _ in listeners]
            running = [
                asyncio.create_task(server.serve(sockets))
                for server, (_, sockets) in zip(self._servers, listeners, strict=True)
            ]
            while not all(server.started for server in self._servers):
                await asyncio.sleep(0.005)
            self._ready.set()
            await asyncio.gather(*running)
        finally:
            await self._app.stop()


def raise_descriptor_limit() -> None:
    """Room for every connection we allow, as far as the system lets us; the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS_MAX
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _server(app: Callable[..., Any]) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=HttpProtocol,
            ws=WebSocketProtocol,
            ws_per_message_deflate=False,
            ws_max_size=WS_MESSAGE_BYTES_MAX,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=1024,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
            limit_concurrency=CONNECTIONS_MAX,
        )
    )


def _port_of(sockets: list[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1]) if sockets else 0


def _close(sockets: list[socket.socket]) -> None:
    for opened in sockets:
        opened.close()
