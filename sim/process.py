"""A simulated process: its state is on its disk, and it may crash at any write.

Crashing drops everything but what the disk keeps; what the process had scheduled before never happens.
"""

import random
from collections.abc import Callable
from typing import Self

from sim.disk import PowerCut, SimDisk
from sim.network import SimNetwork
from sim.world import SimClock, World


class SimProcess:
    def __init__(self, number: int, world: World, dice: random.Random) -> None:
        self.number = number
        self.clock = SimClock(world)
        self.disk = SimDisk(dice)
        self.is_up = False
        self.crashes = 0
        self.on_crash: Callable[[Self], None] = lambda process: None
        self._world = world
        self._dice = dice
        self._life = 0
        self._links: SimNetwork

    def crash(self) -> None:
        """The process is gone; the disk keeps what was synced, and some of the rest."""
        self._life += 1
        self.is_up = False
        self.crashes += 1
        self.disk.crash()
        self._links.gone(self.number)
        self.on_crash(self)

    def _begin(self, links: SimNetwork) -> None:
        self._life += 1
        self._links = links
        self.is_up = True

    def _later(self, delay_ms: int, action: Callable[[], None]) -> None:
        life = self._life
        self._world.after(delay_ms, lambda: self._guarded(action) if self._life == life else None)

    def _guarded(self, action: Callable[[], None]) -> None:
        """Everything a process does: nothing while it is down, and it may die of it."""
        if not self.is_up:
            return
        try:
            action()
        except PowerCut:
            self.crash()
