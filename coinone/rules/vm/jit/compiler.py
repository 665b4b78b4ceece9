"""Compile a contract to machine code and store it in a file.

There are no optimisation passes, and the code generator is nearly at its fastest level: blocks are short and call long
work, so better code would cost twenty times the compile time without a measured gain. A stored file is in the folder
of this program's sources, compiler and CPU (`base/primitives/jit.py`), is named by contract and fork, and has its own
hash; one that is damaged or belongs to another contract is compiled again.
"""

import ctypes
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.jit import cache_folder, llvm
from coinone.rules.vm.forks import FORKS
from coinone.rules.vm.jit.block import PREFIX
from coinone.rules.vm.jit.module import BLOCKS, COUNT, STARTS, module_of
from coinone.rules.vm.native import compiler as native
from coinone.rules.vm.native.exports import ENTER
from coinone.rules.vm.native.layout import ENTRIES
from coinone.rules.vm.native.program import NativeProgram, address_of
from coinone.rules.vm.native.tables import aligned

_OPTIMISATION = 1  # level of the code generator
WEIGHT_MAX = 60_000  # total weight of a contract's compiled instructions (`module.py`)
FILES_MAX = 1_024  # on disk; half a megabyte for a typical contract


class CompiledProgram(NativeProgram):
    """A program whose code enters its compiled blocks; `source` is the original code."""

    __slots__ = ("_engine", "_original", "entries")

    def __init__(self, code: bytes, starts: Iterable[int], functions: Iterable[int], engine: Any) -> None:
        super().__init__(code)
        self._original, self._engine = self.code, engine
        self.source_address = self.code_address
        self.entries: npt.NDArray[np.uint64] = aligned(8 * (len(code) + 1)).view(np.uint64)
        patched = bytearray(self._original)
        patched[:-ENTRIES] = int(self.entries.ctypes.data).to_bytes(-ENTRIES, "little")
        for start, function in zip(starts, functions, strict=True):
            self.entries[start] = function
            patched[start - ENTRIES] = ENTER
        self.code = bytes(patched)
        self.code_address = address_of(self.code) - ENTRIES
        self._describe()


def compiled_program(code: bytes, fork: str, folder: Path | None) -> CompiledProgram:
    """Load the program from the folder, or compile and store it. Raises whatever the compiler raises."""
    return load(code, object_of(code, fork, folder))


def kept_in() -> Path | None:
    """The folder for compiled contracts, or None if none is writable."""
    return cache_folder(__name__)


def object_of(code: bytes, fork: str, folder: Path | None) -> bytes:
    """The contract's object code after its head, stored or newly compiled."""
    file = None if folder is None else folder.joinpath(f"contract_{fork}_{keccak256(code).hex()}.o")
    kept = None if file is None else native.read_object(file)
    if kept is not None and kept.startswith(_head(code, fork)):
        return kept
    content = _head(code, fork) + compile_object(module_of(code, FORKS[fork].opcodes, WEIGHT_MAX).text)
    if file is not None:
        _make_room(file.parent)
        native.write_object(file, content)
    return content


def _make_room(folder: Path) -> None:
    """Delete the older half of too many files: anyone who can make contracts hot can fill the folder."""
    files = list(folder.glob("contract_*.o"))
    if len(files) >= FILES_MAX:
        for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)[: FILES_MAX >> 1]:
            file.unlink(missing_ok=True)


def _head(code: bytes, fork: str) -> bytes:
    """The head of a file, which prevents a renamed file from being taken for another contract's."""
    return keccak256(code) + keccak256(fork.encode())


def compile_object(text: str) -> bytes:
    return native.compile_object(text, native.target_machine(_OPTIMISATION), passes=0)


def load(code: bytes, content: bytes) -> CompiledProgram:
    """Make object code callable. The machine code is freed with the program."""
    binding = llvm()
    _lend_symbols()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), native.target_machine(_OPTIMISATION))
    engine.add_object_file(binding.ObjectFileRef.from_data(content[len(_head(b"", "")) :]))
    engine.finalize_object()
    count = ctypes.c_int64.from_address(engine.get_global_value_address(COUNT)).value
    starts = (ctypes.c_int32 * count).from_address(engine.get_global_value_address(STARTS))
    functions = (ctypes.c_uint64 * count).from_address(engine.get_global_value_address(BLOCKS))
    return CompiledProgram(code, starts, functions, engine)


@lru_cache(maxsize=1)
def _lend_symbols() -> None:
    """Register the addresses of the interpreter's functions with the linker."""
    binding = llvm()
    for name, address in native.library().symbols.items():
        binding.add_symbol(PREFIX + name, address)
