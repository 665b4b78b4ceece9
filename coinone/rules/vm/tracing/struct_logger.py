"""The struct logger: an entry for each instruction, in the form of geth's debug_traceTransaction."""

from typing import Any

from coinone.base.primitives.errors import LimitExceeded
from coinone.base.primitives.parse import format_bytes
from coinone.rules.limits import TRACE_STEPS_MAX
from coinone.rules.vm.errors import describe
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.tracing.room import Room

_SLOAD, _SSTORE = 0x54, 0x55
_WORD = 32


class StructLogger:
    """Lists a run's steps; after `limit` steps (0: no limit) the run continues unlisted. Raises LimitExceeded for more
    steps than an answer may contain."""

    def __init__(
        self,
        stack: bool = True,
        memory: bool = False,
        storage: bool = True,
        return_data: bool = False,
        limit: int = 0,
    ) -> None:
        self._limit = limit
        self._room = Room()
        self.entries: list[dict[str, Any]] = []
        self._stack, self._memory, self._storage, self._return_data = stack, memory, storage, return_data
        self._open: list[dict[str, Any] | None] = []  # the newest entry of each live frame
        self._names: dict[int, str] = {}
        self._slots: dict[bytes, dict[str, str]] = {}  # touched so far, by account

    def enter(self, frame: Frame) -> None:
        self._open.append(None)
        if not self._names:
            self._names = {opcode.code: opcode.name for opcode in frame.evm.rules.opcodes}

    def before(self, frame: Frame, code: int) -> None:
        if self._limit and len(self.entries) >= self._limit:
            self._open[-1] = None
            return
        if len(self.entries) >= TRACE_STEPS_MAX:
            raise LimitExceeded("too many steps to list: callTracer is shorter", most=TRACE_STEPS_MAX)
        entry: dict[str, Any] = {
            "pc": frame.pc,
            "op": self._names.get(code, f"opcode 0x{code:x} not defined"),
            "gas": frame.gas,
            "gasCost": frame.evm.rules.dispatch[code].static_gas,
            "depth": frame.message.depth + 1,
        }
        if self._stack:
            self._room.take(_WORD * len(frame.stack))
            entry["stack"] = [hex(word) for word in frame.stack]
        if self._memory:
            self._room.take(len(frame.memory))
            data = frame.memory.hex()
            entry["memory"] = ["0x" + data[start : start + 64] for start in range(0, len(data), 64)]
        if self._return_data and frame.return_data:
            self._room.take(len(frame.return_data))
            entry["returnData"] = format_bytes(frame.return_data)
        if self._storage and code == _SSTORE and len(frame.stack) >= 2:
            self._note_slot(frame, entry, frame.stack[-1], frame.stack[-2])
        elif self._storage and code == _SLOAD and frame.stack:
            slot = frame.stack[-1]
            self._note_slot(frame, entry, slot, frame.evm.state.storage(frame.address, slot))
        self.entries.append(entry)
        self._open[-1] = entry

    def after(self, frame: Frame) -> None:
        entry = self._open[-1]
        if entry is not None:
            entry["gasCost"] = entry["gas"] - frame.gas

    def exit(self, frame: Frame) -> None:
        entry = self._open.pop()
        if entry is not None and frame.error is not None:
            entry["error"] = describe(frame.error)

    def result(self, gas_used: int, failed: bool, output: bytes) -> dict[str, Any]:
        return {
            "gas": gas_used,
            "failed": failed,
            "returnValue": format_bytes(output),
            "structLogs": self.entries,
        }

    def _note_slot(self, frame: Frame, entry: dict[str, Any], slot: int, value: int) -> None:
        slots = self._slots.setdefault(frame.address, {})
        slots[f"0x{slot:064x}"] = f"0x{value:064x}"
        self._room.take(2 * _WORD * len(slots))
        entry["storage"] = dict(slots)
