"""The reference interpreter: plain Python, plain ints, one loop.

`execute` runs a message and all messages that result from it. `drive` works on a list of frames: a step runs the last
frame until it halts or calls; then frames are pushed or popped. So contracts nest 1,024 deep on a flat Python stack,
and another engine can supply another step.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from coinone.base.primitives.types import Address
from coinone.rules.ledger.log import Log
from coinone.rules.state.state import State
from coinone.rules.vm.environment import Message
from coinone.rules.vm.errors import (
    AddressCollision,
    CodeTooLarge,
    ExceptionalHalt,
    FrameError,
    InvalidContractPrefix,
    OutOfGas,
    StackOverflow,
    StackUnderflow,
)
from coinone.rules.vm.frame import HALT, Evm, Frame, Signal, Tracer
from coinone.rules.vm.gas import CODE_DEPOSIT_PER_BYTE, charge
from coinone.rules.vm.instructions.log import log_transfer

RESERVED_PREFIX = 0xEF
Step: TypeAlias = Callable[[list[Frame]], Signal]  # runs the last frame; it may push further ones


class ExecutionResult(NamedTuple):
    """The result of a message. `output` is the returned data, the revert reason, or the deployed code."""

    gas_left: int
    output: bytes
    refund: int
    logs: tuple[Log, ...]
    error: FrameError | None

    @property
    def success(self) -> bool:
        return self.error is None


def execute(evm: Evm, message: Message) -> ExecutionResult:
    """Run `message` on `evm.state`; a failure leaves the state unchanged."""
    return drive([open_frame(evm, message)], _step)


def drive(frames: list[Frame], step: Step) -> ExecutionResult:
    """Run the frames, and those that they open, until the first one ends."""
    evm = frames[0].evm
    while True:
        signal = step(frames)
        if isinstance(signal, Message):
            frames.append(open_frame(evm, signal))
            continue
        frame = frames.pop()
        _close(frame)
        if not frames:
            substate = evm.substate
            return ExecutionResult(
                frame.gas, frame.output, substate.refund, tuple(substate.logs), frame.error
            )
        _resume(frames[-1], frame)


def advance(frame: Frame) -> Signal:
    """Run instructions until one halts the frame or returns a message. Raises ExceptionalHalt."""
    rows = frame.evm.rules.dispatch
    code = frame.code
    stack = frame.stack
    while True:
        operation, static_gas, need, room = rows[code[frame.pc]]
        if not need <= len(stack) <= room:
            raise StackUnderflow if len(stack) < need else StackOverflow
        frame.gas -= static_gas
        if frame.gas < 0:
            raise OutOfGas
        signal = operation(frame, stack)
        if signal is not None:
            return signal
        frame.pc += 1


def _step(frames: list[Frame]) -> Signal:
    """Advance the last frame (code or precompile); an exceptional halt ends it without gas or output."""
    frame = frames[-1]
    tracer = frame.evm.tracer
    try:
        if frame.error is not None:
            return HALT
        if is_precompiled(frame.evm, frame.message):
            return run_precompile(frame)
        return advance(frame) if tracer is None else advance_traced(frame, tracer)
    except ExceptionalHalt as error:
        fail(frame, error)
        return HALT


def advance_traced(frame: Frame, tracer: Tracer) -> Signal:
    """`advance`, with calls of the tracer before and after each instruction."""
    rows = frame.evm.rules.dispatch
    while True:
        tracer.before(frame, frame.code[frame.pc])
        operation, static_gas, need, room = rows[frame.code[frame.pc]]
        if not need <= len(frame.stack) <= room:
            raise StackUnderflow if len(frame.stack) < need else StackOverflow
        frame.gas -= static_gas
        if frame.gas < 0:
            raise OutOfGas
        signal = operation(frame, frame.stack)
        tracer.after(frame)
        if signal is not None:
            return signal
        frame.pc += 1


def is_precompiled(evm: Evm, message: Message) -> bool:
    return message.precompiles and message.code_address in evm.precompiles and not message.creates


def run_precompile(frame: Frame) -> Signal:
    precompile = frame.evm.precompiles[frame.message.code_address]
    cost, output = precompile(bytes(frame.message.data), frame.gas)
    charge(frame, cost)
    frame.output = output
    return HALT


def open_frame(evm: Evm, message: Message) -> Frame:
    """Open a frame for the message and apply the changes that precede its code."""
    if evm.budget is not None:
        evm.budget()
    state = evm.state
    frame = Frame(evm, message, (state.snapshot(), evm.substate.snapshot()))
    if evm.tracer is not None:
        evm.tracer.enter(frame)
    if message.creates:
        if _is_taken(state, message.target):
            fail(frame, AddressCollision())
            return frame
        state.create_account(message.target)
    if message.moves_value and message.value:
        move_value(state, message)
        if evm.rules.transfer_logs:
            log_transfer(evm.substate, message.caller, message.target, message.value)
    return frame


def move_value(state: State, message: Message) -> None:
    state.set_balance(message.caller, state.balance(message.caller) - message.value)
    state.set_balance(message.target, state.balance(message.target) + message.value)


def _is_taken(state: State, address: Address) -> bool:
    """Whether an address is in use: it has code, a nonce or storage. A balance alone does not count."""
    account = state.account(address)
    has_history = account is not None and (account.nonce != 0 or state.code(address) != b"")
    return has_history or state.has_storage(address)


def _close(frame: Frame) -> None:
    """Deploy the code that a creation returned; undo everything if the frame failed."""
    evm = frame.evm
    if frame.message.creates and frame.error is None:
        try:
            _deploy(frame)
        except ExceptionalHalt as error:
            fail(frame, error)
    if frame.error is not None:
        evm.state.revert(frame.snapshot[0])
        evm.substate.revert(frame.snapshot[1])
    evm.memory_used -= len(frame.memory)
    if evm.tracer is not None:
        evm.tracer.exit(frame)


def _deploy(frame: Frame) -> None:
    code = frame.output
    if code and code[0] == RESERVED_PREFIX:
        raise InvalidContractPrefix
    charge(frame, CODE_DEPOSIT_PER_BYTE * len(code))
    if len(code) > frame.evm.rules.code_size_max:
        raise CodeTooLarge
    frame.evm.state.set_code(frame.address, code)


def fail(frame: Frame, error: ExceptionalHalt) -> None:
    frame.gas = 0
    frame.output = b""
    frame.error = error.with_traceback(None)  # a traceback would keep the locals of these functions alive


def _resume(frame: Frame, done: Frame) -> None:
    """Pass the result of a call or creation, and its remaining gas, to the calling frame."""
    frame.gas += done.gas
    if isinstance(done.message.data, memoryview):
        done.message.data.release()
    success = done.error is None
    if done.message.creates:
        frame.return_data = b"" if success else done.output
        frame.stack.append(int.from_bytes(done.address, "big") if success else 0)
    else:
        frame.return_data = done.output
        frame.stack.append(1 if success else 0)
        output = done.output[: frame.result_size]
        frame.memory[frame.result_offset : frame.result_offset + len(output)] = output
    frame.pc += 1
