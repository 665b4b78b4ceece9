"""A simulated disk: what was not synced may be lost or written in part at a power cut.

`SimDisk` stands behind the batch log, `SimStore` behind the tables. A table write is atomic, as LMDB is: all
of it survives a crash or nothing.
"""

import random

from coinone.base.primitives.errors import StorageError
from coinone.node.storage.store import MemoryStore

SECTOR = 512


class PowerCut(BaseException):
    """The machine is off; no handler of the node gets to see it."""


class SimDisk:
    """Files in memory; each remembers how much of it is safe."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._files: dict[str, bytearray] = {}
        self._safe: dict[str, int] = {}
        self.power_fails_at_sync = False
        self.torn = 0  # crashes that left a part of an unsynced tail

    def names(self) -> list[str]:
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        if name not in self._files:
            raise StorageError(f"no file {name}")
        return bytes(self._files[name])

    def append(self, name: str, data: bytes) -> None:
        self._files.setdefault(name, bytearray()).extend(data)

    def sync(self, name: str) -> None:
        if self.power_fails_at_sync:
            self.power_fails_at_sync = False
            raise PowerCut
        self._safe[name] = len(self._files[name])

    def truncate(self, name: str, size: int) -> None:
        del self._files[name][size:]
        self._safe[name] = min(self._safe.get(name, 0), size)
        self.sync(name)

    def remove(self, name: str) -> None:
        self._files.pop(name, None)
        self._safe.pop(name, None)

    def close(self) -> None:
        pass

    def crash(self) -> None:
        """Cut each file to its safe part and some of the rest; a sector of that may not have been written."""
        for name in list(self._files):
            data, safe = self._files[name], self._safe.get(name, 0)
            kept = self._dice.randint(safe, len(data))
            self.torn += kept > safe
            del data[kept:]
            if self._dice.random() < 0.3:
                start = max(safe, kept - kept % SECTOR)
                data[start:kept] = bytes(kept - start)
            if not data and safe == 0:
                self.remove(name)
            else:
                self._safe[name] = len(data)


class SimStore(MemoryStore):
    """The tables; they outlive the process that wrote them."""

    def close(self) -> None:
        pass
