"""A long read in short parts: after each of them others have the thread."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from coinone.interfaces.api.ethereum.errors import LIMIT_EXCEEDED, RpcError
from coinone.interfaces.api.limits import CALL_TIMEOUT_S, PART_S
from coinone.interfaces.api.queries import InThread

P = ParamSpec("P")
T = TypeVar("T")
Steps = Generator[None, None, T]  # pauses where others may have their turn, and returns what was read


@dataclass(frozen=True, slots=True)
class _Part(Generic[T]):
    seconds: float
    result: list[T]  # empty where it goes on


def at_once(work: Callable[P, T]) -> Callable[P, Steps[T]]:
    """Work without a pause, since it is short."""

    def steps(*given: P.args, **named: P.kwargs) -> Steps[T]:
        yield from ()
        return work(*given, **named)

    return steps


async def in_parts(in_thread: InThread, steps: Steps[T], is_paid: bool = False) -> T:
    """What `steps` come to, in a thread, within the time of a call, or in any where all of it is paid for already.
    Raises RpcError where that is too short; who calls has their caller pay for what was read, however it ends."""
    seconds = 0.0
    while True:
        part = await in_thread(partial(_go_on, steps))
        if part.result:
            return part.result[0]
        seconds += part.seconds
        if seconds > CALL_TIMEOUT_S and not is_paid:
            raise RpcError(LIMIT_EXCEEDED, "query timeout exceeded: ask for fewer blocks")


def _go_on(steps: Steps[T]) -> _Part[T]:
    begun = time.monotonic()
    try:
        while True:
            next(steps)
            seconds = time.monotonic() - begun
            if seconds > PART_S:
                return _Part(seconds, [])
    except StopIteration as end:
        return _Part(time.monotonic() - begun, [end.value])
