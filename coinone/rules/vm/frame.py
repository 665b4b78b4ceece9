"""The types of a run: a frame, the Evm that a transaction's frames share, and the rules of a fork.

A frame is one running message. Frames do not call one another: an instruction that calls returns a `Message`;
the driver in `interpreter.py` runs it in a new frame and resumes this one with the result, so Python's own stack stays
flat however deep contracts nest. The types are in one module because they refer to one another: a frame to its Evm, the
Evm to its rules, the rules to their opcodes, and an opcode's operation to a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from coinone.base.primitives.parameters import VM_MEMORY_MAX
from coinone.base.primitives.types import Address
from coinone.rules.state.state import State
from coinone.rules.vm.environment import BlockEnv, Message, Precompile, TransactionEnv
from coinone.rules.vm.errors import FrameError
from coinone.rules.vm.program import program_of
from coinone.rules.vm.substate import Snapshot, Substate

if TYPE_CHECKING:
    from coinone.rules.vm.interpreter import ExecutionResult


class Frame:
    """One running message: its gas, stack, memory and position in the code."""

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
        self.return_data = b""  # of this frame's last call
        self.result_offset = 0  # where the output of that call is written
        self.result_size = 0
        self.output = b""  # of this frame
        self.error: FrameError | None = None
        self.snapshot = snapshot  # of state and substate, before this frame touched anything


class Evm:
    """The context that all frames of a transaction share.

    `precompiles` are the fork's and those that the chain adds. `budget`, if given, is called at each jump and each
    message; it raises to stop a run that takes too long (eth_call), which no frame can catch.
    `engine` runs the messages (engines.py); None is the reference interpreter.
    """

    __slots__ = (
        "block",
        "budget",
        "engine",
        "memory_used",
        "precompiles",
        "rules",
        "state",
        "substate",
        "tracer",
        "transaction",
    )

    def __init__(
        self,
        state: State,
        block: BlockEnv,
        transaction: TransactionEnv,
        rules: Rules,
        precompiles: Mapping[Address, Precompile] | None = None,
        substate: Substate | None = None,
        tracer: Tracer | None = None,
        budget: Callable[[], None] | None = None,
        engine: Engine | None = None,
    ) -> None:
        self.state = state
        self.block = block
        self.transaction = transaction
        self.rules = rules
        self.precompiles = rules.precompiles if precompiles is None else precompiles
        self.substate = substate or Substate()
        self.tracer = tracer
        self.budget = budget
        self.engine = engine
        self.memory_used = 0


class Engine(Protocol):
    """Runs messages. All engines agree in everything; `engines.py` makes them by name."""

    @property
    def name(self) -> str: ...

    def execute(self, evm: Evm, message: Message, /) -> ExecutionResult:
        """Run `message` on `evm.state`; a failure leaves the state unchanged."""


class Halt:
    """The result of an instruction that ends its frame."""


HALT: Final = Halt()

Signal: TypeAlias = Message | Halt
Operation: TypeAlias = Callable[["Frame", list[int]], Signal | None]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that differ between forks, and sizes that a later fork may change.

    `calldata_floor_per_token` is the minimum a transaction pays for its data (0: none); a token is a zero byte or a
    quarter of another byte. `delegation` allows set-code transactions and follows delegations.
    `memory_cap` bounds the bytes of all live frames together. `transfer_logs`: payments are logged (EIP-7708).
    """

    name: str
    opcodes: tuple[Opcode, ...]
    dispatch: tuple[OpcodeRow, ...]
    precompiles: Mapping[Address, Precompile]
    delegation: bool
    calldata_floor_per_token: int
    transaction_gas_max: int | None
    code_size_max: int = 24_576
    init_code_size_max: int = 49_152
    memory_cap: int = VM_MEMORY_MAX
    transfer_logs: bool = False


class Opcode(NamedTuple):
    """A row of the opcode table: words taken and given, static gas, and the operation."""

    code: int
    name: str
    inputs: int
    outputs: int
    static_gas: int
    operation: Operation


class OpcodeRow(NamedTuple):
    """An opcode as the loop needs it: at least `need` and at most `room` words on the stack before it."""

    operation: Operation
    static_gas: int
    need: int
    room: int


class Tracer(Protocol):
    def enter(self, frame: Frame) -> None:
        """A message is about to run; it has had no effect yet."""

    def before(self, frame: Frame, code: int) -> None:
        """The opcode `code` at `frame.pc` is about to run; its gas is not yet charged."""

    def after(self, frame: Frame) -> None:
        """The opcode has run. Not called if it ended the frame with an error."""

    def exit(self, frame: Frame) -> None:
        """The message has ended: `frame.output`, `frame.error` and `frame.gas` are final."""
