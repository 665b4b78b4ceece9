"""Long work in short steps: a generator that pauses where other work may run, and returns its result."""

from collections.abc import Callable, Generator, Iterable
from typing import ParamSpec, TypeAlias, TypeVar

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]


def advance(steps: Steps[T], has_time: Callable[[], bool]) -> T | None:
    """Go on while `has_time`, and at least one step; the result once it is there, None before."""
    try:
        next(steps)
        while has_time():
            next(steps)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    return None


def finished(steps: Steps[T]) -> T:
    """The result, without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


def at_once(work: Callable[P, T]) -> Callable[P, Steps[T]]:
    """Work without a pause, since it is short."""

    def steps(*given: P.args, **named: P.kwargs) -> Steps[T]:
        yield from ()
        return work(*given, **named)

    return steps


def each(items: Iterable[S], work: Callable[[S], Steps[T]]) -> Steps[list[T]]:
    """What `work` comes to for each of them, with a pause after it."""
    found = []
    for item in items:
        found.append((yield from work(item)))
        yield
    return found
