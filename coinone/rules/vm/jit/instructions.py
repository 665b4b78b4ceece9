"""How blocks execute each instruction: as a move of words, as a value, inline, or by calling a routine.

All others (calls, creations, other accounts, the ends of a frame) are left to the interpreter.
"""

from collections.abc import Callable

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.jit.analysis import Instruction
from coinone.rules.vm.jit.words import Words
from coinone.rules.vm.native import exports
from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.handlers import Full, Pure, binary
from coinone.rules.vm.native.handlers.comparison import comparison
from coinone.rules.vm.native.layout import SHARED_WORDS
from coinone.rules.vm.native.module import FULL
from coinone.rules.vm.native.module import PURE as NATIVE_PURE
from coinone.rules.vm.opcodes import OSAKA

Move = Callable[[Words, Instruction], None]


def _push(words: Words, instruction: Instruction) -> None:
    words.push(str(instruction.immediate))


def _program_counter(words: Words, instruction: Instruction) -> None:
    words.push(str(instruction.position))


def _dup(position: int) -> Move:
    return lambda words, _: words.push(words.word(position))


def _swap(distance: int) -> Move:
    return lambda words, _: words.swap(distance)


MOVES: dict[str, Move] = {
    **{f"PUSH{n}": _push for n in range(33)},
    **{f"DUP{n}": _dup(n) for n in range(1, 17)},
    **{f"SWAP{n}": _swap(n) for n in range(1, 17)},
    "POP": lambda words, _: words.pop(1),
    "PC": _program_counter,
    "JUMPDEST": lambda words, _: None,
}


def _invert(e: Emitter, word: str) -> str:
    return e.op("xor", word, -1, "i256")


def _is_zero(e: Emitter, word: str) -> str:
    return e.widen(e.compare("eq", word, 0, "i256"), "i1", "i256")


# The interpreter does some of these limb by limb in memory, which does not work in registers.
PURE: dict[str, Pure] = {
    **NATIVE_PURE,
    "AND": binary("and"),
    "OR": binary("or"),
    "XOR": binary("xor"),
    "NOT": _invert,
    "EQ": comparison("eq"),
    "ISZERO": _is_zero,
}
_KNOWN = (
    "ADDRESS",
    "CALLER",
    "CALLVALUE",
    "CALLDATASIZE",
    "CODESIZE",
    "RETURNDATASIZE",
    *SHARED_WORDS,
    "MSIZE",
)
MEMORY = ("MLOAD", "MSTORE", "MSTORE8")
INLINE: dict[str, Full] = {name: FULL[name] for name in (*_KNOWN, *MEMORY, "SLOAD")}
COMPILED = frozenset({"JUMP", "JUMPI", "GAS", "SSTORE", *MOVES, *PURE, *INLINE, *exports.ROUTINES})
STAYING = frozenset({"GAS", *MOVES, *PURE, *_KNOWN})  # never hand over


def growing(opcodes: tuple[Opcode, ...]) -> frozenset[str]:
    """The routines that may grow memory."""
    found = [
        row.name
        for row in opcodes
        if row.name in exports.ROUTINES and exports.routine_of(row, FULL[row.name]).size != "%size"
    ]
    return frozenset(found)


GROWING = growing(OSAKA)
