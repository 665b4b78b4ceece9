"""Calls of Ethereum's block processing itself, from an address that nobody owns, at nobody's expense."""

from coinone.base.primitives.types import Address
from coinone.rules.state.state import State
from coinone.rules.vm import (
    REFERENCE,
    BlockEnv,
    Engine,
    Evm,
    ExecutionResult,
    Message,
    Rules,
    TransactionEnv,
    execute,
)
from coinone.rules.vm.environment import CALL

SYSTEM_CALLER: Address = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
SYSTEM_CALL_GAS = 30_000_000


def system_call(
    state: State, env: BlockEnv, rules: Rules, target: Address, data: bytes, engine: Engine = REFERENCE
) -> ExecutionResult | None:
    """Call `target` with `data`; None if there is no contract."""
    code = state.code(target)
    if not code:
        return None
    state.begin_transaction()
    message = Message(CALL, SYSTEM_CALLER, target, target, code, 0, data, SYSTEM_CALL_GAS, moves_value=False)
    evm = Evm(state, env, TransactionEnv(SYSTEM_CALLER, 0), rules, engine=engine)
    result = execute(evm, message)
    state.end_transaction()
    return result
