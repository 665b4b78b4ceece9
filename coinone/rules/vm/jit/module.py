"""Generate the LLVM text of all compiled blocks of a contract.

The compile time of a contract is bounded: each instruction has a weight, roughly the cost of its text, and the first
blocks of the code are compiled up to a total weight. The rest is left to the interpreter.
"""

from typing import NamedTuple

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.jit import instructions as ways
from coinone.rules.vm.jit.analysis import BasicBlock, blocks, instructions
from coinone.rules.vm.jit.block import INVALID, PREFIX, BlockWriter, JumpTargets
from coinone.rules.vm.native import exports
from coinone.rules.vm.native.emitter import METADATA
from coinone.rules.vm.native.handler import PARAMETERS
from coinone.rules.vm.native.module import symbol

STARTS, BLOCKS, COUNT = "block_starts", "block_functions", "block_count"  # symbols of the object code
_INTRINSICS = """
declare i256 @llvm.bswap.i256(i256)
declare i256 @llvm.ctlz.i256(i256, i1)
declare i64 @llvm.usub.sat.i64(i64, i64)
"""
_BLOCK_WEIGHT = 8  # of an empty function


class Text(NamedTuple):
    """The text, the number of compiled `blocks`, and of those `left_out` by the bound."""

    text: str
    blocks: int
    left_out: int


def module_of(code: bytes, opcodes: tuple[Opcode, ...], weight_max: int) -> Text:
    by_byte: list[Opcode | None] = [None] * 256
    for opcode in opcodes:
        by_byte[opcode.code] = opcode
    content = list(instructions(code, by_byte))
    found = list(blocks(content, ways.COMPILED))
    chosen = _affordable(found, weight_max)
    names = {block.start: f"block_{block.start}" for block in chosen}
    others = {each.position: INVALID if each.opcode is None else symbol(each.opcode) for each in content}
    others[len(code)] = symbol(_named(opcodes, "STOP"))
    destinations = {
        each.position for each in content if each.opcode is not None and each.opcode.name == "JUMPDEST"
    }
    used: set[str] = set()

    def function(position: int) -> str:
        if position in names:
            return names[position]
        other = others[min(position, len(code))]
        used.add(other)
        return PREFIX + other

    places = JumpTargets(function, destinations.__contains__)
    parts = [_INTRINSICS]
    for block in chosen:
        writer = BlockWriter(block, places)
        parts.append(writer.text(names[block.start]))
        used |= writer.used
    parts += [_declaration(name) for name in sorted(used)]
    return Text("".join([*parts, _tables(names), METADATA]), len(chosen), len(found) - len(chosen))


def _affordable(found: list[BasicBlock], weight_max: int) -> list[BasicBlock]:
    chosen = []
    for block in found:
        weight_max -= _BLOCK_WEIGHT + sum([_weight(each.opcode) for each in block.instructions])
        if weight_max < 0:
            break
        chosen.append(block)
    return chosen


def _weight(opcode: Opcode | None) -> int:
    """The weight of an instruction, in units of one that only moves words."""
    if opcode is None or opcode.name in ways.MOVES:
        return 1
    if opcode.name in ways.STAYING:
        return 4
    return 10


def _named(opcodes: tuple[Opcode, ...], name: str) -> Opcode:
    return next(opcode for opcode in opcodes if opcode.name == name)


def _declaration(name: str) -> str:
    if name in exports.HELPERS:
        parameters, result = exports.HELPERS[name]
        return f"declare {result} @{PREFIX}{name}({parameters})\n"
    if name.startswith("routine_"):
        return f"declare i64 @{PREFIX}{name}({exports.ROUTINE_PARAMETERS})\n"
    return f"declare preserve_nonecc i64 @{PREFIX}{name}({PARAMETERS})\n"


def _tables(names: dict[int, str]) -> str:
    """Tables for the loader: the number of blocks, their positions and functions."""
    count = len(names)
    starts = ", ".join([f"i32 {start}" for start in names])
    functions = ", ".join([f"ptr @{name}" for name in names.values()])
    return (
        f"@{COUNT} = constant i64 {count}\n"
        f"@{STARTS} = constant [{count} x i32] [{starts}]\n"
        f"@{BLOCKS} = constant [{count} x ptr] [{functions}]\n"
    )
