"""Comparisons: 1 for true, 0 for false."""

from coinone.rules.vm.frame import Frame
from coinone.rules.vm.instructions.arithmetic import to_signed


def less_than(frame: Frame, stack: list[int]) -> None:
    # STACK
    left = stack.pop()
    right = stack.pop()
    # OPERATION
    stack.append(1 if left < right else 0)


def greater_than(frame: Frame, stack: list[int]) -> None:
    # STACK
    left = stack.pop()
    right = stack.pop()
    # OPERATION
    stack.append(1 if left > right else 0)


def signed_less_than(frame: Frame, stack: list[int]) -> None:
    # STACK
    left = to_signed(stack.pop())
    right = to_signed(stack.pop())
    # OPERATION
    stack.append(1 if left < right else 0)


def signed_greater_than(frame: Frame, stack: list[int]) -> None:
    # STACK
    left = to_signed(stack.pop())
    right = to_signed(stack.pop())
    # OPERATION
    stack.append(1 if left > right else 0)


def equal(frame: Frame, stack: list[int]) -> None:
    # STACK
    left = stack.pop()
    right = stack.pop()
    # OPERATION
    stack.append(1 if left == right else 0)


def is_zero(frame: Frame, stack: list[int]) -> None:
    # STACK
    word = stack.pop()
    # OPERATION
    stack.append(0 if word else 1)
