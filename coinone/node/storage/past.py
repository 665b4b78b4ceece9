"""The rows as they stood at an earlier block: the newest ones, under the undo records of all blocks since.

Laid over a block, what batches after it changed gives the rows of a later moment in the same way."""

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
    """Rows by table, as they were; None: there was none."""

    def get(self, table: Enum, otherwise: Rows, /) -> Rows: ...


class Past:
    """A Database to the rules; `rows` holds what was different then."""

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
    """What undo records back to a block say, read a table at a time: who asks for a balance decodes no orders."""

    def __init__(self, snapshot: Snapshot, number: int) -> None:
        """Raises NotSupported where they do not reach back so far."""
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
    """What block `number` left behind: on an archive node by its own rows (versions.py), else by undo records. Raises
    NotSupported where neither reaches back so far, or the block has been taken back."""
    head = head_of(snapshot)
    newest = 0 if head is None else head.number
    if number == newest:
        return snapshot
    if number > newest:
        raise NotSupported(f"header not found: block {number} has been taken back")
    kept_since = since(snapshot)
    if kept_since is not None and kept_since <= number:
        return AtBlock(snapshot, number)
    return Past(snapshot, Undone(snapshot, number))


def before_block(snapshot: Snapshot, number: int) -> Database:
    """What block `number` found. Raises NotSupported, as `after_block` does."""
    return after_block(snapshot, number - 1)


def rows_after_block(snapshot: Snapshot, number: int) -> Changes:
    """What was different after block `number`, by undo records: for Past. Raises NotSupported where they do not reach
    back so far, or the block has been taken back."""
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
    """Undo records from the newest block down to the one after `number`."""
    head = head_of(snapshot)
    for each in range(0 if head is None else head.number, number, -1):
        record = snapshot.get(NodeTable.UNDO, u64(each))
        assert record is not None, "the last of them is there, and they have no gap"
        yield record


def oldest_state(snapshot: Snapshot) -> int:
    """The first block whose state can still be put together."""
    head = head_of(snapshot)
    newest = 0 if head is None else head.number
    first = next(iter(snapshot.range(NodeTable.UNDO, u64(0), u64(2**64 - 1))), None)
    by_undo = newest if first is None else max(int.from_bytes(first[0], "big") - 1, 0)
    kept_since = since(snapshot)
    return by_undo if kept_since is None else min(by_undo, kept_since)
