"""The state at every block: the old row values that an archive node (`--archive`) keeps.

For each row that a block changes, the value before it is written under the row's key and the block's number. A row
after block n is then the first value kept by a later block, or the newest row if there is none: one look-up, however
old the block. A scan takes a look-up for every key that ever existed in its range, so it is limited.

The tables that rules read are kept: accounts, storage, trie (for proofs), exchange leaves, and named rows. Code is
addressed by its hash and never deleted.
"""

from collections.abc import Iterator
from enum import Enum

from coinone.base.primitives.errors import LimitExceeded
from coinone.node.limits import ARCHIVE_SCAN_ROWS_MAX
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.state.database import Changes, Table

SINCE_KEY = b"archive-since"  # META: the first block whose state is kept, without a gap since
_PREFIXES: dict[Enum, bytes] = {
    Table.ACCOUNT: b"a",
    Table.STORAGE: b"s",
    Table.TRIE: b"t",
    Table.EXCHANGE: b"x",
    Table.EXCHANGE_NUMBER: b"n",
    Table.META: b"m",
}
_OF_ANY_LENGTH = frozenset(
    {Table.TRIE, Table.META}
)  # one key may be a prefix of another; they are never scanned
_ABSENT, _PRESENT = b"\0", b"\1"
_AFTER_ALL = b"\xff" * 9  # greater than every number


def version_rows(number: int, before: Changes) -> Changes:
    """The versions to write with block `number`, whose rows before it are `before`."""
    rows: dict[bytes, bytes | None] = {}
    for table, changed in before.items():
        if table in _PREFIXES:
            for key, value in changed.items():
                rows[_base(table, key) + u64(number)] = _ABSENT if value is None else _PRESENT + value
    return {NodeTable.VERSION: rows}


def since(snapshot: Snapshot) -> int | None:
    """The first block whose state is kept, or None if the node is not an archive."""
    row = snapshot.get(Table.META, SINCE_KEY)
    return None if row is None else int.from_bytes(row, "big")


def since_row(number: int | None) -> Changes:
    """The row that records where the archive begins; None ends it."""
    return {Table.META: {SINCE_KEY: None if number is None else u64(number)}}


class AtBlock:
    """The state after block `number`, as a database for the rules."""

    def __init__(self, snapshot: Snapshot, number: int) -> None:
        self._snapshot = snapshot
        self._after = u64(number + 1)

    def get(self, table: Enum, key: bytes) -> bytes | None:
        if table in _PREFIXES:
            kept = self._version(_base(table, key))
            if kept is not None:
                return kept[1:] if kept[:1] == _PRESENT else None
        return self._snapshot.get(table, key)

    def scan(self, table: Enum, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Rows in a range. Raises LimitExceeded if too many keys ever existed in it."""
        assert table not in _OF_ANY_LENGTH, "tables with keys of any length are not scanned"
        found = _bounded(self._snapshot.scan(table, prefix))
        if table in _PREFIXES:
            for key in _bounded(self._keys(table, prefix)):
                kept = self._version(_base(table, key))
                if kept is None:
                    continue
                if kept[:1] == _PRESENT:
                    found[key] = kept[1:]
                else:
                    found.pop(key, None)
        yield from sorted(found.items())

    def _version(self, base: bytes) -> bytes | None:
        """The value kept by the first later block that changed the row."""
        rows = self._snapshot.range(NodeTable.VERSION, base + self._after, base + _AFTER_ALL)
        row = next(rows, None)
        return None if row is None else row[1]

    def _keys(self, table: Enum, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Every key of the range that was ever changed, each once."""
        base = _PREFIXES[table] + prefix
        place, stop = base, base + b"\xff" * 64
        while (row := next(self._snapshot.range(NodeTable.VERSION, place, stop), None)) is not None:
            versioned = row[0][: -len(self._after)]
            yield versioned[1:], b""
            place = versioned + _AFTER_ALL


def _base(table: Enum, key: bytes) -> bytes:
    size = bytes((len(key),)) if table in _OF_ANY_LENGTH else b""
    return _PREFIXES[table] + size + key


def _bounded(rows: Iterator[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for key, row in rows:
        if len(found) >= ARCHIVE_SCAN_ROWS_MAX:
            raise LimitExceeded("too many rows to assemble at an older block", most=len(found))
        found[key] = row
    return found
