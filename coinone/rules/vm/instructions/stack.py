"""Stack instructions: PUSH, POP, DUP, SWAP."""

from coinone.rules.vm.frame import Frame, Operation


def pop(frame: Frame, stack: list[int]) -> None:
    # STACK
    stack.pop()


def push0(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(0)


def push1(frame: Frame, stack: list[int]) -> None:
    """PUSH1, the most common instruction, in a short form of its own."""
    # PROGRAM COUNTER
    frame.pc += 1
    # OPERATION
    stack.append(frame.code[frame.pc])


def push(size: int) -> Operation:
    """PUSH of the `size` bytes that follow in the code; the code is padded, so they are always there."""

    def push_n(frame: Frame, stack: list[int]) -> None:
        # PROGRAM COUNTER
        start = frame.pc + 1
        frame.pc += size
        # OPERATION
        stack.append(int.from_bytes(frame.code[start : start + size], "big"))

    return push_n


def dup(position: int) -> Operation:
    """DUP of the word at `position`, 1 being the top."""

    def dup_n(frame: Frame, stack: list[int]) -> None:
        # OPERATION
        stack.append(stack[-position])

    return dup_n


def swap(distance: int) -> Operation:
    """SWAP of the top with the word `distance` below it."""
    index = -1 - distance

    def swap_n(frame: Frame, stack: list[int]) -> None:
        # OPERATION
        stack[-1], stack[index] = stack[index], stack[-1]

    return swap_n
