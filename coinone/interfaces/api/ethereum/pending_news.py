"""Tells subscribers of transactions that entered the pool.

Whoever sends and whoever listens are strangers, and what is to be told is the product of both. So it is told in short
parts, as long as which the event loop belongs to everybody else; what came meanwhile is told together; who listens
least is told first, and where many transactions wait for too long, or too many at once, whoever is not told yet is cut.
A burst, such as a batch of a thousand calls of eth_sendRawTransaction, waits for a moment only and cuts nobody.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Iterable

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api import jsonio
from coinone.interfaces.api.ethereum.format import hex_bytes
from coinone.interfaces.api.ethereum.log_news import Session
from coinone.interfaces.api.ethereum.parts import run_part
from coinone.interfaces.api.ethereum.transaction_format import pending_transaction_json
from coinone.interfaces.api.limits import (
    PART_S,
    PENDING_NEWS_BYTES_MAX,
    PENDING_NEWS_MANY,
    PENDING_NEWS_WAIT_S,
    PENDING_NEWS_WAITING_MAX,
)
from coinone.rules.chain.ethereum.transaction import decode_transaction
from coinone.rules.state.steps import Steps

log = logging.getLogger(__name__)


Listener = tuple[Session, str, bool]  # with the name of its subscription, and whether it wants them whole


class PendingNews:
    """On the interface's event loop. `listeners` are those of the moment."""

    def __init__(self, listeners: Callable[[], Iterable[Listener]]) -> None:
        self._listeners = listeners
        self._waiting: list[_Entered] = []
        self._bytes = 0  # of those
        self._teller: asyncio.Task[None] | None = None

    def put(self, tx_hash: Hash32, raw: bytes) -> None:
        self._waiting.append(_Entered(tx_hash, raw))
        self._bytes += len(raw)
        if self._teller is None:
            self._teller = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while self._waiting:
                entered, self._waiting, self._bytes = self._waiting, [], 0
                steps = self._steps(entered)
                while not run_part(steps):
                    await asyncio.sleep(PART_S)
        except Exception:  # the next ones may be told, to who begins to listen then
            log.exception("telling of transactions failed")
            for session, _, _ in self._listeners():
                session.cut()
        finally:
            self._teller = None

    def _steps(self, entered: "list[_Entered]") -> Steps[bool]:
        """True when everybody was told or cut."""
        by_share: dict[Hashable, list[Listener]] = {}
        for listener in self._listeners():
            by_share.setdefault(listener[0].share, []).append(listener)
        for listeners in sorted(by_share.values(), key=len):
            for session, name, full in listeners:
                for transaction in entered:
                    if not session.listens(name):
                        break
                    if self._is_late():
                        session.cut()
                        break
                    session.notify(name, transaction.whole() if full else transaction.hashed)
                    yield
        return True

    def _is_late(self) -> bool:
        """Whether whoever is not told yet keeps others waiting for too long, or too much in memory."""
        count = len(self._waiting)
        if count > PENDING_NEWS_WAITING_MAX or self._bytes > PENDING_NEWS_BYTES_MAX:
            return True
        return count > PENDING_NEWS_MANY and time.monotonic() - self._waiting[0].since_s > PENDING_NEWS_WAIT_S


class _Entered:
    """A transaction as JSON, whole where somebody wants it so."""

    def __init__(self, tx_hash: Hash32, raw: bytes) -> None:
        self.hashed = jsonio.encode(hex_bytes(tx_hash))
        self.since_s = time.monotonic()
        self._raw = raw
        self._whole = b""

    def whole(self) -> bytes:
        self._whole = self._whole or jsonio.encode(pending_transaction_json(decode_transaction(self._raw)))
        return self._whole
