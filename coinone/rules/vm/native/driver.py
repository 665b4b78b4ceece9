"""Run frames that need Python: a contract creates, pays or destroys, or a delegation is called.

The reference's own functions do what the machine code cannot, and they need frames. So every running record becomes a
frame, the reference's loop (`interpreter.drive`) processes them, and each continues as machine code from where it
stopped. A call that one of them makes in machine code stays there until it, too, needs Python.

The machine code does not see Python's changes of accounts, so its knowledge of them then becomes invalid
(`GENERATION`). Warmth that it recorded is passed to Python where it matters.
"""

import ctypes

from coinone.rules.vm import environment as kinds
from coinone.rules.vm.addresses import delegate_of, to_address
from coinone.rules.vm.environment import Message
from coinone.rules.vm.errors import ExceptionalHalt, Revert
from coinone.rules.vm.frame import HALT, Frame, Signal
from coinone.rules.vm.interpreter import (
    ExecutionResult,
    drive,
    fail,
    is_precompiled,
    open_frame,
    run_precompile,
)
from coinone.rules.vm.native.layout import FRAME, FRAME_SIZE, HALTS, SHARED, WORD, ExitStatus
from coinone.rules.vm.native.machine import SLICE, STRIDE, Machine
from coinone.rules.vm.native.misses import provide

_GAS, _PC, _SP, _MEMORY, _SIZE = (FRAME[name] >> 3 for name in ("GAS", "PC", "SP", "MEMORY", "MEMORY_SIZE"))
_STATIC, _SOURCE, _DEPTH = (FRAME[name] >> 3 for name in ("STATIC", "SOURCE", "DEPTH"))
_DATA, _DATA_SIZE = FRAME["DATA"] >> 3, FRAME["DATA_SIZE"] >> 3
_FLOOR, _BALANCE_KNOWN, _NATIVE = (FRAME[name] >> 3 for name in ("FLOOR", "BALANCE_KNOWN", "NATIVE"))
_RETURN_SIZE = FRAME["RETURN_SIZE"] >> 3
_OUTPUT, _OUTPUT_SIZE = FRAME["OUTPUT_OFFSET"] >> 3, FRAME["OUTPUT_SIZE"] >> 3
_PASSED, _RESULT_SLOT = FRAME["GAS_PASSED"] >> 3, FRAME["RESULT_SLOT"] >> 3
_RESULT, _RESULT_SIZE = FRAME["RESULT_OFFSET"] >> 3, FRAME["RESULT_SIZE"] >> 3
_JOURNAL_MARK, _LOGS_MARK, _REFUND_MARK = (
    FRAME[name] >> 3 for name in ("JOURNAL_MARK", "LOGS_MARK", "REFUND_MARK")
)
_CURRENT, _GENERATION = SHARED["CURRENT"] >> 3, SHARED["GENERATION"] >> 3
_REFUND, _LOGS_USED = SHARED["REFUND"] >> 3, SHARED["LOGS_USED"] >> 3
_JOURNAL_COUNT, _NEWEST_MARK = SHARED["JOURNAL_COUNT"] >> 3, SHARED["NEWEST_MARK"] >> 3
_HOST, _PRECOMPILE = int(ExitStatus.HOST), int(ExitStatus.PRECOMPILE)
_CALLS = (0xF1, 0xF2, 0xF4, 0xFA)
_SELFDESTRUCT = 0xFF


class Driver:
    """Drives frames; `owners` are the frames whose records are written, by their depth below the first one."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self._evm = machine, machine.evm
        self._owners: dict[int, Frame] = {}
        self._marks: dict[int, int] = {}  # the length of the cell journal when each began
        self._stopped = False  # the last frame's instruction must be finished before it continues
        self._logs_taken = 0

    def run(self, message: Message) -> ExecutionResult:
        return drive([open_frame(self._evm, message)], self._step)

    def take_over(self, message: Message, state_before: int) -> ExecutionResult:
        """Continue a message that the machine code started and left with HOST."""
        frames = [Frame(self._evm, message, (state_before, self._evm.substate.snapshot()))]
        self._owners[0], self._marks[0] = frames[0], 0
        self._gather(frames)
        self._stopped = True
        return drive(frames, self._step)

    def _step(self, frames: list[Frame]) -> Signal:
        frame = frames[-1]
        if frame.error is not None:
            return HALT
        try:
            if is_precompiled(self._evm, frame.message):
                return run_precompile(frame)
            return self._advance(frames) if frame.message.code else HALT
        except ExceptionalHalt as error:
            fail(frames[-1], error)
            return HALT

    def _advance(self, frames: list[Frame]) -> Signal:
        """Run until the last frame, possibly a new one, halts or returns a message. Raises ExceptionalHalt."""
        if not self._stopped:
            self._begin(frames[-1], len(frames) - 1)
        while True:
            status = _HOST if self._stopped else self._run(frames)
            self._stopped = False
            frame, first = frames[-1], (len(frames) - 1) * STRIDE
            if status != _HOST:
                return self._halt(frame, first, status)
            signal = self._finish(frame, first)
            if signal is not None:
                return signal
            frame.pc += 1

    def _begin(self, frame: Frame, index: int) -> None:
        """Write the frame's record, or settle the callee's results if it continues after a call."""
        if self._owners.get(index) is frame:
            self._settle_child(index)
            return
        used = self._evm.memory_used
        self._owners[index] = frame
        self._owners.pop(index + 1, None)
        shared = self._machine.shared
        self._marks[index] = shared[_NEWEST_MARK] = shared[_JOURNAL_COUNT]
        frame.memory = self._machine.arena[used:used]  # type: ignore[assignment]
        self._machine.enter(index, frame.message, used)

    def _settle_child(self, index: int) -> None:
        """Settle a finished callee: restore its cells if it failed."""
        machine = self._machine
        machine.numbers[index * STRIDE + _BALANCE_KNOWN] = 0
        child = self._owners.pop(index + 1, None)
        if child is not None and child.error is not None:
            machine.tables.undo(self._marks[index + 1])
        machine.shared[_GENERATION] += 1  # addresses may be cold again, balances and code different

    def _run(self, frames: list[Frame]) -> int:
        """Run machine code on the frames, then update Python's frames from their records."""
        machine, frame, index = self._machine, frames[-1], len(frames) - 1
        numbers, first = machine.numbers, index * STRIDE
        numbers[first + _GAS] = frame.gas
        numbers[first + _PC] = frame.pc
        numbers[first + _RETURN_SIZE] = len(frame.return_data)
        if self._evm.budget is not None:
            numbers[first + _FLOOR] = max(0, frame.gas - SLICE)
        if frame.stack:
            machine.push(first, frame.stack)
            frame.stack.clear()
        machine.shared[_REFUND] = self._evm.substate.refund
        data = frame.message.data
        if isinstance(data, memoryview):
            data = _address_of_view(data) if data else b""  # type: ignore[assignment]
        address = machine.frames_address + index * FRAME_SIZE
        status: int = machine.library.run(address, data, frame.return_data)
        while status < _HOST or status == _PRECOMPILE:
            status = provide(machine, status)
        self._gather(frames)
        return status

    # From records to frames

    def _gather(self, frames: list[Frame]) -> None:
        """Update the last frame, and create frames for the calls that it made in machine code.

        Returned data is not copied, since every instruction that Python finishes replaces it.
        """
        machine, substate = self._machine, self._evm.substate
        numbers = machine.numbers
        last = (machine.shared[_CURRENT] - machine.frames_address) // FRAME_SIZE
        while True:
            frame, first = frames[-1], (len(frames) - 1) * STRIDE
            frame.gas, frame.pc = numbers[first + _GAS], numbers[first + _PC]
            base, size = numbers[first + _MEMORY] - machine.memory_address, numbers[first + _SIZE]
            if size != len(frame.memory):
                frame.memory = machine.arena[base : base + size]  # type: ignore[assignment]
            if len(frames) > last:
                break
            frame.gas -= numbers[first + _PASSED]
            frame.result_offset, frame.result_size = numbers[first + _RESULT], numbers[first + _RESULT_SIZE]
            numbers[first + _SP] = numbers[first + _RESULT_SLOT]
            frames.append(self._frame_of_record(len(frames)))
        self._evm.memory_used = base + size
        self._take_logs(machine.shared[_LOGS_USED])
        machine.shared[_LOGS_USED] = self._logs_taken = 0
        substate.refund = machine.shared[_REFUND]

    def _frame_of_record(self, index: int) -> Frame:
        """Create a frame for a call made in machine code; fields that nobody reads any more keep their defaults."""
        machine, first = self._machine, index * STRIDE
        numbers, start = machine.numbers, index * FRAME_SIZE
        data = numbers[first + _DATA] - machine.memory_address
        words = machine.frame_bytes[start + FRAME["CALLER"] : start + FRAME["SELFBALANCE"]].tobytes()
        own = machine.own_address(first)
        message = Message(
            kinds.CALL,
            words[19::-1],
            own,
            own,
            machine.programs.by_source[numbers[first + _SOURCE]].source,
            int.from_bytes(words[WORD:], "little"),
            machine.arena[data : data + numbers[first + _DATA_SIZE]],
            numbers[first + _GAS],
            numbers[first + _DEPTH],
            bool(numbers[first + _STATIC]),
            moves_value=False,
            precompiles=False,
        )
        self._take_logs(numbers[first + _LOGS_MARK])
        noted, logged, _ = self._evm.substate.snapshot()
        before = self._evm.state.snapshot(), (noted, logged, numbers[first + _REFUND_MARK])
        frame = self._owners[index] = Frame(self._evm, message, before)
        self._marks[index] = numbers[first + _JOURNAL_MARK]
        numbers[first + _NATIVE] = 0  # Python ends it
        return frame

    def _take_logs(self, end: int) -> None:
        machine = self._machine
        if end > self._logs_taken:
            self._evm.substate.logs += machine.tables.logs(self._logs_taken, end, machine.addresses)
            self._logs_taken = end

    # Instructions that Python finishes, and the end

    def _finish(self, frame: Frame, first: int) -> Signal | None:
        """Finish an instruction by the reference; its static gas and memory are already paid for."""
        machine, code = self._machine, frame.code[frame.pc]
        machine.shared[_GENERATION] += 1
        row = self._evm.rules.dispatch[code]
        frame.stack += machine.pop(first, row.need)
        if code in _CALLS or code == _SELFDESTRUCT:
            self._share_warmth(frame.stack[-2 if code in _CALLS else -1])
        return row.operation(frame, frame.stack)

    def _share_warmth(self, word: int) -> None:
        """Add this account, or the one it delegates to, to the substate's warm addresses if machine code made it
        warm."""
        address = to_address(word)
        for known in (address, delegate_of(self._evm.state.code(address))):
            if known is not None and self._machine.made_warm(known):
                self._evm.substate.warm_address(known)

    def _halt(self, frame: Frame, first: int, status: int) -> Signal:
        if status == ExitStatus.STOP:
            return HALT
        if status in (ExitStatus.RETURN, ExitStatus.REVERT):
            offset, size = self._machine.numbers[first + _OUTPUT], self._machine.numbers[first + _OUTPUT_SIZE]
            frame.output = bytes(frame.memory[offset : offset + size]) if size else b""
            if status == ExitStatus.REVERT:
                frame.error = Revert()
            return HALT
        raise HALTS[status]


def _address_of_view(data: memoryview) -> int:
    """The address of a view of the arena. The arena never moves, so the address outlives the view."""
    return ctypes.addressof(ctypes.c_char.from_buffer(data))
