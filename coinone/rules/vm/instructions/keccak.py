"""The KECCAK256 instruction."""

from coinone.base.crypto.keccak import keccak256
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.gas import KECCAK_PER_WORD, charge, extend_memory, words


def keccak(frame: Frame, stack: list[int]) -> None:
    # STACK
    offset = stack.pop()
    size = stack.pop()
    # GAS
    charge(frame, KECCAK_PER_WORD * words(size))
    extend_memory(frame, offset, size)
    # OPERATION
    digest = keccak256(bytes(frame.memory[offset : offset + size]))
    stack.append(int.from_bytes(digest, "big"))
