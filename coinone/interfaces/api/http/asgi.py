"""A thin layer over ASGI: read a body within its bound, answer with one write. No framework is used, because it
would cost more than most of the answers do (docs/decisions: measured 14,000 against 2,200 requests per core-second)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from coinone.base.primitives.errors import CoinoneError, InvalidInput, LimitExceeded
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.limits import (
    BODY_BYTES_MAX,
    BODY_SMALL_BYTES,
    LARGE_BLOCK_BYTES,
)

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

JSON_TYPE = (b"content-type", b"application/json")


class HttpError(CoinoneError):
    """An answer other than 200, with the JSON `code` and `msg` that exchange clients index."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    @classmethod
    def of(cls, error: InvalidInput, status: int) -> "HttpError":
        """The error for what a sender did: 429 if it exceeded a limit, else `status`."""
        return cls(429 if isinstance(error, LimitExceeded) else status, str(error))


def header(scope: Scope, name: bytes) -> bytes | None:
    """The value of a header that may occur only once; None if absent. Raises HttpError if repeated."""
    found: bytes | None = None
    for key, value in scope["headers"]:
        if key == name:
            if found is not None:
                raise HttpError(400, f"header {name.decode()} is repeated")
            found = value
    return found


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole request body. Raises HttpError when it is too large or the client left.

    A large body is assembled in one block, which is returned to the system. Pieces, or a block that grows from small
    on, leave holes in the heap, which keeps them.
    """
    length = header(scope, b"content-length")
    if length is not None and (not length.isdigit() or len(length) > 12 or int(length) > BODY_BYTES_MAX):
        raise HttpError(413, f"body too large (most {BODY_BYTES_MAX} bytes)")
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if message["type"] != "http.request":
            raise HttpError(499, "client left")
        return body
    whole, size = bytearray(body), len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            raise HttpError(499, "client left")
        piece = message.get("body", b"")
        if size + len(piece) > BODY_BYTES_MAX:
            raise HttpError(413, f"body too large (most {BODY_BYTES_MAX} bytes)")
        if len(whole) <= BODY_SMALL_BYTES < size + len(piece):
            whole += bytes(LARGE_BLOCK_BYTES - len(whole))
        whole[size : size + len(piece)] = piece
        size += len(piece)
    return bytes(whole[:size])


async def answer(send: Send, body: bytes, status: int = 200, headers: Headers | None = None) -> None:
    """Send one whole answer; JSON unless `headers` name another content type."""
    lines: Headers = [(b"content-length", str(len(body)).encode())]
    if headers is None:
        lines.append(JSON_TYPE)
    else:
        if not any(name == b"content-type" for name, _ in headers):
            lines.append(JSON_TYPE)
        lines.extend(headers)
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def error_body(status: int, message: str) -> bytes:
    return jsonio.encode({"code": status, "msg": message})
