"""Run a long read in short parts, yielding the thread after each."""

import asyncio
import time
from functools import partial
from typing import TypeVar

from coinone.interfaces.api.admission.queries import InThread
from coinone.interfaces.api.ethereum.json.errors import LIMIT_EXCEEDED, RpcError
from coinone.interfaces.api.limits import CALL_TIMEOUT_S, PART_S
from coinone.rules.state.steps import Steps, advance

T = TypeVar("T")


async def in_parts(in_thread: InThread, steps: Steps[T], is_paid: bool = False) -> T:
    """Run `steps` in a thread, within the time limit of a call, or without limit if all of it is paid for already.
    Raises RpcError if that is too short; callers must charge for what was read, however it ends."""
    spent_s, found = 0.0, _found(steps)
    while True:
        part_s, result = await in_thread(partial(_part, found))
        if result is not None:
            return result[0]
        spent_s += part_s
        if spent_s > CALL_TIMEOUT_S and not is_paid:
            raise RpcError(LIMIT_EXCEEDED, "query timeout exceeded: ask for fewer blocks")


def _found(steps: Steps[T]) -> Steps[tuple[T]]:
    """The result in a tuple, to distinguish it from no result yet."""
    return ((yield from steps),)


def _part(found: Steps[tuple[T]]) -> tuple[float, tuple[T] | None]:
    """The duration of a part in seconds, and the result if it was the last."""
    begun = time.monotonic()
    result = advance(found, lambda: time.monotonic() - begun <= PART_S)
    return time.monotonic() - begun, result


def run_part(steps: Steps[bool]) -> bool:
    """Run a part of `steps`, which ends by returning true; return whether it did."""
    begun = time.monotonic()
    return bool(advance(steps, lambda: time.monotonic() - begun < PART_S))


async def run_all(steps: Steps[bool]) -> None:
    """Run all parts on the event loop until `steps` return true, yielding for as long after each part."""
    while not run_part(steps):
        await asyncio.sleep(PART_S)
