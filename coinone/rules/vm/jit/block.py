"""Generate the LLVM text of one block.

The instructions are the interpreter's own definitions with other primitives: `word` and `put` use values in registers
instead of memory, and where an instruction would fail, leave or restart (`leave_if`, `when_final`), the block hands it
to the interpreter. That is safe, since the definitions write nothing that counts before the last of these points.

Static gas is charged once for the whole block, at its start. Where the exact amount is needed (GAS, the stipend check
of SSTORE, handing over), the gas of later instructions is added back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.gas import JUMPDEST
from coinone.rules.vm.instructions.control import stop
from coinone.rules.vm.jit import instructions as ways
from coinone.rules.vm.jit.analysis import BasicBlock, Instruction
from coinone.rules.vm.jit.words import LIMB, Words, is_number
from coinone.rules.vm.native import exports
from coinone.rules.vm.native.emitter import UNLIKELY
from coinone.rules.vm.native.handler import HEAD, Handler
from coinone.rules.vm.native.layout import ENTRIES, STACK_STRIDE, WORD, ExitStatus
from coinone.rules.vm.native.module import symbol
from coinone.rules.vm.opcodes import STACK_SIZE_MAX

PREFIX = "coinone_"  # of the interpreter's functions in the process's symbol table
INVALID = f"end_{ExitStatus.INVALID_OPCODE.name}"
UNSAVED_MAX = 4  # words that a block may have to save when it hands over, which bounds that code
_START = Opcode(0, "", 0, 0, 0, stop)


class JumpTargets(NamedTuple):
    """A contract's positions: the function that continues at each, and the valid jump destinations."""

    function: Callable[[int], str]
    is_destination: Callable[[int], bool]


class Exit(NamedTuple):
    """An exit of the block: the words to save, gas and memory size there, and the function that continues."""

    unsaved: list[tuple[int, str]]
    height: int
    gas: str
    unspent: int
    size: str
    function: str
    position: int


class BlockWriter(Handler):
    """Writes one block; `used` collects the called functions for their declarations."""

    def __init__(self, block: BasicBlock, places: JumpTargets) -> None:
        super().__init__(_START)
        self.used: set[str] = set()
        self._block = block
        self._places = places
        self._words = Words(self)
        self._exits: list[tuple[str, Exit]] = []
        self._bits: dict[str, str] = {}  # words that are 0 or 1, with the bit that they were made from
        self._cells: dict[str, str] = {}  # slots that were looked up, with their cells
        self._ahead = "%gas"  # the gas left after paying for the whole block
        self._paid = 0  # static gas, already charged, of this instruction and later ones
        self._current = block.instructions[0]
        self._memory_at_least = 0

    def text(self, name: str) -> str:
        self._begin()
        for instruction in self._block.instructions:
            self._current = instruction
            if not self._write(instruction):
                break
        else:
            self._finish(self._exit_to(self._current.next))
        for label, way in self._exits:
            self.label(label)
            self._finish(way)
        return HEAD.format(name=name, body=self.body)

    def _begin(self) -> None:
        """Check once for the whole block that words, room and gas suffice; else the interpreter continues.

        If Python limits the time, gas must not fall below its floor, which is zero otherwise.
        """
        need = self._block.need * WORD
        height = self.op("and", self.value("ptrtoint ptr %stack to i64"), STACK_STRIDE - 1)
        above = self.op("sub", height, need)
        bad = self.compare("ugt", above, (STACK_SIZE_MAX - self._block.growth) * WORD - need)
        total = self._block.static_gas + JUMPDEST  # the latter pays for a jump's destination, or is returned
        ahead = self.op("sub", "%gas", total)
        self._exit_if(self.value(f"or i1 {bad}, {self.compare('slt', ahead, self.number('FLOOR'))}"))
        self._ahead, self._paid = ahead, total

    # Instructions

    def _write(self, instruction: Instruction) -> bool:
        """Write an instruction; False if the block ends with it."""
        opcode = instruction.opcode
        if opcode is None or opcode.name not in ways.COMPILED:
            return self._hand_over()
        self.opcode, name = opcode, opcode.name
        if name not in ways.STAYING:
            self._words.save(self._words.unsaved()[:-UNSAVED_MAX])
        if name == "JUMP":
            return self._jump()
        if name == "JUMPI":
            if not is_number(self._words.word(1)):
                return self._hand_over()
            self._jump_if(int(self._words.word(1)))
        elif name == "GAS":
            self._words.push(self.widen(self._exact_gas(), "i64", "i256"))
        elif name in ways.MOVES:
            ways.MOVES[name](self._words, instruction)
        elif name in ways.PURE:
            self._compute(opcode)
        elif name in ways.INLINE:
            self._inline(opcode)
        elif name == "SSTORE":
            self._store_word(opcode)
        else:
            self._call_routine(opcode)
        self._paid -= opcode.static_gas
        return True

    def _exact_gas(self) -> str:
        """The gas as in the interpreter: this instruction is paid for, later ones are not."""
        return self.op("add", self._ahead, self._paid - self.opcode.static_gas)

    def _compute(self, opcode: Opcode) -> None:
        words = [self._words.word(1 + i) for i in range(opcode.inputs)]
        if all(map(is_number, words)):
            stack = [int(word) for word in reversed(words)]
            opcode.operation(None, stack)  # type: ignore[arg-type]  # these use the stack only
            result = str(stack[0])
        else:
            result = ways.PURE[opcode.name](self, *words)
        self._words.pop(opcode.inputs)
        self._words.push(result)

    def _inline(self, opcode: Opcode) -> None:
        for i in range(opcode.inputs):
            self._words.word(1 + i)
        self._result = ""
        ways.INLINE[opcode.name](self)
        self._words.pop(opcode.inputs)
        if opcode.outputs:
            self._words.push(self._result)

    def _call_routine(self, opcode: Opcode) -> None:
        """Call a routine, whose operands and result are in memory."""
        words = self._words
        first = words.height - opcode.inputs
        words.save([(place, value) for place, value in words.unsaved() if place >= first])
        function = self._use(f"routine_{opcode.name}")
        left = self.value(
            f"call i64 @{function}(ptr %frame, ptr {words.address(words.height)}, i64 {self._exact_gas()}, "
            f"ptr %memory, i64 {self.size}, i64 {self._paid - opcode.static_gas})"
        )
        self._exit_if(self.compare("slt", left, 0))
        self._ahead = left
        if opcode.name in ways.GROWING:
            self.size = self.number("MEMORY_SIZE")
        words.pop(opcode.inputs)
        for _ in range(opcode.outputs):
            words.push_from_memory()

    def _store_word(self, opcode: Opcode) -> None:
        """SSTORE. The routine uses the gas that the rest of the block leaves, and gives up if that is too little."""
        cell, value = self.own_slot(), self.word(2)
        function = self._use("store_word")
        left = self.value(f"call i64 @{function}(ptr %frame, ptr {cell}, i256 {value}, i64 {self._ahead})")
        self._exit_if(self.compare("slt", left, 0))
        self._ahead = left
        self._words.pop(opcode.inputs)

    # Jumps

    def _jump(self) -> bool:
        target = self._words.word(1)
        if not is_number(target):
            return self._jump_somewhere()
        if not self._places.is_destination(int(target)):
            return self._hand_over()
        self._words.pop(1)
        self._finish(self._landing(int(target)))
        return False

    def _jump_if(self, target: int) -> None:
        stay, condition = self.fresh("stay"), self.is_zero(2)
        if self._places.is_destination(target):
            self._words.pop(2)
            way = self._landing(target)
        else:
            way = self._exit_here()
            self._words.pop(2)
        go = self._leave_by(way)
        self.line(f"br i1 {condition}, label %{stay}, label %{go}")
        self.label(stay)

    def _landing(self, target: int) -> Exit:
        """The exit after a JUMPDEST, whose gas this block has charged in addition to its own."""
        return self._exit_to(target + 1, self._paid - self.opcode.static_gas - JUMPDEST)

    def _jump_somewhere(self) -> bool:
        """Jump to the word on top if a block begins there; else the interpreter decides."""
        low, big = self.small(1)
        outside = self.compare("uge", low, self.number("CODE_SIZE"))
        self._exit_if(self.value(f"or i1 {big}, {outside}"))
        mark = self.load("i8", self.at(self.pointer("MARKS"), low), 1)
        self._exit_if(self.compare("eq", mark, 0, "i8"))
        code = self.pointer("CODE")
        entries = self.load("ptr", self.at(code, ENTRIES), 1)
        behind = self.op("add", low, 1)
        block = self.load("ptr", self.value(f"getelementptr ptr, ptr {entries}, i64 {behind}"))
        self._exit_if(self.compare("eq", block, "null", "ptr"))
        self._words.pop(1)
        self._words.save(self._words.unsaved())
        unspent = self._paid - self.opcode.static_gas - JUMPDEST
        gas = self.op("add", self._ahead, unspent) if unspent else self._ahead
        self._tail(block, self.at(code, behind), self._words.address(self._words.height), gas, self.size)
        return False

    # Leaving

    def _hand_over(self) -> bool:
        """Leave this instruction to the interpreter; the block ends."""
        self._finish(self._exit_here())
        return False

    def _exit_here(self) -> Exit:
        opcode = self._current.opcode
        function = self._use(INVALID if opcode is None else symbol(opcode))
        return self._exit(function, self._current.position, self._paid)

    def _exit_to(self, position: int, unspent: int | None = None) -> Exit:
        function = self._places.function(position)
        return self._exit(function, position, self._paid if unspent is None else unspent)

    def _exit(self, function: str, position: int, unspent: int) -> Exit:
        words = self._words
        return Exit(words.unsaved(), words.height, self._ahead, unspent, self.size, function, position)

    def _exit_if(self, condition: str) -> None:
        after = self.fresh("after")
        self.line(f"br i1 {condition}, label %{self._leave_by(self._exit_here())}, label %{after}{UNLIKELY}")
        self.label(after)

    def _leave_by(self, way: Exit) -> str:
        """The label of the exit's code, placed after the main path."""
        label = self.fresh("exit")
        self._exits.append((label, way))
        return label

    def _finish(self, way: Exit) -> None:
        for place, value in way.unsaved:
            self.store("i256", value, self._words.address(place), 32)
        gas = self.op("add", way.gas, way.unspent) if way.unspent else way.gas
        code = self.at("%code", way.position - self._block.start)
        self._tail(f"@{way.function}", code, self._words.address(way.height), gas, way.size)

    def _use(self, function: str) -> str:
        self.used.add(function)
        return PREFIX + function

    # What the definitions of the instructions call

    def word(self, position: int) -> str:
        return self._words.word(position)

    def small(self, position: int) -> tuple[str, str]:
        word = self.word(position)
        if is_number(word):
            return str(int(word) % LIMB), "true" if int(word) >= LIMB else "false"
        others = self.narrow(self.op("lshr", word, 64, "i256"), "i256", "i192")
        return self.narrow(word, "i256", "i64"), self.compare("ne", others, 0, "i192")

    def low(self, position: int) -> str:
        return self.small(position)[0]

    def is_zero(self, position: int) -> str:
        word = self.word(position)
        return self.compare("eq", word, 0, "i256")

    def put(self, word: str, position: int) -> None:
        self._result = word

    def next(self, length: str | int = 1, height: int | None = None) -> None:
        """Continue with the next instruction, which follows in the text."""

    def leave_if(self, condition: str, status: ExitStatus) -> None:
        self._exit_if(condition)

    @contextmanager
    def when_final(self, condition: str) -> Iterator[None]:
        """Leave that case to the interpreter; the text generated for it is dropped."""
        self._exit_if(condition)
        kept, exits = len(self._lines), len(self._exits)
        yield
        del self._lines[kept:], self._exits[exits:]

    def own_slot(self) -> str:
        """The cell of the slot; cells do not move while a block runs, since only Python makes room for more."""
        key = self.word(1)
        if key not in self._cells:
            self._cells[key] = super().own_slot()
        return self._cells[key]

    def place(self, length: int) -> str:
        """The address of a word or byte of memory at the offset on top; its existence is often known already."""
        word = self.word(1)
        if not is_number(word):
            return super().place(length)
        end = int(word) + length
        if end > self._memory_at_least:
            super().place(length)
            self._memory_at_least = end
        return self.at("%memory", self.low(1))

    def widen(self, x: str, kind: str, to: str) -> str:
        wide = super().widen(x, kind, to)
        if kind == "i1":
            self._bits[wide] = x
        return wide

    def compare(self, how: str, x: str | int, y: str | int, kind: str = "i64") -> str:
        if how == "eq" and y == 0 and x in self._bits:
            return self.value(f"xor i1 {self._bits[str(x)]}, true")
        return super().compare(how, x, y, kind)

    def call(self, result: str, function: str, *arguments: str) -> str:
        name = self._use(function) if function in exports.HELPERS else function
        return super().call(result, name, *arguments)
