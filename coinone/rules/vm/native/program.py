"""Code as the machine code wants it: padded, and with a mark for each place where a jump may land."""

from functools import lru_cache

from coinone.base.primitives.limits import VM_PROGRAM_CACHE
from coinone.rules.vm.program_kernel import find_destinations

_PADDING = bytes(34)  # a PUSH32 as last byte reads 32 more, and running off the end meets STOP


class NativeProgram:
    __slots__ = ("code", "marks", "size")

    def __init__(self, code: bytes) -> None:
        self.code = code + _PADDING
        self.size = len(code)
        self.marks: bytes = find_destinations(self.code, self.size).tobytes()


@lru_cache(maxsize=VM_PROGRAM_CACHE)
def native_program_of(code: bytes) -> NativeProgram:
    """The program of that code; remembered."""
    return NativeProgram(code)
