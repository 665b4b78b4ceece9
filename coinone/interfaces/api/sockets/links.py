"""The connection that a request came by, as the server hands it to the application.

A listener's application has one entry for HTTP and one for WebSocket. Each is called with its connection before ASGI's
three arguments, because ASGI has no way to cut a connection, to count what its reader has not taken, or to write a
frame that was made once for many readers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.http.asgi import Receive, Scope, Send


class Link(Protocol):
    """A connection. Answers that wait for their reader count against `purse`, that of the address that asked last."""

    purse: TokenBucket | None

    def cut(self) -> None: ...


class StreamLink(Link, Protocol):
    """A WebSocket, which takes ready-made frames or says that it is gone."""

    def write_frames(self, frames: bytes) -> bool: ...
    async def write_whole(self, frames: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Application:
    """What one listener serves."""

    http: Callable[[Link, Scope, Receive, Send], Awaitable[None]]
    websocket: Callable[[StreamLink, Scope, Receive, Send], Awaitable[None]]
