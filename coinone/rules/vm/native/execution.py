"""`execute` as machine code does it. Machines are kept for reuse: their memory is large, though mostly untouched."""

from coinone.base.primitives.limits import INT64_MAX
from coinone.rules.vm import interpreter
from coinone.rules.vm.environment import Message
from coinone.rules.vm.interpreter import Evm, ExecutionResult
from coinone.rules.vm.native.compiler import library
from coinone.rules.vm.native.machine import Machine

_IDLE_MAX = 4
_idle: list[Machine] = []


def execute(evm: Evm, message: Message) -> ExecutionResult:
    """Run `message` on `evm.state`; if it fails the state is as before.

    A run that is traced, or has more gas than 63 bits hold, is the reference interpreter's.
    """
    if evm.tracer is not None or message.gas > INT64_MAX:
        return interpreter.execute(evm, message)
    machine = _take(evm.rules.memory_cap)
    machine.begin(evm)
    evm.advance = machine.advance
    try:
        result = interpreter.execute(evm, message)
        if result.error is None:
            machine.write_back()
        return result
    finally:
        evm.advance = interpreter.advance
        machine.end()
        if len(_idle) < _IDLE_MAX:
            _idle.append(machine)


def _take(memory_cap: int) -> Machine:
    """An idle machine of that size, or a new one. `pop` and `append` are single steps for other threads."""
    while True:
        try:
            machine = _idle.pop()
        except IndexError:
            return Machine(library(), memory_cap)
        if machine.memory_cap == memory_cap:
            return machine
