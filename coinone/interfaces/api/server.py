"""Run uvicorn on a separate thread, with the limits it lacks.

The node's executor must never wait for a client, so the interface has a separate thread and event loop. Both listeners
of a node (sockets/listeners.py) share them.
"""

import asyncio
import ctypes
import logging
import resource
import threading
from typing import Any, cast

import uvicorn

from coinone.interfaces.api.admission.seldom import Seldom
from coinone.interfaces.api.app import RpcApp
from coinone.interfaces.api.limits import (
    CONNECTIONS_MAX,
    LARGE_BLOCK_BYTES,
    WS_MESSAGE_BYTES_MAX,
    WS_PING_S,
    WS_PONG_S,
)
from coinone.interfaces.api.sockets.links import Application
from coinone.interfaces.api.sockets.listeners import BACKLOG, Listeners
from coinone.interfaces.api.sockets.protocols import HttpProtocol, WebSocketProtocol

log = logging.getLogger(__name__)
_M_MMAP_THRESHOLD = -3  # malloc.h

_OF_STRANGERS = (
    "uvicorn.error",
    *(
        f"coinone.interfaces.api.{name}"
        for name in ("app", "ethereum.dispatch", "ethereum.calls.lanes", "exchange.channels.session")
    ),
)
"""Loggers that write a line for each malformed request, or a traceback for each one that met an internal error."""


class ApiServer:
    """Serves both listeners of one node, and closes them at the end. `start` returns when they accept connections;
    `stop` when their thread has ended."""

    def __init__(self, app: RpcApp, listeners: Listeners) -> None:
        self._app = app
        self._exchange = getattr(app, "exchange", None)  # None on a node of an imported chain
        self._listeners = listeners
        self.exchange_port, self.ethereum_port = listeners.exchange_port, listeners.ethereum_port
        self._servers: list[uvicorn.Server] = []
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._seldom = Seldom()
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    def start(self) -> None:
        raise_descriptor_limit()
        give_large_blocks_back()
        for name in _OF_STRANGERS:
            logging.getLogger(name).addFilter(self._seldom)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self, timeout_s: float = 5.0) -> None:
        for server in self._servers:
            server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        for name in _OF_STRANGERS:
            logging.getLogger(name).removeFilter(self._seldom)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            log.exception("the interface stopped")
        finally:
            self._ready.set()
            self._listeners.close()

    async def _serve(self) -> None:
        await self._app.start()
        try:
            listeners = [(self._app.ethereum, self._listeners.ethereum)]
            if self._exchange is not None:
                listeners.append((self._exchange, self._listeners.exchange))
            self._servers = [_server(listener) for listener, _ in listeners]
            running = [
                asyncio.create_task(server.serve(list(sockets)))
                for server, (_, sockets) in zip(self._servers, listeners, strict=True)
            ]
            while not all(server.started for server in self._servers):
                await asyncio.sleep(0.005)
            self._ready.set()
            await asyncio.gather(*running)
        finally:
            await self._app.stop()


def raise_descriptor_limit() -> None:
    """Raise the descriptor limit for all allowed connections, as far as the system permits; the usual soft limit is
    1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS_MAX
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def give_large_blocks_back() -> None:
    """Return the memory of large answers to the system once they are sent, if the C library supports it. By default
    glibc keeps such blocks, and the next answer does not fit into what is left of them."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def _server(app: Application) -> uvicorn.Server:
    """A server whose connections (sockets/protocols.py) call the application directly, without uvicorn."""
    return uvicorn.Server(
        uvicorn.Config(
            cast(Any, app),
            http=HttpProtocol,
            ws=WebSocketProtocol,
            ws_per_message_deflate=False,
            ws_max_size=WS_MESSAGE_BYTES_MAX,
            ws_ping_interval=WS_PING_S,
            ws_ping_timeout=WS_PONG_S,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
            limit_concurrency=CONNECTIONS_MAX,
        )
    )
