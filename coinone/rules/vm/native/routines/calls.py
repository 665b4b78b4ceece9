"""The end of a call made in machine code, as `interpreter._resume` in Python."""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.layout import FRAME, SHARED, WORD
from coinone.rules.vm.native.routines import routine


def settle_call() -> str:
    """settle_call(frame, caller, success, size of the output, gas left, whether the output is in memory).

    If not, it is already in the buffer of returned data.
    """
    e = Emitter()
    shared = e.load("ptr", e.at("%frame", FRAME["SHARED"]))
    _hand_over_output(e, shared)
    with e.when(e.compare("eq", "%success", 0)):
        _take_back(e, shared)
    slot = e.load("ptr", e.at("%caller", FRAME["RESULT_SLOT"]))
    e.store("i256", e.widen("%success", "i64", "i256"), slot, 32)
    e.store("ptr", e.at(slot, WORD), e.at("%caller", FRAME["SP"]))
    gas = e.at("%caller", FRAME["GAS"])
    kept = e.op("sub", e.load("i64", gas), e.load("i64", e.at("%caller", FRAME["GAS_PASSED"])))
    e.store("i64", e.op("add", kept, "%left"), gas)
    e.line("ret void")
    return routine(
        "void", "settle_call", "ptr %frame, ptr %caller, i64 %success, i64 %size, i64 %left, i64 %copies", e
    )


def _hand_over_output(e: Emitter, shared: str) -> None:
    """Copy the output to the buffer of returned data, as the callee's memory is reused, and to the caller's range."""
    buffer = e.load("ptr", e.at(shared, SHARED["RETURNED"]))
    with e.when(e.compare("ne", "%size", 0)):
        with e.when(e.compare("ne", "%copies", 0)):
            memory = e.load("ptr", e.at("%frame", FRAME["MEMORY"]))
            output = e.at(memory, e.load("i64", e.at("%frame", FRAME["OUTPUT_OFFSET"])))
            e.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {buffer}, ptr {output}, i64 %size, i1 false)")
        room = e.load("i64", e.at("%caller", FRAME["RESULT_SIZE"]))
        count = e.select(e.compare("ult", room, "%size"), "i64", room, "%size")
        with e.when(e.compare("ne", count, 0)):
            memory = e.load("ptr", e.at("%caller", FRAME["MEMORY"]))
            place = e.at(memory, e.load("i64", e.at("%caller", FRAME["RESULT_OFFSET"])))
            e.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {place}, ptr {buffer}, i64 {count}, i1 false)")
    e.store("ptr", buffer, e.at("%caller", FRAME["RETURN"]))
    e.store("i64", "%size", e.at("%caller", FRAME["RETURN_SIZE"]))


def _take_back(e: Emitter, shared: str) -> None:
    """Undo a failed frame's storage, warmth, logs and refund."""
    mark = e.load("i64", e.at("%frame", FRAME["JOURNAL_MARK"]))
    e.line(f"call void @undo_cells(ptr {shared}, i64 {mark})")
    for name, kept in (("LOGS_USED", "LOGS_MARK"), ("REFUND", "REFUND_MARK")):
        e.store("i64", e.load("i64", e.at("%frame", FRAME[kept])), e.at(shared, SHARED[name]))
