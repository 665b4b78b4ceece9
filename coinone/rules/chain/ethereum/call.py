"""Trial calls, which keep no changes: eth_call and eth_estimateGas.

The state passed in is used and restored. `budget` (see `vm.Evm`) stops a run that lasts too long. The cost of a message
is checked, and paid, as geth does for its own trial calls, with geth's texts (trial_fees.py).
"""

from collections.abc import Callable, Container
from dataclasses import replace

from coinone.base.crypto.checksum import checksummed
from coinone.base.primitives.errors import InvalidInput, InvalidTransaction
from coinone.base.primitives.types import Address
from coinone.rules.chain.ethereum.execution import (
    FeePolicy,
    Precompiles,
    TransactionResult,
    run_payload,
    settle_fees,
)
from coinone.rules.chain.ethereum.intrinsic import TRANSACTION, intrinsic_gas
from coinone.rules.chain.ethereum.trial_fees import CallRequest, check_fees, take_fees
from coinone.rules.state.state import State
from coinone.rules.vm import REFERENCE, BlockEnv, Engine, Rules
from coinone.rules.vm.errors import FrameError, OutOfGas, Revert
from coinone.rules.vm.gas import CALL_STIPEND
from coinone.rules.vm.tracing import Tracer

Budget = Callable[[], None]


class IntrinsicGasTooLow(InvalidTransaction):
    """The message does not have enough gas to start."""


class InitCodeTooLarge(InvalidTransaction):
    """The message would create a contract with more init code than a transaction may have."""


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
    engine: Engine = REFERENCE,
) -> TransactionResult:
    """Try the message and restore the state. Raises InvalidTransaction if it cannot start."""
    snapshot = state.snapshot()
    try:
        return run_call(state, env, request, rules, precompiles, budget, tracer, engine=engine)
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
    fee_policy: FeePolicy = FeePolicy.PAY_COINBASE,
    always_fees: bool = False,
    warm: Container[Address] | None = None,
    engine: Engine = REFERENCE,
) -> TransactionResult:
    """Run `call`, but keep the changes of state, for tracers that read it afterwards.

    With `always_fees`, a message without a price must meet the base fee as well; `warm` replaces the precompiled
    contracts' addresses as those that are warm from the start.
    """
    price = request.price_at(env.base_fee)
    check_fees(state, env, request, always_fees)
    check_set_code(request)
    needed = intrinsic_gas(request, rules).needed
    if request.gas < needed:
        raise IntrinsicGasTooLow(f"intrinsic gas too low: have {request.gas}, want {needed}")
    size, most = len(request.data), rules.init_code_size_max
    if request.to is None and size > most:
        raise InitCodeTooLarge(f"max initcode size exceeded: code size {size} limit {most}")
    state.begin_transaction()
    take_fees(state, env, request, price)
    result = run_payload(
        state, env, request.caller, request, price, rules, precompiles, tracer, budget, warm, engine
    )
    if price:
        left = request.gas - result.gas_used
        settle_fees(state, env, request.caller, left, result.gas_used, price, fee_policy)
    state.end_transaction()
    return result


def check_set_code(request: CallRequest) -> None:
    """Check a message with authorizations. Raises InvalidTransaction."""
    if request.authorizations is None:
        return
    sender = f"(sender {checksummed(request.caller)})"
    if request.to is None:
        raise InvalidTransaction(f"EIP-7702 transaction cannot be used to create contract {sender}")
    if not request.authorizations:
        raise InvalidTransaction(f"EIP-7702 transaction with empty auth list {sender}")


def estimate_gas(
    state: State,
    env: BlockEnv,
    request: CallRequest,
    rules: Rules,
    precompiles: Precompiles | None = None,
    budget: Budget | None = None,
    engine: Engine = REFERENCE,
) -> int:
    """The least gas limit with which the message succeeds, at most `request.gas`.

    Not simply the gas it uses: a call forwards at most 63/64 of what is left, refunds come afterwards, and contracts
    read their gas. So the limit is searched for. Raises ExecutionFailed if the maximum fails, and InvalidTransaction if
    the caller cannot pay for it, or if it is never enough.
    """

    def attempt(gas: int) -> TransactionResult | None:
        """Run with this gas limit; None if it is not enough to start."""
        try:
            return call(state, env, replace(request, gas=gas), rules, precompiles, budget, engine=engine)
        except IntrinsicGasTooLow:
            return None
        except InvalidTransaction as error:
            raise InvalidTransaction(f"failed with {gas} gas: {error}") from error

    most = _affordable(state, env, request, rules)
    is_transfer = request.to is not None and not request.data and not state.code(request.to)
    if is_transfer and (plain := attempt(TRANSACTION)) is not None and plain.success:
        return TRANSACTION
    first = attempt(most)
    if first is None or isinstance(first.error, OutOfGas):
        raise InvalidTransaction(f"gas required exceeds allowance ({most})")
    if first.error is not None:
        raise ExecutionFailed(first.error, first.output)
    return _least_gas(attempt, intrinsic_gas(request, rules).needed, first.gas_used, most)


def _least_gas(attempt: Callable[[int], TransactionResult | None], needed: int, used: int, most: int) -> int:
    """Search between a limit that is too low and `most`, which is enough."""
    too_little, enough = max(needed, used) - 1, most
    likely = (used * 64) // 63 + CALL_STIPEND  # usually enough, so the search starts there
    while too_little + 1 < enough:
        middle = likely if too_little < likely < enough else (too_little + enough) // 2
        likely = 0
        tried = attempt(middle)
        if tried is not None and tried.success:
            enough = middle
        else:
            too_little = middle
    return enough


def _affordable(state: State, env: BlockEnv, request: CallRequest, rules: Rules) -> int:
    """The most gas to try: of the request, of a transaction's maximum, and of what the caller can pay for.

    Raises InvalidTransaction if the value alone takes all the caller has. As in geth, a limit below a plain transfer's
    counts as none.
    """
    most = request.gas if request.gas >= TRANSACTION else env.gas_limit
    if rules.transaction_gas_max is not None:
        most = min(most, rules.transaction_gas_max)
    if request.fee_cap:
        balance = state.balance(request.caller)
        if request.value >= balance:
            raise InvalidTransaction("insufficient funds for transfer")
        most = min(most, (balance - request.value) // request.fee_cap)
    return most
