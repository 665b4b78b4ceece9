"""State at an earlier block: the newest rows, overlaid by the undo records of all later blocks.

The changes of later batches, laid over a block, yield the state after them in the same way.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Protocol

import msgspec

from coinone.base.primitives.errors import NotSupported
from coinone.node.storage.blocks import head_of
from coinone.node.storage.storage import decode_undo
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import NodeTable, u64
from coinone.node.storage.versions import AtBlock, since
from coinone.rules.state.database import Changes, Database

Rows = dict[bytes, bytes | None]


class Differences(Protocol):
    """Rows by table that differ from the store; None if a row did not exist."""

    def get(self, table: Enum, otherwise: Rows, /) -> Rows: ...


class PastState:
    """A database for the rules: a snapshot overlaid by `rows`, which differ."""

    def __init__(self, snapshot: Database, rows: Changes | Differences) -> None:
        self._snapshot = snapshot
        self._rows = rows

    def get(self, table: Enum, key: bytes) -> bytes | None:
        rows = self._rows.get(table, {})
        return rows[key] if key in rows else self._snapshot.get(table, key)

    def scan(self, table: Enum, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        rows = self._rows.get(table, {})
        found = {key: value for key, value in self._snapshot.scan(table, prefix) if key not in rows}
        found.update((key, row) for key, row in rows.items() if row is not None and key.startswith(prefix))
        yield from sorted(found.items())


class Undone:
    """The differences by undo records back to a block, read table by table: a balance decodes no orders."""

    def __init__(self, snapshot: Snapshot, number: int) -> None:
        """Raises NotSupported if the undo records do not reach back that far."""
        self._snapshot, self._number = snapshot, number
        self._tables: Changes = {}
        _check_kept(snapshot, number)

    def get(self, table: Enum, otherwise: Rows, /) -> Rows:
        found = self._tables.get(table)
        if found is None:
            found = self._tables[table] = {}
            for record in _records_since(self._snapshot, self._number):
                rows = _RECORD.decode(record).get(table.value)
                if rows is not None:
                    found.update(_ROWS.decode(rows))
        return found


_RECORD = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_ROWS = msgspec.msgpack.Decoder(list[tuple[bytes, bytes | None]])


def after_block(snapshot: Snapshot, number: int) -> Database:
    """The state after block `number`: from versions on an archive node, else from undo records. Raises NotSupported if
    neither reaches back that far, or the block was undone."""
    head = head_of(snapshot)
    newest = 0 if head is None else head.number
    if number == newest:
        return snapshot
    if number > newest:
        raise NotSupported(f"header not found: block {number} has been taken back")
    kept_since = since(snapshot)
    if kept_since is not None and kept_since <= number:
        return AtBlock(snapshot, number)
    return PastState(snapshot, Undone(snapshot, number))


def before_block(snapshot: Snapshot, number: int) -> Database:
    """The state before block `number`. Raises NotSupported as `after_block` does."""
    return after_block(snapshot, number - 1)


def rows_after_block(snapshot: Snapshot, number: int) -> Changes:
    """The rows that differed after block `number`, by undo records. Raises NotSupported if they do not reach back that
    far, or the block was undone."""
    _check_kept(snapshot, number)
    rows: Changes = {}
    for record in _records_since(snapshot, number):
        for table, changed in decode_undo(record).items():
            rows.setdefault(table, {}).update(changed)
    return rows


def _check_kept(snapshot: Snapshot, number: int) -> None:
    head = head_of(snapshot)
    if head is None or number > head.number:
        raise NotSupported(f"header not found: block {number} has been taken back")
    if number < head.number and snapshot.get(NodeTable.UNDO, u64(number + 1)) is None:
        raise NotSupported(
            f"missing trie node: the state of block {number} is not kept any more (an archive node keeps all: "
            "--archive)"
        )


def _records_since(snapshot: Snapshot, number: int) -> Iterator[bytes]:
    """Undo records from the newest block back to the one after `number`."""
    head = head_of(snapshot)
    for each in range(0 if head is None else head.number, number, -1):
        record = snapshot.get(NodeTable.UNDO, u64(each))
        assert record is not None, "undo records have no gap"
        yield record


def oldest_state(snapshot: Snapshot) -> int:
    """The oldest block whose state is still available."""
    head = head_of(snapshot)
    newest = 0 if head is None else head.number
    first = next(iter(snapshot.range(NodeTable.UNDO, u64(0), u64(2**64 - 1))), None)
    by_undo = newest if first is None else max(int.from_bytes(first[0], "big") - 1, 0)
    kept_since = since(snapshot)
    return by_undo if kept_since is None else min(by_undo, kept_since)
