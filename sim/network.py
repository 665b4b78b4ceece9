"""A simulated network that delays, loses and duplicates messages, and splits.

A link is a stream between two nodes, as TCP is: what arrives does so in order. Loss therefore means that the
connection breaks and is made again later, which is how a lossy network looks from above TCP.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sim.world import World

RECONNECT_MS = 500


@dataclass(frozen=True)
class Weather:
    """How bad it is; each seed draws its own."""

    delay_ms: int
    jitter_ms: int
    break_per_mille: int  # chance that a message breaks its connection

    @staticmethod
    def drawn(world: World) -> "Weather":
        dice = world.random
        return Weather(dice.choice([1, 20, 100]), dice.choice([0, 10, 200]), dice.choice([0, 5, 30]))


class Link:
    """One connection between `left` and `right`, made again whenever it breaks and both are up."""

    def __init__(self, network: "SimNetwork", left: int, right: int) -> None:
        self.ends = (left, right)
        self.network = network
        self.generation = 0  # messages of a broken connection never arrive
        self.is_open = False
        self._last_ms = {left: 0, right: 0}  # arrival of the last message to each end

    def send(self, sender: int, payload: bytes) -> None:
        world, weather = self.network.world, self.network.weather
        if not self.is_open:
            return
        if world.random.randrange(1000) < weather.break_per_mille:
            self.network.breaks += 1
            self.cut()
            return
        receiver = self.ends[1] if sender == self.ends[0] else self.ends[0]
        delay = weather.delay_ms + world.random.randint(0, weather.jitter_ms)
        arrival = max(world.now_ms + delay, self._last_ms[receiver])
        self._last_ms[receiver] = arrival
        generation = self.generation
        world.after(arrival - world.now_ms, lambda: self._arrive(generation, receiver, sender, payload))

    def _arrive(self, generation: int, receiver: int, sender: int, payload: bytes) -> None:
        if self.is_open and generation == self.generation:
            self.network.deliver(receiver, sender, payload)

    def cut(self) -> None:
        """The connection is gone; try again until it holds."""
        if not self.is_open:
            return
        self.is_open = False
        self.generation += 1
        left, right = self.ends
        self.network.world.after(0, lambda: self.network.closed(left, right))
        self.network.world.after(0, lambda: self.network.closed(right, left))
        self.network.world.after(RECONNECT_MS, self.connect)

    def connect(self) -> None:
        if self.is_open:
            return
        if not self.network.can_meet(*self.ends):
            self.network.world.after(RECONNECT_MS, self.connect)
            return
        self.is_open = True
        for end, other in (self.ends, self.ends[::-1]):
            self.network.connected(end, other)


class SimNetwork:
    """Links by pair; callbacks lead into the nodes."""

    def __init__(
        self,
        world: World,
        weather: Weather,
        connected: Callable[[int, int], None],
        closed: Callable[[int, int], None],
        deliver: Callable[[int, int, bytes], None],
        is_up: Callable[[int], bool],
    ) -> None:
        self.world = world
        self.weather = weather
        self.connected = connected
        self.closed = closed
        self.deliver = deliver
        self._is_up = is_up
        self._links: dict[tuple[int, int], Link] = {}
        self._apart: frozenset[int] = frozenset()
        self.breaks = 0
        self.partitions = 0

    def join(self, left: int, right: int) -> None:
        link = self._links[min(left, right), max(left, right)] = Link(self, left, right)
        self.world.after(0, link.connect)

    def send(self, sender: int, receiver: int, payload: bytes) -> None:
        self._links[min(sender, receiver), max(sender, receiver)].send(sender, payload)

    def hang_up(self, left: int, right: int) -> None:
        self._links[min(left, right), max(left, right)].cut()

    def gone(self, node: int) -> None:
        """The process died: its connections break."""
        for link in self._links.values():
            if node in link.ends:
                link.cut()

    def part(self, group: frozenset[int]) -> None:
        """Nodes of `group` reach only one another, until `heal`."""
        self._apart = group
        self.partitions += 1
        for link in self._links.values():
            if not self.can_meet(*link.ends):
                link.cut()

    def heal(self) -> None:
        self._apart = frozenset()
        self.weather = Weather(self.weather.delay_ms, self.weather.jitter_ms, 0)

    def can_meet(self, left: int, right: int) -> bool:
        together = (left in self._apart) == (right in self._apart)
        return together and self._is_up(left) and self._is_up(right)
