"""The store on LMDB: one file, many readers, one writer, copy on write.

Every commit is synced (sync on, writemap off), so it survives a power cut. Each value carries a CRC over its table, key
and value: a flipped bit or a value under the wrong key raises StorageError and is never served. After a failed write
the store refuses further ones, because the state of the disk is unknown.
"""

import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import lmdb

from coinone.base.primitives.errors import StorageError
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import ALL_TABLES

FILE = "state.lmdb"
_CRC_SIZE = 4
_TABLE_CRC = {table: zlib.crc32(table.value.encode()) for table in ALL_TABLES}
_READERS_MAX = 126  # threads and pool processes with an open snapshot; LMDB's own default


class LmdbSnapshot:
    """Read rows within one LMDB transaction."""

    def __init__(self, transaction: "lmdb.Transaction[bytes]", tables: Mapping[Enum, Any]) -> None:
        self._transaction = transaction
        self._tables = tables

    def get(self, table: Enum, key: bytes) -> bytes | None:
        row = self._transaction.get(key, db=self._tables[table])
        return None if row is None else _opened(table, key, row)

    def scan(self, table: Enum, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        cursor = self._transaction.cursor(db=self._tables[table])
        if not cursor.set_range(prefix):
            return
        for key, row in cursor:
            if not key.startswith(prefix):
                return
            yield key, _opened(table, key, row)

    def range(
        self, table: Enum, start: bytes, stop: bytes, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        cursor = self._transaction.cursor(db=self._tables[table])
        if reverse:
            found = cursor.prev() if cursor.set_range(stop) else cursor.last()
            rows = cursor.iterprev() if found else iter(())
        else:
            rows = cursor.iternext() if cursor.set_range(start) else iter(())
        for key, row in rows:
            if not start <= key < stop:
                return
            yield key, _opened(table, key, row)


class LmdbStore:
    """The LMDB store in `folder`, which this process must have locked (folder_lock.py) unless `readonly`."""

    def __init__(self, folder: Path, map_size_bytes: int, readonly: bool = False) -> None:
        self._broken: str | None = None
        self._folder = folder
        self._map_size_bytes = map_size_bytes
        with _storage_errors("open"):
            self._environment = lmdb.open(
                str(folder / FILE),
                subdir=False,
                map_size=map_size_bytes,
                max_dbs=len(ALL_TABLES),
                max_readers=_READERS_MAX,
                readonly=readonly,
                create=not readonly,
                readahead=False,
            )
            self._tables: dict[Enum, Any] = {
                table: self._environment.open_db(table.value.encode(), create=not readonly)
                for table in ALL_TABLES
            }

        self._check_size(folder / FILE)

    def get(self, table: Enum, key: bytes) -> bytes | None:
        try:  # without `_storage_errors`: every read goes through this call
            with self._environment.begin(db=self._tables[table]) as transaction:
                row = transaction.get(key)
        except lmdb.Error as error:
            raise StorageError(f"database: cannot read: {error}") from error
        return None if row is None else _opened(table, key, row)

    def scan(self, table: Enum, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        with self.snapshot() as snapshot:
            yield from snapshot.scan(table, prefix)

    def range(
        self, table: Enum, start: bytes, stop: bytes, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        with self.snapshot() as snapshot:
            yield from snapshot.range(table, start, stop, reverse)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with _storage_errors("read"), self._environment.begin() as transaction:
            yield LmdbSnapshot(transaction, self._tables)

    def write(self, changes: Mapping[Enum, Mapping[bytes, bytes | None]]) -> None:
        if self._broken is not None:
            raise StorageError(f"an earlier write failed: {self._broken}")
        try:
            with _storage_errors("write"), self._environment.begin(write=True) as transaction:
                for table, rows in changes.items():
                    _put_rows(transaction, self._tables[table], table, rows)
        except lmdb.MapFullError as error:
            self._broken = "the map is full"
            raise StorageError(
                f"database full at {self._map_size_bytes >> 20} MiB: use a larger map (--map-mib)"
            ) from error
        except StorageError as error:
            self._broken = str(error)
            # LMDB reports a write that runs out of free bytes as an input/output error
            free = shutil.disk_usage(self._folder).free
            raise StorageError(f"{error}, with {free >> 20} MiB free on its disk") from error

    def rows(self, tables: Sequence[Enum] = ALL_TABLES) -> int:
        """The number of rows in the tables."""
        with _storage_errors("read"), self._environment.begin() as transaction:
            return sum(transaction.stat(db=self._tables[table])["entries"] for table in tables)

    def scrub(self, tables: Sequence[Enum] = ALL_TABLES) -> int:
        """Read every row in order and again by its key; return their number. Raises StorageError.

        Reading by key finds what a checksum cannot: a damaged inner page, which hides rows.
        """
        count = 0
        with self.snapshot() as snapshot:
            assert isinstance(snapshot, LmdbSnapshot)
            for table in tables:
                count += _scrub_table(snapshot, table)
        return count

    def close(self) -> None:
        self._environment.close()

    def _check_size(self, path: Path) -> None:
        """Check the file's size: a read beyond the end of a truncated file would kill the process."""
        pages = self._environment.info()["last_pgno"] + 1
        want = pages * self._environment.stat()["psize"]
        if path.stat().st_size < want:
            self._environment.close()
            raise StorageError(f"database {path} is cut short: {path.stat().st_size} bytes of {want}")


def _scrub_table(snapshot: LmdbSnapshot, table: Enum) -> int:
    last, count = None, 0
    for key, value in snapshot.scan(table):
        if (last is not None and key <= last) or snapshot.get(table, key) != value:
            raise StorageError(f"table {table.value}: rows out of order near key {key.hex()}")
        last, count = key, count + 1
    want = snapshot._transaction.stat(db=snapshot._tables[table])["entries"]
    if count != want:
        raise StorageError(f"table {table.value}: {count} rows where {want} should be")
    return count


def _put_rows(
    transaction: "lmdb.Transaction[bytes]", handle: Any, table: Enum, rows: Mapping[bytes, bytes | None]
) -> None:
    for key, value in sorted(rows.items()):
        if value is None:
            transaction.delete(key, db=handle)
        else:
            transaction.put(key, _crc(table, key, value) + value, db=handle)


def _crc(table: Enum, key: bytes, value: bytes) -> bytes:
    named = zlib.crc32(key, _TABLE_CRC[table])
    return zlib.crc32(value, named).to_bytes(_CRC_SIZE, "big")


def _opened(table: Enum, key: bytes, row: bytes) -> bytes:
    value = row[_CRC_SIZE:]
    if row[:_CRC_SIZE] != _crc(table, key, value):
        raise StorageError(f"table {table.value}: damaged row at key {key.hex()}")
    return value


@contextmanager
def _storage_errors(doing: str) -> Iterator[None]:
    """Convert LMDB's errors to StorageError, except for a full map, which the writer explains."""
    try:
        yield
    except lmdb.MapFullError:
        raise
    except lmdb.Error as error:
        raise StorageError(f"database: cannot {doing}: {error}") from error
