"""The interpreter's exports for compiled contracts (`vm/jit`): instructions, routines, and an entry.

The entry is the byte ENTER, which is no opcode in any fork: in the code of a compiled contract it marks the start of a
compiled block. So any instruction that continues with the next byte enters compiled code without knowing of it.

A compiled block calls the longer instructions as routines. They are the same definitions: where an instruction
continues with the next one, the routine returns the gas left; where it would leave, fail or restart, the routine has
changed nothing that counts and returns NOT_DONE, and the block leaves the instruction to the interpreter.
"""

from collections.abc import Iterable

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.instructions.control import stop
from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full
from coinone.rules.vm.native.layout import ENTRIES, ExitStatus
from coinone.rules.vm.native.routines import routine

ENTER = 0x0C
NOT_DONE = -1
ROUTINES = (
    *("KECCAK256", "EXP", "TLOAD", "TSTORE", "MCOPY", "SELFBALANCE", "BLOCKHASH", "BLOBHASH"),
    *("MLOAD", "MSTORE", "CALLDATALOAD", "CALLDATACOPY", "CODECOPY", "RETURNDATACOPY"),
    *(f"LOG{n}" for n in range(5)),
)
ROUTINE_PARAMETERS = "ptr %frame, ptr %stack, i64 %gas, ptr %memory, i64 %size, i64 %rest"
STORE_PARAMETERS = "ptr %frame, ptr %cell, i256 %value, i64 %gas"
_TWO, _THREE = ("i256, i256", "i256"), ("i256, i256, i256", "i256")
HELPERS = {  # other routines: their result and parameter types
    **dict.fromkeys(("div", "sdiv", "mod", "smod"), _TWO),
    **dict.fromkeys(("addmod", "mulmod"), _THREE),
    "find_cell": ("ptr, i64, i256", "ptr"),
    "store_word": (STORE_PARAMETERS, "i64"),
}


class RoutineHandler(Handler):
    """`%rest` is the static gas of later instructions in the block, which must remain."""

    def charge(self, amount: int | str) -> None:
        if amount != 0:
            self.gas = self.op("sub", self.gas, amount)
            self.leave_if(self.compare("slt", self.gas, "%rest"), ExitStatus.OUT_OF_GAS)

    def reserve(self, offset: int, size: int) -> None:
        whole = self.gas
        self.gas = self.op("sub", whole, "%rest")
        super().reserve(offset, size)
        self.gas = self.op("add", self.gas, "%rest")

    def next(self, length: str | int = 1, height: int | None = None) -> None:
        self.line(f"ret i64 {self.op('sub', self.gas, '%rest')}")

    def leave(self, status: ExitStatus) -> None:
        self.line(f"ret i64 {NOT_DONE}")

    def jump_to(self, function: str) -> None:
        self.line(f"ret i64 {NOT_DONE}")


class StoreHandler(RoutineHandler):
    """SSTORE of a value to a known cell. `%gas` excludes what later instructions need.

    So it may give up although the gas would suffice; then the interpreter decides.
    """

    def own_slot(self) -> str:
        return "%cell"

    def word(self, position: int) -> str:
        assert position == 2, "the slot is known"
        return "%value"

    def next(self, length: str | int = 1, height: int | None = None) -> None:
        self.line(f"ret i64 {self.gas}")


def routine_of(opcode: Opcode, emit: Full) -> RoutineHandler:
    """The instruction without its checks; `size` is set if it may grow memory."""
    h = RoutineHandler(opcode)
    emit(h)
    return h


def routines(opcodes: Iterable[Opcode], full: dict[str, Full]) -> str:
    parts = [
        routine(
            "i64",
            f"routine_{opcode.name}",
            ROUTINE_PARAMETERS,
            routine_of(opcode, full[opcode.name]),
            "noimplicitfloat",  # as in instructions (`handler.py`)
        )
        for opcode in opcodes
        if opcode.name in ROUTINES
    ]
    return "".join([*parts, _store_word(full["SSTORE"])])


def _store_word(emit: Full) -> str:
    """store_word(frame, cell, value, gas): the gas left, or NOT_DONE."""
    h = StoreHandler(Opcode(0, "SSTORE", 2, 0, 0, stop))
    emit(h)
    return routine("i64", "store_word", STORE_PARAMETERS, h, "noimplicitfloat")


def enter() -> str:
    """The instruction ENTER: continue with the compiled block that begins here. In plain code it is invalid."""
    h = Handler(Opcode(ENTER, "ENTER", 0, 0, 0, stop))
    entries = h.load("ptr", h.at(h.pointer("CODE"), ENTRIES), 1)
    h.leave_if(h.compare("eq", entries, "null", "ptr"), ExitStatus.INVALID_OPCODE)
    position = h.op("sub", h.value("ptrtoint ptr %code to i64"), h.number("CODE"))
    block = h.load("ptr", h.value(f"getelementptr ptr, ptr {entries}, i64 {position}"))
    h.leave_if(h.compare("eq", block, "null", "ptr"), ExitStatus.INVALID_OPCODE)
    h.go_on_in(block)
    return h.function("op_ENTER")


def table(names: list[str]) -> str:
    """exported(): the table of these functions' addresses, in this order."""
    entries = ", ".join([f"ptr @{name}" for name in names])
    e = Emitter()
    e.line("ret ptr @exports")
    content = f"@exports = internal constant [{len(names)} x ptr] [{entries}]\n"
    return content + routine("ptr", "exported", "", e, linkage="")
