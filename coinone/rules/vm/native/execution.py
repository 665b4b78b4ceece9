"""The engine that runs machine code. Machines are reused: their memory is large, though mostly untouched.

A plain call needs no Python frame: the machine code gets the message and the objects that it may read (`KNOWN` in
layout.py), runs, and passes its writes to the state. Whatever it cannot find is provided by `misses.py`.
"""

from collections import defaultdict

from coinone.base.primitives.integers import INT64_MAX
from coinone.rules.vm import interpreter
from coinone.rules.vm.environment import CREATE, CREATE2, Message
from coinone.rules.vm.errors import Revert
from coinone.rules.vm.forks import PREPARED
from coinone.rules.vm.frame import Evm
from coinone.rules.vm.interpreter import ExecutionResult
from coinone.rules.vm.native.compiler import library
from coinone.rules.vm.native.driver import Driver
from coinone.rules.vm.native.layout import FRAME, HALTS, SHARED, ExitStatus
from coinone.rules.vm.native.machine import Machine
from coinone.rules.vm.native.misses import provide
from coinone.rules.vm.native.program import Maker, native_program_of

_GAS, _OUTPUT, _OUTPUT_SIZE = (FRAME[name] >> 3 for name in ("GAS", "OUTPUT_OFFSET", "OUTPUT_SIZE"))
_REFUND, _LOGS_USED, _WROTE = (SHARED[name] >> 3 for name in ("REFUND", "LOGS_USED", "WROTE"))
_HOST, _STOP, _REVERT = int(ExitStatus.HOST), int(ExitStatus.STOP), int(ExitStatus.REVERT)
_CREATIONS = (CREATE, CREATE2)
_new = tuple.__new__  # equivalent to `ExecutionResult(...)`, in half the time
_IDLE_MAX = 4


class Native:
    """The native engine, for any number of threads. It keeps the machines that are not in use."""

    name = "native"

    def __init__(self) -> None:
        self._idle: defaultdict[int, list[Machine]] = defaultdict(list)  # by memory cap

    def execute(self, evm: Evm, message: Message, program_of: Maker = native_program_of) -> ExecutionResult:
        """Run `message` on `evm.state`; a failure leaves the state unchanged.

        The reference interpreter runs what is traced, has more than 63 bits of gas, or uses an incomplete fork.
        `program_of` may return compiled programs (`vm/jit`).
        """
        if evm.tracer is not None or message.gas > INT64_MAX or evm.rules.name in PREPARED:
            return interpreter.execute(evm, message)
        machine = self._take(evm.rules.memory_cap)
        try:
            machine.begin(evm, program_of)
            if message.kind in _CREATIONS or message.code_address in evm.precompiles:
                machine.forget(message)
                result = Driver(machine).run(message)
            else:
                result = _call(machine, message)
            if machine.shared[_WROTE] and result.error is None:
                machine.write_back()
            return result
        finally:
            machine.end()
            idle = self._idle[machine.memory_cap]
            if len(idle) < _IDLE_MAX:
                idle.append(machine)

    def _take(self, memory_cap: int) -> Machine:
        """An idle machine of that size, or a new one. `pop` and `append` are atomic for other threads."""
        try:
            return self._idle[memory_cap].pop()
        except IndexError:
            return Machine(library(), memory_cap)


def _call(machine: Machine, message: Message) -> ExecutionResult:
    evm, shared = machine.evm, machine.shared
    state, substate = evm.state, evm.substate
    if evm.budget is not None:
        evm.budget()
    before = state.snapshot()
    if message.value and message.moves_value:
        interpreter.move_value(state, message)
    data = message.data if type(message.data) is bytes else bytes(message.data)
    status = machine.run(message, data)
    while status < _STOP:
        if status == _HOST:
            return Driver(machine).take_over(message, before)
        status = provide(machine, status)
    if status > _REVERT:
        state.revert(before)
        return ExecutionResult(0, b"", substate.refund, tuple(substate.logs), HALTS[status]())
    numbers = machine.numbers
    gas, offset, size = numbers[_GAS], numbers[_OUTPUT], numbers[_OUTPUT_SIZE]
    output = machine.arena[offset : offset + size].tobytes() if size and status != _STOP else b""
    if status == _REVERT:
        state.revert(before)
        return ExecutionResult(gas, output, substate.refund, tuple(substate.logs), Revert())
    refund = substate.refund = shared[_REFUND]
    if shared[_LOGS_USED]:
        substate.logs += machine.tables.logs(0, shared[_LOGS_USED], machine.addresses)
    return _new(ExecutionResult, (gas, output, refund, tuple(substate.logs), None))
