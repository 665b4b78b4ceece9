"""Control flow: jumps and the instructions that end a frame."""

from coinone.rules.vm.gas import JUMPDEST
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full
from coinone.rules.vm.native.layout import ExitStatus


def stop(h: Handler) -> None:
    h.leave(ExitStatus.STOP)


def invalid(h: Handler) -> None:
    h.leave(ExitStatus.INVALID_OPCODE)


def jump(h: Handler) -> None:
    _jump_to_top(h)


def jump_if(h: Handler) -> None:
    zero = h.is_zero(2)
    stay, go = h.fresh("stay"), h.fresh("go")
    h.line(f"br i1 {zero}, label %{stay}, label %{go}")
    h.label(stay)
    h.next()
    h.label(go)
    _jump_to_top(h)


def _jump_to_top(h: Handler) -> None:
    """Jump to the top word, after comparing gas with Python's floor: only jumps and calls make a run long.

    The JUMPDEST is charged here and skipped.
    """
    target, big = h.small(1)
    outside = h.value(f"or i1 {big}, {h.compare('uge', target, h.number('CODE_SIZE'))}")
    h.leave_if(outside, ExitStatus.INVALID_JUMP)
    mark = h.load("i8", h.at(h.pointer("MARKS"), target), 1)
    h.leave_if(h.compare("eq", mark, 0, "i8"), ExitStatus.INVALID_JUMP)
    h.gas = h.op("sub", h.gas, JUMPDEST)
    with h.when_final(h.compare("slt", h.gas, h.number("FLOOR"))):
        h.leave_if(h.compare("slt", h.gas, 0), ExitStatus.OUT_OF_GAS)
        h.leave(ExitStatus.PAUSE)
    code = h.at(h.at(h.pointer("CODE"), target), 1)
    h.go_to(code, h.at("%stack", -32 * h.opcode.inputs))


def program_counter(h: Handler) -> None:
    start = h.load("i64", h.field("CODE"))
    h.put_small(h.op("sub", h.value("ptrtoint ptr %code to i64"), start), 0)
    h.next()


def gas_left(h: Handler) -> None:
    h.put_small(h.gas, 0)
    h.next()


def jump_destination(h: Handler) -> None:
    h.next()


def ending(status: ExitStatus) -> Full:
    def emit(h: Handler) -> None:
        h.reserve(1, 2)
        h.store("i64", h.low(1), h.field("OUTPUT_OFFSET"))
        h.store("i64", h.low(2), h.field("OUTPUT_SIZE"))
        h.leave(status)

    return emit


FULL: dict[str, Full] = {
    "STOP": stop,
    "INVALID": invalid,
    "JUMP": jump,
    "JUMPI": jump_if,
    "PC": program_counter,
    "GAS": gas_left,
    "JUMPDEST": jump_destination,
    "RETURN": ending(ExitStatus.RETURN),
    "REVERT": ending(ExitStatus.REVERT),
}
