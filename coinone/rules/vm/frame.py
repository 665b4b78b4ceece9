"""One running message: its gas, stack, memory and place in the code.

Frames do not call one another. An instruction that calls returns a `Message`; the driver in
`interpreter.py` runs it in a new frame and resumes this one with what came of it. Python's own stack
stays flat however deep contracts nest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from coinone.rules.vm.environment import Message
from coinone.rules.vm.errors import FrameError
from coinone.rules.vm.program import program_of
from coinone.rules.vm.substate import Snapshot

if TYPE_CHECKING:
    from coinone.rules.vm.interpreter import Evm


class Halt:
    """What an instruction returns when its frame is done."""


HALT: Final = Halt()

Signal: TypeAlias = Message | Halt
Operation: TypeAlias = Callable[["Frame", list[int]], Signal | None]


class Frame:
    __slots__ = (
        "address",
        "code",
        "error",
        "evm",
        "gas",
        "memory",
        "message",
        "output",
        "pc",
        "program",
        "result_offset",
        "result_size",
        "return_data",
        "snapshot",
        "stack",
    )

    def __init__(self, evm: Evm, message: Message, snapshot: tuple[int, Snapshot]) -> None:
        self.evm = evm
        self.message = message
        self.address = message.target
        self.program = program_of(message.code)
        self.code = self.program.code
        self.pc = 0
        self.gas = message.gas
        self.stack: list[int] = []
        self.memory = bytearray()
        self.return_data = b""  # of the last call this frame made
        self.result_offset = 0  # where that call's output goes
        self.result_size = 0
        self.output = b""  # of this frame
        self.error: FrameError | None = None
        self.snapshot = snapshot  # of state and substate, before this frame touched anything
