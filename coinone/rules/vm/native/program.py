"""Code as the machine code wants it: padded, and with a mark for each place where a jump may land; many of them."""

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
_PADDING = bytes(34)  # a PUSH32 as last byte reads 32 more, and running off the end meets STOP


class NativeProgram:
    """Code that runs, marks for jumps, and the source: the bytes that the contract may copy."""

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
        """What machine code wants to know, in the order of the layout."""
        numbers = self.code_address, self.marks_address, self.size, self.source_address
        self.record = _RECORD.pack(*numbers)


def address_of(content: bytes) -> int:
    """Where the bytes lie; valid while somebody keeps them."""
    return ctypes.cast(ctypes.c_char_p(content), ctypes.c_void_p).value or 0


@lru_cache(maxsize=VM_PROGRAM_CACHE)
def native_program_of(code: bytes) -> NativeProgram:
    """The program of that code; remembered."""
    return NativeProgram(code)


Maker: TypeAlias = Callable[[bytes], NativeProgram]  # of a code's program


class Programs:
    """Those that machine code was told of: they stay where they are as long as this does, and are made once.

    `records` are for calling them from machine code, by the hash of their code; None is an account's that is not there.
    """

    __slots__ = ("_by_code", "by_source", "make", "records")

    def __init__(self, make: Maker) -> None:
        self.make = make
        self._by_code: dict[bytes, NativeProgram] = {}
        self.by_source: dict[int, NativeProgram] = {}  # by where their source lies
        self.records: dict[Hash32 | None, bytes] = {}

    def of(self, code: bytes) -> NativeProgram:
        program = self._by_code.get(code)
        if program is None:
            program = self._by_code[code] = self.make(code)
            self.by_source[program.source_address] = program
        return program

    def of_callee(self, code: bytes, code_hash: Hash32 | None) -> NativeProgram:
        """Remembered for machine code; but not empty code, as an account with it may be empty or not."""
        program = self.of(code)
        if code or code_hash is None:
            self.records[code_hash] = program.record
        return program
