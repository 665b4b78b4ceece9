"""Tracing of a transaction or a call on a given state, which is restored (debug_traceTransaction, -Call).

Tracers have geth's names (tracers.py); without a name it is the struct logger.
"""

from collections.abc import Callable, Mapping
from typing import Any

from coinone.base.forms.ethereum import EthereumTransaction
from coinone.rules.chain.ethereum.call import run_call
from coinone.rules.chain.ethereum.execution import (
    FeePolicy,
    Precompiles,
    TransactionResult,
    apply_transaction,
)
from coinone.rules.chain.ethereum.tracers import TracedRun, Tracing, tracing_of
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.state.state import State
from coinone.rules.vm import BlockEnv, Rules
from coinone.rules.vm.tracing import Tracer
from coinone.rules.vm.tracing.flat_call_tracer import TracedPlace

Run = Callable[[Tracer], TransactionResult]
NOWHERE = TracedPlace()


def trace_transaction(
    state: State,
    env: BlockEnv,
    tx: EthereumTransaction,
    rules: Rules,
    precompiles: Precompiles | None = None,
    fee_policy: FeePolicy = FeePolicy.PAY_COINBASE,
    options: Mapping[str, Any] | None = None,
    budget: Callable[[], None] | None = None,
    place: TracedPlace = NOWHERE,
) -> Any:
    """Run the transaction under the tracer named in the options. Raises as `apply_transaction` does."""

    def run(tracer: Tracer) -> TransactionResult:
        return apply_transaction(state, env, tx, rules, precompiles, fee_policy, tracer=tracer, budget=budget)

    return _traced(state, run, tx.gas, tracing_of(options or {}, place))


def trace_call(
    state: State,
    env: BlockEnv,
    request: CallRequest,
    rules: Rules,
    precompiles: Precompiles | None = None,
    budget: Callable[[], None] | None = None,
    options: Mapping[str, Any] | None = None,
    fee_policy: FeePolicy = FeePolicy.PAY_COINBASE,
) -> Any:
    """Try the message under the tracer named in the options. Raises as `call` does."""

    def run(tracer: Tracer) -> TransactionResult:
        return run_call(state, env, request, rules, precompiles, budget, tracer, fee_policy)

    return _traced(state, run, request.gas, tracing_of(options or {}, NOWHERE))


def _traced(state: State, run: Run, gas_limit: int, tracing: Tracing) -> Any:
    snapshot = state.snapshot()
    try:
        ran = TracedRun(run(tracing.tracer), gas_limit)
        tracing.left(state)
        state.revert(snapshot)
        return tracing.answer(state, ran)
    finally:
        state.revert(snapshot)
        state.begin_transaction()
