"""Entry points of the machine code: start a message, and continue after Python has provided something."""

from coinone.rules.vm.environment import Message, TransactionEnv
from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.layout import (
    CELL_FLAGS,
    CELL_ORIGINAL,
    CELL_VALUE,
    FRAME,
    FRAME_SIZE,
    PROGRAM_CODE,
    PROGRAM_MARKS,
    PROGRAM_SIZE,
    PROGRAM_SOURCE,
    SHARED,
    SHARED_NUMBERS,
    STACK_STRIDE,
    WORD,
    ExitStatus,
)
from coinone.rules.vm.native.routines import objects, routine


def functions() -> str:
    return _forget() + _begin() + _open_frame() + _resume() + _provide() + _answer() + _run()


def _begin() -> str:
    """begin(shared, known): reset per-message state, then run the message held in `KNOWN`.

    Its target is the account with number 0. If it succeeds without Python, its writes are passed to the state.
    """
    e = Emitter()
    e.line("call void @forget(ptr %shared, ptr %known)")
    refund = e.call("i64", "PyLong_AsLongLong", f"ptr {objects.known(e, '%shared', 'REFUND')}")
    e.store("i64", refund, e.at("%shared", SHARED["REFUND"]))
    data, program = [
        e.call("ptr", "PyBytes_AsString", f"ptr {objects.known(e, '%shared', name)}")
        for name in ("DATA", "PROGRAM")
    ]
    message = objects.known(e, "%shared", "MESSAGE")
    arguments = "ptr %shared", "i64 0", f"ptr {message}", f"ptr {program}", "i64 0", "i64 0"
    frame = e.call("ptr", "open_frame", *arguments)
    status = e.call("i64", "run", f"ptr {frame}", f"ptr {data}", f"ptr {data}")
    wrote = e.compare("ne", _shared(e, "WROTE"), 0)
    well = e.value(
        f"or i1 {e.compare('eq', status, ExitStatus.STOP)}, {e.compare('eq', status, ExitStatus.RETURN)}"
    )
    with e.when(e.value(f"and i1 {wrote}, {well}")):
        e.line("call void @write_back(ptr %shared)")
    e.line(f"ret i64 {status}")
    return routine("i64", "begin", "ptr %shared, ptr %known", e, linkage="")


def _forget() -> str:
    """forget(shared, known): reset per-message state for a message with these objects."""
    e = Emitter()
    e.line("call void @forget_cells(ptr %shared)")
    first, behind = (SHARED_NUMBERS.index(name) for name in ("CELL_COUNT", "BLOBS"))
    start = e.at("%shared", 8 * first)
    e.line(f"call void @llvm.memset.p0.i64(ptr {start}, i8 0, i64 {8 * (behind - first)}, i1 false)")
    e.store("ptr", "%known", e.at("%shared", SHARED["KNOWN"]))
    transaction = objects.known(e, "%shared", "TRANSACTION")
    e.store("i256", _address(e, _field(e, transaction, "origin")), e.at("%shared", SHARED["ORIGIN"]))
    price = _field(e, transaction, "gas_price")
    e.line(f"call void @word_of_number(ptr {price}, ptr {e.at('%shared', SHARED['GASPRICE'])})")
    e.line("ret void")
    return routine("void", "forget", "ptr %shared, ptr %known", e, linkage="")


def _field(e: Emitter, transaction: str, name: str) -> str:
    return objects.item(e, transaction, TransactionEnv._fields.index(name))


def _open_frame() -> str:
    """open_frame(shared, index, message, program, used, account): write the record of a new frame.

    `program` is a program's record; the frame's memory follows the `used` bytes of the others.
    """
    e = Emitter()
    frame = e.at(_shared(e, "FRAMES", "ptr"), e.op("mul", "%index", FRAME_SIZE))
    e.line(f"call void @llvm.memset.p0.i64(ptr {frame}, i8 0, i64 {FRAME_SIZE}, i1 false)")
    gas = e.call("i64", "PyLong_AsLongLong", f"ptr {_part(e, 'gas')}")
    static = e.call("i32", "PyObject_IsTrue", f"ptr {_part(e, 'static')}")
    size = e.load("i64", e.at("%program", PROGRAM_SIZE))
    numbers = {
        "GAS": gas,
        "SP": e.op("add", _shared(e, "STACKS"), e.op("mul", "%index", STACK_STRIDE)),
        "MEMORY": e.op("add", _shared(e, "ARENA"), "%used"),
        "MEMORY_LIMIT": e.op("sub", _shared(e, "ARENA_SIZE"), "%used"),
        "TABLE": _shared(e, "DISPATCH"),
        "SHARED": e.value("ptrtoint ptr %shared to i64"),
        "ACCOUNT": "%account",
        "STATIC": e.widen(static, "i32", "i64"),
        "FLOOR": _floor(e, gas),
        "CODE_SIZE": size,
        "SOURCE_SIZE": size,
        "DATA_SIZE": e.call("i64", "PyObject_Size", f"ptr {_part(e, 'data')}"),
        "CODE": e.load("i64", e.at("%program", PROGRAM_CODE)),
        "MARKS": e.load("i64", e.at("%program", PROGRAM_MARKS)),
        "SOURCE": e.load("i64", e.at("%program", PROGRAM_SOURCE)),
        "DEPTH": e.call("i64", "PyLong_AsLongLong", f"ptr {_part(e, 'depth')}"),
    }
    for name, number in numbers.items():
        e.store("i64", number, e.at(frame, FRAME[name]))
    for name, part in (("ADDRESS", "target"), ("CALLER", "caller")):
        e.store("i256", _address(e, _part(e, part)), e.at(frame, FRAME[name]))
    e.line(f"call void @word_of_number(ptr {_part(e, 'value')}, ptr {e.at(frame, FRAME['CALLVALUE'])})")
    e.line(f"ret ptr {frame}")
    parameters = "ptr %shared, i64 %index, ptr %message, ptr %program, i64 %used, i64 %account"
    return routine("ptr", "open_frame", parameters, e, linkage="")


def _shared(e: Emitter, name: str, kind: str = "i64") -> str:
    return e.load(kind, e.at("%shared", SHARED[name]))


def _part(e: Emitter, name: str) -> str:
    return objects.item(e, "%message", Message._fields.index(name))


def _floor(e: Emitter, gas: str) -> str:
    """The floor, one slice below the gas; zero without slices or if the gas is less than a slice."""
    size = _shared(e, "SLICE")
    floor = e.op("sub", gas, size)
    none = e.value(f"or i1 {e.compare('eq', size, 0)}, {e.compare('slt', floor, 0)}")
    return e.select(none, "i64", 0, floor)


def _address(e: Emitter, content: str) -> str:
    """The word of an address given as Python's 20 bytes."""
    place = e.variable("i256", "0")
    start = e.call("ptr", "PyBytes_AsString", f"ptr {content}")
    e.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {e.at(place, 12)}, ptr {start}, i64 20, i1 false)")
    return e.byte_swap(e.load("i256", place, 32))


def _provide() -> str:
    """provide(frame, value, original, flags): add a cell for the slot on top of the stack, then continue.

    There must be room.
    """
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
    """answer(frame, success, size, gas left): continue after a precompiled contract, its output in `RETURNED`."""
    e = Emitter()
    caller = e.at("%frame", -FRAME_SIZE)
    e.line(f"call void @settle_call(ptr %frame, ptr {caller}, i64 %success, i64 %size, i64 %left, i64 0)")
    place = e.at(caller, FRAME["PC"])
    e.store("i64", e.op("add", e.load("i64", place), 1), place)
    e.line(f"ret i64 {e.call('i64', 'resume', f'ptr {caller}')}")
    return routine("i64", "answer", "ptr %frame, i64 %success, i64 %size, i64 %left", e, linkage="")


def _run() -> str:
    """run(frame, data, return data): run a frame from its position until something ends it."""
    e = Emitter()
    for name in ("DATA", "RETURN"):
        e.store("ptr", f"%{name.lower()}", e.at("%frame", FRAME[name]))
    e.line(f"ret i64 {e.call('i64', 'resume', 'ptr %frame')}")
    return routine("i64", "run", "ptr %frame, ptr %data, ptr %return", e, linkage="")


def _resume() -> str:
    """resume(frame): as `run`, with the frame's own data; for a frame that was called in machine code."""
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
