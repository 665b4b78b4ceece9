"""The interfaces to time and randomness, which the simulation replaces with its own (D12)."""

import os
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

Entropy: TypeAlias = Callable[[int], bytes]  # as many unpredictable bytes


class Clock(Protocol):
    def wall_ms(self) -> int:
        """Milliseconds since 1970. May jump, forwards and backwards."""
        ...

    def steady_s(self) -> float:
        """Seconds since an arbitrary moment, for measuring intervals. Never goes backwards."""
        ...


class SystemClock:
    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def steady_s(self) -> float:
        return time.monotonic()


def for_ms(clock: Clock, milliseconds: int) -> Callable[[], bool]:
    """A function that returns true until `milliseconds` from now have passed."""
    until = clock.steady_s() + milliseconds / 1000
    return lambda: clock.steady_s() < until


def system_entropy(size: int) -> bytes:
    return os.urandom(size)
