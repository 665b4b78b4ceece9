"""Storage: a node's data folder, and the single atomic write that commits a block.

    state.lmdb   flat state, trie, exchange leaves, blocks, receipts, history, all as of the last block
    log/         batches certified since then, and votes
    LOCK         held by the one process that writes here

At its start the node loads the head, then applies `pending_batches` again, which restores their history rows.
"""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from coinone.base.primitives.errors import NotSupported, StorageError
from coinone.base.primitives.types import Hash32
from coinone.node.limits import SCRUB_AT_START_ROWS_MAX, UNDO_BLOCKS_MAX
from coinone.node.storage import versions
from coinone.node.storage.batch_log import BatchLog
from coinone.node.storage.blocks import BlockReader, StoredHead, head_row
from coinone.node.storage.codec import fingerprint
from coinone.node.storage.disk import Disk, FileDisk
from coinone.node.storage.folder_lock import FolderLock
from coinone.node.storage.history.candles import Candle
from coinone.node.storage.history.history import History
from coinone.node.storage.lmdb_store import LmdbStore
from coinone.node.storage.record import Record
from coinone.node.storage.store import Store
from coinone.node.storage.tables import ALL_TABLES, NodeTable, u64
from coinone.rules.exchange.events.events import Fill, FillSide, FundingPayment, LedgerUpdate
from coinone.rules.exchange.events.orders import OrderUpdate
from coinone.rules.exchange.state.leaf_forms import (
    ACCOUNT_COLUMNS,
    GLOBAL_COLUMNS,
    MARKET_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    TERMS_COLUMNS,
)
from coinone.rules.exchange.state.ledger import MarketMemory
from coinone.rules.state.database import Changes, Table, undo_of

_ROW_CLASSES = (Fill, FillSide, FundingPayment, LedgerUpdate, OrderUpdate, Candle, MarketMemory)
_LEAF_COLUMNS = (
    ACCOUNT_COLUMNS,
    POSITION_COLUMNS,
    ORDER_COLUMNS,
    MARKET_COLUMNS,
    TERMS_COLUMNS,
    GLOBAL_COLUMNS,
)
FORMAT = b"8." + fingerprint(_ROW_CLASSES, _LEAF_COLUMNS)  # a changed class or column is another format
_FORMAT_KEY, _IDENTITY_KEY = b"format", b"identity"
LOG_KEY = b"log"  # META: the newest log file and how much of it was synced when this row was written
TURN_KEY = b"turn-back-to"  # META: the block that time is being turned back to, until all after it is void
_TABLES = {table.value: table for table in ALL_TABLES}


class OtherFormat(StorageError):
    """The folder has another version's format. Its blocks may still be readable (recovery/rebuild.py)."""


@dataclass(frozen=True, slots=True)
class BlockCommit:
    """Everything that is written with a block."""

    number: int
    hash: Hash32
    last_seq: int  # of the newest batch in this block or before it
    block: bytes
    receipts: bytes
    changes: Changes  # sealed state and trie, exchange leaves, cursors in META
    batches: Mapping[int, bytes] = field(default_factory=dict)
    transactions: Mapping[Hash32, bytes] = field(default_factory=dict)  # hash -> its place


class Storage:
    """The node's storage. `store` and `disk` do the I/O; the simulation passes its own."""

    def __init__(
        self,
        store: Store,
        disk: Disk,
        identity: bytes,
        random_bytes: Callable[[int], bytes],
        lock: FolderLock | None = None,
        archive: bool = False,
    ) -> None:
        """`archive`: keep the state of every block from now on (versions.py)."""
        self.store = store
        self._archive = archive
        self._lock = lock
        _check_identity(store, identity)
        self.log = BatchLog(disk, random_bytes, _synced_log(store))
        self.blocks = BlockReader(store)
        self.history = History(store)
        head = self.blocks.head()
        _check_log(store, self.log)
        if head is not None:
            self.log.prune(head.last_seq)

    def batch(self, seq: int) -> bytes | None:
        """The encoded certified batch `seq`, from the log or the blocks; None if it is in neither."""
        return self.log.batches.get(seq) or self.blocks.batch(seq)

    def pending_batches(self) -> list[tuple[int, bytes]]:
        """Certified batches after the last block, in order: those of undone blocks, then those of the log."""
        head = self.blocks.head()
        after = 0 if head is None else head.last_seq
        found = {**dict(self.blocks.batches_from(after + 1)), **self.log.batches}
        pending = sorted(item for item in found.items() if item[0] > after)
        for want, (seq, _) in enumerate(pending, after + 1):
            if seq != want:
                raise StorageError(f"batch {want} is missing")
        return pending

    def commit_block(self, commit: BlockCommit) -> None:
        """Write a block and all its changes atomically, then drop what was pending for it."""
        self.write_block(commit)
        self.block_written(commit.last_seq)

    def write_block(self, commit: BlockCommit) -> None:
        """Write a block only. This may run on another thread while batches are added, if nothing else writes blocks or
        undoes batches meanwhile."""
        head = self.blocks.head()
        assert head is None or commit.number == head.number + 1, "blocks are committed in order"
        with self.store.snapshot() as before:
            history = self.history.folded_up_to(commit.last_seq, before)
            changed = _joined(commit.changes, history.changed, _head_row(commit))
            fresh = _joined(history.fresh, _block_rows(commit))
            undo = _joined(undo_of(before, changed), _deleted(fresh))
        batches: Changes = {NodeTable.BATCH: {u64(seq): row for seq, row in commit.batches.items()}}
        log = _log_row(self.log)
        undo_rows = _undo_rows(commit.number, undo)
        kept = self._versions(commit.number, undo)
        self.store.write(_joined(history.pruned, changed, fresh, batches, undo_rows, log, kept))

    def _versions(self, number: int, undo: Changes) -> Changes:
        """The rows that an archive node keeps with a block; the archive begins with the state before the first one."""
        kept_since = versions.since(self.store)
        if not self._archive:
            return {} if kept_since is None else versions.since_row(None)
        begun = {} if kept_since is not None else versions.since_row(max(number - 1, 0))
        return _joined(begun, versions.version_rows(number, undo) if number else {})

    def block_written(self, last_seq: int) -> None:
        """Drop what was pending for the last block, now on disk, which ends with batch `last_seq`."""
        self.history.committed(last_seq)
        self.log.prune(last_seq)

    def undo_block(self) -> StoredHead:
        """Undo the last block, so that its batches are pending again. Return the new last block.

        Raises StorageError if there is no undo record: the block is too old, or the first.
        """
        head = self.blocks.head()
        row = None if head is None else self.store.get(NodeTable.UNDO, u64(head.number))
        if head is None or head.number == 0 or row is None:
            raise StorageError("no undo record: the last block cannot be taken back")
        undo = decode_undo(row)
        # Also if the node is not an archive now: it may have been one when it wrote the block.
        undo.update(_deleted(versions.version_rows(head.number, undo)))
        undo[NodeTable.UNDO] = {u64(head.number): None}
        self.store.write(undo)
        now = self.blocks.head()
        assert now is not None and now.number == head.number - 1, "undo restored another head"
        return now

    @property
    def turns_back(self) -> bool:
        """Whether time is being turned back, or was when the process ended: pending batches are to become void."""
        return self.store.get(Table.META, TURN_KEY) is not None

    def turn_back(self, number: int) -> None:
        """Undo all blocks after `number`; `void_batches_from` must follow, also after a crash. Raises NotSupported,
        with nothing changed, if the undo records do not reach back that far."""
        head = self.blocks.head()
        assert head is not None and head.number >= number, "no such block"
        if head.number > number and self.store.get(NodeTable.UNDO, u64(number + 1)) is None:
            raise NotSupported(
                f"block {number} is too far back to return to",
                most=UNDO_BLOCKS_MAX,
                have=head.number - number,
            )
        self.store.write({Table.META: {TURN_KEY: u64(number)}})
        self.finish_turning_back()

    def finish_turning_back(self) -> None:
        """Undo the blocks that a crash has left of `turn_back`."""
        row, head = self.store.get(Table.META, TURN_KEY), self.blocks.head()
        while row is not None and head is not None and head.number > int.from_bytes(row, "big"):
            head = self.undo_block()

    def void_batches_from(self, seq: int, promises: Sequence[Record] = ()) -> None:
        """Record that pending batches from `seq` on will never be in a block, together with `promises`. The log is
        written first, so that there is never a gap before its batches."""
        self.log.void_from(seq, promises)
        rows: dict[bytes, bytes | None] = {u64(old): None for old, _ in self.blocks.batches_from(seq)}
        self.store.write({NodeTable.BATCH: rows, Table.META: {TURN_KEY: None}})
        self.history.drop_from(seq)

    def close(self) -> None:
        with contextlib.suppress(
            StorageError
        ):  # a failed store accepts no writes: the last block's row remains
            if self.log.synced > _synced_log(self.store):
                self.store.write(_log_row(self.log))
        self.log.close()
        self.store.close()
        if self._lock is not None:
            self._lock.release()


def open_storage(folder: Path, identity: bytes, map_size_bytes: int, archive: bool = False) -> Storage:
    """Open or create a data folder. `identity` names the network, so that no folder mixes two; `archive` keeps the
    state of every block from now on.

    Raises StorageError with the reason: in use, another format, another network, damaged.
    """
    lock = FolderLock(folder)
    try:
        store = LmdbStore(folder, map_size_bytes)
        state_tables = tuple(Table)
        if store.rows(state_tables) <= SCRUB_AT_START_ROWS_MAX:
            store.scrub(state_tables)
        return Storage(store, FileDisk(folder / "log"), identity, os.urandom, lock, archive)
    except BaseException:
        lock.release()
        raise


def _check_identity(store: Store, identity: bytes) -> None:
    """Mark a new store with format and network; check those of an existing one."""
    found_format = store.get(Table.META, _FORMAT_KEY)
    if found_format is None:
        store.write({Table.META: {_FORMAT_KEY: FORMAT, _IDENTITY_KEY: identity}})
        return
    if found_format != FORMAT:
        have, want = found_format.decode(errors="replace"), FORMAT.decode()
        raise OtherFormat(
            f"data folder has format {have}, this version reads {want}: `coinone up` builds it again from its blocks"
        )
    if store.get(Table.META, _IDENTITY_KEY) != identity:
        raise StorageError(
            "data folder belongs to another network: choose another, or start `coinone up --reset`"
        )


def _check_log(store: Store, log: BatchLog) -> None:
    """Require the log files that existed: without them the node would revoke what it answered, and sign other batches
    in place of the lost ones."""
    wanted, _ = _synced_log(store)
    if log.newest < wanted:
        raise StorageError(
            f"batch log: file {wanted:010}.log is gone, and with it batches that were answered: restore it, "
            "or start `coinone up --reset`"
        )


def _synced_log(store: Store) -> tuple[int, int]:
    """The log's newest file and how much of it was synced, as recorded in the store."""
    row = store.get(Table.META, LOG_KEY) or b""
    return int.from_bytes(row[:8], "big"), int.from_bytes(row[8:], "big")


def _log_row(log: BatchLog) -> Changes:
    file, size = log.synced
    return {Table.META: {LOG_KEY: u64(file) + u64(size)}}


def _block_rows(commit: BlockCommit) -> Changes:
    number = u64(commit.number)
    return {
        NodeTable.BLOCK: {number: commit.block},
        NodeTable.BLOCK_NUMBER: {commit.hash: number},
        NodeTable.RECEIPTS: {number: commit.receipts},
        NodeTable.TX: dict(commit.transactions),
    }


def _head_row(commit: BlockCommit) -> Changes:
    return {Table.META: head_row(StoredHead(commit.number, commit.hash, commit.last_seq))}


def _deleted(fresh: Changes) -> Changes:
    return {table: dict.fromkeys(rows) for table, rows in fresh.items()}


def _undo_rows(number: int, undo: Changes) -> Changes:
    rows: dict[bytes, bytes | None] = {u64(number): _encode_undo(undo)}
    if number >= UNDO_BLOCKS_MAX:
        rows[u64(number - UNDO_BLOCKS_MAX)] = None
    return {NodeTable.UNDO: rows}


def _joined(*parts: Changes) -> Changes:
    joined: Changes = {}
    for part in parts:
        for table, rows in part.items():
            joined.setdefault(table, {}).update(rows)
    return joined


def _encode_undo(undo: Changes) -> bytes:
    return msgspec.msgpack.encode({table.value: list(rows.items()) for table, rows in undo.items()})


def decode_undo(data: bytes) -> Changes:
    tables = msgspec.msgpack.decode(data, type=dict[str, list[tuple[bytes, bytes | None]]])
    return {_TABLES[name]: dict(rows) for name, rows in tables.items()}
