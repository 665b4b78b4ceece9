"""POST /info: look up a request's type in one table, whose record defines its handler and weight.

Requests about markets are answered from the view published after each batch, without the executor; the bytes of such an
answer are kept until the next batch. Requests about accounts run between batches. Histories come from the store. A
sender pays the weight of its request's kind before anything is read, and for rows in the thread that read them, so that
disconnecting avoids neither.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from coinone.base.primitives.errors import InvalidInput, LimitExceeded
from coinone.interfaces.api.admission.queries import InThread
from coinone.interfaces.api.admission.sender import NOBODY, Sender, unless_left
from coinone.interfaces.api.admission.weights import INFO_WEIGHT, Bill, TokenBucket
from coinone.interfaces.api.exchange.info.sources import Answered, InfoType, Json, Sources, require_main_dex
from coinone.interfaces.api.exchange.info.table import INFO_TYPES
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.http.asgi import HttpError
from coinone.node.views.view import View

T = TypeVar("T")
_UNKNOWN = "Failed to deserialize the JSON body into the target type"
_CACHED_ANSWERS_MAX = 512  # distinct market requests between two batches


class Info:
    """The read side of the exchange API."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._cache: dict[bytes, tuple[bytes, int]] = {}
        self._cached_of: View | None = None
        self.answered: dict[str, int] = {}  # by type, for /metrics; cached answers are not counted

    async def answer_bytes(self, body: bytes, purse: TokenBucket, sender: Sender = NOBODY) -> bytes:
        """The JSON of an answer, paid for. Raises HttpError for an invalid request, if the purse does not allow it,
        or if its sender leaves."""
        view = self._sources.data.view
        if self._cached_of is not view:
            self._cache.clear()
            self._cached_of = view
        try:
            purse.require()
        except LimitExceeded as error:
            raise HttpError(429, str(error)) from error
        known = self._cache.get(body)
        if known is not None:
            purse.spend(known[1])
            return known[0]
        try:
            purse.admit(len(body))
            request = jsonio.decode(body)
        except InvalidInput as error:
            purse.spend(INFO_WEIGHT)
            raise HttpError(422, str(error)) from error
        kind = _type_of(request)
        is_of_view = kind is not None and kind.answered is Answered.FROM_VIEW
        answering = self.answer(request, Bill(purse, _least(kind)))
        try:
            answer = await (answering if is_of_view else unless_left(sender, answering))
        except InvalidInput as error:
            raise HttpError.of(error, 422) from error
        result = jsonio.encode(answer)
        if kind is not None and is_of_view and len(self._cache) < _CACHED_ANSWERS_MAX and len(body) < 256:
            self._cache[body] = result, kind.weight_of(answer)
        return result

    def admit(self, request: Any, purse: TokenBucket) -> Bill:
        """Admit a request, which pays the weight of its kind. Raises LimitExceeded."""
        purse.require()
        return Bill(purse, _least(_type_of(request)))

    async def answer(self, request: Any, bill: Bill) -> Json:
        """The answer object of an admitted request. Raises InvalidInput, including LimitExceeded."""
        try:
            kind = _known(request)
            self.answered[kind.name] = self.answered.get(kind.name, 0) + 1
            answer = await kind.handler(self._paid(kind, bill), kind.fields_of(request))
        except LimitExceeded:
            raise
        except InvalidInput:
            bill.raise_to(INFO_WEIGHT)
            raise
        bill.raise_to(kind.weight_of(answer))
        return answer

    def _paid(self, kind: InfoType, bill: Bill) -> Sources:
        """The sources of an answer; reading rows from them is paid for."""
        if kind.answered is Answered.FROM_VIEW:
            return self._sources
        near, slow = self._sources.in_thread, self._sources.in_slow_thread
        return replace(
            self._sources,
            in_thread=_paying(near, kind, bill),
            in_slow_thread=_paying(slow, kind, bill),
        )


def _type_of(request: Any) -> InfoType | None:
    name = request.get("type") if isinstance(request, dict) else None
    return INFO_TYPES.get(name) if isinstance(name, str) else None


def _known(request: Any) -> InfoType:
    """The type of a request. Raises InvalidInput."""
    if not isinstance(request, dict) or not isinstance(request.get("type"), str):
        raise InvalidInput(_UNKNOWN)
    require_main_dex(request)
    kind = _type_of(request)
    if kind is None:
        raise InvalidInput(_UNKNOWN, type=request["type"][:40])
    return kind


def _least(kind: InfoType | None) -> int:
    """The minimum weight of a request, also of an unknown type."""
    return INFO_WEIGHT if kind is None else kind.weight


def _paying(in_thread: InThread, kind: InfoType, bill: Bill) -> InThread:
    async def run(work: Callable[[], T]) -> T:
        def paid() -> T:
            read = work()
            bill.raise_to(kind.weight_of(read))
            return read

        return await in_thread(paid)

    return run
