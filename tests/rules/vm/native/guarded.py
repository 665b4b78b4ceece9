"""Run as a script by test_native_bounds.py: random worlds, with every shared buffer between forbidden pages.

A read or write beyond a buffer's end (or before its beginning, by a page) ends this process with a signal. Buffers
end exactly at the forbidden page. Stacks lie in one buffer, so the space between them is looked at afterwards.
"""

import ctypes
import mmap
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from types import ModuleType
from typing import Any

import numpy as np

from coinone.rules.vm.jit import compiler as jit_compiler
from coinone.rules.vm.native import compiler, execution, machine, program, tables
from coinone.rules.vm.native.layout import KNOWN, SHARED, STACK_STRIDE, WORD
from coinone.rules.vm.opcodes import STACK_SIZE_MAX
from tests.rules.vm.native.fuzz import campaign
from tests.rules.vm.native.programs import NATIVE

_PAGE = mmap.PAGESIZE
_CHUNK = 500  # worlds
_libc = ctypes.CDLL(None, use_errno=True)
_MAPPINGS_MANY = 3_000  # regions of code; the system allows 65,530 mappings, three a region, to a process
_kept: list[Any] = []
_codes: list[tables.Bytes] = []


def guarded(size: int, alignment: int = 64) -> tables.Bytes:
    """`size` bytes (a multiple of 8) that end where nothing may be touched, and begin not long after such a place."""
    whole = (size + alignment + _PAGE - 1) // _PAGE * _PAGE
    region = mmap.mmap(-1, whole + 2 * _PAGE)
    block = np.frombuffer(region, dtype=np.uint8)
    start = block.ctypes.data
    for page in (start, start + _PAGE + whole):
        assert _libc.mprotect(ctypes.c_void_p(page), _PAGE, 0) == 0, ctypes.get_errno()
    _kept.append(region)
    first = _PAGE + whole - size
    if alignment > 64:  # stacks: at their distance, whatever is behind them
        first = _PAGE + -(start + _PAGE) % alignment
    return block[first : first + size]


def guarded_address_of(content: bytes) -> int:
    """A copy of the bytes that ends at a forbidden page."""
    copy = guarded(len(content))
    _codes.append(copy)
    _kept.pop()
    copy[:] = np.frombuffer(content, dtype=np.uint8)
    return int(copy.ctypes.data)


def forget_codes() -> None:
    """Between two transactions nobody points to code; but machines live on, and what they were told of one."""
    if len(_codes) > _MAPPINGS_MANY:
        check_stacks()
        NATIVE._idle.clear()
        program.native_program_of.cache_clear()
        _codes.clear()


def guarded_run(run: Any) -> Any:
    """Call data and returned data, too, end at a forbidden page; both are handed over anew for each run."""
    places = [guarded(1 << 20), guarded(1 << 20)]

    def at_the_end(place: tables.Bytes, content: bytes | int) -> int:
        if isinstance(content, int):
            return content  # a view of the arena
        start = len(place) - len(content)
        place[start:] = np.frombuffer(content, dtype=np.uint8)
        return int(place.ctypes.data) + start

    return lambda frame, data, returned: run(
        frame, at_the_end(places[0], data), at_the_end(places[1], returned)
    )


def guarded_begin(library: compiler.Library, run: Any) -> Any:
    """What the machine code does by itself when a message begins, in parts, so that its data can lie elsewhere."""

    def begin(shared: int, known: tuple[Any, ...]) -> Any:
        library.forget(shared, known)
        facts = dict(zip(KNOWN, known, strict=True))
        number(shared + SHARED["REFUND"]).value = facts["REFUND"]
        library.open_frame(shared, 0, facts["MESSAGE"], facts["PROGRAM"], 0, 0)
        return run(number(shared + SHARED["FRAMES"]).value, facts["DATA"], b"")

    return begin


def number(address: int) -> Any:
    return ctypes.c_int64.from_address(address)


def check_stacks() -> None:
    for used in chain.from_iterable(NATIVE._idle.values()):
        stacks = used.stacks.reshape(-1, STACK_STRIDE)
        assert not stacks[:, STACK_SIZE_MAX * WORD :].any(), "something wrote beyond a stack"


def take_the_place_of(module: ModuleType, name: str, function: Callable[..., Any]) -> None:
    assert callable(getattr(module, name)), "nothing would be guarded"
    setattr(module, name, function)


def main(first: int, count: int, kind: str = "random", engines: str = "native") -> None:
    library = compiler.library()
    run = guarded_run(library.run)
    guarded_library = replace(library, run=run, begin=guarded_begin(library, run))
    take_the_place_of(execution, "library", lambda: guarded_library)
    for module in (tables, machine, jit_compiler):
        take_the_place_of(module, "aligned", guarded)
    for module in (program, machine, jit_compiler):
        take_the_place_of(module, "address_of", guarded_address_of)
    program.native_program_of.cache_clear()
    for start in range(first, first + count, _CHUNK):
        assert campaign(start, min(_CHUNK, first + count - start), kind, engines).differences == 0
        forget_codes()
    check_stacks()
    print("within bounds", count)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
