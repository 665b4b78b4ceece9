"""The memory that a transaction's frames share: cells with their index and journal, and the buffer of logs.

All begin small, are allocated here and only here, and double when the machine code says that one is full; what
grew beyond the usual is given back at the end of the transaction.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coinone.base.primitives.types import Address
from coinone.rules.vm.environment import Log
from coinone.rules.vm.native.compiler import Library
from coinone.rules.vm.native.layout import (
    CALLEE,
    CALLEE_CODE,
    CALLEE_GENERATION,
    CALLEE_SOURCE,
    CELL_ACCOUNT,
    CELL_FLAGS,
    CELL_ORIGINAL,
    CELL_SIZE,
    CELL_VALUE,
    LOG_HEAD,
    NOTE_SIZE,
    SHARED,
    SHARED_SIZE,
    TRANSIENT,
    WARM,
    WORD,
    WRITTEN,
)

Bytes = npt.NDArray[np.uint8]
_CELLS = 2_048
_LOGS = 1 << 16
_LOG_OVERHEAD = 256  # a log's head, topics and padding are less
_INDEX_PER_CELL = 2
_ALIGNMENT = 64
_CELL_CONTENT = struct.Struct(f"<{WORD}s{WORD}sqq")  # value, original, account, flags
_CALLEE = struct.Struct("<qqqq")
_KEYS = ("KEY0", "KEY1", "KEY2", "KEY3")


def aligned(size: int, alignment: int = _ALIGNMENT) -> Bytes:
    """Zeroed memory that begins at a multiple of `alignment`; the system provides it only where it is touched."""
    block = np.zeros(size + alignment, dtype=np.uint8)
    start = -block.ctypes.data % alignment
    return block[start : start + size]


@lru_cache(maxsize=256)
def _log_shape(head: bytes) -> tuple[struct.Struct, int]:
    """The topics and the data of a log with that head, the data padded to 8 bytes; and whose it is."""
    first, size = struct.unpack("<qq", head)
    account, topic_count = divmod(first, 256)
    return struct.Struct(f"<{LOG_HEAD}x{topic_count * f'{WORD}s'}{size}s{-size % 8}x"), account


class Tables:
    """The shared record and what it points to."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._record = aligned(SHARED_SIZE)
        self.address: int = self._record.ctypes.data
        self.bytes = self._record.data
        self.numbers = self.bytes.cast("q")
        for name in _KEYS:  # Python's own key against chosen collisions: it changes with each process
            self[name] = hash((name, "coinone")) & (2**63 - 1)
        self._key = aligned(WORD)
        self._key_bytes = self._key.data
        self._key_address: int = self._key.ctypes.data
        self._allocate_cells(_CELLS)
        self._allocate_journal(_CELLS)
        self._allocate_logs(_LOGS)

    def __getitem__(self, name: str) -> int:
        return self.numbers[SHARED[name] >> 3]

    def __setitem__(self, name: str, value: int) -> None:
        self.numbers[SHARED[name] >> 3] = value

    def reset(self) -> None:
        """Forget everything; large tables go back to the system."""
        if self["CELL_LIMIT"] > _CELLS:
            self._allocate_cells(_CELLS)
        elif self["CELL_COUNT"]:
            self._index.fill(0)
        self["CELL_COUNT"] = self["JOURNAL_COUNT"] = self["LOGS_USED"] = self["REFUND"] = 0
        if self["JOURNAL_LIMIT"] > _CELLS:
            self._allocate_journal(_CELLS)
        if self["LOGS_LIMIT"] > _LOGS:
            self._allocate_logs(_LOGS)

    # Cells

    def add(self, account: int, slot: int, value: int, original: int, warm: bool) -> None:
        """Make a slot known to the machine code."""
        if self["CELL_COUNT"] == self["CELL_LIMIT"]:
            self.grow_cells()
        self._key_bytes[:] = slot.to_bytes(WORD, "little")
        address = self._library.add_cell(self.address, account, self._key_address)
        _CELL_CONTENT.pack_into(
            self._cell_bytes,
            address - self._cells_address + CELL_VALUE,
            value.to_bytes(WORD, "little"),
            original.to_bytes(WORD, "little"),
            account,
            WARM if warm else 0,
        )

    def add_callee(self, address: int, code: tuple[int, int, int, int], source: int) -> int:
        """Tell of code that may be called: where it and its marks lie, its size, the account's number;
        and where the bytes lie that the contract may copy."""
        if self["CELL_COUNT"] == self["CELL_LIMIT"]:
            self.grow_cells()
        self._key_bytes[:] = address.to_bytes(WORD, "little")
        cell: int = self._library.add_cell(self.address, CALLEE, self._key_address) - self._cells_address
        _CALLEE.pack_into(self._cell_bytes, cell + CALLEE_CODE, *code)
        self._cell_numbers[(cell + CALLEE_SOURCE) >> 3] = source
        return cell

    def renew_callee(self, cell: int) -> None:
        """It can be called until `GENERATION` changes."""
        self._cell_numbers[(cell + CALLEE_GENERATION) >> 3] = self["GENERATION"]

    def written(self) -> Iterator[tuple[int, int, int]]:
        """Account, slot and value of each storage cell that was ever written, in the order of first use."""
        numbers, cells = self._cell_numbers, self._cell_bytes
        for start in range(0, self["CELL_COUNT"] * CELL_SIZE, CELL_SIZE):
            account = numbers[(start + CELL_ACCOUNT) >> 3]
            if account < TRANSIENT and numbers[(start + CELL_FLAGS) >> 3] & WRITTEN:
                slot = int.from_bytes(cells[start : start + WORD], "little")
                yield (
                    account,
                    slot,
                    int.from_bytes(cells[start + CELL_VALUE : start + CELL_ORIGINAL], "little"),
                )

    def undo(self, mark: int) -> None:
        """Take back all changes of cells since the journal was that long."""
        self._library.undo_cells(self.address, mark)

    def make_room(self) -> None:
        """Double what is full, cells or journal."""
        if self["CELL_COUNT"] == self["CELL_LIMIT"]:
            self.grow_cells()
        if self["JOURNAL_COUNT"] == self["JOURNAL_LIMIT"]:
            self._grow_journal()

    def grow_cells(self) -> None:
        old, count = self._cells, self["CELL_COUNT"]
        self._allocate_cells(2 * self["CELL_LIMIT"])
        self._cells[: count * CELL_SIZE] = old[: count * CELL_SIZE]
        self._library.rebuild_index(self.address)

    def _grow_journal(self) -> None:
        old = self._journal
        self._allocate_journal(2 * self["JOURNAL_LIMIT"])
        self._journal[: len(old)] = old

    def _allocate_cells(self, count: int) -> None:
        places = count * _INDEX_PER_CELL
        self._cells = aligned(count * CELL_SIZE)
        self._index = np.zeros(places, dtype=np.uint32)
        self._cell_bytes = self._cells.data
        self._cell_numbers = self._cell_bytes.cast("q")
        self._cells_address: int = self._cells.ctypes.data
        self["CELLS"], self["CELL_LIMIT"] = self._cells_address, count
        self["INDEX"], self["INDEX_MASK"] = self._index.ctypes.data, places - 1
        self["INDEX_SHIFT"] = 65 - places.bit_length()

    def _allocate_journal(self, count: int) -> None:
        self._journal = aligned(count * NOTE_SIZE)
        self["JOURNAL"], self["JOURNAL_LIMIT"] = self._journal.ctypes.data, count

    # Logs

    def take_logs(self, addresses: list[Address]) -> list[Log]:
        """The logs gathered since the last time.

        A thousand of one shape are nothing unusual, so those in a row are read together, and are made as
        `Log(...)` makes them but without that call.
        """
        content, position, logs, new = self._logs[: self["LOGS_USED"]].tobytes(), 0, [], tuple.__new__
        while position < len(content):
            head = content[position : position + LOG_HEAD]
            shape, account = _log_shape(head)
            address = addresses[account]
            end = position + shape.size
            while content[end : end + LOG_HEAD] == head:
                end += shape.size
            parts = shape.iter_unpack(content[position:end])
            logs += [new(Log, (address, fields[:-1], fields[-1])) for fields in parts]
            position = end
        self["LOGS_USED"] = 0
        return logs

    def room_for_log(self, size: int) -> None:
        """Room for one more log with `size` bytes of data; those that are there stay."""
        content, used = self._logs, self["LOGS_USED"]
        needed = used + size + _LOG_OVERHEAD
        if needed > self["LOGS_LIMIT"]:
            self._allocate_logs(2 * needed)
            self._logs[:used] = content[:used]

    def _allocate_logs(self, size: int) -> None:
        self._logs = aligned(size)
        self["LOGS"], self["LOGS_LIMIT"] = self._logs.ctypes.data, size
