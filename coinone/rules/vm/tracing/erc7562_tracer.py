"""The ERC-7562 tracer: the tree of messages with everything that the validation rules for user operations restrict.

That is slots, transient slots, other contracts' code, opcodes and running out of gas, in the form of geth's
erc7562Tracer. Bundlers of account abstraction judge operations by it.
"""

from collections.abc import Iterable
from typing import Any

from coinone.base.primitives.parse import format_bytes
from coinone.rules.vm.addresses import to_address
from coinone.rules.vm.errors import OutOfGas
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.tracing.call_tracer import CallTracer

_KECCAK, _GAS, _ISZERO = 0x20, 0x5A, 0x15
_SLOAD, _SSTORE, _TLOAD, _TSTORE = 0x54, 0x55, 0x5C, 0x5D
_EXTCODESIZE = 0x3B
_EXTCODE = frozenset({0x3B, 0x3C, 0x3F})
_CALLS = frozenset({0xF1, 0xF2, 0xF4, 0xFA})
_RETURN, _REVERT = 0xF3, 0xFD
_COUNTED = {_SSTORE: "writes", _TLOAD: "transientReads", _TSTORE: "transientWrites"}
# PUSH0 to SWAP16; POP, ADD, SUB, MUL, DIV, EQ, LT, GT, SLT, SGT, SHL, SHR, AND, OR, NOT, ISZERO
IGNORED = frozenset(range(0x5F, 0xA0)) | frozenset(
    {0x50, 0x01, 0x03, 0x02, 0x04, 0x14, 0x10, 0x11, 0x12, 0x13, 0x1B, 0x1C, 0x16, 0x17, 0x19, 0x15}
)


class Erc7562Tracer(CallTracer):
    """`ignored` opcodes are not counted."""

    def __init__(self, with_logs: bool = False, ignored: Iterable[int] = IGNORED) -> None:
        super().__init__(with_logs=with_logs)
        self._ignored = frozenset(ignored)
        self._last: tuple[int, int] | None = None  # the previous opcode, and the word that was on top then
        self._hashed: dict[bytes, None] = {}

    def enter(self, frame: Frame) -> None:
        super().enter(frame)
        self._open[-1].update(_nothing_yet())

    def before(self, frame: Frame, code: int) -> None:
        super().before(frame, code)
        if self._ending is not None and "usedOpcodes" not in self._ending:
            self._ending.update(_nothing_yet())
        call, stack = self._open[-1], frame.stack
        if code in (_RETURN, _REVERT):
            self._last = None
        self._note_last(call, code)
        if code in _EXTCODE or code in _CALLS:
            self._note_code(call, frame, code)
        if code != _GAS and code not in self._ignored:
            _count(call["usedOpcodes"], hex(code))
        if code in (_SLOAD, *_COUNTED) and stack:
            self._note_slot(call, frame, code)
        if code == _KECCAK and len(stack) > 1:
            self._note_hashed(frame, stack[-1], stack[-2])
        self._last = (code, stack[-1] if stack else 0)

    def exit(self, frame: Frame) -> None:
        call = self._open[-1]
        super().exit(frame)
        call["outOfGas"] = bool(self._open) and isinstance(frame.error, OutOfGas)

    def result(self, gas_limit: int, gas_used: int) -> dict[str, Any]:
        tree = super().result(gas_limit, gas_used)
        return tree | (
            {"keccak": [format_bytes(data) for data in sorted(self._hashed)]} if self._hashed else {}
        )

    def _note_last(self, call: dict[str, Any], code: int) -> None:
        """Record the previous opcode, whose meaning depends on the next: GAS before a call is allowed, and so is
        EXTCODESIZE that only tests for code."""
        if self._last is None:
            return
        last, top = self._last
        if last in _EXTCODE and not (last == _EXTCODESIZE and code == _ISZERO):
            self._room.take(_ADDRESS_SIZE)
            call["extCodeAccessInfo"].append(format_bytes(to_address(top)))
        if last == _GAS and code not in _CALLS:
            _count(call["usedOpcodes"], hex(_GAS))

    def _note_code(self, call: dict[str, Any], frame: Frame, code: int) -> None:
        place = 1 if code in _EXTCODE else 2
        if len(frame.stack) < place:
            return
        address = to_address(frame.stack[-place])
        name = format_bytes(address)
        if name not in call["contractSize"]:
            self._room.take(2 * _ADDRESS_SIZE)
            size = len(frame.evm.state.code(address))
            call["contractSize"][name] = {"contractSize": size, "opcode": code}

    def _note_slot(self, call: dict[str, Any], frame: Frame, code: int) -> None:
        slot, accessed = f"0x{frame.stack[-1]:064x}", call["accessedSlots"]
        self._room.take(_SLOT_SIZE)
        if code != _SLOAD:
            _count(accessed[_COUNTED[code]], slot)
        elif slot not in accessed["reads"] and slot not in accessed["writes"]:
            value = frame.evm.state.storage(frame.address, frame.stack[-1])
            accessed["reads"][slot] = [f"0x{value:064x}"]

    def _note_hashed(self, frame: Frame, offset: int, size: int) -> None:
        if size > _HASHED_MAX or offset > _HASHED_MAX:  # the frame runs out of gas
            return
        data = bytes(frame.memory[offset : offset + size]).ljust(size, b"\0")
        if data not in self._hashed:
            self._room.take(2 * len(data))
            self._hashed[data] = None


_ADDRESS_SIZE, _SLOT_SIZE = 42, 140  # approximate, as text
_HASHED_MAX = 2**24  # bytes: memory so large costs more gas than any transaction has


def _nothing_yet() -> dict[str, Any]:
    return {
        "accessedSlots": {"reads": {}, "writes": {}, "transientReads": {}, "transientWrites": {}},
        "extCodeAccessInfo": [],
        "usedOpcodes": {},
        "contractSize": {},
        "outOfGas": False,
    }


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
