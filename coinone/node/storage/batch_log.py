"""The batch log: an append-only file of certified batches after the last block, and of this member's votes.

`append` returns when its records are synced, and only then may an answer or a signature leave. At the next start a
tail that a crash left unfinished is truncated; damage anywhere else is a StorageError, because what followed it had
been answered. A file is deleted once blocks contain all its batches; the newest vote for another term, which never
expires, is repeated at the head of each file.
"""

from collections.abc import Callable, Sequence

from coinone.base.primitives.errors import StorageError
from coinone.node.limits import LOG_FILE_BYTES
from coinone.node.storage.disk import Disk
from coinone.node.storage.record import ID_SIZE, Damaged, Kind, Record, encode_record, is_torn, read_record

_SUFFIX = ".log"
_FILE_HEAD = b"coinone batch log 1\n"
_START = len(_FILE_HEAD) + ID_SIZE


class BatchLog:
    """The log with its contents in memory (`batches`, `promises`): at most a few blocks' worth."""

    def __init__(
        self, disk: Disk, random_bytes: Callable[[int], bytes], least: tuple[int, int] = (0, 0)
    ) -> None:
        """Open the log. `least` is a file and the bytes in it known to be synced. Raises StorageError."""
        self._disk = disk
        self._least = least
        self._random_bytes = random_bytes
        self._last_seq: dict[int, int] = {}  # file number -> highest seq in it
        self._file = 0  # the file being written; 0 before the first
        self._file_id = b""
        self._size = 0
        self._broken = False
        self.newest = 0  # number of the newest file that survives a crash
        self.synced = least  # that file and how much of it is synced; one value, for other threads
        self.batches: dict[int, bytes] = {}
        self.promises: list[Record] = []
        self._read_all()

    def append(self, records: Sequence[Record]) -> None:
        """Write `records` with one sync. Raises StorageError; after one, the log accepts no more."""
        if self._broken:
            raise StorageError("batch log: an earlier write failed")
        self._broken = True  # until the sync below has returned
        if self._file == 0 or self._size >= LOG_FILE_BYTES:
            self._start_file()
            records = [*self._last_change(), *records]
        name, offset, parts = _name(self._file), self._size, []
        for record in records:
            part = encode_record(self._file_id, offset, self._size, record)
            parts.append(part)
            offset += len(part)
        self._disk.append(name, b"".join(parts))
        self._disk.sync(name)
        self._broken = False
        self._size = offset
        self.synced = self._file, offset
        for record in records:
            self._take(record, self._file)

    def append_batch(self, seq: int, payload: bytes) -> None:
        self.append([Record(Kind.BATCH, seq, payload)])

    def void_from(self, seq: int, promises: Sequence[Record] = ()) -> None:
        """Record that batches from `seq` on will never be in a block: their base is gone, or (dev) time was turned
        back. `promises` are written in the same sync."""
        self.append([Record(Kind.VOID, seq), *promises])

    def prune(self, committed_seq: int) -> None:
        """Delete files whose batches are all in blocks, which contain everything up to `committed_seq`."""
        self.batches = {seq: payload for seq, payload in self.batches.items() if seq > committed_seq}
        change = self._last_change()
        kept = [
            record
            for record in self.promises
            if record.seq > committed_seq and record.kind is not Kind.CHANGE
        ]
        self.promises = [*change, *kept]
        for file, last in list(self._last_seq.items()):
            if last > committed_seq or file == self.newest:
                break  # in order, since a later file may make batches of this one void
            self._disk.remove(_name(file))
            del self._last_seq[file]

    def close(self) -> None:
        self._disk.close()

    def _start_file(self) -> None:
        self._file += 1
        self._file_id = self._random_bytes(ID_SIZE)
        self._disk.append(_name(self._file), _FILE_HEAD + self._file_id)
        self._disk.sync(_name(self._file))
        self._size = _START
        self._last_seq[self._file] = 0
        self.newest = self._file

    def _take(self, record: Record, file: int) -> None:
        if record.kind is Kind.BATCH:
            assert record.seq == self._next_seq(record), "batches have no gap"
            self.batches[record.seq] = record.payload
        elif record.kind is not Kind.VOID:
            self.promises.append(record)
        else:
            self.batches = {seq: payload for seq, payload in self.batches.items() if seq < record.seq}
        self._last_seq[file] = max(self._last_seq[file], record.seq)

    def _next_seq(self, record: Record) -> int:
        """The seq that the next batch must have; any, if it is the first."""
        return next(reversed(self.batches)) + 1 if self.batches else record.seq

    def _last_change(self) -> list[Record]:
        return [record for record in self.promises if record.kind is Kind.CHANGE][-1:]

    def _read_all(self) -> None:
        stems = [name.removesuffix(_SUFFIX) for name in self._disk.names() if name.endswith(_SUFFIX)]
        files = sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())
        for file in files:
            self._read_file(file, is_last=file == files[-1])

    def _read_file(self, file: int, is_last: bool) -> None:
        name = _name(file)
        data = self._disk.read(name)
        if is_last and (not any(data) or (len(data) < _START and _FILE_HEAD.startswith(data[:20]))):
            self._require_synced(file, 0)
            self._disk.remove(name)  # a crash interrupted its creation; it was still empty
            self._file = file
            self._size = LOG_FILE_BYTES  # so that the next append starts a new one
            return
        if data[: len(_FILE_HEAD)] != _FILE_HEAD:
            raise StorageError(f"batch log: {name} is not a batch log of this format")
        self._file, self._file_id, self._size = file, data[len(_FILE_HEAD) : _START], _START
        self._last_seq[file] = 0
        self.newest = file
        while self._size < len(data):
            try:
                found = read_record(self._file_id, data, self._size)
            except Damaged:
                if not (is_last and is_torn(self._file_id, data, self._size)):
                    raise StorageError(f"batch log: {name} is damaged at byte {self._size}") from None
                self._require_synced(file, self._size)
                self._disk.truncate(name, self._size)
                return
            want = self._next_seq(found.record)
            if found.record.kind is Kind.BATCH and found.record.seq != want:
                raise StorageError(f"batch log: batch {want} is missing before {name}")
            self._take(found.record, file)
            self._size = found.end
        self._require_synced(file, self._size)

    def _require_synced(self, file: int, good: int) -> None:
        """Check that a file is not shorter than what was synced: an unfinished write can only begin after that."""
        wanted = self._least[1] if file == self._least[0] else 0
        if good < wanted:
            raise StorageError(
                f"batch log: {_name(file)} is cut short, to {good} good bytes of {wanted} that were synced, and with "
                "the rest batches that were answered are gone: restore it, or start `coinone up --reset`"
            )


def _name(file: int) -> str:
    return f"{file:010}{_SUFFIX}"
