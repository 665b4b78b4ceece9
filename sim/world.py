"""Virtual time: one heap of events, one source of randomness.

Nothing here waits. An event runs at its time, may schedule others, and time jumps from one to the next.
"""

import heapq
import random
from collections.abc import Callable

Action = Callable[[], None]


class World:
    def __init__(self, seed: int, start_ms: int = 1_750_000_000_000) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now_ms = start_ms
        self._events: list[tuple[int, int, Action]] = []
        self._counter = 0  # events of one moment run in the order they were scheduled

    def after(self, delay_ms: int, action: Action) -> None:
        assert delay_ms >= 0, "the past is over"
        self._counter += 1
        heapq.heappush(self._events, (self.now_ms + delay_ms, self._counter, action))

    def every(self, interval_ms: int, action: Action) -> None:
        """Run `action` again and again, first after one interval."""

        def again() -> None:
            action()
            self.after(interval_ms, again)

        self.after(interval_ms, again)

    def run_until(self, end_ms: int, check: Action = lambda: None) -> int:
        """Run all events up to `end_ms`; `check` runs after each. Returns how many ran."""
        count = 0
        while self._events and self._events[0][0] <= end_ms:
            self.now_ms, _, action = heapq.heappop(self._events)
            action()
            check()
            count += 1
        self.now_ms = end_ms
        return count


class SimClock:
    """A node's own clock: world time plus an error that faults may change."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.error_ms = 0

    def wall_ms(self) -> int:
        return self._world.now_ms + self.error_ms

    def steady_s(self) -> float:
        return self._world.now_ms / 1000
