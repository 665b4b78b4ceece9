"""The Coinone virtual machine: Ethereum's, with its rules as a table per fork.

Read in this order: `frame.py` (the types), `opcodes.py` (the table), `interpreter.py` (the loop), `instructions/`,
`precompiles/`, `forks.py`; then `native/`, the same as machine code. Everything here is a pure function of its
arguments; the state is `rules.state.State`, whose journal undoes the writes of a failed frame. The names below are the
public interface; docs/vm-library.md shows how to use it.
"""

from coinone.rules.ledger.log import Log
from coinone.rules.vm.engines import REFERENCE, Pair, engine_named, execute
from coinone.rules.vm.environment import CALL, CREATE, BlockEnv, Message, TransactionEnv
from coinone.rules.vm.errors import ExceptionalHalt, FrameError, Revert
from coinone.rules.vm.forks import FORKS, PREPARED
from coinone.rules.vm.frame import Engine, Evm, Rules
from coinone.rules.vm.interpreter import ExecutionResult
from coinone.rules.vm.substate import Substate

__all__ = [
    "CALL",
    "CREATE",
    "FORKS",
    "PREPARED",
    "REFERENCE",
    "BlockEnv",
    "Engine",
    "Evm",
    "ExceptionalHalt",
    "ExecutionResult",
    "FrameError",
    "Log",
    "Message",
    "Pair",
    "Revert",
    "Rules",
    "Substate",
    "TransactionEnv",
    "engine_named",
    "execute",
]
