"""Long work in short steps: a generator that pauses where other work may run, and returns its result."""

from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")


def advance(steps: Generator[None, None, T], has_time: Callable[[], bool]) -> T | None:
    """Go on while `has_time`, and at least one step; the result once it is there, None before."""
    try:
        next(steps)
        while has_time():
            next(steps)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    return None


def finished(steps: Generator[None, None, T]) -> T:
    """The result, without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
