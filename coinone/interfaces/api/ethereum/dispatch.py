"""JSON-RPC 2.0: single calls and batches, over HTTP and WebSocket.

A method is a record in a table (table.py), found by its name. A batch is bounded by its number of calls and by the size
of its answer, because answers may be a thousand times larger than requests.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from typing import Any

from coinone.base.primitives.errors import DecodeError, InvalidInput, LimitExceeded, StorageError
from coinone.interfaces.api.admission.sender import NOBODY, Sender, unless_left
from coinone.interfaces.api.admission.weights import ANSWER_BYTES_PER_WEIGHT, TokenBucket
from coinone.interfaces.api.ethereum.backend import EthereumBackend
from coinone.interfaces.api.ethereum.context import Context, Method
from coinone.interfaces.api.ethereum.json.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    LIMIT_EXCEEDED,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
    from_input_error,
)
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.http.asgi import HttpError
from coinone.interfaces.api.http.guard import Caller
from coinone.interfaces.api.limits import RPC_ANSWER_BYTES_MAX, RPC_BATCH_MAX

log = logging.getLogger(__name__)

_EXTENSION_NAMESPACES = frozenset({"eth", "net", "web3"})
_ID_TEXT_MAX = 256
_SEND = "eth_sendRawTransaction"


class Dispatcher:
    """Answers JSON-RPC bytes with JSON-RPC bytes."""

    def __init__(self, methods: dict[str, Method], backend: EthereumBackend) -> None:
        self._methods = methods
        self._backend = backend
        self.calls: dict[str, int] = {}  # answered calls by method, for /metrics

    async def answer(
        self, body: bytes, caller: Caller, purse: TokenBucket, session: Any = None, sender: Sender = NOBODY
    ) -> bytes:
        """The answer to one request or batch; b"" if all of it was notifications."""
        try:
            purse.admit(len(body))
            request = jsonio.decode(body)
        except (LimitExceeded, DecodeError) as error:
            return _encode_error(None, _unreadable(error, purse))
        context = Context(self._backend, caller, purse, session, sender)
        if isinstance(request, list):
            alone = replace(context, sender=replace(sender, left=None))  # the batch is cancelled as a whole
            return await unless_left(sender, self._answer_batch(request, alone))
        return await self._answer_one(request, context)

    async def _answer_batch(self, requests: list[Any], context: Context) -> bytes:
        if not requests:
            return _encode_error(None, RpcError(INVALID_REQUEST, "empty batch"))
        if len(requests) > RPC_BATCH_MAX:
            return _encode_error(
                None, RpcError(INVALID_REQUEST, f"batch too large (most {RPC_BATCH_MAX} calls)")
            )
        with ExitStack() as kept:
            answers = await self._answer_groups(requests, context, kept)
        return b"[" + b",".join(answers) + b"]" if answers else b""

    async def _answer_groups(self, requests: list[Any], context: Context, kept: ExitStack) -> list[bytes]:
        """The answers to a batch; finished ones are `kept` until the last one is ready, and count as unread
        meanwhile."""
        answers: list[bytes] = []
        size = 0
        for group in _groups(requests):
            if size > RPC_ANSWER_BYTES_MAX:
                spent = RpcError(LIMIT_EXCEEDED, "response too large: ask for less in one batch")
                ones = [_encode_error(_id_of(request), spent) for request in group]
            else:
                ones = await asyncio.gather(*(self._answer_one(request, context) for request in group))
            answers += [one for one in ones if one]
            more = sum(map(len, ones))
            kept.enter_context(context.purse.unread(more, context.sender.cut))
            size += more
        return answers

    async def _answer_one(self, request: Any, context: Context) -> bytes:
        """The answer to one call; b"" for a successful notification. Every answer is paid for by its size."""
        made, is_error = await self._made(request, context)
        context.purse.spend(len(made) // ANSWER_BYTES_PER_WEIGHT)
        return made if is_error or "id" in request else b""

    async def _made(self, request: Any, context: Context) -> tuple[bytes, bool]:
        """An answer, and whether it is an error."""
        request_id = _id_of(request)
        try:
            context.purse.require()
            context.purse.spend(1)  # whatever its outcome
            method, params = _check_request(request)
            result = jsonio.encode(await self._call(method, params, context))
        except RpcError as error:
            return _encode_error(request_id, error), True
        except InvalidInput as error:
            return _encode_error(request_id, from_input_error(error)), True
        except StorageError as error:  # halted or stopping: the node reports the reason separately
            return _encode_error(request_id, RpcError(INTERNAL_ERROR, str(error))), True
        except HttpError:  # the sender left
            raise
        except Exception:
            log.exception("a JSON-RPC handler failed")
            return _encode_error(request_id, RpcError(INTERNAL_ERROR, "internal error")), True
        return b'{"jsonrpc":"2.0","id":' + jsonio.encode(request_id) + b',"result":' + result + b"}", False

    async def _call(self, name: str, params: list[Any], context: Context) -> Any:
        method = self._methods.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, f"the method {name} does not exist/is not available")
        if context.caller is Caller.EXTENSION and name.split("_", 1)[0] not in _EXTENSION_NAMESPACES:
            raise RpcError(
                METHOD_NOT_FOUND, f"{name} is not open to browser extensions; --allow-origin would open it"
            )
        while params and params[-1] is None:
            params = params[:-1]
        missing = next((place for place in range(method.least) if _at(params, place) is None), None)
        if missing is not None:
            raise RpcError(INVALID_PARAMS, f"missing value for required argument {missing}")
        if len(params) > method.most:
            raise RpcError(INVALID_PARAMS, f"too many arguments, want at most {method.most}")
        context.purse.spend(method.weight - 1)
        self.calls[name] = self.calls.get(name, 0) + 1
        return await method.handler(context, *params)


def _at(params: list[Any], place: int) -> Any:
    return params[place] if place < len(params) else None


def _unreadable(error: LimitExceeded | DecodeError, purse: TokenBucket) -> RpcError:
    try:
        purse.require()
    except LimitExceeded as empty:
        return from_input_error(empty)
    purse.spend(1)
    return (
        from_input_error(error) if isinstance(error, LimitExceeded) else RpcError(PARSE_ERROR, "parse error")
    )


def _groups(requests: list[Any]) -> Iterator[list[Any]]:
    """Group successive transactions, which are submitted together; everything else is executed in sequence."""
    for is_sending, group in groupby(requests, key=_is_sending):
        if is_sending:
            yield list(group)
        else:
            yield from ([request] for request in group)


def _is_sending(request: Any) -> bool:
    return isinstance(request, dict) and request.get("method") == _SEND


def _check_request(request: Any) -> tuple[str, list[Any]]:
    if not isinstance(request, dict):
        raise RpcError(INVALID_REQUEST, "invalid request")
    method, params = request.get("method"), request.get("params")
    if request.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "invalid request")
    if len(method) > 64 or not method.isascii() or not method.isprintable():
        raise RpcError(METHOD_NOT_FOUND, "no such method")
    if params is None:
        return method, []
    if not isinstance(params, list):
        raise RpcError(INVALID_PARAMS, "non-array args")
    return method, params


def _id_of(request: Any) -> Any:
    """The id to answer with; null if the request has no valid one."""
    if not isinstance(request, dict):
        return None
    request_id = request.get("id")
    if isinstance(request_id, str):
        return request_id if len(request_id) <= _ID_TEXT_MAX else None
    if isinstance(request_id, int | float) and not isinstance(request_id, bool):
        return request_id
    return None


def _encode_error(request_id: Any, error: RpcError) -> bytes:
    return jsonio.encode({"jsonrpc": "2.0", "id": request_id, "error": error.as_json()})
