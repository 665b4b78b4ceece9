"""Generate the program text: routines, a function per instruction, a table per fork, and entry points.

The opcode table of `rules/vm/opcodes.py` defines the instructions, their stack use and their cost; here each gets its
body. A name without a body fails when the text is generated.
"""

from collections.abc import Mapping

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.native import entries, exports
from coinone.rules.vm.native.emitter import METADATA, Emitter
from coinone.rules.vm.native.handler import HEAD, Handler
from coinone.rules.vm.native.handlers import (
    Full,
    Pure,
    arithmetic,
    bitwise,
    block,
    comparison,
    control,
    environment,
    fetch,
    keccak,
    log,
    memory,
    stack,
    storage,
    system,
)
from coinone.rules.vm.native.layout import FRAME, SHARED, ExitStatus
from coinone.rules.vm.native.routines import calls, cells, division, objects, reciprocal, words
from coinone.rules.vm.native.routines import keccak as keccak_routines
from coinone.rules.vm.native.routines import memory as memory_routines

PURE: dict[str, Pure] = {**arithmetic.PURE, **comparison.PURE, **bitwise.PURE}
FULL: dict[str, Full] = {
    **arithmetic.FULL,
    **bitwise.FULL,
    **block.FULL,
    **comparison.FULL,
    **control.FULL,
    **environment.FULL,
    **keccak.FULL,
    **log.FULL,
    **memory.FULL,
    **stack.FULL,
    **storage.FULL,
    **system.FULL,
}
HOST = system.HOST

_DECLARATIONS = """
declare i256 @llvm.bswap.i256(i256)
declare i128 @llvm.bswap.i128(i128)
declare i64 @llvm.bswap.i64(i64)
declare i256 @llvm.ctlz.i256(i256, i1)
declare i64 @llvm.ctlz.i64(i64, i1)
declare i64 @llvm.fshl.i64(i64, i64, i64)
declare i64 @llvm.fshr.i64(i64, i64, i64)
declare i64 @llvm.usub.sat.i64(i64, i64)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
"""


def program(forks: Mapping[str, tuple[Opcode, ...]]) -> str:
    """The LLVM text of an interpreter for these forks; `table_<fork>` returns a fork's table."""
    functions = _functions(forks)
    names = {opcode.name: opcode for opcode in functions.values()}
    parts = [
        _DECLARATIONS,
        reciprocal.TABLE,
        reciprocal.reciprocal(),
        reciprocal.divide_two_by_one(),
        division.divide(),
        division.divide_long(),
        division.subtract_multiple(),
        words.functions(),
        keccak_routines.functions(),
        memory_routines.functions(),
        cells.functions(),
        objects.functions(),
        calls.settle_call(),
        storage.pay_write(),
        *[_leave(status) for status in ExitStatus],
        *[system.end_of_call(status) for status in ExitStatus if status >= ExitStatus.STOP],
        *[memory.grow_and_repeat(length) for length in (1, 32)],
        *[handler(opcode).function(name) for name, opcode in functions.items()],
        exports.enter(),
        exports.routines(names.values(), FULL),
        exports.table(exported(forks)),
        *[_table(fork, opcodes) for fork, opcodes in forks.items()],
        fetch.functions(),
        entries.functions(),
        METADATA,
    ]
    return "".join(parts)


def handler(opcode: Opcode) -> Handler:
    h = Handler(opcode)
    h.check()
    if opcode.name in PURE:
        _pure(h, PURE[opcode.name])
    elif opcode.name in FULL:
        FULL[opcode.name](h)
    else:
        for offset, size in HOST[opcode.name]:
            h.reserve(offset, size)
        h.leave(ExitStatus.HOST)
    return h


def _pure(h: Handler, emit: Pure) -> None:
    inputs = h.opcode.inputs
    h.put(emit(h, *[h.word(1 + i) for i in range(inputs)]), inputs)
    h.next()


def _functions(forks: Mapping[str, tuple[Opcode, ...]]) -> dict[str, Opcode]:
    return {symbol(opcode): opcode for opcodes in forks.values() for opcode in opcodes}


def exported(forks: Mapping[str, tuple[Opcode, ...]]) -> list[str]:
    """The functions for compiled contracts, in the order of the program's table of addresses."""
    return [
        *_functions(forks),
        f"end_{ExitStatus.INVALID_OPCODE.name}",
        *[f"routine_{name}" for name in exports.ROUTINES],
        *exports.HELPERS,
    ]


def symbol(opcode: Opcode) -> str:
    """The symbol of an opcode's function, which forks that agree about the opcode share."""
    return f"op_{opcode.name}_{opcode.inputs}_{opcode.outputs}_{opcode.static_gas}"


def _table(fork: str, opcodes: tuple[Opcode, ...]) -> str:
    names = [f"@end_{ExitStatus.INVALID_OPCODE.name}"] * 256
    names[exports.ENTER] = "@op_ENTER"
    for opcode in opcodes:
        names[opcode.code] = f"@{symbol(opcode)}"
    entries = ", ".join([f"ptr {name}" for name in names])
    return (
        f"@dispatch_{fork} = internal constant [256 x ptr] [{entries}]\n"
        f"define ptr @table_{fork}() {{\n  ret ptr @dispatch_{fork}\n}}\n"
    )


def _leave(status: ExitStatus) -> str:
    """Save the registers into the frame and return."""
    e = Emitter()
    code = e.load("i64", e.at("%frame", FRAME["CODE"]))
    position = e.op("sub", e.value("ptrtoint ptr %code to i64"), code)
    for name, value in (("PC", position), ("GAS", "%gas"), ("MEMORY_SIZE", "%size")):
        e.store("i64", value, e.at("%frame", FRAME[name]))
    e.store("ptr", "%stack", e.at("%frame", FRAME["SP"]))
    shared = e.load("ptr", e.at("%frame", FRAME["SHARED"]))
    e.store("ptr", "%frame", e.at(shared, SHARED["CURRENT"]))
    e.line(f"ret i64 {int(status)}")
    return HEAD.format(name=f"leave_{status.name}", body=e.body)
