"""The Coinone virtual machine: Ethereum's, with its rules as a table per fork.

Read in this order: `opcodes.py` (what there is), `interpreter.py` (how it runs), `instructions/` (what each
does), `precompiles/`, `forks.py`; then `native/`, the same as machine code. Everything here is a pure function
of its arguments; the state is `rules.state.State`, whose journal undoes what a failed frame wrote.
"""

from coinone.rules.vm.engines import Engine, chosen_engine, execute, use_engine
from coinone.rules.vm.environment import BlockEnv, Log, Message, TransactionEnv
from coinone.rules.vm.forks import FORKS, PREPARED, Rules
from coinone.rules.vm.interpreter import Evm, ExecutionResult

__all__ = [
    "FORKS",
    "PREPARED",
    "BlockEnv",
    "Engine",
    "Evm",
    "ExecutionResult",
    "Log",
    "Message",
    "Rules",
    "TransactionEnv",
    "chosen_engine",
    "execute",
    "use_engine",
]
