"""The one way in for signed transactions of both kinds, many at a time.

Each needs its signer recovered and a place in a pool, which only the executor may give. Alone, a transaction goes
immediately; those that arrive meanwhile go together: one job for their signatures (signers.py), one visit to the
executor. Their order is kept, since one sender's nonces follow one another; but cancels have a line of their own, and
their visits come before others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from coinone.base.primitives.errors import InvalidInput
from coinone.node.executor.executor import Overloaded
from coinone.node.executor.signers import Signed, Signers
from coinone.node.limits import INTAKE_PER_VISIT, INTAKE_WAITING_MAX

T = TypeVar("T")
Outcomes: TypeAlias = list[Any]  # what each transaction came to; an exception if it was refused


class Visit(Protocol):
    """Runs a job on the executor; `first`, before what others want of it."""

    def __call__(self, job: Callable[[], Outcomes], first: bool) -> Awaitable[Outcomes]: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    signed: Sequence[Signed]
    enter: Callable[[], Any]
    answer: "asyncio.Future[Any]"


class Intake:
    """Any thread with an event loop; each loop has its own lines."""

    def __init__(self, visit: Visit, signers: Signers) -> None:
        self._visit = visit
        self._signers = signers
        self._lines: dict[bool, WeakKeyDictionary[asyncio.AbstractEventLoop, _Line]]
        self._lines = {first: WeakKeyDictionary() for first in (False, True)}

    async def submit(self, signed: Sequence[Signed], enter: Callable[[], T], first: bool = False) -> T:
        """What `enter` returns on the executor, once the senders of `signed` are known. Raises what it raises,
        InvalidSignature, Overloaded if too many wait, or StorageError if the node stops."""
        loop, lines = asyncio.get_running_loop(), self._lines[first]
        line = lines.get(loop)
        if line is None:
            line = lines[loop] = _Line()
        if not line.is_moving:
            return await self._alone(line, signed, enter, first)
        if len(line.waiting) >= INTAKE_WAITING_MAX:
            raise Overloaded(INTAKE_WAITING_MAX)
        answer: asyncio.Future[T] = loop.create_future()
        line.waiting.append(_Waiting(signed, enter, answer))
        return await answer

    async def _alone(self, line: "_Line", signed: Sequence[Signed], enter: Callable[[], T], first: bool) -> T:
        """A visit of one, without a task or a turn of the event loop before it."""
        line.is_moving = True
        try:
            _require_senders(signed)
            (outcome,) = await self._visit(lambda: [_outcome(enter)], first)
        finally:
            line.is_moving = bool(line.waiting)
            if line.waiting:
                line.visits = asyncio.create_task(self._visits(line, first))
        if isinstance(outcome, Exception):
            raise outcome
        found: T = outcome
        return found

    async def _visits(self, line: "_Line", first: bool) -> None:
        try:
            while line.waiting:
                part, line.waiting = line.waiting[:INTAKE_PER_VISIT], line.waiting[INTAKE_PER_VISIT:]
                await self._together([one for one in part if not one.answer.done()], first)
        finally:
            line.is_moving = False

    async def _together(self, part: list[_Waiting], first: bool) -> None:
        await self._signers.recover([signed for one in part for signed in one.signed])
        known = []
        for one in part:
            try:
                _require_senders(one.signed)
                known.append(one)
            except InvalidInput as error:
                settle(one.answer, error)
        if not known:
            return
        try:
            outcomes = await self._visit(lambda: [_outcome(one.enter) for one in known], first)
        except Exception as error:  # the executor refused: everybody who came is told
            outcomes = [error] * len(known)
        for one, outcome in zip(known, outcomes, strict=True):
            settle(one.answer, outcome)


class _Line:
    """What waits on one event loop while those before it are on their way."""

    def __init__(self) -> None:
        self.is_moving = False
        self.waiting: list[_Waiting] = []
        self.visits: asyncio.Task[None] | None = None  # held, or the loop might lose it


def _require_senders(transactions: Sequence[Signed]) -> None:
    """Recover those that are not known. Raises InvalidSignature."""
    for transaction in transactions:
        assert transaction.sender, "known, or recovering it raises"


def _outcome(enter: Callable[[], Any]) -> Any:
    try:
        return enter()
    except Exception as error:
        return error


def settle(answer: "asyncio.Future[T]", outcome: T | Exception) -> None:
    """Tell whoever waits for `answer`, on its event loop."""
    if answer.done():  # its sender went away
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
