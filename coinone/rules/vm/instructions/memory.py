"""Memory: the bytes of a frame, which grow in words that are paid for."""

from coinone.rules.vm.frame import Frame
from coinone.rules.vm.gas import COPY_PER_WORD, charge, extend_memory, words


def mload(frame: Frame, stack: list[int]) -> None:
    # STACK
    offset = stack.pop()
    # GAS
    if offset + 32 > len(frame.memory):
        extend_memory(frame, offset, 32)
    # OPERATION
    stack.append(int.from_bytes(frame.memory[offset : offset + 32], "big"))


def mstore(frame: Frame, stack: list[int]) -> None:
    # STACK
    offset = stack.pop()
    word = stack.pop()
    # GAS
    if offset + 32 > len(frame.memory):
        extend_memory(frame, offset, 32)
    # OPERATION
    frame.memory[offset : offset + 32] = word.to_bytes(32, "big")


def mstore8(frame: Frame, stack: list[int]) -> None:
    # STACK
    offset = stack.pop()
    word = stack.pop()
    # GAS
    extend_memory(frame, offset, 1)
    # OPERATION
    frame.memory[offset] = word & 0xFF


def mcopy(frame: Frame, stack: list[int]) -> None:
    """MCOPY; the ranges may overlap: the source is read completely before the write."""
    # STACK
    destination = stack.pop()
    source = stack.pop()
    size = stack.pop()
    # GAS
    charge(frame, COPY_PER_WORD * words(size))
    extend_memory(frame, max(destination, source), size)
    # OPERATION
    if size:
        frame.memory[destination : destination + size] = frame.memory[source : source + size]


def msize(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(len(frame.memory))
