"""Storage as a whole: commit, undo, reopen, and folders that must be refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from coinone.base.primitives.errors import StorageError
from coinone.node.storage.blocks import StoredHead
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.storage import LOG_KEY, BlockCommit, Storage, open_storage
from coinone.node.storage.store import MemoryStore
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.exchange.events.events import LedgerUpdate
from coinone.rules.state.database import Table

MAP = 16 * 1024 * 1024
ALICE = b"\xaa" * 20


def block(number: int, last_seq: int, first_seq: int | None = None) -> BlockCommit:
    first = last_seq if first_seq is None else first_seq
    return BlockCommit(
        number=number,
        hash=bytes([number]) * 32,
        last_seq=last_seq,
        block=b"block %d" % number,
        receipts=b"receipts %d" % number,
        changes={Table.ACCOUNT: {b"a": b"%d" % number}, Table.META: {b"cursor": b"%d" % last_seq}},
        batches={seq: b"batch %d" % seq for seq in range(first, last_seq + 1)},
        transactions={bytes([100 + number]) * 32: b"place %d" % number},
    )


def deposit(seq: int) -> LedgerUpdate:
    return LedgerUpdate(seq, 1000 * seq, ALICE, "deposit", seq, bytes(20), bytes(32))


def run_batch(storage: Storage, seq: int) -> None:
    storage.history.add_batch(seq, EventLog([deposit(seq)]))
    storage.log.append_batch(seq, b"batch %d" % seq)


def ledger_seqs(storage: Storage) -> list[int]:
    return [update.seq for update in storage.history.ledger(ALICE)]


def test_a_block_takes_the_first_batches_and_later_ones_stay_pending(tmp_path: Path) -> None:
    storage = open_storage(tmp_path, b"dev", MAP)
    storage.commit_block(block(0, 0))
    for seq in range(1, 6):
        run_batch(storage, seq)
    storage.commit_block(block(1, 3, first_seq=1))
    assert ledger_seqs(storage) == [5, 4, 3, 2, 1]
    storage.close()

    storage = open_storage(tmp_path, b"dev", MAP)
    assert storage.blocks.head() == StoredHead(1, b"\x01" * 32, 3)
    assert storage.pending_batches() == [(4, b"batch 4"), (5, b"batch 5")]
    assert ledger_seqs(storage) == [3, 2, 1]
    for seq, _ in storage.pending_batches():  # applied again, their history comes back
        storage.history.add_batch(seq, EventLog([deposit(seq)]))
    assert ledger_seqs(storage) == [5, 4, 3, 2, 1]
    assert storage.blocks.block(1) == b"block 1" and storage.blocks.receipts(1) == b"receipts 1"
    assert storage.blocks.number_of(b"\x01" * 32) == 1 and storage.blocks.number_of(b"\x02" * 32) is None
    assert storage.blocks.transaction(b"\x65" * 32) == b"place 1"
    assert storage.blocks.batch(2) == b"batch 2" and storage.blocks.batch(4) is None
    storage.close()


def test_undoing_a_block_restores_every_row_and_makes_its_batches_pending_again(tmp_path: Path) -> None:
    storage = open_storage(tmp_path, b"dev", MAP)
    storage.commit_block(block(0, 0))
    run_batch(storage, 1)
    storage.commit_block(block(1, 1))
    with storage.store.snapshot() as snapshot:
        before = {table: dict(snapshot.scan(table)) for table in (*Table, *NodeTable)}
    run_batch(storage, 2)
    run_batch(storage, 3)
    storage.commit_block(block(2, 3, first_seq=2))
    assert storage.undo_block() == StoredHead(1, b"\x01" * 32, 1)
    with storage.store.snapshot() as snapshot:
        after = {table: dict(snapshot.scan(table)) for table in (*Table, *NodeTable)}
    kept = {u64(seq): b"batch %d" % seq for seq in (2, 3)}
    for rows in (before, after):
        del rows[Table.META][LOG_KEY]  # how far the log is synced, which no block takes back
    assert after == {**before, NodeTable.BATCH: {**before[NodeTable.BATCH], **kept}}
    storage.close()
    storage = open_storage(tmp_path, b"dev", MAP)
    assert storage.pending_batches() == [(2, b"batch 2"), (3, b"batch 3")]
    storage.void_batches_from(3)
    run_batch(storage, 3)
    storage.close()
    assert [seq for seq, _ in open_storage(tmp_path, b"dev", MAP).pending_batches()] == [2, 3]


def test_the_first_block_cannot_be_taken_back(tmp_path: Path) -> None:
    storage = Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom)
    storage.commit_block(block(0, 0))
    with pytest.raises(StorageError):
        storage.undo_block()
    assert storage.blocks.head() == StoredHead(0, bytes(32), 0)


def test_a_folder_of_another_network_or_format_is_refused_and_stays_usable(tmp_path: Path) -> None:
    open_storage(tmp_path, b"dev", MAP).close()
    with pytest.raises(StorageError, match="another network"):
        open_storage(tmp_path, b"main", MAP)
    storage = open_storage(tmp_path, b"dev", MAP)
    with pytest.raises(StorageError, match=f"in use by process {os.getpid()}"):
        open_storage(tmp_path, b"dev", MAP)
    storage.store.write({Table.META: {b"format": b"0"}})
    storage.close()
    with pytest.raises(StorageError, match=r"format 0, this version reads 8\."):
        open_storage(tmp_path, b"dev", MAP)


def test_a_gap_in_the_pending_batches_is_a_storage_error(tmp_path: Path) -> None:
    storage = Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom)
    storage.commit_block(block(0, 0))
    storage.log.append_batch(2, b"without the first")
    with pytest.raises(StorageError, match="batch 1 is missing"):
        storage.pending_batches()


def blocks_up_to(folder: Path, last: int) -> None:
    """A batch a block, and one more that no block has."""
    storage = open_storage(folder, b"dev", MAP)
    storage.commit_block(block(0, 0))
    for number in range(1, last + 1):
        run_batch(storage, number)
        storage.commit_block(block(number, number))
    run_batch(storage, last + 1)
    storage.close()


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: os.truncate(file, 0)])
def test_a_log_that_is_gone_is_missed(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    blocks_up_to(tmp_path, 2)
    spoil(tmp_path / "log" / "0000000001.log")
    with pytest.raises(StorageError, match=r"0000000001\.log is (gone|cut short), .* answered"):
        open_storage(tmp_path, b"dev", MAP)


def test_a_new_file_whose_creation_was_cut_short_is_not_missed(tmp_path: Path) -> None:
    blocks_up_to(tmp_path, 2)
    for pending in ([(3, b"batch 3")], [], []):  # crash after crash, before anything was written to it
        (tmp_path / "log" / "0000000002.log").write_bytes(b"coinone ba")
        storage = open_storage(tmp_path, b"dev", MAP)
        assert storage.pending_batches() == pending
        if pending:
            storage.commit_block(block(3, 3))
        storage.close()
