"""The sender of a request: its share of the node's work, and how to detect that it has left."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from coinone.interfaces.api.admission.owners import is_loopback
from coinone.interfaces.api.admission.unread import Cut
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.http.asgi import HttpError, Receive, Scope
from coinone.node.network.addresses import owner_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of a request. `left` returns when the sender has left; None if its requests are cancelled in
    another way. `cut` ends the connection."""

    share: Hashable = None
    left: Callable[[], Awaitable[None]] | None = None
    cut: Cut | None = None


NOBODY = Sender()
SHARE: ContextVar[Hashable] = ContextVar("share", default=None)
"""The share that the running task's work counts against; None for the node itself."""
PURSE: ContextVar[TokenBucket | None] = ContextVar("purse", default=None)
"""The purse of the address for which the running task works; None for the node itself."""


def address_of(scope: Scope) -> str:
    """The address that a connection comes from; "" if it has none."""
    client = scope.get("client")
    return client[0] if client else ""


def sender_of(scope: Scope, cut: Cut, receive: Receive | None = None) -> Sender:
    """The sender of a request whose body has been read: `receive` then returns only when the sender has left."""
    left = None if receive is None else lambda: _departure(receive)
    return Sender(share_of(scope), left, cut)


def share_of(scope: Scope) -> Hashable:
    """The share of a connection. All programs of this machine have one address, so each of their connections has a
    separate share."""
    client = scope.get("client") or ("", 0)
    address = owner_of(client[0])
    return tuple(client) if is_loopback(address) else address


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_left(sender: Sender, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, which is cancelled when its sender leaves. Raises HttpError 499 then."""
    if sender.left is None:
        return await work
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(sender.left())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HttpError(499, "client left")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
