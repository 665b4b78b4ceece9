"""Submit signed transactions of both kinds to the executor, in groups.

Each needs its signer recovered and a place in a pool, which only the executor may give. A transaction that arrives
alone is submitted immediately; those that arrive meanwhile are grouped: one job for their signatures (signers.py), one
visit to the executor. Their order is kept, since one sender's nonces are consecutive; but cancels have a separate
queue, and their visits come before others.
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
Outcomes: TypeAlias = list[Any]  # the result of each transaction; an exception if it was refused


class Visit(Protocol):
    """Runs a job on the executor; `first`: before ordinary jobs."""

    def __call__(self, job: Callable[[], Outcomes], first: bool) -> Awaitable[Outcomes]: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    signed: Sequence[Signed]
    enter: Callable[[], Any]
    answer: "asyncio.Future[Any]"


class Intake:
    """Groups transactions on any thread with an event loop; each loop has its own queues."""

    def __init__(self, visit: Visit, signers: Signers) -> None:
        self._visit = visit
        self._signers = signers
        self._lines: dict[bool, WeakKeyDictionary[asyncio.AbstractEventLoop, _Line]]
        self._lines = {first: WeakKeyDictionary() for first in (False, True)}

    async def submit(self, signed: Sequence[Signed], enter: Callable[[], T], first: bool = False) -> T:
        """Return what `enter` returns on the executor, once the senders of `signed` are known. Raises what it
        raises, InvalidSignature, Overloaded if too many wait, or StorageError if the node stops."""
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
        """Submit a single transaction directly, without creating a task or yielding to the event loop first."""
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
        except Exception as error:  # the executor refused: every caller gets its error
            outcomes = [error] * len(known)
        for one, outcome in zip(known, outcomes, strict=True):
            settle(one.answer, outcome)


class _Line:
    """The queue of one event loop while an earlier group is being submitted."""

    def __init__(self) -> None:
        self.is_moving = False
        self.waiting: list[_Waiting] = []
        self.visits: asyncio.Task[None] | None = None  # a reference, or the loop might collect the task


def _require_senders(transactions: Sequence[Signed]) -> None:
    """Recover unknown senders. Raises InvalidSignature."""
    for transaction in transactions:
        assert transaction.sender, "known, or recovering it raises"


def _outcome(enter: Callable[[], Any]) -> Any:
    try:
        return enter()
    except Exception as error:
        return error


def settle(answer: "asyncio.Future[T]", outcome: T | Exception) -> None:
    """Set the outcome of `answer`, on its event loop."""
    if answer.done():  # its sender has disconnected
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
