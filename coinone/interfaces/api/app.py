"""The two ASGI applications of a node: the exchange's and Ethereum's.

A raw dispatcher: a path is looked up in a table, the caller is checked (http/guard.py), the body is read within its
bound and passed to one function. The exchange's listener serves pages, REST, streams, and JSON-RPC at /rpc, so that the
trading page stays on one origin; the other serves JSON-RPC where Ethereum's clients expect it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from coinone.base.primitives.errors import LimitExceeded, StorageError
from coinone.interfaces.api.admission.sender import (
    NOBODY,
    PURSE,
    SHARE,
    Sender,
    sender_of,
    share_of,
    unless_left,
)
from coinone.interfaces.api.admission.weights import (
    BODY_BYTES_PER_WEIGHT,
    EXPLORER_WEIGHT,
    METRICS_WEIGHT,
    TokenBucket,
)
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.ethereum.rpc import EthereumRpc
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.http.asgi import (
    Headers,
    HttpError,
    Receive,
    Scope,
    Send,
    answer,
    error_body,
    read_body,
)
from coinone.interfaces.api.http.guard import (
    Caller,
    Guard,
    check_content_type,
    cors_headers,
    preflight_headers,
)
from coinone.interfaces.api.http.proxies import Proxies
from coinone.interfaces.api.http.static_files import static_app
from coinone.interfaces.api.service import Service
from coinone.interfaces.api.sockets.links import Application, Link, StreamLink
from coinone.interfaces.api.sockets.protocols import admit_many_from
from coinone.node.network.peering import NOBODY_SEEN, PeersSeen
from coinone.node.node import Node

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """An admitted request."""

    body: bytes  # b"" for a GET
    path: str
    caller: Caller
    purse: TokenBucket  # of the caller's address
    sender: Sender = NOBODY


Body = tuple[bytes, bytes]  # the body and its content type
Handler = Callable[[ParsedRequest], Awaitable[Body]]
Session = Callable[[StreamLink, Scope, Receive, Send, Caller], Awaitable[None]]
_JSON = b"application/json"


class RpcService(Protocol):
    """The service behind the listener for Ethereum's clients."""

    @property
    def rpc(self) -> EthereumRpc: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def health(self) -> dict[str, Any]: ...

    def purse(self, scope: Scope) -> TokenBucket: ...


class RpcApp:
    """The application of a node without an exchange, as of an imported chain: `ethereum` is served on port 8545."""

    def __init__(self, service: RpcService, config: ApiConfig) -> None:
        self._guard = Guard.from_config(config)
        self._proxies = Proxies(frozenset(config.proxies))
        admit_many_from(config.proxies)
        self._rpc_service = service
        self._static = static_app(config.static_dir)

    async def start(self) -> None:
        await self._rpc_service.start()

    async def stop(self) -> None:
        await self._rpc_service.stop()

    @property
    def ethereum(self) -> Application:
        """The application on Ethereum's port."""
        http = partial(self._http, {"/": self._rpc}, {"/health": self._health}, False)
        return Application(http, partial(self._websocket, {"/": self._rpc_session}))

    async def _http(
        self,
        posts: dict[str, Handler],
        gets: dict[str, Handler],
        pages: bool,
        link: Link,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        headers: Headers = []
        try:
            purse = self._note_sender(link, scope)
            caller = self._guard.admit(scope)
            headers = cors_headers(scope)
            method, path = scope["method"], scope["path"]
            if method == "POST":
                asked = ParsedRequest(b"", path, caller, purse, sender_of(scope, link.cut, receive))
                body, kind = await _unless_stopping(self._post(scope, receive, posts, asked))
            elif method == "OPTIONS":
                await answer(send, b"", 204, preflight_headers(scope))
                return
            elif method in ("GET", "HEAD"):
                found = _find(gets, path)
                if found is None and pages:
                    await self._static(scope, receive, send)
                    return
                if found is None:
                    raise HttpError(405, "JSON-RPC requests are POSTed")
                asked = ParsedRequest(b"", path, caller, purse, sender_of(scope, link.cut, receive))
                body, kind = await _unless_stopping(found(asked))
            else:
                raise HttpError(405, f"method {method[:16]} is not served")
            await answer(send, body, 200, [(b"content-type", kind), *headers])
        except HttpError as error:
            await answer(send, error_body(error.status, error.message), error.status, headers)
        except StorageError as error:  # halted or stopping: the outcome of a request in progress is unknown
            await answer(send, error_body(503, str(error)), 503, headers)
        except Exception:
            log.exception("a request failed")
            await answer(send, error_body(500, "internal error"), 500, headers)

    def _note_sender(self, link: Link, scope: Scope) -> TokenBucket:
        """Set the share and the purse of the request's sender, which pays for it and counts its unread answers."""
        self._proxies.note_client(scope)
        purse = self._rpc_service.purse(scope)
        SHARE.set(share_of(scope))
        PURSE.set(purse)
        link.purse = purse
        return purse

    async def _post(
        self, scope: Scope, receive: Receive, posts: dict[str, Handler], asked: ParsedRequest
    ) -> Body:
        check_content_type(scope)
        handler = posts.get(asked.path)
        if handler is None:
            raise HttpError(404, "no such endpoint")
        if asked.caller is Caller.EXTENSION and handler != self._rpc:
            raise HttpError(
                403, "browser extensions may use JSON-RPC only; --allow-origin ORIGIN would allow more"
            )
        body = await read_body(scope, receive)
        return await handler(replace(asked, body=body))

    async def _websocket(
        self, sessions: dict[str, Session], link: StreamLink, scope: Scope, receive: Receive, send: Send
    ) -> None:
        await receive()  # websocket.connect
        try:
            self._note_sender(link, scope)
            caller = self._guard.admit(scope)
            session = sessions.get(scope["path"])
            if session is None:
                raise HttpError(404, "no WebSocket at this path")
            if caller is Caller.EXTENSION and session != self._rpc_session:
                raise HttpError(
                    403, "browser extensions may use JSON-RPC only; --allow-origin would allow more"
                )
        except HttpError as error:
            await send(
                {
                    "type": "websocket.http.response.start",
                    "status": error.status,
                    "headers": [(b"content-type", _JSON)],
                }
            )
            body = error_body(error.status, error.message)
            await send({"type": "websocket.http.response.body", "body": body})
            return
        await send({"type": "websocket.accept"})
        await session(link, scope, receive, send, caller)

    async def _rpc(self, asked: ParsedRequest) -> tuple[bytes, bytes]:
        dispatcher = self._rpc_service.rpc.dispatcher
        return await dispatcher.answer(asked.body, asked.caller, asked.purse, sender=asked.sender), _JSON

    async def _health(self, asked: ParsedRequest) -> tuple[bytes, bytes]:
        # Free of charge: a refusal would cost as much, and a load balancer must be answered.
        health = self._rpc_service.health()
        if health["status"] != "ok":
            raise HttpError(503, f"{health['status']}: {health['reason']}")
        return jsonio.encode(health), _JSON

    async def _rpc_session(
        self, link: StreamLink, scope: Scope, receive: Receive, send: Send, caller: Caller
    ) -> None:
        service = self._rpc_service
        await service.rpc.session(link, scope, caller, service.purse(scope)).run(receive, send)


class App(RpcApp):
    """The full application: Ethereum JSON-RPC, and the exchange API as `exchange` on port 3001."""

    def __init__(
        self, node: Node, config: ApiConfig, peers: Callable[[], PeersSeen] = lambda: NOBODY_SEEN
    ) -> None:
        self._service = Service(node, peers, config.request_weight)
        super().__init__(self._service, config)
        self._posts: dict[str, Handler] = {
            "/info": self._info,
            "/exchange": self._act,
            "/explorer": self._explore,
            "/rpc": self._rpc,
        }
        self._gets: dict[str, Handler] = {
            "/explorer/": self._explore_path,
            "/metrics": self._metrics,
            "/health": self._health,
        }

    @property
    def exchange(self) -> Application:
        """The application on the exchange's port."""
        sessions: dict[str, Session] = {"/ws": self._exchange_session, "/rpc": self._rpc_session}
        http = partial(self._http, self._posts, self._gets, True)
        return Application(http, partial(self._websocket, sessions))

    async def _info(self, asked: ParsedRequest) -> tuple[bytes, bytes]:
        return await self._service.info.answer_bytes(asked.body, asked.purse, asked.sender), _JSON

    async def _act(self, asked: ParsedRequest) -> tuple[bytes, bytes]:
        return await self._service.act_bytes(asked.body, asked.purse), _JSON

    async def _explore(self, asked: ParsedRequest) -> tuple[bytes, bytes]:
        _pay(asked.purse, EXPLORER_WEIGHT + len(asked.body) // BODY_BYTES_PER_WEIGHT)
        answering = self._service.explorer.post(asked.body, asked.purse)
        return await unless_left(asked.sender, answering), _JSON

    async def _explore_path(self, asked: ParsedRequest) -> tuple[bytes, bytes]:
        _pay(asked.purse, EXPLORER_WEIGHT)
        answering = self._service.explorer.get(asked.path.removeprefix("/explorer/"), asked.purse)
        return await unless_left(asked.sender, answering), _JSON

    async def _metrics(self, asked: ParsedRequest) -> tuple[bytes, bytes]:
        _pay(asked.purse, METRICS_WEIGHT)
        return self._service.metrics.render()

    async def _exchange_session(
        self, link: StreamLink, scope: Scope, receive: Receive, send: Send, caller: Caller
    ) -> None:
        await self._service.exchange_session(link, scope).run(receive, send)


def _pay(purse: TokenBucket, weight: int) -> None:
    try:
        purse.require()
    except LimitExceeded as error:
        raise HttpError(429, str(error)) from error
    purse.spend(weight)


async def _unless_stopping(handling: Awaitable[Body]) -> Body:
    """Return a handler's answer, or a 503 if the server cancels it because the node stops."""
    try:
        return await handling
    except asyncio.CancelledError:
        raise HttpError(503, "node is stopping") from None


def _find(gets: dict[str, Handler], path: str) -> Handler | None:
    """An exact path, or the one below which `path` lies (its name ends with a slash)."""
    found = gets.get(path)
    if found is not None:
        return found
    return next(
        (handler for name, handler in gets.items() if name.endswith("/") and path.startswith(name)), None
    )
