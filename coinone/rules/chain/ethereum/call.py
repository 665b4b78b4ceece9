"""Trying a message without keeping what it does: eth_call and eth_estimateGas.

The state passed in is used and put back as it was. `budget` (see `vm.Evm`) stops a run that lasts too long.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from coinone.base.primitives.errors import InvalidInput, InvalidTransaction
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.chain.ethereum.execution import Precompiles, TransactionResult, run_payload
from coinone.rules.chain.ethereum.intrinsic import TRANSACTION, intrinsic_gas
from coinone.rules.chain.ethereum.transaction import AccessList, Authorization
from coinone.rules.state.state import State
from coinone.rules.vm import BlockEnv, Rules
from coinone.rules.vm.errors import FrameError, Revert
from coinone.rules.vm.gas import CALL_STIPEND
from coinone.rules.vm.tracing import Tracer

Budget = Callable[[], None]


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A message somebody would like to send; it needs no signature, nonce or fees."""

    caller: Address
    to: Address | None
    data: bytes = b""
    value: int = 0
    gas: int = 30_000_000
    gas_price: int = 0
    access_list: AccessList = ()
    authorizations: tuple[Authorization, ...] = ()
    blob_hashes: tuple[Hash32, ...] = ()


class ExecutionFailed(InvalidInput):
    """The message fails with any amount of gas. `output` is the reason a contract gave when it reverted."""

    def __init__(self, error: FrameError, output: bytes) -> None:
        reverted = isinstance(error, Revert)
        super().__init__("execution reverted" if reverted else "execution failed", error=type(error).__name__)
        self.error = error
        self.output = output


def call(
    state: State,
    env: BlockEnv,
    request: CallRequest,
    rules: Rules,
    precompiles: Precompiles | None = None,
    budget: Budget | None = None,
    tracer: Tracer | None = None,
) -> TransactionResult:
    """What would come of the message. Raises InvalidTransaction where it could not even start."""
    snapshot = state.snapshot()
    try:
        return run_call(state, env, request, rules, precompiles, budget, tracer)
    finally:
        state.revert(snapshot)
        state.begin_transaction()


def run_call(
    state: State,
    env: BlockEnv,
    request: CallRequest,
    rules: Rules,
    precompiles: Precompiles | None = None,
    budget: Budget | None = None,
    tracer: Tracer | None = None,
) -> TransactionResult:
    """`call`, but the state keeps what it did, for the tracers that look at it afterwards."""
    needed = intrinsic_gas(request, rules).needed
    if request.gas < needed:
        raise InvalidTransaction("intrinsic gas too low", want=needed, have=request.gas)
    if state.balance(request.caller) < request.value:
        raise InvalidTransaction("insufficient funds for transfer")
    state.begin_transaction()
    result = run_payload(
        state, env, request.caller, request, request.gas_price, rules, precompiles, tracer, budget
    )
    state.end_transaction()
    return result


def estimate_gas(
    state: State,
    env: BlockEnv,
    request: CallRequest,
    rules: Rules,
    precompiles: Precompiles | None = None,
    budget: Budget | None = None,
) -> int:
    """The least gas limit with which the message succeeds, `request.gas` being the most to try.

    Not simply the gas it uses: a call passes on at most 63/64 of what is left, refunds come afterwards, and
    contracts look at their gas. So the limit is searched for. Raises ExecutionFailed if the most fails.
    """

    def attempt(gas: int) -> TransactionResult:
        return call(state, env, replace(request, gas=gas), rules, precompiles, budget)

    most = _affordable(state, request, rules)
    first = attempt(most)
    if first.error is not None:
        raise ExecutionFailed(first.error, first.output)
    if first.gas_used == TRANSACTION and not request.data:
        return TRANSACTION  # a plain transfer

    too_little = max(intrinsic_gas(request, rules).needed, first.gas_used) - 1
    enough = most
    likely = (first.gas_used * 64) // 63 + CALL_STIPEND  # mostly enough at once, so the search starts there
    while too_little + 1 < enough:
        middle = likely if too_little < likely < enough else (too_little + enough) // 2
        likely = 0
        if attempt(middle).success:
            enough = middle
        else:
            too_little = middle
    return enough


def _affordable(state: State, request: CallRequest, rules: Rules) -> int:
    """The most gas to try: what was asked for, what a transaction may have, what the caller can pay for."""
    most = request.gas
    if rules.transaction_gas_max is not None:
        most = min(most, rules.transaction_gas_max)
    if request.gas_price:
        available = max(0, state.balance(request.caller) - request.value)
        most = min(most, available // request.gas_price)
    return most
