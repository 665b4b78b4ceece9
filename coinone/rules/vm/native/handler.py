"""Generate the machine code of one instruction: checks, operation, and the jump to the next one.

Every instruction is a function, and they jump to one another (`musttail`) through a table indexed by the byte of code.
An interpreter loop's variables are passed as arguments, which the calling convention keeps in registers: the frame, the
instruction and stack pointers, gas, memory and its size, the table.
"""

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.layout import FRAME, SHARED, STACK_STRIDE, WORD, ExitStatus
from coinone.rules.vm.opcodes import STACK_SIZE_MAX

# of every instruction
PARAMETERS = "ptr %frame, ptr %code, ptr %stack, i64 %gas, ptr %memory, i64 %size, ptr %table"
# No vector registers (`noimplicitfloat`): a word is written in limbs and read soon after, and the processor
# cannot forward four small writes to one wide read; it would wait for each of them to reach the cache.
HEAD = (
    "define internal preserve_nonecc i64 @{name}(" + PARAMETERS + ") nounwind noimplicitfloat {{\n{body}}}\n"
)

FETCHED = {
    ExitStatus.STORAGE_MISS: "fetch_slot",
    ExitStatus.CALLEE_MISS: "fetch_callee",
}  # tried before Python


class Handler(Emitter):
    """`gas` and `size` are the current values; the parameters keep those before the instruction."""

    def __init__(self, opcode: Opcode) -> None:
        super().__init__()
        self.opcode = opcode
        self.gas = "%gas"
        self.size = "%size"

    # Checks

    def check(self) -> None:
        """Check the height of the stack and charge the static gas, as the reference's loop does."""
        need = self.opcode.inputs * WORD
        room = min(STACK_SIZE_MAX, STACK_SIZE_MAX + self.opcode.inputs - self.opcode.outputs) * WORD
        if need or room < STACK_SIZE_MAX * WORD:
            height = self.op("and", self.value("ptrtoint ptr %stack to i64"), STACK_STRIDE - 1)
            above = self.op("sub", height, need) if need else height
            with self.when_final(self.compare("ugt", above, room - need)):
                with self.when_final(self.compare("ult", height, need)):
                    self.leave(ExitStatus.STACK_UNDERFLOW)
                self.leave(ExitStatus.STACK_OVERFLOW)
        self.charge(self.opcode.static_gas)

    def charge(self, amount: int | str) -> None:
        """Charge gas; `amount` is at most 2^40, so the difference cannot wrap."""
        if amount != 0:
            self.gas = self.op("sub", self.gas, amount)
            self.leave_if(self.compare("slt", self.gas, 0), ExitStatus.OUT_OF_GAS)

    def leave_if(self, condition: str, status: ExitStatus) -> None:
        with self.when_final(condition):
            self.leave(status)

    # The stack: position 1 is the top, as it was before the instruction

    def slot(self, position: int) -> str:
        return self.at("%stack", -WORD * position)

    def limbs(self, position: int) -> list[str]:
        """The addresses of a word's four limbs, lowest first."""
        return [self.at("%stack", 8 * i - WORD * position) for i in range(4)]

    def word(self, position: int) -> str:
        return self.load("i256", self.slot(position), 32)

    def small(self, position: int) -> tuple[str, str]:
        """The low 64 bits, and whether (i1) any higher bit is set."""
        limbs = [self.load("i64", limb) for limb in self.limbs(position)]
        return limbs[0], self.compare("ne", self.any_bit(limbs[1:]), 0)

    def any_bit(self, numbers: list[str]) -> str:
        """The OR of the numbers: zero if all are. LLVM would test whole words in vector registers."""
        total = numbers[0]
        for number in numbers[1:]:
            total = self.op("or", total, number)
        return total

    def is_zero(self, position: int) -> str:
        return self.compare("eq", self.any_bit([self.load("i64", limb) for limb in self.limbs(position)]), 0)

    def low(self, position: int) -> str:
        return self.load("i64", self.slot(position))

    def put(self, word: str, position: int) -> None:
        """Write a word; position 0 is above the top."""
        self.store("i256", word, self.slot(position), 32)

    def put_small(self, number: str, position: int) -> None:
        self.put(self.widen(number, "i64", "i256"), position)

    # Frame and shared record

    def field(self, name: str) -> str:
        return self.at("%frame", FRAME[name])

    def number(self, name: str) -> str:
        return self.load("i64", self.field(name))

    def pointer(self, name: str) -> str:
        return self.load("ptr", self.field(name))

    def shared(self, name: str) -> str:
        return self.at(self.pointer("SHARED"), SHARED[name])

    def forbid_static(self) -> None:
        self.leave_if(self.compare("ne", self.number("STATIC"), 0), ExitStatus.WRITE_PROTECTION)

    # Cells

    def find_cell(self, account: str | int, key: str) -> str:
        """The cell of an account and key, or null."""
        return self.call("ptr", "find_cell", f"ptr {self.pointer('SHARED')}", f"i64 {account}", f"i256 {key}")

    def own_slot(self) -> str:
        """The cell of the storage slot on top of the stack, which must exist."""
        cell = self.find_cell(self.number("ACCOUNT"), self.word(1))
        self.leave_if(self.compare("eq", cell, "null", "ptr"), ExitStatus.STORAGE_MISS)
        return cell

    # Memory

    def reserve(self, offset: int, size: int) -> None:
        """Charge for and grow memory to the range whose offset and size are at these stack positions."""
        pointers = f"ptr {self.slot(offset)}", f"ptr {self.slot(size)}"
        gas = self.call("i64", "reserve", "ptr %frame", *pointers, f"i64 {self.gas}", f"i64 {self.size}")
        with self.when_final(self.compare("slt", gas, 0)):
            self.leave_if(self.compare("eq", gas, -1), ExitStatus.OUT_OF_GAS)
            self.leave(ExitStatus.OUT_OF_MEMORY)
        self.gas = gas
        self.size = self.number("MEMORY_SIZE")

    def charge_words(self, position: int, per_word: int) -> None:
        """Charge gas for each started word of a size. A size of 2^32 or more could never be paid for as memory."""
        size, big = self.small(position)
        self.leave_if(
            self.value(f"or i1 {big}, {self.compare('ugt', size, 0xFFFFFFFF)}"), ExitStatus.OUT_OF_GAS
        )
        words = self.op("lshr", self.op("add", size, 31), 5)
        self.charge(self.op("mul", words, per_word))

    def place(self, length: int) -> str:
        """The address of `length` bytes at the offset on top. If missing, grow memory and restart the instruction."""
        offset, big = self.small(1)
        paid_for = self.call("i64", "llvm.usub.sat.i64", f"i64 {self.size}", f"i64 {length - 1}")
        missing = self.value(f"or i1 {big}, {self.compare('uge', offset, paid_for)}")
        with self.when_final(missing):
            self.jump_to(f"grow_{length}")
        return self.at("%memory", offset)

    # Leaving the instruction

    def next(self, length: str | int = 1, height: int | None = None) -> None:
        """Continue `length` bytes further, with the stack `height` words higher (default: as in the table)."""
        grown = self.opcode.outputs - self.opcode.inputs if height is None else height
        code = self.at("%code", length)
        self.go_to(code, self.at("%stack", WORD * grown) if grown else "%stack")

    def go_to(self, code: str, stack: str) -> None:
        self._tail(self._target(code), code, stack, self.gas, self.size)

    def go_on_in(self, function: str) -> None:
        """Continue with the function at that address, with the state before the instruction."""
        self._tail(function, "%code", "%stack", "%gas", "%size")

    def _target(self, code: str) -> str:
        """The function of the instruction at `code`."""
        byte = self.widen(self.load("i8", code, 1), "i8", "i64")
        return self.load("ptr", self.value(f"getelementptr ptr, ptr %table, i64 {byte}"))

    def leave(self, status: ExitStatus) -> None:
        """Return to Python, or to the caller if a frame ends that was called in machine code.

        If the instruction will be repeated, everything is as before it.
        """
        if status <= ExitStatus.LOGS_FULL:
            self.jump_to(FETCHED.get(status, f"leave_{status.name}"))
        else:
            way = "end" if status >= ExitStatus.STOP else "leave"
            self._tail(f"@{way}_{status.name}", "%code", "%stack", self.gas, self.size)

    def leave_in(self, status: ExitStatus, frame: str, stack: str, gas: str, memory: str) -> None:
        """Return to Python with another frame, which has not started yet."""
        code = self.load("ptr", self.at(frame, FRAME["CODE"]))
        self._tail(f"@leave_{status.name}", code, stack, gas, "0", frame, memory)

    def jump_to(self, function: str) -> None:
        """Continue in another function of this kind, with the state before the instruction."""
        self.go_on_in(f"@{function}")

    def enter(self, frame: str, code: str, stack: str, gas: str, memory: str, size: str) -> None:
        """Continue in another frame."""
        self.gas, self.size = gas, size
        self._tail(self._target(code), code, stack, gas, size, frame, memory)

    def _tail(
        self,
        target: str,
        code: str,
        stack: str,
        gas: str,
        size: str,
        frame: str = "%frame",
        memory: str = "%memory",
    ) -> None:
        arguments = f"ptr {frame}, ptr {code}, ptr {stack}, i64 {gas}, ptr {memory}, i64 {size}, ptr %table"
        result = self.value(f"musttail call preserve_nonecc i64 {target}({arguments})")
        self.line(f"ret i64 {result}")

    def function(self, name: str) -> str:
        return HEAD.format(name=name, body=self.body)
