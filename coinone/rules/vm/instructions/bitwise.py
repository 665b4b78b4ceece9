"""Bits: logic, shifts, single bytes, leading zeros."""

from coinone.base.primitives.integers import U256_MAX
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.instructions.arithmetic import to_signed


def bitwise_and(frame: Frame, stack: list[int]) -> None:
    # STACK
    x = stack.pop()
    y = stack.pop()
    # OPERATION
    stack.append(x & y)


def bitwise_or(frame: Frame, stack: list[int]) -> None:
    # STACK
    x = stack.pop()
    y = stack.pop()
    # OPERATION
    stack.append(x | y)


def bitwise_xor(frame: Frame, stack: list[int]) -> None:
    # STACK
    x = stack.pop()
    y = stack.pop()
    # OPERATION
    stack.append(x ^ y)


def bitwise_not(frame: Frame, stack: list[int]) -> None:
    # STACK
    word = stack.pop()
    # OPERATION
    stack.append(word ^ U256_MAX)


def get_byte(frame: Frame, stack: list[int]) -> None:
    """Byte 0 is the most significant."""
    # STACK
    index = stack.pop()
    word = stack.pop()
    # OPERATION
    stack.append((word >> (248 - 8 * index)) & 0xFF if index < 32 else 0)


def shift_left(frame: Frame, stack: list[int]) -> None:
    # STACK
    shift = stack.pop()
    word = stack.pop()
    # OPERATION
    stack.append((word << shift) & U256_MAX if shift < 256 else 0)


def shift_right(frame: Frame, stack: list[int]) -> None:
    # STACK
    shift = stack.pop()
    word = stack.pop()
    # OPERATION
    stack.append(word >> shift if shift < 256 else 0)


def shift_right_signed(frame: Frame, stack: list[int]) -> None:
    """The sign fills the bits that become free."""
    # STACK
    shift = stack.pop()
    word = to_signed(stack.pop())
    # OPERATION
    stack.append((word >> min(shift, 255)) & U256_MAX)


def count_leading_zeros(frame: Frame, stack: list[int]) -> None:
    # STACK
    word = stack.pop()
    # OPERATION
    stack.append(256 - word.bit_length())
