"""POST /info: one table from request type to handler.

Questions about markets are answered from the view published after each batch, without asking the executor;
the bytes of such an answer are kept until the next batch. Questions about accounts run between batches.
Histories come from the store.
"""

from typing import Any

from coinone.base.primitives.errors import InvalidInput, LimitExceeded
from coinone.interfaces.api import jsonio
from coinone.interfaces.api.exchange.absent import ABSENT
from coinone.interfaces.api.exchange.account_info import ACCOUNT
from coinone.interfaces.api.exchange.market_info import MARKET
from coinone.interfaces.api.exchange.sources import Handler, Json, Sources, require_main_dex
from coinone.interfaces.api.http import HttpError
from coinone.interfaces.api.weights import INFO_WEIGHT, Purse, info_weight
from coinone.node.runtime.view import View

HANDLERS: dict[str, Handler] = {**MARKET, **ACCOUNT}
_CACHED_ANSWERS_MAX = 512  # distinct market questions between two batches


class Info:
    """The read side of the exchange API."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._cache: dict[bytes, tuple[bytes, int]] = {}
        self._cached_of: View | None = None
        self.answered: dict[str, int] = {}  # by type, for /metrics; those from the cache are left out

    async def answer_bytes(self, body: bytes, purse: Purse) -> bytes:
        """The JSON of an answer, paid for. Raises HttpError for a request that no type or field fits, or that
        the purse does not allow."""
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
        try:
            answer = await self._answer_paid(request, purse)
        except InvalidInput as error:
            raise HttpError(422, str(error)) from error
        kind, result = request["type"], jsonio.encode(answer)
        if kind in MARKET and len(self._cache) < _CACHED_ANSWERS_MAX and len(body) < 256:
            self._cache[body] = result, info_weight(kind, answer)
        return result

    async def answer_paid(self, request: Any, purse: Purse) -> Json:
        """The answer object of a request, paid for. Raises InvalidInput, LimitExceeded among them."""
        purse.require()
        return await self._answer_paid(request, purse)

    async def _answer_paid(self, request: Any, purse: Purse) -> Json:
        try:
            answer = await self._answer(request)
        except InvalidInput:
            purse.spend(INFO_WEIGHT)
            raise
        purse.spend(info_weight(request["type"], answer))
        return answer

    async def _answer(self, request: Any) -> Json:
        kind = request.get("type") if isinstance(request, dict) else None
        if not isinstance(kind, str):
            raise InvalidInput("Failed to deserialize the JSON body into the target type")
        require_main_dex(request)
        handler = HANDLERS.get(kind)
        if handler is not None or kind in ABSENT:
            self.answered[kind] = self.answered.get(kind, 0) + 1
        if handler is not None:
            return await handler(self._sources, request)
        if kind in ABSENT:
            return ABSENT[kind]
        raise InvalidInput("Failed to deserialize the JSON body into the target type", type=kind[:40])
