"""The tables that a transaction's frames share: cells with index and journal, and the buffer of logs.

All start small, are allocated only here, and double when the machine code reports that one is full; large ones are
released at the end of the transaction.
"""

import struct
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coinone.base.primitives.types import Address
from coinone.rules.ledger.log import Log
from coinone.rules.vm.native.compiler import Library
from coinone.rules.vm.native.layout import (
    CALLEE,
    CALLEE_CODE,
    CELL_ACCOUNT,
    CELL_FLAGS,
    CELL_SIZE,
    LOG_HEAD,
    NOTE_SIZE,
    SHARED,
    SHARED_SIZE,
    WARM,
    WORD,
)

Bytes = npt.NDArray[np.uint8]
_CELLS = 2_048
_LOGS = 1 << 16
_LOG_OVERHEAD = 256  # more than a log's head, topics and padding
_INDEX_PER_CELL = 2
_ALIGNMENT = 64
_CALLEE = struct.Struct(f"<6q{CELL_ACCOUNT - CALLEE_CODE - 48}xqq16x{WORD}s{WORD}s")
_CELL_COUNT, _CELL_LIMIT = SHARED["CELL_COUNT"] >> 3, SHARED["CELL_LIMIT"] >> 3
_KEYS = ("KEY0", "KEY1", "KEY2", "KEY3")


def aligned(size: int, alignment: int = _ALIGNMENT) -> Bytes:
    """Zeroed memory aligned to `alignment`; the system provides pages only where they are touched."""
    block = np.zeros(size + alignment, dtype=np.uint8)
    start = -block.ctypes.data % alignment
    return block[start : start + size]


@lru_cache(maxsize=256)
def _log_shape(head: bytes) -> tuple[struct.Struct, int]:
    """The layout of topics and data (padded to 8 bytes) of a log with that head, and its account."""
    first, size = struct.unpack("<qq", head)
    account, topic_count = divmod(first, 256)
    return struct.Struct(f"<{LOG_HEAD}x{topic_count * f'{WORD}s'}{size}s{-size % 8}x"), account


class Tables:
    """The shared record and the tables it points to."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._record = aligned(SHARED_SIZE)
        self.address: int = self._record.ctypes.data
        self.bytes = self._record.data
        self.numbers = self.bytes.cast("q")
        for name in _KEYS:  # a random key per process, against chosen collisions
            self[name] = hash((name, "coinone")) & (2**63 - 1)
        self._key = aligned(WORD)
        self._key_bytes = self._key.data
        self._key_address: int = self._key.ctypes.data
        self.grown = False
        self._allocate_cells(_CELLS)
        self._allocate_journal(_CELLS)
        self._allocate_logs(_LOGS)

    def __getitem__(self, name: str) -> int:
        return self.numbers[SHARED[name] >> 3]

    def __setitem__(self, name: str, value: int) -> None:
        self.numbers[SHARED[name] >> 3] = value

    def shrink(self) -> None:
        """Release large tables with all their contents."""
        self.grown = False
        self.numbers[_CELL_COUNT] = 0
        self._allocate_cells(_CELLS)
        self._allocate_journal(_CELLS)
        self._allocate_logs(_LOGS)

    # Cells

    def room_for_cell(self) -> None:
        """Make room for one more cell."""
        if self.numbers[_CELL_COUNT] == self.numbers[_CELL_LIMIT]:
            self.grow_cells()

    def add_account(self, key: bytes) -> int:
        """Add a cell for the account with that address, as a word; return its position."""
        self.room_for_cell()
        cell: int = self._library.add_cell(self.address, CALLEE, self._place(key))
        return cell - self._cells_address

    def put_account(
        self,
        cell: int,
        numbers: tuple[int, int, int, int, int, int],
        given: int,
        balance: int,
        code_hash: bytes,
    ) -> None:
        """Fill an account's cell. `numbers` are those from CALLEE_CODE to CALLEE_SOURCE, `given` the flag or zero."""
        flags = (self._cell_numbers[(cell + CELL_FLAGS) >> 3] & WARM) | given
        content = balance.to_bytes(WORD, "little"), code_hash[::-1]
        _CALLEE.pack_into(self._cell_bytes, cell + CALLEE_CODE, *numbers, CALLEE, flags, *content)

    def is_warm(self, key: bytes) -> bool:
        """Whether machine code made that account warm."""
        cell = self.account_cell(key)
        return cell is not None and bool(self._cell_numbers[(cell + CELL_FLAGS) >> 3] & WARM)

    def account_cell(self, key: bytes) -> int | None:
        """The position of the account's cell, if it has one."""
        cell = self._library.find_account(self.address, self._place(key))
        return None if cell is None else cell - self._cells_address

    def _place(self, key: bytes) -> int:
        self._key_bytes[:] = key
        return self._key_address

    def undo(self, mark: int) -> None:
        """Undo all changes of cells since the journal had `mark` entries."""
        self._library.undo_cells(self.address, mark)

    def make_room(self) -> None:
        """Double the cells or the journal, whichever is full."""
        if self["CELL_COUNT"] == self["CELL_LIMIT"]:
            self.grow_cells()
        if self["JOURNAL_COUNT"] == self["JOURNAL_LIMIT"]:
            self._grow_journal()

    def grow_cells(self) -> None:
        self.grown = True
        old, count = self._cells, self["CELL_COUNT"]
        self._allocate_cells(2 * self["CELL_LIMIT"])
        self._cells[: count * CELL_SIZE] = old[: count * CELL_SIZE]
        self._library.rebuild_index(self.address)

    def _grow_journal(self) -> None:
        self.grown = True
        old = self._journal
        self._allocate_journal(2 * self["JOURNAL_LIMIT"])
        self._journal[: len(old)] = old

    def _allocate_cells(self, count: int) -> None:
        places = count * _INDEX_PER_CELL
        self._cells = aligned(count * CELL_SIZE)
        self._index = aligned(4 * places).view(np.uint32)
        self._cell_bytes = self._cells.data
        self._cell_numbers = self._cell_bytes.cast("q")
        self._cells_address: int = self._cells.ctypes.data
        self["CELLS"], self["CELL_LIMIT"], self["LAST_CELL"] = self._cells_address, count, 0
        self["INDEX"], self["INDEX_MASK"] = self._index.ctypes.data, places - 1
        self["INDEX_SHIFT"] = 65 - places.bit_length()

    def _allocate_journal(self, count: int) -> None:
        self._journal = aligned(count * NOTE_SIZE)
        self["JOURNAL"], self["JOURNAL_LIMIT"] = self._journal.ctypes.data, count

    # Logs

    def logs(self, start: int, end: int, addresses: list[Address]) -> list[Log]:
        """The logs between two positions.

        A thousand of one shape are common, so consecutive ones are read together, and created like `Log(...)` but
        without that call.
        """
        content, position, logs, new = self._logs[start:end].tobytes(), 0, [], tuple.__new__
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
        return logs

    def room_for_log(self, size: int) -> None:
        """Make room for one more log with `size` bytes of data; existing ones are kept."""
        content, used = self._logs, self["LOGS_USED"]
        needed = used + size + _LOG_OVERHEAD
        if needed > self["LOGS_LIMIT"]:
            self.grown = True
            self._allocate_logs(2 * needed)
            self._logs[:used] = content[:used]

    def _allocate_logs(self, size: int) -> None:
        self._logs = aligned(size)
        self["LOGS"], self["LOGS_LIMIT"] = self._logs.ctypes.data, size
