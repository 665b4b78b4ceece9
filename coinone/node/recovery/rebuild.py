"""Rebuild a data folder of another format from its blocks (D7: before launch there are no migrations).

Blocks and batches are in the chain's own encoding, which outlives the tables around them. So they are executed again
into a new database next to the old one, with every root compared, and the new one replaces the old one in one step. A
crash before that step leaves the old folder as it was. The batch log stays in place: its batches are applied at the
next opening, as after any start.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from coinone.base.primitives.errors import CoinoneError, StorageError
from coinone.node.recovery.startup import identity_of
from coinone.node.recovery.verify import execute_again
from coinone.node.storage.blocks import BlockReader, head_of
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.folder_lock import FolderLock
from coinone.node.storage.lmdb_store import FILE, LmdbStore
from coinone.node.storage.storage import LOG_KEY, TURN_KEY, Storage
from coinone.node.storage.tables import NodeTable, u64
from coinone.node.views.archive import commit_of
from coinone.rules.chain.network import Network
from coinone.rules.chain.sealing import SealedBlock
from coinone.rules.ledger.block import Block
from coinone.rules.state.database import Table

FOLDER = "rebuild"  # inside the data folder, during the rebuild
Progress = Callable[[int, int], None]  # blocks done, and their total


def rebuild(
    network: Network,
    data_dir: Path,
    map_size_bytes: int,
    progress: Progress = lambda done, of: None,
    archive: bool = False,
) -> int:
    """Rebuild the database; return the number of executed blocks. `archive` keeps the state of each. Raises
    StorageError without changing anything if they cannot be executed."""
    lock = FolderLock(data_dir)
    beside = data_dir / FOLDER
    try:
        shutil.rmtree(beside, ignore_errors=True)  # left by an interrupted rebuild
        beside.mkdir(mode=0o700)
        count = _build(network, data_dir, beside, map_size_bytes, progress, archive)
        _put_in_place(beside, data_dir)
    except (CoinoneError, AssertionError, OSError) as error:
        raise StorageError(
            f"cannot be built again from its blocks ({error}): start `coinone up --reset`"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        lock.release()
    return count


def _build(
    network: Network, data_dir: Path, beside: Path, map_size_bytes: int, progress: Progress, archive: bool
) -> int:
    old = LmdbStore(data_dir, map_size_bytes)
    new = Storage(
        LmdbStore(beside, map_size_bytes), FileDisk(beside / "log"), identity_of(network), os.urandom,
        archive=archive,
    )  # fmt: skip

    def write(block: Block, sealed: SealedBlock, batches: Mapping[int, bytes]) -> None:
        for result in sealed.results:
            new.history.add_batch(result.batch.seq, result.exchange.events)
        new.commit_block(commit_of(block, sealed, batches))

    try:
        head = head_of(old)
        if head is None:
            return 0
        chain = execute_again(network, old, new.store, write, lambda done: progress(done.number, head.number))
        assert chain.head.hash == head.hash, "the blocks do not lead to the head"
        waiting: dict[bytes, bytes | None] = {  # batches of undone blocks
            u64(seq): row for seq, row in BlockReader(old).batches_from(head.last_seq + 1)
        }
        kept = {key: old.get(Table.META, key) for key in (LOG_KEY, TURN_KEY)}
        new.store.write({NodeTable.BATCH: waiting, Table.META: kept})
        return head.number
    finally:
        new.close()
        old.close()


def _put_in_place(beside: Path, data_dir: Path) -> None:
    """Replace the database by one rename and sync the folder, so that after a crash it is either the old or the new
    one."""
    os.replace(beside / FILE, data_dir / FILE)
    handle = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
