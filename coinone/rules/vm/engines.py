"""The choice of the engine that runs messages, made once for the whole process.

The engines agree in everything, so the choice is not a rule of the chain; the reference defines correctness.
A pair runs both and stops on any difference.
"""

import warnings
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TypeAlias

from coinone.base.primitives.jit import on_warm
from coinone.rules.vm import interpreter
from coinone.rules.vm.environment import Message
from coinone.rules.vm.frame import Evm
from coinone.rules.vm.interpreter import ExecutionResult
from coinone.rules.vm.verify import Execute, execute_both


class Engine(Enum):
    REFERENCE = "reference"
    NATIVE = "native"
    JIT = "jit"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two engines whose results are compared; the state keeps the writes of the second."""

    first: Engine
    second: Engine


Choice: TypeAlias = Engine | Pair

_chosen: list[tuple[Choice, Execute]] = [(Engine.REFERENCE, interpreter.execute)]


def execute(evm: Evm, message: Message) -> ExecutionResult:
    """Run `message` on `evm.state` with the chosen engine; a failure leaves the state unchanged."""
    return _chosen[0][1](evm, message)


def chosen_engine() -> Choice:
    """The engine in use, for example to start another process with the same."""
    return _chosen[0][0]


def use_engine(choice: Choice | str) -> Choice:
    """Choose an engine (`"native"`) or a pair (`"reference+jit"`); return the previous choice.

    If machine code cannot be compiled, the reference runs instead, with a warning.
    """
    before = _chosen[0][0]
    wanted = _parse(choice) if isinstance(choice, str) else choice
    execute_by_it = _load(wanted)
    _chosen[0] = (Engine.REFERENCE, interpreter.execute) if execute_by_it is None else (wanted, execute_by_it)
    return before


def _parse(text: str) -> Choice:
    """Parse the name of an engine or a pair. Raises ValueError."""
    first, plus, second = text.partition("+")
    return Pair(Engine(first), Engine(second)) if plus else Engine(first)


def _load(choice: Choice) -> Execute | None:
    if choice is Engine.REFERENCE:
        return interpreter.execute
    if isinstance(choice, Pair):
        first, second = _load(choice.first), _load(choice.second)
        return None if first is None or second is None else partial(execute_both, first, second)
    try:
        from coinone.rules.vm.jit import execution as jit
        from coinone.rules.vm.native import compiler
        from coinone.rules.vm.native import execution as native

        compiler.library()
    except Exception as error:  # whatever a compiler raises that is missing or does not support this machine
        warnings.warn(f"no native interpreter ({error!r}): the reference runs instead", stacklevel=3)
        return None
    return native.execute if choice is Engine.NATIVE else jit.execute


@on_warm
def _warm() -> None:
    _load(Engine.NATIVE)
