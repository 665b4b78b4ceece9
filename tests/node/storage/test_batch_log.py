"""The batch log on a disk that tears, loses, rots and fails."""

import os
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from coinone.base.primitives.errors import StorageError
from coinone.node.storage import batch_log
from coinone.node.storage.batch_log import BatchLog
from coinone.node.storage.record import Kind, Record


class PlainDisk:
    """Files in memory; remembers what was synced."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.synced: dict[str, int] = {}
        self.fail: str | None = None

    def names(self) -> list[str]:
        return sorted(self.files)

    def read(self, name: str) -> bytes:
        return bytes(self.files[name])

    def append(self, name: str, data: bytes) -> None:
        self._maybe_fail("append")
        self.files.setdefault(name, bytearray()).extend(data)

    def sync(self, name: str) -> None:
        self._maybe_fail("sync")
        self.synced[name] = len(self.files[name])

    def truncate(self, name: str, size: int) -> None:
        del self.files[name][size:]
        self.synced[name] = size

    def remove(self, name: str) -> None:
        self.files.pop(name, None)

    def close(self) -> None:
        pass

    def _maybe_fail(self, doing: str) -> None:
        if self.fail == doing:
            raise StorageError("injected")


def opened(disk: PlainDisk) -> BatchLog:
    return BatchLog(disk, os.urandom)


def filled(count: int = 20, size: int = 100) -> tuple[PlainDisk, str]:
    disk = PlainDisk()
    log = opened(disk)
    for seq in range(1, count + 1):
        log.append([Record(Kind.VOTE, seq, b"vote"), Record(Kind.BATCH, seq, bytes([seq]) * size)])
    return disk, disk.names()[0]


def test_what_was_appended_is_found_again() -> None:
    disk, _ = filled()
    log = opened(disk)
    assert log.batches == {seq: bytes([seq]) * 100 for seq in range(1, 21)}
    assert [vote.seq for vote in log.promises] == list(range(1, 21))
    log.append_batch(21, b"next")
    assert opened(disk).batches[21] == b"next"


def test_a_void_record_takes_batches_back_also_after_reopening() -> None:
    disk, _ = filled()
    log = opened(disk)
    log.void_from(15)
    log.append_batch(15, b"another")
    for seen in (log, opened(disk)):
        assert list(seen.batches) == list(range(1, 16)) and seen.batches[15] == b"another"


@settings(max_examples=100)
@given(st.integers(1, 600), st.booleans(), st.binary(min_size=1, max_size=8))
def test_a_torn_tail_is_cut_off_and_nothing_synced_is_lost(cut: int, zeros: bool, noise: bytes) -> None:
    """The last append was never synced: any prefix of it, or zeros in its place, may be what is left."""
    disk, name = filled(5)
    log = opened(disk)
    whole = len(disk.files[name])
    log.append([Record(Kind.BATCH, 6, b"x" * 400 + noise), Record(Kind.BATCH, 7, b"y" * 50)])
    tail = disk.files[name][whole:]
    cut = min(cut, len(tail) - 1)
    kept = bytes(len(tail)) if zeros and cut % 2 else tail[:cut]
    disk.files[name][whole:] = kept
    again = opened(disk)
    assert [again.batches[seq] for seq in range(1, 6)] == [bytes([seq]) * 100 for seq in range(1, 6)]
    assert 7 not in again.batches
    following = max(again.batches) + 1
    again.append_batch(following, b"after the crash")
    assert opened(disk).batches[following] == b"after the crash"


@settings(max_examples=100)
@given(st.data())
def test_a_flipped_bit_anywhere_stops_the_start(data: st.DataObject) -> None:
    disk, name = filled(5)
    content = disk.files[name]
    at = data.draw(st.integers(0, len(content) * 8 - 1))
    content[at // 8] ^= 1 << at % 8
    with pytest.raises(StorageError, match=r"damaged|not a batch log"):
        opened(disk)


def test_a_zeroed_sector_in_the_middle_is_damage_not_a_torn_tail() -> None:
    disk, name = filled(40)
    disk.files[name][1024:1536] = bytes(512)
    with pytest.raises(StorageError, match="damaged"):
        opened(disk)


def test_a_cut_in_an_earlier_file_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_log, "LOG_FILE_BYTES", 500)
    disk, name = filled(20)
    assert len(disk.names()) > 3
    del disk.files[name][-1:]
    with pytest.raises(StorageError, match="damaged"):
        opened(disk)


def test_a_cut_of_what_is_known_to_be_synced_is_no_torn_tail() -> None:
    """The last record has none behind it that shows it was synced; whoever noted how far the log was knows."""
    disk, name = filled(5)
    log = opened(disk)
    log.append_batch(6, b"answered")
    noted, before = log.synced, bytes(disk.files[name])
    for cut in (1, 30, len(b"answered") + 45):  # within the record, and the whole of it
        disk.files[name][:] = before[:-cut]
        with pytest.raises(StorageError, match="is cut short, to"):
            BatchLog(disk, os.urandom, noted)
        assert disk.files[name] == before[:-cut], "nothing was cut off"
    disk.files[name][:] = before
    log = BatchLog(disk, os.urandom, noted)
    log.append_batch(7, b"not synced, as far as is known")
    del disk.files[name][-5:]
    assert list(BatchLog(disk, os.urandom, noted).batches) == [1, 2, 3, 4, 5, 6]


def test_a_file_known_to_be_synced_is_not_taken_for_one_whose_creation_was_cut() -> None:
    disk, name = filled(1)
    del disk.files[name][10:]
    with pytest.raises(StorageError, match="cut short"):
        BatchLog(disk, os.urandom, (1, 36))


def test_a_batch_that_contains_a_record_cannot_fake_one() -> None:
    """Bytes copied from the file itself: at another offset their checksum does not hold."""
    disk, name = filled(3)
    inside = bytes(disk.files[name][36:])
    log = opened(disk)
    log.append_batch(4, inside)
    del disk.files[name][-4:]
    assert list(opened(disk).batches) == [1, 2, 3]


def test_files_go_when_blocks_contain_their_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_log, "LOG_FILE_BYTES", 500)
    disk, _ = filled(20)
    log = opened(disk)
    before = len(disk.names())
    log.prune(19)
    assert list(log.batches) == [20] and len(disk.names()) < before
    log.append_batch(21, b"more")
    again = opened(disk)
    again.prune(19)
    assert list(again.batches) == [20, 21]


def test_a_file_stays_while_an_earlier_one_holds_batches_that_are_void(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By hand: 1 to 20 fill the first file, then 5 and all after it are void. The next 5 to 14 fill the second one, and
    a block ends with 14: the first still holds the void 15 to 20, so the second must stay for what it says of them."""
    disk, _ = filled(20)
    monkeypatch.setattr(batch_log, "LOG_FILE_BYTES", 1_000)
    log = opened(disk)
    log.void_from(5)
    for seq in range(5, 17):
        log.append_batch(seq, bytes([seq]) * 100)
        log.prune(min(seq - 1, 14))
    again = opened(disk)
    assert list(again.batches)[-2:] == [15, 16]
    again.append_batch(17, b"17")
    again.prune(20)
    assert len(disk.files) == 1


def test_a_file_missing_in_the_middle_is_named_by_the_first_batch_that_was_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_log, "LOG_FILE_BYTES", 500)
    disk, _ = filled(20)
    disk.files["readme.log"] = bytearray(b"not ours")
    assert list(opened(disk).batches) == list(range(1, 21))
    alone = PlainDisk()
    alone.files["0000000001.log"] = disk.files["0000000001.log"]
    missing = max(opened(alone).batches) + 1
    del disk.files["0000000002.log"]
    with pytest.raises(StorageError, match=rf"batch {missing} is missing before 0000000003\.log"):
        opened(disk)


def test_a_file_whose_creation_was_cut_short_is_no_damage() -> None:
    for left in (b"", b"coinone ba", bytes(36)):
        disk = PlainDisk()
        disk.files["0000000001.log"] = bytearray(left)
        log = opened(disk)
        log.append_batch(1, b"first")
        assert opened(disk).batches == {1: b"first"}


@pytest.mark.parametrize("operation", ["append", "sync"])
def test_after_a_failed_write_the_log_refuses_to_go_on(operation: str) -> None:
    disk, _ = filled(3)
    log = opened(disk)
    disk.fail = operation
    with pytest.raises(StorageError, match="injected"):
        log.append_batch(4, b"lost")
    disk.fail = None
    with pytest.raises(StorageError, match="earlier write failed"):
        log.append_batch(4, b"again")
    assert 4 not in log.batches


def test_one_append_is_one_sync() -> None:
    disk = PlainDisk()
    log = opened(disk)
    log.append_batch(1, b"")
    syncs = 0
    original: Callable[[str], None] = disk.sync

    def counted(name: str) -> None:
        nonlocal syncs
        syncs += 1
        original(name)

    disk.sync = counted  # type: ignore[method-assign]
    log.append([Record(Kind.BATCH, seq, b"") for seq in range(2, 30)])
    assert syncs == 1
