"""Calls, creations and SELFDESTRUCT.

A call without value stays in machine code: the callee gets the next record, and its end continues after the call.
Python runs the record of a precompiled contract. If the callee needs more of Python than a slot, an account or room,
Python turns the records into frames and continues with them (`driver.py`). Instructions in `HOST` are Python's; their
memory is charged here.
"""

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.instructions.control import stop
from coinone.rules.vm.instructions.system import CALL_DEPTH_MAX
from coinone.rules.vm.native.handler import HEAD, Handler
from coinone.rules.vm.native.handlers import Full, accounts
from coinone.rules.vm.native.layout import (
    CALLED_BY_PYTHON,
    CALLEE_ACCOUNT,
    CALLEE_CODE,
    CALLEE_MARKS,
    CALLEE_SIZE,
    CALLEE_SOURCE,
    FIRST_ADDRESS,
    FRAME,
    FRAME_SIZE,
    NOT_PREPARED,
    SHARED,
    STACK_STRIDE,
    ExitStatus,
)

HOST: dict[str, tuple[tuple[int, int], ...]] = {
    "CREATE": ((2, 3),),
    "CREATE2": ((2, 3),),
    "SELFDESTRUCT": (),
}
_NOTHING = Opcode(0, "", 0, 0, 0, stop)


def call(kind: str, ranges: int) -> Full:
    """A call; `ranges` is the stack position of the data's offset, followed by its size and the result's range."""

    def emit(h: Handler) -> None:
        h.reserve(ranges, ranges + 1)
        h.reserve(ranges + 2, ranges + 3)
        if kind in ("CALL", "CALLCODE"):
            h.leave_if(h.value(f"xor i1 {h.is_zero(3)}, true"), ExitStatus.HOST)
        address, cell = accounts.find(h, 2, ExitStatus.CALLEE_MISS)
        code = h.load("i64", h.at(cell, CALLEE_CODE))
        h.leave_if(h.compare("eq", code, NOT_PREPARED), ExitStatus.CALLEE_MISS)
        h.leave_if(h.compare("eq", code, CALLED_BY_PYTHON), ExitStatus.HOST)
        h.leave_if(h.compare("uge", h.number("DEPTH"), CALL_DEPTH_MAX), ExitStatus.HOST)
        cold = accounts.charge_if_cold(h, cell)
        accounts.make_warm(h, cell, cold)
        passed = _gas_to_pass(h)
        _keep(h, ranges, passed)
        child = _open(h, kind, ranges, cell, address, passed)
        _begin(h, child, code, passed)

    return emit


def _gas_to_pass(h: Handler) -> str:
    """The gas to pass on: as requested, but at most all but a 64th."""
    most = h.op("sub", h.gas, h.op("lshr", h.gas, 6))
    wanted, big = h.small(1)
    big = h.value(f"or i1 {big}, {h.compare('ugt', wanted, most)}")
    return h.select(big, "i64", most, wanted)


def _keep(h: Handler, ranges: int, passed: str) -> None:
    """Save this frame at the call, to continue after it or to leave the call to Python."""
    position = h.op("sub", h.value("ptrtoint ptr %code to i64"), h.number("CODE"))
    for name, number in (
        ("PC", position),
        ("GAS", h.gas),
        ("MEMORY_SIZE", h.size),
        ("GAS_PASSED", passed),
        ("RESULT_OFFSET", h.low(ranges + 2)),
        ("RESULT_SIZE", h.low(ranges + 3)),
    ):
        h.store("i64", number, h.field(name))
    h.store("ptr", "%stack", h.field("SP"))
    h.store("ptr", h.slot(h.opcode.inputs), h.field("RESULT_SLOT"))


def _open(h: Handler, kind: str, ranges: int, cell: str, address: str, passed: str) -> str:
    """Fill the record of the called frame."""
    child, shared = h.at("%frame", FRAME_SIZE), h.pointer("SHARED")
    borrowed = kind in ("DELEGATECALL", "CALLCODE")  # only the code is the other account's
    stack = h.op("and", h.value("ptrtoint ptr %stack to i64"), -STACK_STRIDE)
    size = h.low(ranges + 1)
    offset = h.select(h.compare("eq", size, 0), "i64", 0, h.low(ranges))
    account = h.number("ACCOUNT") if borrowed else h.load("i64", h.at(cell, CALLEE_ACCOUNT))
    length = h.load("i64", h.at(cell, CALLEE_SIZE))
    code = h.load("i64", h.at(cell, CALLEE_CODE))
    mark = h.load("i64", h.at(shared, SHARED["JOURNAL_COUNT"]))
    h.store("i64", mark, h.at(shared, SHARED["NEWEST_MARK"]))
    numbers = {
        "SP": h.op("add", stack, STACK_STRIDE),
        "MEMORY": h.op("add", h.number("MEMORY"), h.size),
        "MEMORY_LIMIT": h.op("sub", h.number("MEMORY_LIMIT"), h.size),
        "TABLE": h.number("TABLE"),
        "SHARED": h.number("SHARED"),
        "ACCOUNT": account,
        "STATIC": "1" if kind == "STATICCALL" else h.number("STATIC"),
        "FLOOR": _floor(h, passed),
        "CODE_SIZE": length,
        "SOURCE_SIZE": length,
        "DATA_SIZE": size,
        "RETURN_SIZE": "0",
        "BALANCE_KNOWN": "0",
        "CODE": code,
        "MARKS": h.load("i64", h.at(cell, CALLEE_MARKS)),
        "SOURCE": h.load("i64", h.at(cell, CALLEE_SOURCE)),
        "DATA": h.op("add", h.number("MEMORY"), offset),
        "DEPTH": h.op("add", h.number("DEPTH"), 1),
        "NATIVE": "1",
        "JOURNAL_MARK": mark,
        "LOGS_MARK": h.load("i64", h.at(shared, SHARED["LOGS_USED"])),
        "REFUND_MARK": h.load("i64", h.at(shared, SHARED["REFUND"])),
    }
    for name, number in numbers.items():
        h.store("i64", number, h.at(child, FRAME[name]))
    own, caller, value = (h.load("i256", h.field(name)) for name in ("ADDRESS", "CALLER", "CALLVALUE"))
    words = {"DELEGATECALL": (own, caller, value), "CALLCODE": (own, own, "0")}.get(kind, (address, own, "0"))
    for name, word in zip(("ADDRESS", "CALLER", "CALLVALUE"), words, strict=True):
        h.store("i256", word, h.at(child, FRAME[name]))
    return child


def _floor(h: Handler, passed: str) -> str:
    """The callee's floor, as far below its gas as this frame's; zero without a floor."""
    floor = h.number("FLOOR")
    wanted = h.op("sub", passed, h.op("sub", h.gas, floor))
    return h.select(h.compare("sgt", wanted, 0), "i64", wanted, 0)


def _begin(h: Handler, child: str, code: str, passed: str) -> None:
    pointers = [h.load("ptr", h.at(child, FRAME[name])) for name in ("CODE", "SP", "MEMORY")]
    with h.when_final(h.compare("ult", code, FIRST_ADDRESS)):
        h.leave_in(ExitStatus.PRECOMPILE, child, pointers[1], passed, pointers[2])
    h.enter(child, pointers[0], pointers[1], passed, pointers[2], "0")


def end_of_call(status: ExitStatus) -> str:
    """End a frame: return to Python if Python opened it, else continue in its caller."""
    h = Handler(_NOTHING)
    with h.when_final(h.compare("eq", h.number("NATIVE"), 0)):
        h.jump_to(f"leave_{status.name}")
    success = status in (ExitStatus.STOP, ExitStatus.RETURN)
    has_output = status in (ExitStatus.RETURN, ExitStatus.REVERT)
    size = h.number("OUTPUT_SIZE") if has_output else "0"
    left = "%gas" if success or has_output else "0"
    caller = h.at("%frame", -FRAME_SIZE)
    h.line(
        f"call void @settle_call(ptr %frame, ptr {caller}, i64 {int(success)}, i64 {size}, i64 {left}, i64 1)"
    )
    pointers = [h.load("ptr", h.at(caller, FRAME[name])) for name in ("CODE", "SP", "MEMORY")]
    numbers = [h.load("i64", h.at(caller, FRAME[name])) for name in ("PC", "GAS", "MEMORY_SIZE")]
    code = h.at(h.at(pointers[0], numbers[0]), 1)
    h.enter(caller, code, pointers[1], numbers[1], pointers[2], numbers[2])
    return HEAD.format(name=f"end_{status.name}", body=h.body)


FULL: dict[str, Full] = {
    "CALL": call("CALL", 4),
    "CALLCODE": call("CALLCODE", 4),
    "DELEGATECALL": call("DELEGATECALL", 3),
    "STATICCALL": call("STATICCALL", 3),
}
