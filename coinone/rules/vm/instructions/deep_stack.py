"""Words deeper than 16: DUPN, SWAPN, EXCHANGE (EIP-8024, from Amsterdam on).

The byte after the opcode encodes the depth. It is never JUMPDEST, a PUSH or a byte between them, so analysis of old
code that takes it for an instruction still finds the same jump destinations.
"""

from coinone.rules.vm.errors import InvalidOpcode, StackUnderflow
from coinone.rules.vm.frame import Frame


def dup_deep(frame: Frame, stack: list[int]) -> None:
    # PROGRAM COUNTER
    frame.pc += 1
    # OPERATION
    depth = depth_of(frame.code[frame.pc])
    _require(stack, depth)
    stack.append(stack[-depth])


def swap_deep(frame: Frame, stack: list[int]) -> None:
    # PROGRAM COUNTER
    frame.pc += 1
    # OPERATION
    depth = depth_of(frame.code[frame.pc]) + 1
    _require(stack, depth)
    stack[-1], stack[-depth] = stack[-depth], stack[-1]


def exchange(frame: Frame, stack: list[int]) -> None:
    # PROGRAM COUNTER
    frame.pc += 1
    # OPERATION
    first, second = depths_of(frame.code[frame.pc])
    _require(stack, second)
    stack[-first], stack[-second] = stack[-second], stack[-first]


def depth_of(byte: int) -> int:
    """The depth, 17 to 235. Raises InvalidOpcode for a byte that must remain an instruction."""
    if 90 < byte < 128:
        raise InvalidOpcode
    return (byte + 145) % 256


def depths_of(byte: int) -> tuple[int, int]:
    """The two positions, 1 being the top: 2 <= first < second, first + second <= 32. Raises InvalidOpcode."""
    if 81 < byte < 128:
        raise InvalidOpcode
    high, low = divmod(byte ^ 143, 16)
    return (high + 2, low + 2) if high < low else (low + 2, 30 - high)


def _require(stack: list[int], depth: int) -> None:
    """Check the stack's depth, which is in the code and so not in the opcode table."""
    if len(stack) < depth:
        raise StackUnderflow
