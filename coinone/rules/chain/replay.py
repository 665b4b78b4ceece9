"""Replay of a block's contracts, transaction by transaction, for traces.

Contracts find state and environment as they were, and the exchange as the caller provides it for a batch. The caller
compares the gas used with the record's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.ethereum import EthereumTransaction, decode_transaction
from coinone.base.primitives.records import decode
from coinone.base.primitives.types import Address
from coinone.rules.chain.apply import environment
from coinone.rules.chain.batch_limits import limits_of
from coinone.rules.chain.bridge.own import ExchangeView
from coinone.rules.chain.bridge.precompiles import precompiles_seeing
from coinone.rules.chain.bridge.system_calls import pay_withdrawal, withdrawal_of, write_block_hashes
from coinone.rules.chain.cursor import Cursor, evm_timestamp
from coinone.rules.chain.ethereum.execution import FeePolicy, apply_transaction
from coinone.rules.chain.forced import split_forced
from coinone.rules.chain.network import Network
from coinone.rules.chain.sealing import CURSOR_KEY
from coinone.rules.chain.transactions import is_ethereum
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.database import Database, Table
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, REFERENCE, BlockEnv, Engine, Rules
from coinone.rules.vm.precompiles import Precompile

Headers = Callable[[int], Header]


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """A transaction about to run. The caller must restore the state if it uses it."""

    record: TransactionRecord
    state: State
    env: BlockEnv
    rules: Rules
    precompiles: Mapping[Address, Precompile]
    fee_policy: FeePolicy = FeePolicy.PAY_COINBASE


def replay(
    before: Database,
    network: Network,
    batches: Sequence[Batch],
    records: Sequence[TransactionRecord],
    headers: Headers,
    seen: Callable[[int], ExchangeView],
    budget: Callable[[], None] | None = None,
    engine: Engine = REFERENCE,
) -> Iterator[ReplayStep]:
    """The steps of the block after the state `before`, each yielded before it is executed.

    `seen` returns the exchange that contracts of the batch with that number read.
    """
    state, rules = State(before), FORKS[network.fork]
    row = before.get(Table.META, CURSOR_KEY)
    assert row is not None, "every block writes its cursor"
    cursor = decode(Cursor, row)
    confirmed, timestamp = cursor.base_number if cursor.seq else -1, cursor.evm_timestamp
    left, forced = list(records), [decode_transaction(raw) for raw in cursor.effects.forced]
    for batch in batches:
        base = headers(batch.base_number)
        timestamp = max(timestamp, evm_timestamp(batch, base))
        env = environment(network, base, batch.seq, timestamp, lambda number: headers(number).hash)
        write_block_hashes(state, [headers(number) for number in range(confirmed + 1, batch.base_number + 1)])
        confirmed = batch.base_number
        forced += [decode_transaction(raw) for raw in batch.transactions[: batch.forced] if is_ethereum(raw)]
        now, forced = split_forced(forced, limits_of(network.batches, batch.seq, base).gas)
        precompiles = precompiles_seeing(rules, seen(batch.seq))
        for record in _segment(network, batch, left, now):
            yield ReplayStep(record, state, env, rules, precompiles)
            _take(network, state, env, rules, precompiles, record, budget, engine)
        state.freeze()


def _segment(
    network: Network, batch: Batch, left: list[TransactionRecord], forced: list[EthereumTransaction]
) -> Iterator[TransactionRecord]:
    """The records of this batch, removed from `left`: withdrawals first, then forced and its own transactions."""
    if not network.batches.is_evm(batch.seq):
        return
    own = {keccak256(raw) for raw in batch.transactions[batch.forced :]} | {tx.hash for tx in forced}
    while left and left[0].is_system:
        yield left.pop(0)
    while left and left[0].hash in own:
        yield left.pop(0)


def _take(
    network: Network,
    state: State,
    env: BlockEnv,
    rules: Rules,
    precompiles: Mapping[Address, Precompile],
    record: TransactionRecord,
    budget: Callable[[], None] | None,
    engine: Engine,
) -> None:
    if record.is_system:
        pay_withdrawal(state, env, rules, network.quote_token, withdrawal_of(record), engine)
    else:
        tx = decode_transaction(record.raw)
        apply_transaction(state, env, tx, rules, precompiles, budget=budget, engine=engine)
