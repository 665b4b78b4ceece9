"""Tells subscribers of new blocks.

Strangers have as many subscriptions as there are sites, and each is told for itself. So it is done in short parts, as
long as which the event loop belongs to everybody else. Whose site listens least is told first, also of what comes while
the others are told still, and of equals whoever waits longest. Logs come after: whoever is to be told of a block's logs
is told of the blocks up to it before (logs.py).
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
    """A WebSocket connection; `share` is the sender that its work counts to."""

    @property
    def share(self) -> Hashable: ...
    def listens(self, name: str) -> bool: ...
    def notify(self, name: str, result: bytes, at_once: bool = True) -> None: ...
    def flush(self) -> None: ...
    def cut(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Head:
    """A block as JSON, for the subscriptions that a session had when it came."""

    json: bytes
    names: Sequence[str]
    since_s: float


class HeadNews:
    """Sessions that are not told of some blocks yet. On the interface's event loop."""

    def __init__(self) -> None:
        self._waiting: dict[HeadListener, deque[_Head]] = {}
        self._count = 0  # of all blocks that ever came
        self._teller: asyncio.Task[None] | None = None

    def put(self, json: bytes, listeners: Iterable[tuple[HeadListener, Sequence[str]]]) -> None:
        """Let the listeners be told of a block, by the names of their subscriptions."""
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
        """Of the blocks that it is not told of yet, each in one step: whoever goes on with it meanwhile keeps their
        order."""
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
        """How many messages it is still to be sent."""
        return sum(len(block.names) for block in self._waiting.get(session, ()))

    async def _tell(self) -> None:
        try:
            while self._waiting:
                await run_all(self._round())
        except Exception:  # the next ones may be told, to who begins to listen then
            log.exception("telling of blocks failed")
            for session in tuple(self._waiting):
                self._cut(session)
        finally:
            self._teller = None

    def _round(self) -> Steps[bool]:
        """True when everybody was told, or had as much time as others may have to wait for a block that came since."""
        over_s, count = time.monotonic() + HEAD_NEWS_ROUND_S, self._count
        for session in self._turns():
            if self._count != count and time.monotonic() > over_s:
                break
            yield from self.tell(session)
        return True

    def _turns(self) -> list[HeadListener]:
        """Whose site listens least is first, then who does, then who waits longest."""
        listens: Counter[Hashable] = Counter()
        for session, blocks in self._waiting.items():
            for owner in {session.share, site_of(session.share)}:
                listens[owner] += len(blocks[-1].names)
        return sorted(self._waiting, key=lambda each: (listens[site_of(each.share)], listens[each.share]))

    def _cut(self, session: HeadListener) -> None:
        """It goes on with no gap."""
        del self._waiting[session]
        session.cut()
