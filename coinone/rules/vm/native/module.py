"""The whole program text: routines, a function per instruction, a table of them per fork, and the way in.

The opcode table of `rules/vm/opcodes.py` says which instructions there are, how many words they take and give
and what they cost; here each only gets its body. A name without a body fails at once, when the text is made.
"""

from collections.abc import Mapping

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.native import exports
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
    keccak,
    log,
    memory,
    stack,
    storage,
    system,
)
from coinone.rules.vm.native.layout import (
    CELL_FLAGS,
    CELL_ORIGINAL,
    CELL_VALUE,
    FRAME,
    FRAME_SIZE,
    SHARED,
    WORD,
    Status,
)
from coinone.rules.vm.native.routines import calls, cells, division, reciprocal, routine, words
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
    """LLVM text of an interpreter for these forks; `table_<fork>` gives the table to start with."""
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
        calls.settle_call(),
        storage.pay_write(),
        *[_leave(status) for status in Status],
        *[system.end_of_call(status) for status in Status if status >= Status.STOP],
        *[memory.grow_and_repeat(length) for length in (1, 32)],
        *[handler(opcode).function(name) for name, opcode in functions.items()],
        exports.enter(),
        exports.routines(names.values(), FULL),
        exports.table(exported(forks)),
        *[_table(fork, opcodes) for fork, opcodes in forks.items()],
        _resume(),
        _provide(),
        _answer(),
        _run(),
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
        h.leave(Status.HOST)
    return h


def _pure(h: Handler, emit: Pure) -> None:
    inputs = h.opcode.inputs
    h.put(emit(h, *[h.word(1 + i) for i in range(inputs)]), inputs)
    h.next()


def _functions(forks: Mapping[str, tuple[Opcode, ...]]) -> dict[str, Opcode]:
    return {symbol(opcode): opcode for opcodes in forks.values() for opcode in opcodes}


def exported(forks: Mapping[str, tuple[Opcode, ...]]) -> list[str]:
    """The functions that compiled contracts use, in the order of the program's table of their addresses."""
    return [
        *_functions(forks),
        f"end_{Status.INVALID_OPCODE.name}",
        *[f"routine_{name}" for name in exports.ROUTINES],
        *exports.HELPERS,
    ]


def symbol(opcode: Opcode) -> str:
    """Forks that agree about an opcode share its function."""
    return f"op_{opcode.name}_{opcode.inputs}_{opcode.outputs}_{opcode.static_gas}"


def _table(fork: str, opcodes: tuple[Opcode, ...]) -> str:
    names = [f"@end_{Status.INVALID_OPCODE.name}"] * 256
    names[exports.ENTER] = "@op_ENTER"
    for opcode in opcodes:
        names[opcode.code] = f"@{symbol(opcode)}"
    entries = ", ".join([f"ptr {name}" for name in names])
    return (
        f"@dispatch_{fork} = internal constant [256 x ptr] [{entries}]\n"
        f"define ptr @table_{fork}() {{\n  ret ptr @dispatch_{fork}\n}}\n"
    )


def _leave(status: Status) -> str:
    """Write what travelled in registers into the frame, and return."""
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


def _provide() -> str:
    """provide(frame, value, original, flags): a cell for the slot on top of the stack, and on. There must be room."""
    e = Emitter()
    shared, stack = [e.load("ptr", e.at("%frame", FRAME[name])) for name in ("SHARED", "SP")]
    account = e.load("i64", e.at("%frame", FRAME["ACCOUNT"]))
    cell = e.call("ptr", "add_cell", f"ptr {shared}", f"i64 {account}", f"ptr {e.at(stack, -WORD)}")
    for name, place in (("value", CELL_VALUE), ("original", CELL_ORIGINAL)):
        e.store("i256", e.byte_swap(e.load("i256", f"%{name}", 1)), e.at(cell, place), 32)
    e.store("i64", "%flags", e.at(cell, CELL_FLAGS))
    e.line(f"ret i64 {e.call('i64', 'resume', 'ptr %frame')}")
    parameters = "ptr %frame, ptr %value, ptr %original, i64 %flags"
    return routine("i64", "provide", parameters, e, linkage="")


def _answer() -> str:
    """answer(frame, success, size, gas left): the precompiled contract is done, its output in `RETURNED`; go on."""
    e = Emitter()
    caller = e.at("%frame", -FRAME_SIZE)
    e.line(f"call void @settle_call(ptr %frame, ptr {caller}, i64 %success, i64 %size, i64 %left, i64 0)")
    place = e.at(caller, FRAME["PC"])
    e.store("i64", e.op("add", e.load("i64", place), 1), place)
    e.line(f"ret i64 {e.call('i64', 'resume', f'ptr {caller}')}")
    return routine("i64", "answer", "ptr %frame, i64 %success, i64 %size, i64 %left", e, linkage="")


def _run() -> str:
    """run(frame, data, return data): from where the frame says, until something ends it."""
    e = Emitter()
    for name in ("DATA", "RETURN"):
        e.store("ptr", f"%{name.lower()}", e.at("%frame", FRAME[name]))
    e.line(f"ret i64 {e.call('i64', 'resume', 'ptr %frame')}")
    return routine("i64", "run", "ptr %frame, ptr %data, ptr %return", e, linkage="")


def _resume() -> str:
    """resume(frame): as `run`, with the data the frame has; for a frame that was called in machine code."""
    e = Emitter()
    code, stack_pointer, arena, table = [
        e.load("ptr", e.at("%frame", FRAME[name])) for name in ("CODE", "SP", "MEMORY", "TABLE")
    ]
    position, gas, size = [
        e.load("i64", e.at("%frame", FRAME[name])) for name in ("PC", "GAS", "MEMORY_SIZE")
    ]
    here = e.at(code, position)
    byte = e.widen(e.load("i8", here, 1), "i8", "i64")
    first = e.load("ptr", e.value(f"getelementptr ptr, ptr {table}, i64 {byte}"))
    status = e.value(
        f"call preserve_nonecc i64 {first}(ptr %frame, ptr {here}, ptr {stack_pointer}, i64 {gas}, "
        f"ptr {arena}, i64 {size}, ptr {table})"
    )
    e.line(f"ret i64 {status}")
    return routine("i64", "resume", "ptr %frame", e, linkage="")
