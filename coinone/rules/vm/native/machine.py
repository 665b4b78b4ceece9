"""Driving the machine code: it takes the place of `advance` in the reference interpreter.

The driver, the frames and the state stay the reference's. Here a frame's record is filled, the machine code
runs, and what it could not do is done: fetch a slot, make room, or let the reference's own function finish an
instruction (calls, creations, other accounts), with memory and arguments where that function expects them.

All live frames lie in one arena of memory, one behind the other: only the topmost grows. The arena's end is the
cap on memory. Stacks lie at fixed distances, so that a pointer tells the height.
"""

import ctypes
import struct
from collections.abc import Callable
from typing import Any, Final

from coinone.base.primitives.types import Address
from coinone.rules.vm.environment import BlockEnv, Message
from coinone.rules.vm.errors import Revert
from coinone.rules.vm.frame import HALT, Frame, Signal
from coinone.rules.vm.instructions.system import CALL_DEPTH_MAX
from coinone.rules.vm.interpreter import Evm
from coinone.rules.vm.native.compiler import Library
from coinone.rules.vm.native.layout import (
    FRAME,
    FRAME_NUMBERS,
    FRAME_SIZE,
    FRAME_WORDS,
    HALTS,
    HASH_SIZE,
    PAIR_BITS,
    PAIR_SIZE,
    SHARED,
    SHARED_WORDS,
    STACK_STRIDE,
    WORD,
    Status,
)
from coinone.rules.vm.native.program import NativeProgram, address_of, native_program_of
from coinone.rules.vm.native.tables import Tables, aligned

_DEPTHS = CALL_DEPTH_MAX + 1
_RECORD = struct.Struct(f"<{len(FRAME_NUMBERS)}q" + f"{WORD}s" * len(FRAME_WORDS))
_TRANSACTION_WORDS = struct.Struct(f"<{WORD}s{WORD}s")
_BLOCK_WORDS = struct.Struct("<" + f"{WORD}s" * (len(SHARED_WORDS) - 2))
_NO_FRAME: Final = object()
_PC, _GAS, _SP, _SIZE = (FRAME[name] >> 3 for name in ("PC", "GAS", "SP", "MEMORY_SIZE"))
_FLOOR, _BALANCE_KNOWN = FRAME["FLOOR"] >> 3, FRAME["BALANCE_KNOWN"] >> 3
_RETURN_SIZE = FRAME["RETURN_SIZE"] >> 3
_OUTPUT = FRAME["OUTPUT_OFFSET"] >> 3
_RETURN_NATIVE, _CODE, _ACCOUNT = (FRAME[name] >> 3 for name in ("RETURN_NATIVE", "CODE", "ACCOUNT"))
_JOURNAL_MARK = FRAME["JOURNAL_MARK"] >> 3  # then the marks of logs and refund
_CURRENT, _GENERATION = SHARED["CURRENT"] >> 3, SHARED["GENERATION"] >> 3
_STRIDE = FRAME_SIZE >> 3
_REFUND, _LOGS_USED = SHARED["REFUND"] >> 3, SHARED["LOGS_USED"] >> 3
_JOURNAL_COUNT = SHARED["JOURNAL_COUNT"] >> 3
_HISTORY = 256
_SLICE = 500_000  # gas between two looks at a budget: a millisecond or so


class Machine:
    """Memory for one transaction at a time, and the machine code that works on it."""

    def __init__(self, library: Library, memory_cap: int) -> None:
        self._library = library
        self._code = library.run
        self.memory_cap = memory_cap
        self.tables = Tables(library)
        self._shared = self.tables.numbers
        self._memory = aligned(memory_cap)
        self._arena = self._memory.data
        self._stacks = aligned(_DEPTHS * STACK_STRIDE, STACK_STRIDE)
        self._stack_bytes = self._stacks.data
        self._frames = aligned(_DEPTHS * FRAME_SIZE)
        self._frame_bytes = self._frames.data
        self._numbers = self._frame_bytes.cast("q")
        self._hashes = aligned(_HISTORY * HASH_SIZE)
        self._memory_address: int = self._memory.ctypes.data
        self._stack_address: int = self._stacks.ctypes.data
        self._frame_address: int = self._frames.ctypes.data
        self.tables["HASHES"] = self._hashes.ctypes.data
        self._pairs = aligned(
            PAIR_SIZE << PAIR_BITS
        )  # kept from one transaction to the next: a hash is a hash
        self.tables["PAIRS"] = self._pairs.ctypes.data
        self._returned = aligned(memory_cap)  # by the last call that ended in machine code
        self.tables["RETURNED"], self.tables["GENERATION"] = self._returned.ctypes.data, 1
        self._owners: list[Any] = [_NO_FRAME] * (_DEPTHS + 1)
        self._block: BlockEnv | None = None  # whose words are written
        self.program_of: Callable[[bytes], NativeProgram] = native_program_of  # the JIT's may take its place
        self._deepest = 0
        self._marks = [0] * _DEPTHS
        self._bases = [0] * _DEPTHS
        self._programs: list[NativeProgram] = [native_program_of(b"")] * _DEPTHS

    # A transaction

    def begin(self, evm: Evm) -> None:
        """Tell the machine code about the block and the transaction; nothing is known of any account."""
        self._evm = evm
        self._table = self._library.tables[evm.rules.name]
        self._accounts: dict[Address, int] = {}
        self._addresses: list[Address] = []
        self._callees: dict[Address, int] = {}  # to their cells
        self._callable: dict[int, NativeProgram] = {}  # by where the code lies
        self._hashes_known = False
        transaction = evm.transaction
        if evm.block is not self._block:
            self._block = evm.block
            _BLOCK_WORDS.pack_into(self.tables.bytes, SHARED["COINBASE"], *_words_of(evm.block))
        price = transaction.gas_price.to_bytes(WORD, "little")
        _TRANSACTION_WORDS.pack_into(self.tables.bytes, SHARED["ORIGIN"], transaction.origin[::-1], price)
        self._blobs = b"".join([blob[::-1] for blob in transaction.blob_hashes])
        self.tables["BLOBS"] = address_of(self._blobs) if self._blobs else 0
        self.tables["BLOB_COUNT"] = len(transaction.blob_hashes)

    def write_back(self) -> None:
        """Hand every written slot to the state; it ignores those that ended as they began."""
        state = self._evm.state
        for account, slot, value in self.tables.written():
            state.set_storage(self._addresses[account], slot, value)

    def end(self) -> None:
        """Forget the transaction, however it ended."""
        for depth in range(self._deepest + 1):
            self._owners[depth] = _NO_FRAME
        self._deepest = 0
        if self._hashes_known:
            self._hashes.fill(0)
        self.tables.reset()
        del self._evm, self._blobs

    # A frame

    def advance(self, frame: Frame) -> Signal:
        """As `interpreter.advance`: until the frame halts or asks for a message. Raises ExceptionalHalt."""
        message = frame.message
        if not message.code:
            return HALT
        depth = message.depth
        if self._owners[depth] is frame:
            self._settle_child(depth)
        else:
            self._enter(frame, depth)
        while True:
            status = self._run(frame, depth)
            if status == Status.HOST:
                signal = self._finish(frame, depth)
                if signal is not None:
                    return signal
                frame.pc += 1
            elif status >= Status.STOP:
                return self._halt(frame, depth, status)
            else:
                self._help(depth, status)

    def _enter(self, frame: Frame, depth: int) -> None:
        message, used = frame.message, self._evm.memory_used
        self._owners[depth] = frame
        self._owners[depth + 1] = _NO_FRAME
        self._deepest = max(self._deepest, depth)
        self._marks[depth] = self._shared[_JOURNAL_COUNT]
        self._bases[depth] = used
        frame.memory = self._arena[used:used]  # type: ignore[assignment]
        program = self._programs[depth] = self.program_of(message.code)
        _RECORD.pack_into(
            self._frame_bytes,
            depth * FRAME_SIZE,
            frame.gas,
            0,  # PC
            self._stack_address + depth * STACK_STRIDE,
            0,  # MEMORY_SIZE
            self._memory_address + used,
            self.memory_cap - used,
            self._table,
            self.tables.address,
            self._account(frame.address),
            message.static,
            0,  # FLOOR
            program.size,
            program.size,
            len(message.data),
            *(0,) * 4,
            program.code_address,
            program.marks_address,
            program.source_address,  # what lies behind its end is never read
            *(0,) * 2,  # DATA, RETURN
            depth,
            *(0,) * 9,
            frame.address[::-1],
            message.caller[::-1],
            message.value.to_bytes(WORD, "little"),
            b"",
        )

    def _settle_child(self, depth: int) -> None:
        """The frame called by this one is over; if it failed, its storage is put back."""
        self._numbers[depth * _STRIDE + _BALANCE_KNOWN] = 0
        child = self._owners[depth + 1]
        if child is not _NO_FRAME:
            self._owners[depth + 1] = _NO_FRAME
            if child.error is not None:
                self.tables.undo(self._marks[depth + 1])
            if child.error is not None or child.message.creates:
                self._shared[_GENERATION] += 1  # addresses may be cold again, and code another

    def _run(self, frame: Frame, depth: int) -> int:
        """Run machine code with the frame as Python has it now; afterwards Python has what became of it."""
        numbers, first, shared = self._numbers, depth * _STRIDE, self._shared
        evm = self._evm
        numbers[first + _GAS] = frame.gas
        numbers[first + _PC] = frame.pc
        numbers[first + _RETURN_SIZE] = len(frame.return_data)
        if evm.budget is not None:
            numbers[first + _FLOOR] = max(0, frame.gas - _SLICE)
        if frame.stack:
            self._push(frame, depth)
        shared[_REFUND] = evm.substate.refund
        address, data = self._frame_address + depth * FRAME_SIZE, frame.message.data
        status: int = self._code(
            address, data if isinstance(data, bytes) else _address_of_view(data), frame.return_data
        )
        while shared[_CURRENT] != address:  # in a call that was made in machine code
            if status == Status.HOST:
                self._abandon(depth)
                break
            self._help((shared[_CURRENT] - self._frame_address) // FRAME_SIZE, status)
            status = self._library.resume(shared[_CURRENT])
        frame.gas = numbers[first + _GAS]
        frame.pc = numbers[first + _PC]
        evm.substate.refund = shared[_REFUND]
        have, size = len(frame.memory), numbers[first + _SIZE]
        if size != have:
            evm.memory_used += size - have
            base = self._bases[depth]
            frame.memory = self._arena[base : base + size]  # type: ignore[assignment]
        if shared[_LOGS_USED]:
            evm.substate.logs += self.tables.take_logs(self._addresses)
        if numbers[first + _RETURN_NATIVE]:
            numbers[first + _RETURN_NATIVE] = 0
            frame.return_data = bytes(self._returned.data[: numbers[first + _RETURN_SIZE]])
        return status

    def _abandon(self, depth: int) -> None:
        """Undo the call that this frame made in machine code, and all within it; Python will make it.

        None of the code that took part is called so again: else whole trees of calls could be run for nothing.
        """
        last = (self._shared[_CURRENT] - self._frame_address) // FRAME_SIZE
        for called in range(depth + 1, last + 1):
            self._callable[self._numbers[called * _STRIDE + _CODE]].stays = False
        marks = (depth + 1) * _STRIDE + _JOURNAL_MARK
        self.tables.undo(self._numbers[marks])
        self._shared[_LOGS_USED] = self._numbers[marks + 1]
        self._shared[_REFUND] = self._numbers[marks + 2]
        self._shared[_GENERATION] += 1

    def _make_callable(self, message: Message) -> None:
        """After a call by Python its code, now warm, may be called in machine code, if it is plain code."""
        evm, address = self._evm, message.code_address
        plain = message.precompiles and address not in evm.precompiles and not message.creates
        if evm.budget is not None or not plain or not message.code:
            return
        program = self.program_of(message.code)
        if not program.stays:
            return
        cell = self._callees.get(address)
        if cell is None:
            code = (program.code_address, program.marks_address, program.size, self._account(address))
            cell = self._callees[address] = self.tables.add_callee(
                int.from_bytes(address, "big"), code, program.source_address
            )
            self._callable[program.code_address] = program
        self.tables.renew_callee(cell)

    def _push(self, frame: Frame, depth: int) -> None:
        """What the driver or the reference's functions left on the frame's own stack goes onto the real one."""
        place = depth * _STRIDE + _SP
        top = self._numbers[place] - self._stack_address
        for word in frame.stack:
            self._stack_bytes[top : top + WORD] = word.to_bytes(WORD, "little")
            top += WORD
        self._numbers[place] = top + self._stack_address
        frame.stack.clear()

    def _pop(self, frame: Frame, depth: int, count: int) -> list[int]:
        """Take `count` words off; the topmost is the last."""
        place = depth * _STRIDE + _SP
        top = self._numbers[place] - self._stack_address
        start = top - count * WORD
        content = self._stack_bytes[start:top]
        self._numbers[place] = start + self._stack_address
        return [int.from_bytes(content[i : i + WORD], "little") for i in range(0, count * WORD, WORD)]

    # What the machine code cannot do

    def _finish(self, frame: Frame, depth: int) -> Signal | None:
        """Let the reference do the rest of an instruction whose static gas and memory are paid for."""
        self._numbers[depth * _STRIDE + _BALANCE_KNOWN] = 0
        row = self._evm.rules.dispatch[frame.code[frame.pc]]
        frame.stack += self._pop(frame, depth, row.need)
        signal = row.operation(frame, frame.stack)
        if isinstance(signal, Message):
            self._make_callable(signal)
        return signal

    def _halt(self, frame: Frame, depth: int, status: int) -> Signal:
        """The frame is done. What a failing one stored is put back at once."""
        if status == Status.STOP:
            return HALT
        if status in (Status.RETURN, Status.REVERT):
            first = depth * _STRIDE + _OUTPUT
            offset, size = self._numbers[first], self._numbers[first + 1]
            frame.output = bytes(frame.memory[offset : offset + size]) if size else b""
            if status == Status.REVERT:
                frame.error = Revert()
            return HALT
        raise HALTS[status]

    def _help(self, depth: int, status: int) -> None:
        """Provide what was missing; the instruction will be repeated."""
        if status == Status.STORAGE_MISS:
            self._fetch_slot(depth)
        elif status == Status.HASH_MISS:
            self._fetch_block_hash(depth)
        elif status == Status.BALANCE_MISS:
            first = depth * FRAME_SIZE
            balance = self._evm.state.balance(self._address(depth))
            start = first + FRAME["SELFBALANCE"]
            self._frame_bytes[start : start + WORD] = balance.to_bytes(WORD, "little")
            self._numbers[depth * _STRIDE + _BALANCE_KNOWN] = 1
        elif status == Status.PAUSE:
            assert self._evm.budget is not None, "a floor without a budget"
            self._evm.budget()
        elif status == Status.LOGS_FULL:
            self.tables.room_for_log(self._top(depth, 2))
        else:
            self.tables.make_room()

    def _address(self, depth: int) -> Address:
        """Whose storage and balance the frame works on."""
        return self._addresses[self._numbers[depth * _STRIDE + _ACCOUNT]]

    def _fetch_slot(self, depth: int) -> None:
        slot, state, address = self._top(depth, 1), self._evm.state, self._address(depth)
        warm = not self._evm.substate.warm_slot(address, slot)
        value, original = state.storage(address, slot), state.original_storage(address, slot)
        self.tables.add(self._account(address), slot, value, original, warm)

    def _fetch_block_hash(self, depth: int) -> None:
        number = self._top(depth, 1)
        self._hashes_known = True
        start = (self._evm.block.number - 1 - number) * HASH_SIZE
        entry = self._hashes.data[start : start + HASH_SIZE]
        entry[0] = 1
        entry[8:] = self._evm.block.block_hash(number)[::-1]

    def _top(self, depth: int, position: int) -> int:
        """The word at `position`, 1 being the top."""
        top = self._numbers[depth * _STRIDE + _SP] - self._stack_address
        start = top - position * WORD
        return int.from_bytes(self._stack_bytes[start : start + WORD], "little")

    def _account(self, address: Address) -> int:
        """The account's number in this transaction."""
        number = self._accounts.get(address)
        if number is None:
            number = self._accounts[address] = len(self._addresses)
            self._addresses.append(address)
        return number


def _words_of(block: BlockEnv) -> list[bytes]:
    """The words of the shared record that tell of the block, in their order; short ones are padded with zeros."""
    first = (block.coinbase[::-1], block.timestamp, block.number, block.prevrandao[::-1])
    words = (*first, block.gas_limit, block.chain_id, block.base_fee, block.blob_base_fee)
    return [word if isinstance(word, bytes) else word.to_bytes(WORD, "little") for word in words]


def _address_of_view(data: memoryview) -> int:
    """Where a view of the arena begins. The arena stays, so the address outlives the borrowed object."""
    return ctypes.addressof(ctypes.c_char.from_buffer(data))
