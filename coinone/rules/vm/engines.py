"""Which engine runs messages: a choice for the whole process, made once at its start.

The engines agree in everything, so the choice is no rule of the chain; the reference defines what is right.
`verify` runs both and stops on any difference.
"""

import warnings
from collections.abc import Callable
from enum import Enum

from coinone.base.primitives.jit import on_warm
from coinone.rules.vm import interpreter
from coinone.rules.vm.environment import Message
from coinone.rules.vm.interpreter import Evm, ExecutionResult

Execute = Callable[[Evm, Message], ExecutionResult]


class Engine(Enum):
    REFERENCE = "reference"
    NATIVE = "native"
    VERIFY = "verify"


_chosen: list[tuple[Engine, Execute]] = [(Engine.REFERENCE, interpreter.execute)]


def execute(evm: Evm, message: Message) -> ExecutionResult:
    """Run `message` on `evm.state` with the chosen engine; if it fails the state is as before."""
    return _chosen[0][1](evm, message)


def chosen_engine() -> Engine:
    """What runs now; for a process that is to do as this one does."""
    return _chosen[0][0]


def use_engine(engine: Engine | str) -> Engine:
    """Choose, and get what was chosen before.

    Where machine code cannot be made the reference runs instead, and a warning says so.
    """
    before = _chosen[0][0]
    wanted = Engine(engine)
    execute_by_it = _load(wanted)
    _chosen[0] = (Engine.REFERENCE, interpreter.execute) if execute_by_it is None else (wanted, execute_by_it)
    return before


def _load(engine: Engine) -> Execute | None:
    if engine is Engine.REFERENCE:
        return interpreter.execute
    try:
        from coinone.rules.vm.native import compiler, execution, verify

        compiler.library()
    except Exception as error:  # whatever a compiler raises that is missing or does not fit this machine
        warnings.warn(f"no native interpreter ({error!r}): the reference runs instead", stacklevel=3)
        return None
    return execution.execute if engine is Engine.NATIVE else verify.execute


@on_warm
def _warm() -> None:
    _load(Engine.NATIVE)
