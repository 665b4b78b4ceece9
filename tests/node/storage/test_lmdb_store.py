"""The LMDB store against the one in memory, and against flipped bits, a full map and a full disk."""

import random
import resource
import subprocess
import sys
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from coinone.base.primitives.errors import StorageError
from coinone.node.storage.folder_lock import FolderLock
from coinone.node.storage.lmdb_store import FILE, LmdbStore
from coinone.node.storage.store import MemoryStore
from coinone.node.storage.tables import NodeTable
from coinone.rules.state.database import Table

MAP = 16 * 1024 * 1024
keys = st.binary(min_size=1, max_size=3)
rows = st.dictionaries(keys, st.one_of(st.none(), st.binary(max_size=5)), max_size=8)


@settings(max_examples=30)
@given(st.lists(rows, max_size=4), keys, keys)
def test_reads_equal_those_of_the_memory_store(
    tmp_path_factory: pytest.TempPathFactory, writes: list[dict], low: bytes, high: bytes
) -> None:
    memory = MemoryStore()
    disk = LmdbStore(tmp_path_factory.mktemp("lmdb"), MAP)
    for changes in writes:
        disk.write({Table.STORAGE: changes, NodeTable.FILL: changes})
        memory.write({Table.STORAGE: changes, NodeTable.FILL: changes})
    for store in (disk, memory):
        assert store.get(Table.CODE, low) is None
    assert disk.get(NodeTable.FILL, low) == memory.get(NodeTable.FILL, low)
    for prefix in (b"", low[:1], high):
        assert list(disk.scan(Table.STORAGE, prefix)) == list(memory.scan(Table.STORAGE, prefix))
    for reverse in (False, True):
        both = [list(store.range(Table.STORAGE, low, high, reverse)) for store in (disk, memory)]
        assert both[0] == both[1]
    assert disk.scrub() == 2 * len(list(memory.scan(Table.STORAGE)))
    disk.close()


def test_a_snapshot_does_not_see_later_writes(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, MAP)
    store.write({Table.META: {b"k": b"old"}})
    with store.snapshot() as before:
        store.write({Table.META: {b"k": b"new"}})
        assert before.get(Table.META, b"k") == b"old"
    assert store.get(Table.META, b"k") == b"new"
    store.close()


def test_another_process_reads_what_the_writer_committed(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, MAP)
    store.write({Table.ACCOUNT: {n.to_bytes(4, "big"): bytes([n % 256]) for n in range(400)}})
    code = READER.replace(f"{MAP})", f"{MAP}, readonly=True)")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True)
    assert len(done.stdout.split()) == 400
    store.write({Table.META: {b"k": b"v"}})
    store.close()


def test_flipped_bits_are_found_or_harmless_and_never_answered(tmp_path: Path) -> None:
    """Each flip in a copy of the file: the scrub stops, or every row still reads as it was written."""
    want = {n.to_bytes(4, "big"): random.Random(n).randbytes(60) for n in range(400)}
    store = LmdbStore(tmp_path, MAP)
    store.write({Table.ACCOUNT: want})
    store.close()
    clean = (tmp_path / FILE).read_bytes()
    dice = random.Random(5)
    found = 0
    for _ in range(60):
        bad = bytearray(clean)
        first = clean.index(want[bytes(4)]) - 3000  # where the rows and the heads of their pages are
        at = dice.randrange(first * 8, (first + 40_000) * 8)
        bad[at // 8] ^= 1 << at % 8
        found += reads_damaged(tmp_path / "copy", bytes(bad), want)
    assert found > 20  # the flips did hit something


def reads_damaged(folder: Path, content: bytes, want: dict[bytes, bytes]) -> bool:
    """In a process of its own, because LMDB may crash on a damaged page; a crash is found, too."""
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(content)
    (folder / (FILE + "-lock")).unlink(missing_ok=True)
    done = subprocess.run([sys.executable, "-c", READER, str(folder)], capture_output=True, check=False)
    if done.returncode == 0:
        assert done.stdout.decode().split() == [v.hex() for v in want.values()], "a wrong answer was given"
        return False
    assert done.returncode < 0 or b"StorageError" in done.stderr, done.stderr.decode()
    return True


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, MAP)
    store.write({Table.ACCOUNT: {n.to_bytes(4, "big"): bytes(60) for n in range(400)}})
    store.close()
    with (tmp_path / FILE).open("r+b") as file:
        file.truncate((tmp_path / FILE).stat().st_size - 4096)
    with pytest.raises(StorageError, match="cut short"):
        LmdbStore(tmp_path, MAP)


READER = f"""
import sys
from pathlib import Path
from coinone.node.storage.lmdb_store import LmdbStore
from coinone.rules.state.database import Table
store = LmdbStore(Path(sys.argv[1]), {MAP})
store.scrub()
print(*(store.get(Table.ACCOUNT, n.to_bytes(4, "big")).hex() for n in range(400)))
"""


def test_a_full_map_is_a_storage_error_and_the_last_commit_stays(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, 256 * 1024)
    store.write({Table.META: {b"good": b"1"}})
    with pytest.raises(StorageError, match=r"full at .* larger map"):
        store.write({Table.CODE: {bytes([n]): bytes(30_000) for n in range(40)}})
    with pytest.raises(StorageError, match="earlier write failed"):
        store.write({Table.META: {b"more": b"2"}})
    store.close()
    again = LmdbStore(tmp_path, MAP)
    assert again.get(Table.META, b"good") == b"1" and list(again.scan(Table.CODE)) == []
    again.write({Table.META: {b"more": b"2"}})
    again.close()


FILLER = f"""
import resource, signal, sys
from pathlib import Path
from coinone.base.primitives.errors import StorageError
from coinone.node.storage.storage import open_storage
from coinone.rules.state.database import Table
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
storage = open_storage(Path(sys.argv[1]), b"test", {MAP})
storage.log.append_batch(1, b"answered")
storage.store.write({{Table.META: {{b"good": b"1"}}}})
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
refused = 0
for attempt in (
    lambda: storage.store.write({{Table.CODE: {{bytes([n]): bytes(30_000) for n in range(40)}}}}),
    lambda: storage.log.append_batch(2, bytes(300_000)),
):
    try:
        attempt()
    except StorageError as error:
        refused += 1
print(refused)
"""


def test_a_full_disk_is_a_storage_error_and_reopening_finds_what_was_answered(tmp_path: Path) -> None:
    """A limit on file size stands for the full disk: write() fails in the same way, with another errno."""
    from coinone.node.storage.storage import open_storage

    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2", done.stderr
    storage = open_storage(tmp_path, b"test", MAP)
    assert storage.store.get(Table.META, b"good") == b"1"
    assert storage.pending_batches() == [(1, b"answered")]
    storage.log.append_batch(2, b"goes on")
    storage.close()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_second_process_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from coinone.node.storage.folder_lock import FolderLock
lock = FolderLock(Path({str(tmp_path)!r}))
print("locked", flush=True)
input()
"""
    first = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert first.stdout is not None and first.stdin is not None
    assert first.stdout.readline() == "locked\n"
    with pytest.raises(StorageError, match=f"in use by process {first.pid}"):
        FolderLock(tmp_path)
    first.kill()
    first.wait()
    first.stdout.close()
    first.stdin.close()
    FolderLock(tmp_path).release()


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        FolderLock(tmp_path / "file" / "data")
