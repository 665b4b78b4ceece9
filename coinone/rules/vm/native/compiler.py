"""Compile program text to callable functions, once for each program and machine.

The object code is stored in the cache folder, whose name depends on the sources, the compiler's version and the CPU
(`base/primitives/jit.py`). A stored file has its own hash; a damaged one is compiled again, and one that cannot be
written does no harm.
"""

import ctypes
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from coinone.base.primitives.jit import cache_folder, llvm
from coinone.rules.vm.forks import FORKS
from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.native.module import exported, program
from coinone.rules.vm.native.routines.objects import INTERFACE

_FILE = "vm_interpreter.o"
_HASH_SIZE = 32
_OPTIMISATION = 2


@dataclass(frozen=True)
class Library:
    """The machine code. Its functions take addresses and keep the GIL, like all machine code here."""

    begin: Any
    open_frame: Any
    run: Any
    resume: Any
    provide: Any
    answer: Any
    forget: Any
    write_back: Any
    find_account: Any
    add_cell: Any
    undo_cells: Any
    rebuild_index: Any
    symbols: dict[str, int]  # name to address, for compiled contracts
    tables: dict[str, int]  # fork to the address of its dispatch table
    engine: Any  # owns the code, which is freed with it


@lru_cache(maxsize=1)
def library() -> Library:
    """Load the interpreter, compiling it if it is not stored. Raises whatever the compiler raises."""
    folder = cache_folder(__name__)
    file = None if folder is None else folder.joinpath(_FILE)
    code = None if file is None else read_object(file)
    if code is None:
        code = compile_object(program(opcodes_by_fork()))
        if file is not None:
            write_object(file, code)
    return _load(code)


def opcodes_by_fork() -> dict[str, tuple[Opcode, ...]]:
    return {name: rules.opcodes for name, rules in FORKS.items()}


def read_object(file: Path) -> bytes | None:
    """Read what `write_object` wrote; None if it is missing, incomplete or changed."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    digest, code = content[:_HASH_SIZE], content[_HASH_SIZE:]
    return code if hashlib.sha256(code).digest() == digest else None


def write_object(file: Path, code: bytes) -> None:
    """Write to a temporary file and rename it, so that a reader finds all of it or nothing."""
    part = file.with_suffix(f".{hashlib.sha256(code).hexdigest()[:8]}.part")
    try:
        part.write_bytes(hashlib.sha256(code).digest() + code)
        part.replace(file)
    except OSError:
        return


def compile_object(text: str, machine: Any = None, passes: int = _OPTIMISATION) -> bytes:
    """Compile for this CPU, or for the given LLVM target machine. `passes` is the optimisation level, 0 for none."""
    binding = llvm()
    machine = machine or target_machine(_OPTIMISATION)
    module = binding.parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    if passes:
        options = binding.create_pipeline_tuning_options(speed_level=passes)
        builder = binding.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


def _load(code: bytes) -> Library:
    binding = llvm()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target_machine(_OPTIMISATION))
    for name in INTERFACE:
        binding.add_symbol(name, ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address, number, thing = ctypes.c_void_p, ctypes.c_int64, ctypes.py_object

    def function(name: str, result: Any, *parameters: Any) -> Any:
        return ctypes.PYFUNCTYPE(result, *parameters)(engine.get_function_address(name))

    names = exported(opcodes_by_fork())
    addresses = (ctypes.c_uint64 * len(names)).from_address(function("exported", address)())
    return Library(
        begin=function("begin", number, address, thing),
        open_frame=function("open_frame", None, address, number, thing, address, number, number),
        run=function("run", number, address, address, address),
        resume=function("resume", number, address),
        provide=function("provide", number, address, address, address, number),
        answer=function("answer", number, address, number, number, number),
        forget=function("forget", None, address, thing),
        write_back=function("write_back", None, address),
        find_account=function("find_account", address, address, address),
        add_cell=function("add_cell", address, address, number, address),
        undo_cells=function("undo_cells", None, address, number),
        rebuild_index=function("rebuild_index", None, address),
        symbols=dict(zip(names, addresses, strict=True)),
        tables={name: function(f"table_{name}", address)() for name in FORKS},
        engine=engine,
    )


def target_machine(optimisation: int) -> Any:
    binding = llvm()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=optimisation,
        jit=True,
        codemodel="jitdefault",
    )
