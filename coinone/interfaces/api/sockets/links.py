"""The connection of a request, as the server passes it to the application.

A listener's application has one entry point for HTTP and one for WebSocket. Each is called with its connection before
ASGI's three arguments, because ASGI has no way to cut a connection, to count unread bytes, or to write a frame that was
made once for many readers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.http.asgi import Receive, Scope, Send


class Link(Protocol):
    """A connection. Unread answers count against `purse`, that of the address of the latest request."""

    purse: TokenBucket | None

    def cut(self) -> None: ...


class StreamLink(Link, Protocol):
    """A WebSocket, which accepts ready-made frames or reports that it is closed."""

    def write_frames(self, frames: bytes) -> bool: ...
    async def write_whole(self, frames: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Application:
    """The entry points of one listener."""

    http: Callable[[Link, Scope, Receive, Send], Awaitable[None]]
    websocket: Callable[[StreamLink, Scope, Receive, Send], Awaitable[None]]
