"""Long work in short steps: a generator that yields where other work may run, and returns its result."""

from collections.abc import Callable, Generator, Iterable
from typing import ParamSpec, TypeAlias, TypeVar

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]


def advance(steps: Steps[T], has_time: Callable[[], bool]) -> T | None:
    """Run steps while `has_time`, at least one; return the result, or None if more steps remain."""
    try:
        next(steps)
        while has_time():
            next(steps)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    return None


def finished(steps: Steps[T]) -> T:
    """Run all steps and return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


def at_once(work: Callable[P, T]) -> Callable[P, Steps[T]]:
    """Wrap short work as a single step."""

    def steps(*given: P.args, **named: P.kwargs) -> Steps[T]:
        yield from ()
        return work(*given, **named)

    return steps


def each(items: Iterable[S], work: Callable[[S], Steps[T]]) -> Steps[list[T]]:
    """Run `work` for each item, yielding after each; return the results."""
    found = []
    for item in items:
        found.append((yield from work(item)))
        yield
    return found
