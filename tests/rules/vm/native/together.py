"""Many small contracts compiled in one run of the compiler, so that they share its fixed cost.

The text of each is the engine's own, under names of its own; so is the way from object code to a program.
"""

import ctypes
from collections.abc import Collection
from typing import Any

from coinone.base.primitives.jit import llvm
from coinone.rules.vm import FORKS
from coinone.rules.vm.jit import compiler
from coinone.rules.vm.jit.module import BLOCKS, COUNT, STARTS, module_of
from coinone.rules.vm.native import compiler as native

Job = tuple[bytes, str]  # code and fork
_SHARED = ("declare ", "!", "attributes ")  # lines that a text may hold once


def compiled_together(jobs: Collection[Job]) -> dict[Job, compiler.CompiledProgram]:
    texts = {
        (code, fork): module_of(code, FORKS[fork].opcodes, compiler.WEIGHT_MAX).text for code, fork in jobs
    }
    names = {text: f"p{number}_" for number, text in enumerate(dict.fromkeys(texts.values()))}
    engine = _linked(compiler.compile_object(_joined(names)))
    return {job: _program(job[0], names[text], engine) for job, text in texts.items()}


def _joined(names: dict[str, str]) -> str:
    shared: dict[str, None] = {}
    own = []
    for text, name in names.items():
        for line in text.replace("@block_", f"@{name}block_").splitlines():
            if line.startswith(_SHARED):
                shared[line] = None
            else:
                own.append(line)
    return "\n".join([*shared, *own]) + "\n"


def _linked(content: bytes) -> Any:
    binding = llvm()
    compiler._lend_symbols()
    machine = native.target_machine(compiler._OPTIMISATION)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(content))
    engine.finalize_object()
    return engine


def _program(code: bytes, name: str, engine: Any) -> compiler.CompiledProgram:
    count_at, starts, functions = (
        engine.get_global_value_address(name + table) for table in (COUNT, STARTS, BLOCKS)
    )
    count = ctypes.c_int64.from_address(count_at).value
    return compiler.CompiledProgram(
        code,
        (ctypes.c_int32 * count).from_address(starts),
        (ctypes.c_uint64 * count).from_address(functions),
        engine,
    )
