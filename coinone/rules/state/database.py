"""The read-only database of the rules: tables of bytes.

Rules never write. They return `Changes`, and the node writes those in one atomic commit.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Protocol, TypeAlias


class Table(Enum):
    """The tables that rules read. The value is the table's name on disk; the node has further tables."""

    ACCOUNT = "account"  # address -> account
    STORAGE = "storage"  # address + slot (32 bytes) -> value, without leading zeros
    CODE = "code"  # code hash -> code
    TRIE = "trie"  # trie prefix + path -> node RLP (trie.py)
    EXCHANGE = "exchange"  # leaf key -> leaf bytes
    EXCHANGE_NUMBER = "exchange_number"  # address -> account number, part of the leaf's key
    META = "meta"  # named cursors and counters


# New values by table and key; None deletes. Undo has the same shape, holding the values before.
Changes: TypeAlias = dict[Enum, dict[bytes, bytes | None]]


class Database(Protocol):
    def get(self, table: Enum, key: bytes) -> bytes | None: ...

    def scan(self, table: Enum, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Rows whose keys start with `prefix`, in key order."""
        ...


def undo_of(database: Database, changes: Mapping[Enum, Mapping[bytes, bytes | None]]) -> Changes:
    """The changes that undo `changes`; call it before they are written."""
    return {table: {key: database.get(table, key) for key in rows} for table, rows in changes.items()}


class MemoryDatabase:
    """An in-memory database for tests and simulation."""

    def __init__(self) -> None:
        self._tables: dict[Enum, dict[bytes, bytes]] = {}

    def get(self, table: Enum, key: bytes) -> bytes | None:
        return self._tables.get(table, {}).get(key)

    def scan(self, table: Enum, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        rows = self._tables.get(table, {})
        for key in sorted(key for key in rows if key.startswith(prefix)):
            yield key, rows[key]

    def write(self, changes: Mapping[Enum, Mapping[bytes, bytes | None]]) -> None:
        for table, rows in changes.items():
            target = self._tables.setdefault(table, {})
            for key, value in rows.items():
                if value is None:
                    target.pop(key, None)
                else:
                    target[key] = value
