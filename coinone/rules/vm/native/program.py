"""Programs for the machine code: padded code with a mark for each valid jump destination."""

import ctypes
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from coinone.base.primitives.types import Hash32
from coinone.rules.limits import VM_PROGRAM_CACHE
from coinone.rules.vm.native.layout import ENTRIES
from coinone.rules.vm.program_kernel import find_destinations

_RECORD = struct.Struct("<4q")  # PROGRAM_CODE, PROGRAM_MARKS, PROGRAM_SIZE, PROGRAM_SOURCE
_PADDING = bytes(34)  # a PUSH32 as last byte reads 32 more, and running off the end reads STOP


class NativeProgram:
    """Executable code, marks for jumps, and the source: the bytes that the contract may copy."""

    __slots__ = (
        "code",
        "code_address",
        "marks",
        "marks_address",
        "record",
        "size",
        "source",
        "source_address",
    )

    def __init__(self, code: bytes) -> None:
        self.source = code
        self.code = bytes(-ENTRIES) + code + _PADDING
        self.size = len(code)
        self.marks: bytes = find_destinations(code, self.size).tobytes()
        self.code_address = address_of(self.code) - ENTRIES
        self.source_address = self.code_address
        self.marks_address = address_of(self.marks)
        self._describe()

    def _describe(self) -> None:
        """Write the program's record, in the order of the layout."""
        numbers = self.code_address, self.marks_address, self.size, self.source_address
        self.record = _RECORD.pack(*numbers)


def address_of(content: bytes) -> int:
    """The address of the bytes, valid while they are alive."""
    return ctypes.cast(ctypes.c_char_p(content), ctypes.c_void_p).value or 0


@lru_cache(maxsize=VM_PROGRAM_CACHE)
def native_program_of(code: bytes) -> NativeProgram:
    """The cached program of `code`."""
    return NativeProgram(code)


Maker: TypeAlias = Callable[[bytes], NativeProgram]  # code -> program


class Programs:
    """Programs handed to machine code. Each is built once and keeps its address for this object's lifetime.

    `records` by code hash are for calls from machine code; the key None is an account that does not exist.
    """

    __slots__ = ("_by_code", "by_source", "make", "records")

    def __init__(self, make: Maker) -> None:
        self.make = make
        self._by_code: dict[bytes, NativeProgram] = {}
        self.by_source: dict[int, NativeProgram] = {}  # by the address of their source
        self.records: dict[Hash32 | None, bytes] = {}

    def of(self, code: bytes) -> NativeProgram:
        program = self._by_code.get(code)
        if program is None:
            program = self._by_code[code] = self.make(code)
            self.by_source[program.source_address] = program
        return program

    def of_callee(self, code: bytes, code_hash: Hash32 | None) -> NativeProgram:
        """The program of a callee, recorded for machine code unless the code is empty: such an account may be empty."""
        program = self.of(code)
        if code or code_hash is None:
            self.records[code_hash] = program.record
        return program
