"""The engines that run messages, each a value that an `Evm` is given.

They agree in everything, so the choice is not a rule of the chain; the reference defines correctness. A pair runs two
and stops on any difference.
"""

import warnings
from dataclasses import dataclass
from typing import ClassVar

from coinone.base.primitives.jit import on_warm
from coinone.rules.vm import interpreter
from coinone.rules.vm.environment import Message
from coinone.rules.vm.frame import Engine, Evm
from coinone.rules.vm.interpreter import ExecutionResult
from coinone.rules.vm.verify import execute_both

NAMES = ("reference", "native", "jit")


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference interpreter: plain Python."""

    name: ClassVar[str] = "reference"

    def execute(self, evm: Evm, message: Message) -> ExecutionResult:
        return interpreter.execute(evm, message)


REFERENCE = Reference()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two engines whose results are compared; the state keeps the writes of the second."""

    first: Engine
    second: Engine

    @property
    def name(self) -> str:
        return f"{self.first.name}+{self.second.name}"

    def execute(self, evm: Evm, message: Message) -> ExecutionResult:
        """Raises EnginesDiffer."""
        return execute_both(self.first.execute, self.second.execute, evm, message)


def execute(evm: Evm, message: Message) -> ExecutionResult:
    """Run `message` on `evm.state` with `evm.engine`; a failure leaves the state unchanged."""
    return (evm.engine or REFERENCE).execute(evm, message)


def engine_named(name: str) -> Engine:
    """Make the engine `reference`, `native` or `jit`, or a pair such as `reference+jit`. Raises ValueError.

    If machine code cannot be compiled, the reference is returned, with a warning.
    """
    parts = name.split("+")
    if len(parts) > 2 or not set(parts) <= set(NAMES):
        raise ValueError(f"no such engine: {name!r}")
    try:
        engines = [_made(part) for part in parts]
    except Exception as error:  # whatever a compiler raises that is missing or does not support this machine
        warnings.warn(f"no native interpreter ({error!r}): the reference runs instead", stacklevel=2)
        return REFERENCE
    return engines[0] if len(engines) == 1 else Pair(*engines)


def _made(name: str) -> Engine:
    """Raises whatever the compiler raises."""
    if name == "reference":
        return REFERENCE
    from coinone.rules.vm.jit.execution import Jit
    from coinone.rules.vm.native import compiler
    from coinone.rules.vm.native.execution import Native

    compiler.library()
    return Native() if name == "native" else Jit()


@on_warm
def _warm() -> None:
    engine_named("native")
