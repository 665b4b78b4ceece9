"""Notify subscribers of new blocks.

Clients may have many subscriptions, and each is notified separately. So it is done in short parts, after each of which
the event loop is free for as long. Sites with the fewest subscriptions come first, also with blocks that arrive while
others are still being notified, and of equals the one that has waited longest. Logs come later: subscribers to a
block's logs first get the blocks up to it (logs.py).
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from coinone.interfaces.api.admission.owners import site_of
from coinone.interfaces.api.ethereum.chain.parts import run_all
from coinone.interfaces.api.limits import (
    HEAD_NEWS_ROUND_S,
    HEAD_NEWS_WAIT_S,
    HEAD_NEWS_WAITING_MAX,
)
from coinone.rules.state.steps import Steps

log = logging.getLogger(__name__)


class HeadListener(Protocol):
    """A WebSocket connection; `share` is the sender that its work counts against."""

    @property
    def share(self) -> Hashable: ...
    def listens(self, name: str) -> bool: ...
    def notify(self, name: str, result: bytes, at_once: bool = True) -> None: ...
    def flush(self) -> None: ...
    def cut(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Head:
    """A block as JSON, for the subscriptions that a session had when the block arrived."""

    json: bytes
    names: Sequence[str]
    since_s: float


class HeadNews:
    """Sessions that have not been sent some blocks yet. On the interface's event loop."""

    def __init__(self) -> None:
        self._waiting: dict[HeadListener, deque[_Head]] = {}
        self._count = 0  # of all blocks that ever arrived
        self._teller: asyncio.Task[None] | None = None

    def put(self, json: bytes, listeners: Iterable[tuple[HeadListener, Sequence[str]]]) -> None:
        """Queue a block for these sessions, with the names of their subscriptions."""
        self._count += 1
        now_s = time.monotonic()
        for session, names in listeners:
            blocks = self._waiting.setdefault(session, deque())
            blocks.append(_Head(json, names, now_s))
            if len(blocks) > HEAD_NEWS_WAITING_MAX and now_s - blocks[0].since_s > HEAD_NEWS_WAIT_S:
                self._cut(session)
        if self._waiting and self._teller is None:
            self._teller = asyncio.create_task(self._tell())

    def tell(self, session: HeadListener) -> Steps[None]:
        """Send a session its waiting blocks, each in one step: concurrent callers keep their order."""
        for _ in range(len(self._waiting.get(session, ()))):
            blocks = self._waiting.get(session)
            if blocks is None:
                return
            block = blocks.popleft()
            if not blocks:
                del self._waiting[session]
            for name in block.names:
                if session.listens(name):
                    session.notify(name, block.json, at_once=False)
            session.flush()
            yield

    def waiting(self, session: HeadListener) -> int:
        """The number of messages that a session is still to be sent."""
        return sum(len(block.names) for block in self._waiting.get(session, ()))

    async def _tell(self) -> None:
        try:
            while self._waiting:
                await run_all(self._round())
        except Exception:  # later blocks may be sent to new subscribers
            log.exception("notifying subscribers of blocks failed")
            for session in tuple(self._waiting):
                self._cut(session)
        finally:
            self._teller = None

    def _round(self) -> Steps[bool]:
        """True when all were notified, or had as much time as others may have to wait for a newer block."""
        over_s, count = time.monotonic() + HEAD_NEWS_ROUND_S, self._count
        for session in self._turns():
            if self._count != count and time.monotonic() > over_s:
                break
            yield from self.tell(session)
        return True

    def _turns(self) -> list[HeadListener]:
        """Sites with the fewest subscriptions first, then senders with the fewest, then the longest wait."""
        listens: Counter[Hashable] = Counter()
        for session, blocks in self._waiting.items():
            for owner in {session.share, site_of(session.share)}:
                listens[owner] += len(blocks[-1].names)
        return sorted(self._waiting, key=lambda each: (listens[site_of(each.share)], listens[each.share]))

    def _cut(self, session: HeadListener) -> None:
        """Cut a session: no subscription may continue with a gap."""
        del self._waiting[session]
        session.cut()
