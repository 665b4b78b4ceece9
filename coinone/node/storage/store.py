"""The store: tables of bytes with ranges, snapshots, and one atomic write.

A node's store is LMDB (lmdb_store.py); tests and simulation use dictionaries.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import Protocol

from coinone.rules.state.database import MemoryDatabase


class Snapshot(Protocol):
    """A consistent view of all rows; also a database for the rules."""

    def get(self, table: Enum, key: bytes) -> bytes | None: ...

    def scan(self, table: Enum, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]: ...

    def range(
        self, table: Enum, start: bytes, stop: bytes, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Rows with start <= key < stop, in key order or in reverse."""
        ...


class Store(Snapshot, Protocol):
    def write(self, changes: Mapping[Enum, Mapping[bytes, bytes | None]]) -> None:
        """Write all rows or none, synced before it returns. Raises StorageError, with nothing written."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A consistent view that later writes do not change. Any thread; keep it short."""
        ...

    def close(self) -> None: ...


class MemoryStore(MemoryDatabase):
    def range(
        self, table: Enum, start: bytes, stop: bytes, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        rows = self._tables.get(table, {})
        for key in sorted((key for key in rows if start <= key < stop), reverse=reverse):
            yield key, rows[key]

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        copy = MemoryStore()
        copy._tables = {table: dict(rows) for table, rows in self._tables.items()}
        yield copy

    def close(self) -> None:
        pass
