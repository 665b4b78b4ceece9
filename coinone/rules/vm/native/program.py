"""Code as the machine code wants it: padded, and with a mark for each place where a jump may land."""

import ctypes
from functools import lru_cache

from coinone.base.primitives.limits import VM_PROGRAM_CACHE
from coinone.rules.vm.native.layout import ENTRIES
from coinone.rules.vm.program_kernel import find_destinations

_PADDING = bytes(34)  # a PUSH32 as last byte reads 32 more, and running off the end meets STOP


class NativeProgram:
    """Code that runs, marks for jumps, and the source: the bytes that the contract may copy."""

    __slots__ = ("code", "code_address", "marks", "marks_address", "size", "source_address")

    def __init__(self, code: bytes) -> None:
        self.code = bytes(-ENTRIES) + code + _PADDING
        self.size = len(code)
        self.marks: bytes = find_destinations(code, self.size).tobytes()
        self.code_address = address_of(self.code) - ENTRIES
        self.source_address = self.code_address
        self.marks_address = address_of(self.marks)


def address_of(content: bytes) -> int:
    """Where the bytes lie; valid while somebody keeps them."""
    return ctypes.cast(ctypes.c_char_p(content), ctypes.c_void_p).value or 0


@lru_cache(maxsize=VM_PROGRAM_CACHE)
def native_program_of(code: bytes) -> NativeProgram:
    """The program of that code; remembered."""
    return NativeProgram(code)
