"""Storm, then calm: the faults of a run, and their end.

Two phases, after TigerBeetle's simulator. *Storm*: connections break, the network parts, processes die in the middle
of a write, come back with a torn log and die again while they recover, clocks jump. *Calm*: no more faults, and
all nodes must agree and continue. Every fault is a method that a run names in its list, as often as it is to be likely.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sim.network import SimNetwork
from sim.process import SimProcess
from sim.world import Action, World

DOWN_MS = (10, 5_000)  # how long a process that died is gone
CLOCK_ERRORS_MS = (-3_600_000, -1_000, 0, 300, 8 * 3_600_000)

P = TypeVar("P", bound=SimProcess)


class Storm(Generic[P]):
    def __init__(self, world: World, processes: Sequence[P], links: SimNetwork) -> None:
        self.is_on = True
        self.clock_jumps = 0
        self._world = world
        self._processes = processes
        self._links = links

    def run(self, duration_ms: int, fault_ms: int, faults: Sequence[Callable[[P], None]]) -> int:
        """Run the world for `duration_ms` with a fault every `fault_ms`, on a process drawn by lot, and end the storm.
        Return the number of events."""
        self._world.every(fault_ms, lambda: self._strike(faults))
        events = self._world.run_until(self._world.now_ms + duration_ms)
        self.is_on = False
        for process in self._processes:
            process.disk.power_fails_at_sync = False
        self._links.part(frozenset())
        self._links.heal()
        return events

    def come_back(self, start: Action) -> None:
        """A process died: start it again after a while."""
        self._world.after(self._world.random.randint(*DOWN_MS), start)

    def kill(self, victim: P) -> None:
        if victim.is_up:
            victim.crash()

    def fail_power(self, victim: P) -> None:
        victim.disk.power_fails_at_sync = True  # in the middle of its next write

    def part(self, victim: P) -> None:
        dice, count = self._world.random, len(self._processes)
        self._links.part(frozenset(dice.sample(range(count), dice.randint(1, count - 1))))

    def unite(self, victim: P) -> None:
        self._links.part(frozenset())

    def jump_clock(self, victim: P) -> None:
        self.clock_jumps += 1
        victim.clock.error_ms = self._world.random.choice(CLOCK_ERRORS_MS)

    def _strike(self, faults: Sequence[Callable[[P], None]]) -> None:
        if self.is_on:
            fault = self._world.random.choice(faults)
            fault(self._world.random.choice(self._processes))
