"""Ethereum transactions on their way into the pool, many at a time.

Each needs its signer recovered and a place in the pool, which only the executor may give. Alone, a transaction goes
at once; those that arrive meanwhile go together: one job for their signatures (signers.py), one visit to the executor.
Their order is kept, since one sender's nonces follow one another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from coinone.base.forms.ethereum import EthereumTransaction, decode_transaction
from coinone.base.primitives.errors import CoinoneError, InvalidInput, LimitExceeded
from coinone.base.primitives.types import Hash32
from coinone.node.executor.signers import Signers
from coinone.node.limits import INTAKE_PER_VISIT, INTAKE_WAITING_MAX

T = TypeVar("T")
Outcome: TypeAlias = Hash32 | CoinoneError
Enter: TypeAlias = Callable[[Sequence[EthereumTransaction]], Awaitable[list[Outcome]]]
_Waiting: TypeAlias = tuple[EthereumTransaction, "asyncio.Future[Hash32]"]


class Intake:
    """Any thread with an event loop; each loop has its own line."""

    def __init__(self, enter: Enter, signers: Signers) -> None:
        self._enter = enter
        self._signers = signers
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()

    async def submit(self, raw: bytes) -> Hash32:
        """The hash of a transaction that the pool took. Raises InvalidInput, or StorageError."""
        tx, loop = decode_transaction(raw), asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = _Line()
        if len(line.waiting) >= INTAKE_WAITING_MAX:
            raise LimitExceeded("node is overloaded, try again", most=INTAKE_WAITING_MAX)
        answer: asyncio.Future[Hash32] = loop.create_future()
        line.waiting.append((tx, answer))
        if line.visit is None:
            line.visit = asyncio.create_task(self._visits(line))
        return await answer

    async def _visits(self, line: "_Line") -> None:
        try:
            while line.waiting:
                part, line.waiting = line.waiting[:INTAKE_PER_VISIT], line.waiting[INTAKE_PER_VISIT:]
                await self._visit(part)
        finally:
            line.visit = None

    async def _visit(self, part: list[_Waiting]) -> None:
        signed: list[_Waiting] = []
        await self._signers.recover([tx for tx, _ in part])
        for tx, answer in part:
            try:
                assert tx.sender, "known, or recovering it raises"
                signed.append((tx, answer))
            except InvalidInput as error:
                settle(answer, error)
        try:
            outcomes = await self._enter([tx for tx, _ in signed])
        except CoinoneError as error:  # the executor refused: everybody who came is told
            outcomes = [error] * len(signed)
        for (_, answer), outcome in zip(signed, outcomes, strict=True):
            settle(answer, outcome)


class _Line:
    """What waits on one event loop."""

    def __init__(self) -> None:
        self.waiting: list[_Waiting] = []
        self.visit: asyncio.Task[None] | None = None


def settle(answer: "asyncio.Future[T]", outcome: T | CoinoneError) -> None:
    """Tell whoever waits for `answer`, on its event loop."""
    if answer.done():  # its sender went away
        return
    if isinstance(outcome, CoinoneError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
