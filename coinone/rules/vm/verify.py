"""Run two engines on the same message and compare result, gas, refund, logs and state changes."""

from collections.abc import Callable
from typing import Any

from coinone.rules.state.state import State
from coinone.rules.vm.environment import Message
from coinone.rules.vm.errors import FrameError, OutOfGas, OutOfMemory
from coinone.rules.vm.frame import Evm
from coinone.rules.vm.interpreter import ExecutionResult

Changes = dict[tuple[str, Any], Any]
Execute = Callable[[Evm, Message], ExecutionResult]


class EnginesDiffer(AssertionError):
    """One of the two engines is wrong: our fault, so the node stops."""


def execute_both(first: Execute, second: Execute, evm: Evm, message: Message) -> ExecutionResult:
    """Run `message` on both; the state keeps the writes of the second. Raises EnginesDiffer."""
    state, substate = evm.state, evm.substate
    state_before, substate_before = state.snapshot(), substate.snapshot()
    expected = first(evm, message)
    expected_changes = changes(state, state_before)
    state.revert(state_before)
    substate.revert(substate_before)
    result = second(evm, message)
    compare(_comparable(expected), _comparable(result))
    compare(expected_changes, changes(state, state_before))
    return result


def compare(expected: Changes, actual: Changes) -> None:
    """Compare state changes. Raises EnginesDiffer that names the first difference."""
    for key in [*expected, *actual]:
        if expected.get(key) != actual.get(key):
            raise EnginesDiffer(f"{key}: first {expected.get(key)!r}, second {actual.get(key)!r}")


def _comparable(result: ExecutionResult) -> Changes:
    return {
        ("result", "error"): _kind(result.error),
        ("result", "gas left"): result.gas_left,
        ("result", "output"): result.output,
        ("result", "refund"): result.refund,
        ("result", "logs"): result.logs,
    }


def _kind(error: FrameError | None) -> str:
    """The kind of an error; memory that is neither paid for nor allowed may fail for either reason."""
    return "OutOfGas" if isinstance(error, OutOfGas | OutOfMemory) else type(error).__name__


def changes(state: State, since: int) -> Changes:
    """The changes in the journal whose values differ now.

    Transient storage is excluded: it ends with the message, and machine code never writes it to the state.
    """
    names = {
        id(state._accounts): "account",
        id(state._code): "code",
        id(state._created): "created",
        id(state._destroyed): "destroyed",
        id(state._touched): "touched",
    }
    first: Changes = {}
    last: Changes = {}
    for container, key, before in state._journal[since:]:
        address = getattr(container, "address", None)
        name = names.get(id(container)) if address is None else "slot"
        if name is not None:
            where = (name, key if address is None else (address, key))
            first.setdefault(where, before)
            last[where] = container.get(key)
    return {where: value for where, value in last.items() if value != first[where]}
