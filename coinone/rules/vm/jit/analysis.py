"""Split a contract into blocks of instructions.

A block begins at the start of the code, after a JUMPDEST (which a jump has already paid for and passed), after an
instruction that the interpreter executes, and where a block would become too long. It continues through conditional
jumps that are not taken, and ends with a jump, with an instruction that the interpreter executes, or before the next
block. Code that no jump reaches is in no block.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from coinone.rules.vm.frame import Opcode

BLOCK_MAX = 64  # instructions: the compiler's time grows faster than the function; longer ones run no faster
_PUSH1, _PUSH32 = 0x60, 0x7F
_FINAL = frozenset({"STOP", "RETURN", "REVERT", "INVALID", "SELFDESTRUCT", "JUMP"})


class Instruction(NamedTuple):
    """An instruction; `opcode` is None for an invalid byte, `immediate` is the operand of a PUSH."""

    position: int
    opcode: Opcode | None
    immediate: int
    next: int


class BasicBlock(NamedTuple):
    """A block; the stack must hold `need` words before it and have room for `growth` more."""

    start: int
    instructions: tuple[Instruction, ...]
    need: int
    growth: int

    @property
    def static_gas(self) -> int:
        return sum([each.opcode.static_gas for each in self.instructions if each.opcode is not None])


def instructions(code: bytes, opcodes: Sequence[Opcode | None]) -> Iterator[Instruction]:
    """Decode the whole code from its start, including bytes that are really data; `opcodes` by byte."""
    position = 0
    while position < len(code):
        byte = code[position]
        length = byte - _PUSH1 + 1 if _PUSH1 <= byte <= _PUSH32 else 0
        end = position + 1 + length
        immediate = int.from_bytes(code[position + 1 : end].ljust(length, b"\0"), "big")
        yield Instruction(position, opcodes[byte], immediate, end)
        position = end


def blocks(code: Iterable[Instruction], compiled: frozenset[str]) -> Iterator[BasicBlock]:
    """The blocks of a contract, without empty ones; `compiled` names the instructions that blocks execute."""
    current: list[Instruction] | None = []
    for instruction in code:
        name = "INVALID" if instruction.opcode is None else instruction.opcode.name
        if current is None:
            current = [] if name == "JUMPDEST" else None
            continue
        current.append(instruction)
        ends = name not in compiled or name in _FINAL
        if ends or name == "JUMPDEST" or len(current) == BLOCK_MAX:
            if len(current) > 1:
                yield _block(current)
            current = None if name in _FINAL else []
    if current:
        yield _block(current)


def _block(content: list[Instruction]) -> BasicBlock:
    height = need = growth = 0
    for instruction in content:
        if instruction.opcode is not None:
            need = max(need, instruction.opcode.inputs - height)
            height += instruction.opcode.outputs - instruction.opcode.inputs
            growth = max(growth, height)
    return BasicBlock(content[0].position, tuple(content), need, growth)
