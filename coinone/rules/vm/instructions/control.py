"""Control flow: jumps and the instructions that end a frame."""

from coinone.rules.vm.errors import InvalidJump, InvalidOpcode, Revert
from coinone.rules.vm.frame import HALT, Frame, Halt
from coinone.rules.vm.gas import extend_memory


def stop(frame: Frame, stack: list[int]) -> Halt:
    # OPERATION
    return HALT


def jump(frame: Frame, stack: list[int]) -> None:
    # STACK
    destination = stack.pop()
    # OPERATION
    _jump_to(frame, destination)


def jump_if(frame: Frame, stack: list[int]) -> None:
    # STACK
    destination = stack.pop()
    condition = stack.pop()
    # OPERATION
    if condition:
        _jump_to(frame, destination)


def _jump_to(frame: Frame, destination: int) -> None:
    if not frame.program.is_destination(destination):
        raise InvalidJump
    if frame.evm.budget is not None:  # only jumps and calls make a run long, so the time is checked here
        frame.evm.budget()
    frame.pc = destination - 1  # the loop advances to it


def program_counter(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.pc)


def gas_left(frame: Frame, stack: list[int]) -> None:
    """GAS; the price of this instruction is already charged."""
    # OPERATION
    stack.append(frame.gas)


def jump_destination(frame: Frame, stack: list[int]) -> None:
    """JUMPDEST: a valid destination of jumps."""


def return_(frame: Frame, stack: list[int]) -> Halt:
    # STACK
    offset = stack.pop()
    size = stack.pop()
    # GAS
    extend_memory(frame, offset, size)
    # OPERATION
    frame.output = bytes(frame.memory[offset : offset + size])
    return HALT


def revert(frame: Frame, stack: list[int]) -> Halt:
    # STACK
    offset = stack.pop()
    size = stack.pop()
    # GAS
    extend_memory(frame, offset, size)
    # OPERATION
    frame.output = bytes(frame.memory[offset : offset + size])
    frame.error = Revert()
    return HALT


def invalid(frame: Frame, stack: list[int]) -> None:
    """The designated invalid instruction, and every byte that is not an opcode."""
    # OPERATION
    raise InvalidOpcode
