"""Applying an Ethereum transaction to the state.

Three steps: it is checked, and one that may not be included is refused without any change; the sender pays for all its
gas in advance; its message runs, and unused gas is refunded. Whatever the message does, even failing, the transaction
is included and its gas is paid.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import Enum

from coinone.base.forms.ethereum import SET_CODE, EthereumTransaction, effective_gas_price
from coinone.base.primitives.errors import InvalidTransaction
from coinone.base.primitives.integers import U64_MAX, U256_MAX
from coinone.base.primitives.types import Address
from coinone.rules.chain.ethereum.blobs import blob_gas
from coinone.rules.chain.ethereum.delegation import apply_authorizations
from coinone.rules.chain.ethereum.intrinsic import Payload, intrinsic_gas
from coinone.rules.state.account import storage_key
from coinone.rules.state.layers import SlotKey
from coinone.rules.state.state import State
from coinone.rules.vm import (
    REFERENCE,
    BlockEnv,
    Engine,
    Evm,
    ExecutionResult,
    Log,
    Message,
    Rules,
    TransactionEnv,
    execute,
)
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.addresses import create_address, delegate_of
from coinone.rules.vm.errors import FrameError
from coinone.rules.vm.precompiles import Precompile
from coinone.rules.vm.substate import Substate
from coinone.rules.vm.tracing import Tracer

REFUND_DIVISOR = 5  # at most this part of the gas used is refunded
Precompiles = Mapping[Address, Precompile]


class FeePolicy(Enum):
    """Who receives the base fee. Burning pegged coins would break the peg, so here it goes to the reward pool."""

    BURN = "burn"
    PAY_COINBASE = "pay coinbase"


@dataclass(frozen=True, slots=True)
class TransactionResult:
    success: bool
    gas_used: int
    logs: tuple[Log, ...]
    contract_address: Address | None
    output: bytes  # returned data, or the reason of a revert
    error: FrameError | None
    effective_gas_price: int
    gas_peak: int  # before the refund: the least limit that this run needs

    @property
    def status(self) -> int:
        return 1 if self.success else 0


def apply_transaction(
    state: State,
    env: BlockEnv,
    tx: EthereumTransaction,
    rules: Rules,
    precompiles: Precompiles | None = None,
    fee_policy: FeePolicy = FeePolicy.PAY_COINBASE,
    gas_available: int | None = None,
    tracer: Tracer | None = None,
    budget: Callable[[], None] | None = None,
    engine: Engine = REFERENCE,
) -> TransactionResult:
    """Execute and include the transaction. Raises InvalidTransaction or InvalidSignature, with the state unchanged.

    `gas_available` is what is left of the block's gas limit; the whole limit if not given.
    """
    check_stateless(tx, env.chain_id, rules)
    check_transaction(state, env, tx, rules, env.gas_limit if gas_available is None else gas_available)
    price = effective_gas_price(tx, env.base_fee)
    sender = tx.sender
    state.begin_transaction()
    blob_fee = blob_gas(tx) * env.blob_base_fee  # burnt
    state.set_balance(sender, state.balance(sender) - tx.gas * price - blob_fee)
    result = run_payload(state, env, sender, tx, price, rules, precompiles, tracer, budget, engine=engine)
    settle_fees(state, env, sender, tx.gas - result.gas_used, result.gas_used, price, fee_policy)
    state.end_transaction()
    return result


def check_stateless(tx: EthereumTransaction, chain_id: int, rules: Rules) -> None:
    """Check what depends on the transaction alone. Raises InvalidTransaction or InvalidSignature."""
    if tx.chain_id is not None and tx.chain_id != chain_id:
        raise InvalidTransaction("wrong chain id", want=chain_id, have=tx.chain_id)
    if tx.type == SET_CODE and not rules.delegation:
        raise InvalidTransaction("transaction type not supported", type=tx.type)
    if tx.type == SET_CODE and not tx.authorizations:
        raise InvalidTransaction("empty authorization list")
    if tx.type == SET_CODE and tx.to is None:
        raise InvalidTransaction("set-code transaction without a destination")
    if tx.nonce >= U64_MAX:
        raise InvalidTransaction("nonce has reached its maximum")
    if rules.transaction_gas_max is not None and tx.gas > rules.transaction_gas_max:
        raise InvalidTransaction(
            "transaction gas limit too high", most=rules.transaction_gas_max, have=tx.gas
        )
    if tx.to is None and len(tx.data) > rules.init_code_size_max:
        raise InvalidTransaction(
            "max initcode size exceeded", most=rules.init_code_size_max, have=len(tx.data)
        )
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
        raise InvalidTransaction("max priority fee per gas higher than max fee per gas")
    if tx.gas * tx.max_fee_per_gas > U256_MAX:
        raise InvalidTransaction("gas limit * price overflows")
    needed = intrinsic_gas(tx, rules).needed
    if tx.gas < needed:
        raise InvalidTransaction("intrinsic gas too low", want=needed, have=tx.gas)
    _ = tx.sender  # raises if the signature is invalid


def check_transaction(
    state: State, env: BlockEnv, tx: EthereumTransaction, rules: Rules, gas_available: int
) -> None:
    """Check what depends on the block and the state. Raises InvalidTransaction."""
    if tx.gas > gas_available:
        raise InvalidTransaction("gas limit exceeds what the block has left", most=gas_available, have=tx.gas)
    if tx.max_fee_per_gas < env.base_fee:
        raise InvalidTransaction(
            "max fee per gas less than block base fee", want=env.base_fee, have=tx.gas_price
        )
    nonce = state.nonce(tx.sender)
    if tx.nonce != nonce:
        reason = "nonce too low" if tx.nonce < nonce else "nonce too high"
        raise InvalidTransaction(reason, want=nonce, have=tx.nonce)
    if tx.blob_hashes and tx.max_fee_per_blob_gas < env.blob_base_fee:
        raise InvalidTransaction(
            "max fee per blob gas less than block blob gas fee",
            want=env.blob_base_fee,
            have=tx.max_fee_per_blob_gas,
        )
    most = tx.gas * tx.max_fee_per_gas + tx.value + blob_gas(tx) * tx.max_fee_per_blob_gas
    balance = state.balance(tx.sender)
    if balance < most:
        raise InvalidTransaction("insufficient funds for gas * price + value", want=most, have=balance)
    code = state.code(tx.sender)
    if code and not (rules.delegation and delegate_of(code)):
        raise InvalidTransaction("sender is a contract")


def run_payload(
    state: State,
    env: BlockEnv,
    sender: Address,
    payload: Payload,
    gas_price: int,
    rules: Rules,
    precompiles: Precompiles | None = None,
    tracer: Tracer | None = None,
    budget: Callable[[], None] | None = None,
    always_warm: Container[Address] | None = None,
    engine: Engine = REFERENCE,
) -> TransactionResult:
    """Run the sender's message and compute the gas used; the payment is not settled here.

    `always_warm` are the precompiled contracts' addresses, unless a trial has moved some of these.
    """
    nonce = state.nonce(sender)
    state.set_nonce(
        sender, (nonce + 1) & U64_MAX
    )  # a transaction's nonce is below the maximum; a trial's may not be
    intrinsic = intrinsic_gas(payload, rules)
    target = create_address(sender, nonce) if payload.to is None else payload.to
    table = rules.precompiles if precompiles is None else precompiles
    always = table if always_warm is None else always_warm
    substate = Substate(_warm_from_start(env, sender, target, payload), always)
    evm = Evm(
        state,
        env,
        TransactionEnv(sender, gas_price, payload.blob_hashes),
        rules,
        table,
        substate,
        tracer,
        budget,
        engine,
    )
    substate.refund = apply_authorizations(state, substate, payload.authorizations or (), env.chain_id)

    message = _message(evm, sender, target, payload, payload.gas - intrinsic.cost)
    outcome = execute(evm, message)
    used = payload.gas - outcome.gas_left
    peak = max(used, intrinsic.floor)
    used -= min(used // REFUND_DIVISOR, outcome.refund)
    created = target if payload.to is None else None
    return _result(outcome, max(used, intrinsic.floor), created, gas_price, peak)


def _result(
    outcome: ExecutionResult, used: int, created: Address | None, price: int, peak: int
) -> TransactionResult:
    return TransactionResult(
        outcome.success, used, outcome.logs, created, outcome.output, outcome.error, price, peak
    )


def _warm_from_start(
    env: BlockEnv, sender: Address, target: Address, payload: Payload
) -> list[Address | SlotKey]:
    warm: list[Address | SlotKey] = [sender, target, env.coinbase]
    for address, slots in payload.access_list:
        warm.append(address)
        warm.extend(storage_key(address, slot) for slot in slots)
    return warm


def _message(evm: Evm, sender: Address, target: Address, payload: Payload, gas: int) -> Message:
    if payload.to is None:
        return Message(kinds.CREATE, sender, target, target, payload.data, payload.value, b"", gas)
    code = evm.state.code(target)
    delegate = delegate_of(code) if evm.rules.delegation else None
    if delegate is not None:
        evm.substate.warm_address(delegate)
        code = evm.state.code(delegate)
    code_address = delegate or target
    precompiled = delegate is None
    return Message(
        kinds.CALL,
        sender,
        target,
        code_address,
        code,
        payload.value,
        payload.data,
        gas,
        precompiles=precompiled,
    )


def settle_fees(
    state: State, env: BlockEnv, sender: Address, gas_left: int, gas_used: int, price: int, policy: FeePolicy
) -> None:
    """Refund unused gas, and pay the rest according to `policy`."""
    state.set_balance(sender, state.balance(sender) + gas_left * price)
    earned = price if policy is FeePolicy.PAY_COINBASE else price - env.base_fee
    state.set_balance(env.coinbase, state.balance(env.coinbase) + gas_used * earned)
