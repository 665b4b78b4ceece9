"""Tracing a transaction or a call on a given state, which is left as it was (debug_traceTransaction, -Call).

Tracers go by geth's names: none is the struct logger, then `callTracer` and `prestateTracer`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from coinone.base.primitives.errors import NotSupported
from coinone.rules.chain.ethereum.call import run_call
from coinone.rules.chain.ethereum.execution import (
    FeePolicy,
    Precompiles,
    TransactionResult,
    apply_transaction,
)
from coinone.rules.chain.ethereum.transaction import EthereumTransaction
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.state.state import State
from coinone.rules.vm import BlockEnv, Rules
from coinone.rules.vm.tracing import Tracer
from coinone.rules.vm.tracing.call_tracer import CallTracer
from coinone.rules.vm.tracing.prestate_tracer import PrestateTracer, accounts_of, difference
from coinone.rules.vm.tracing.struct_logger import StructLogger

Run = Callable[[Tracer], TransactionResult]


def trace_transaction(
    state: State,
    env: BlockEnv,
    tx: EthereumTransaction,
    rules: Rules,
    precompiles: Precompiles | None = None,
    fee_policy: FeePolicy = FeePolicy.PAY_COINBASE,
    options: Mapping[str, Any] | None = None,
    budget: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Run the transaction under the tracer that the options name. Raises as `apply_transaction` does."""

    def run(tracer: Tracer) -> TransactionResult:
        return apply_transaction(state, env, tx, rules, precompiles, fee_policy, tracer=tracer, budget=budget)

    return _traced(state, run, tx.gas, options or {})


def trace_call(
    state: State,
    env: BlockEnv,
    request: CallRequest,
    rules: Rules,
    precompiles: Precompiles | None = None,
    budget: Callable[[], None] | None = None,
    options: Mapping[str, Any] | None = None,
    fee_policy: FeePolicy = FeePolicy.PAY_COINBASE,
) -> dict[str, Any]:
    """Try the message under the tracer that the options name. Raises as `call` does."""

    def run(tracer: Tracer) -> TransactionResult:
        return run_call(state, env, request, rules, precompiles, budget, tracer, fee_policy)

    return _traced(state, run, request.gas, options or {})


def _traced(state: State, run: Run, gas_limit: int, options: Mapping[str, Any]) -> dict[str, Any]:
    snapshot = state.snapshot()
    try:
        return _result(state, run, gas_limit, options, snapshot)
    finally:
        state.revert(snapshot)
        state.begin_transaction()


def _result(
    state: State, run: Run, gas_limit: int, options: Mapping[str, Any], snapshot: int
) -> dict[str, Any]:
    name, config = options.get("tracer"), options.get("tracerConfig") or {}
    if name is None:
        logger = StructLogger(
            stack=not options.get("disableStack"),
            memory=bool(options.get("enableMemory")),
            storage=not options.get("disableStorage"),
            return_data=bool(options.get("enableReturnData")),
        )
        result = run(logger)
        return logger.result(result.gas_used, not result.success, result.output)
    if name == "callTracer":
        calls = CallTracer(bool(config.get("onlyTopCall")), bool(config.get("withLog")))
        return calls.result(gas_limit, run(calls).gas_used)
    if name == "prestateTracer":
        return _prestate(state, run, bool(config.get("diffMode")), snapshot)
    raise NotSupported("unknown tracer", tracer=name)


def _prestate(state: State, run: Run, diff: bool, snapshot: int) -> dict[str, Any]:
    tracer = PrestateTracer()
    run(tracer)
    post = accounts_of(state, tracer.touched)
    state.revert(snapshot)
    pre = accounts_of(state, tracer.touched)
    return difference(pre, post) if diff else pre
