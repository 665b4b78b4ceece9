"""Notify subscribers of transactions that entered the pool.

Both senders and subscribers are untrusted, and the number of messages is the product of both. So it is done in short
parts, after each of which the event loop is free for as long. Sites with the fewest subscriptions come first, also with
transactions that arrive while others are still being notified, and of equals the one furthest behind: the more it
is sent together, the fewer writes it takes. If many transactions wait for too long, or too many wait, subscribers that
have not been sent earlier ones are cut. A burst, such as a batch of a thousand calls of eth_sendRawTransaction, waits
only briefly and cuts nobody.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.admission.owners import site_of
from coinone.interfaces.api.ethereum.chain.parts import run_all
from coinone.interfaces.api.ethereum.json.blocks import hex_bytes
from coinone.interfaces.api.ethereum.json.transactions import pending_transaction_json
from coinone.interfaces.api.ethereum.news.logs import LogListener
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.limits import (
    PENDING_NEWS_BYTES_MAX,
    PENDING_NEWS_MANY,
    PENDING_NEWS_ROUND_S,
    PENDING_NEWS_WAIT_S,
    PENDING_NEWS_WAITING_MAX,
)
from coinone.rules.state.steps import Steps

log = logging.getLogger(__name__)


Listener = tuple[LogListener, str, bool]  # with its subscription, and whether that wants whole ones


class PendingNews:
    """Transactions that wait to be sent. On the interface's event loop. `listeners` returns the current ones.
    Transactions are numbered in the order of arrival."""

    def __init__(self, listeners: Callable[[], Iterable[Listener]]) -> None:
        self._listeners = listeners
        self._waiting: list[_Entered] = []  # those not yet sent to all
        self._first = 0  # number of the first of those
        self._known = 0  # numbers before this had arrived when the last round began
        self._bytes = 0  # of all that ever arrived
        self._places: dict[Hashable, _Place] = {}  # by sender
        self._teller: asyncio.Task[None] | None = None

    @property
    def _end(self) -> int:
        return self._first + len(self._waiting)

    def put(self, tx_hash: Hash32, raw: bytes) -> None:
        self._waiting.append(_Entered(tx_hash, raw, self._bytes))
        self._bytes += len(raw)
        if self._teller is None:
            self._teller = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while self._waiting:
                await run_all(self._round())
        except Exception:  # later ones may be sent to new subscribers
            log.exception("notifying subscribers of transactions failed")
            for session, _, _ in self._listeners():
                session.cut()
            self._places.clear()
            self._forget(self._end)
        finally:
            self._teller = None

    def _round(self) -> Steps[bool]:
        """True when all were notified or cut, or had as much time as others may have to wait for newer transactions."""
        begun_s, end = time.monotonic(), self._end
        turns = self._turns()
        # Iterating over many listeners takes a while: no more than a tenth of a round.
        over_s = begun_s + max(PENDING_NEWS_ROUND_S, 10 * (time.monotonic() - begun_s))
        self._known = end
        for place, listeners in turns:
            if place.told == place.turn_end:
                place.turn_end = end
            yield from self._turn(place, listeners, lambda: self._end == end or time.monotonic() < over_s)
            if place.told < place.turn_end and self._is_late(place):
                for session, _, _ in listeners:
                    session.cut()
        self._forget(min((place.told for place, _ in turns), default=end))
        return True

    def _turns(self) -> "list[tuple[_Place, list[Listener]]]":
        """Sites with the fewest subscriptions first, then senders with the fewest, then the furthest behind: in a
        fixed order, the last of many equals would get nothing."""
        by_share: dict[Hashable, list[Listener]] = {}
        of_sites: Counter[Hashable] = Counter()
        for listener in self._listeners():
            session, name, _ = listener
            if session.listens(name):
                by_share.setdefault(session.share, []).append(listener)
                of_sites[site_of(session.share)] += 1
        new = self._known
        places = self._places = {share: self._places.get(share) or _Place(new, new) for share in by_share}

        def turn(share: Hashable) -> tuple[int, int, int]:
            return of_sites[site_of(share)], len(by_share[share]), places[share].told

        return [(places[share], by_share[share]) for share in sorted(by_share, key=turn)]

    def _turn(self, place: "_Place", listeners: list[Listener], goes_on: Callable[[], bool]) -> Steps[None]:
        """Notify a sender's sessions; messages sent meanwhile are written together."""
        begun = place.told
        while place.told < place.turn_end and goes_on():
            yield from self._tell_of(self._waiting[place.told - self._first], place, listeners)
            place.told += 1
        if place.told > begun:
            for session in {session for session, _, _ in listeners}:
                session.flush()
                yield

    def _tell_of(self, transaction: "_Entered", place: "_Place", listeners: list[Listener]) -> Steps[None]:
        for session, name, full in listeners:
            if not session.listens(name):
                continue
            if self._is_late(place):
                session.cut()
                continue
            session.notify(name, transaction.whole() if full else transaction.hashed, at_once=False)
            yield

    def _is_late(self, place: "_Place") -> bool:
        """Whether too many transactions, or bytes, have arrived since a sender's turn began, or have waited too
        long."""
        count = self._end - place.turn_end
        if not count:
            return False
        oldest = self._waiting[place.turn_end - self._first]
        if count > PENDING_NEWS_WAITING_MAX or self._bytes - oldest.bytes_before > PENDING_NEWS_BYTES_MAX:
            return True
        return count > PENDING_NEWS_MANY and time.monotonic() - oldest.since_s > PENDING_NEWS_WAIT_S

    def _forget(self, before: int) -> None:
        del self._waiting[: before - self._first]
        self._first = before


@dataclass(slots=True)
class _Place:
    """The progress of a sender: notified of all before one number, in a turn that ends before another."""

    told: int
    turn_end: int


class _Entered:
    """A transaction as JSON; the whole one is encoded on demand."""

    def __init__(self, tx_hash: Hash32, raw: bytes, bytes_before: int) -> None:
        self.hashed = jsonio.encode(hex_bytes(tx_hash))
        self.since_s = time.monotonic()
        self.bytes_before = bytes_before
        self._raw = raw
        self._whole = b""

    def whole(self) -> bytes:
        self._whole = self._whole or jsonio.encode(pending_transaction_json(decode_transaction(self._raw)))
        return self._whole
