"""Notify subscribers of the logs of new blocks.

Both the authors of logs and the subscribers are untrusted: one transaction makes 40,000 logs for 0.001 coins, and a
filter that matches none of them costs as much to evaluate as one that matches all. So:

- the logs of a block are indexed once, and a filter takes a few operations on bit sets, with a bit for each log,
  however many logs there are and whatever they have in common;
- it is done in short parts, after each of which the event loop is free for as long, and neither market data nor the
  next block waits for it;
- a sender gets every log of a block once and LOG_RESULTS_MAX more messages, and is cut if that is too little;
- senders that request least come first, and those that request or receive much come last, also after what later blocks
  have for others.
  If too many blocks wait, subscribers that have not been sent the oldest are cut: no subscription continues with a gap.
"""

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.api.admission.owners import site_of
from coinone.interfaces.api.ethereum.chain.parts import run_part
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader, log_json
from coinone.interfaces.api.ethereum.json.log_filter import LogFilter
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.limits import LOG_BLOCKS_WAITING_MAX, LOG_RESULTS_MAX, PART_S
from coinone.rules.ledger.placed import PlacedRecord
from coinone.rules.state.steps import Steps
from coinone.rules.vm import Log

log = logging.getLogger(__name__)

_LOGS_PER_STEP = 64  # of an index: 0.1 ms
_FEW = 256  # logs that a sender gets as soon as they are found: 2 ms; and entries that are searched as early
_LONG = 256  # a key that more than one in so many logs has keeps its bit set
_Key = Address | tuple[int, Hash32 | None]  # a log's address, or its topic at a position; None: any


class LogListener(Protocol):
    """A WebSocket connection; `share` is the sender that its work counts against. It gets blocks before their logs."""

    @property
    def share(self) -> Hashable: ...
    def listens(self, name: str) -> bool: ...
    def notify(self, name: str, result: bytes, at_once: bool = True) -> None: ...
    def flush(self) -> None: ...
    @property
    def heads_waiting(self) -> int: ...
    def tell_heads(self) -> Steps[None]: ...
    def cut(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Listener:
    """A subscription at the time of the block."""

    session: LogListener
    name: str
    wanted: LogFilter

    @property
    def listens(self) -> bool:
        return self.session.listens(self.name)


class LogNews:
    """Blocks whose logs are still to be sent. On the interface's event loop."""

    def __init__(self) -> None:
        self._blocks: deque[BlockNews] = deque()
        self._late: deque[BlockNews] = deque()  # in which only senders that get much are left
        self._teller: asyncio.Task[None] | None = None

    def put(self, header: AnyHeader, rows: Sequence[PlacedRecord], listeners: Sequence[Listener]) -> None:
        """Queue a block for these subscriptions."""
        if not listeners or not any(row.record.logs for row in rows):
            return
        waiting = [block for block in (*self._late, *self._blocks) if block.untold]
        if len(waiting) >= LOG_BLOCKS_WAITING_MAX:
            waiting[0].cut()
            self._forget_told()
        self._blocks.append(BlockNews(header, rows, listeners))
        if self._teller is None:
            self._teller = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while self._blocks or self._late:
                if self._blocks:
                    await self._tell_few(self._blocks[0])
                    block = self._blocks.popleft()
                    if block.untold:
                        self._late.append(block)
                else:
                    block = self._late[0]
                    await self._go(block, block.rest, lambda: bool(self._blocks))
                    self._forget_told()
        finally:
            self._teller = None

    def _forget_told(self) -> None:
        """Free blocks whose logs all were sent or whose subscribers were cut; except the first, which is in
        progress."""
        self._late = deque(block for block in self._late if block.untold)
        first, rest = list(self._blocks)[:1], list(self._blocks)[1:]
        self._blocks = deque(first + [block for block in rest if block.untold])

    async def _tell_few(self, block: "BlockNews") -> None:
        """Send small results, except to senders that still wait for an earlier block, so that each gets blocks in
        order."""
        behind = {share for late in self._late for share in late.untold}
        await self._go(block, block.few(behind), lambda: False)

    async def _go(self, block: "BlockNews", steps: Steps[bool], has_to_wait: Callable[[], bool]) -> None:
        """Run steps in parts, yielding for as long after each. Subscribers whose notification fails are cut."""
        try:
            while block.untold and not has_to_wait():
                if run_part(steps):
                    return
                await asyncio.sleep(PART_S)
        except Exception:  # the next block may succeed
            log.exception("notifying subscribers of logs failed")
            block.cut()


class BlockNews:
    """The logs of one block, and their subscribers that are still to be notified."""

    def __init__(
        self, header: AnyHeader, rows: Sequence[PlacedRecord], listeners: Sequence[Listener]
    ) -> None:
        self._header, self._rows = header, rows
        self._logs: list[tuple[PlacedRecord, int, Log]] = []
        self._index = LogIndex(sum(len(row.record.logs) for row in rows))
        self._made: dict[int, bytes] = {}  # as JSON, encoded once for all
        self.untold: dict[Hashable, list[Listener]] = {}  # by sender
        for each in listeners:
            self.untold.setdefault(each.session.share, []).append(each)
        self._much: list[tuple[int, Hashable]] = []  # number of messages or entries, and the sender
        self.rest = self._rest()

    def cut(self) -> None:
        """Cut the sessions that were not notified."""
        for share in list(self.untold):
            self._cut(share)

    def few(self, behind: Set[Hashable]) -> Steps[bool]:
        """Notify senders that request little and get little, and are not `behind`. True at the end."""
        yield from self._read()
        asked: Counter[Hashable] = Counter()  # by site: one with a thousand addresses asks little on each
        for share, those in self.untold.items():
            asked[site_of(share)] += sum(each.wanted.entries for each in those)
            # blocks are sent first, which takes as long
            asked[site_of(share)] += sum(each.heads_waiting for each in {each.session for each in those})
        told: Counter[Hashable] = Counter()
        for share in sorted(self.untold, key=lambda each: asked[site_of(each)]):
            site = site_of(share)
            if asked[site] > _FEW or told[site] > _FEW:
                self._much.append((max(asked[site], told[site]), share))
                continue
            count = yield from self._count(share)
            told[site] += count
            if told[site] > _FEW or (count and share in behind):
                self._much.append((told[site], share))
            else:
                yield from self._tell(share)
        return True

    def _rest(self) -> Steps[bool]:
        """Notify the other senders. True at the end, when all were notified or cut."""
        for _, share in sorted(self._much, key=itemgetter(0)):
            if (yield from self._count(share)) > len(self._logs) + LOG_RESULTS_MAX:
                self._cut(share)
            else:
                yield from self._tell(share)
        return True

    def _read(self) -> Steps[None]:
        for row in self._rows:
            for n, log in enumerate(row.record.logs):
                self._index.add(len(self._logs), log)
                self._logs.append((row, n, log))
                if n % _LOGS_PER_STEP == 0:
                    yield

    def _count(self, share: Hashable) -> Steps[int]:
        """The number of messages for a sender."""
        count = 0
        for each in self.untold.get(share, ()):
            if each.listens:
                count += self._index.matching(each.wanted).bit_count()
                yield
        return count

    def _tell(self, share: Hashable) -> Steps[None]:
        for each in self.untold.get(share, ()):
            yield from each.session.tell_heads()
            for place in _places(self._index.matching(each.wanted) if each.listens else 0):
                if not each.listens:
                    break
                each.session.notify(each.name, self._json(place))
                yield
            yield
        self.untold.pop(share, None)

    def _json(self, place: int) -> bytes:
        made = self._made.get(place)
        if made is None:
            row, n, log = self._logs[place]
            shown = log_json(log, self._header, row.record.hash, row.index, row.first_log_index + n)
            made = self._made[place] = jsonio.encode(shown)
        return made

    def _cut(self, share: Hashable) -> None:
        for each in self.untold.pop(share, ()):
            if each.listens:
                each.session.cut()


class LogIndex:
    """An index of logs by address and by topic at a position. Sets of logs are integers with a bit for each log."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._places: defaultdict[_Key, list[int]] = defaultdict(list)
        self._bits: dict[_Key, int] = {}  # of keys that many logs have

    def add(self, place: int, log: Log) -> None:
        self._places[log.address].append(place)
        for at, topic in enumerate(log.topics):
            self._places[at, topic].append(place)
            self._places[at, None].append(place)

    def matching(self, wanted: LogFilter) -> int:
        """The logs that `wanted` matches: for each criterion they have one of its alternatives."""
        found = (1 << self._count) - 1
        groups: list[Iterable[_Key]] = [wanted.addresses]
        groups += [[(at, topic) for topic in topics] for at, topics in enumerate(wanted.topics)]
        if wanted.topics:  # at least as many topics, whatever they are
            groups.append([(len(wanted.topics) - 1, None)])
        for group in groups:
            if group and found:
                found &= self._any(group)
        return found

    def _any(self, keys: Iterable[_Key]) -> int:
        """The logs that have one of the keys. Bit sets of rare keys are built bit by bit."""
        found, few = 0, bytearray()
        for key in keys:
            places = self._places.get(key, ())
            if len(places) * _LONG > self._count:
                found |= self._many(key, places)
            elif places:
                few = few or bytearray(self._count // 8 + 1)
                _set(few, places)
        return found | int.from_bytes(few, "little")

    def _many(self, key: _Key, places: Iterable[int]) -> int:
        bits = self._bits.get(key)
        if bits is None:
            made = bytearray(self._count // 8 + 1)
            _set(made, places)
            bits = self._bits[key] = int.from_bytes(made, "little")
        return bits


def _set(bits: bytearray, places: Iterable[int]) -> None:
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)


def _places(bits: int) -> Iterator[int]:
    """The positions of set bits, in order."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
