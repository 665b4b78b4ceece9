"""Applying a batch: the one function that changes state, and the one that undoes it.

    1  system events: hashes of newly confirmed blocks, oracle prices, funding, mark, debts
    2  credits from the last EVM segment
    3-7  exchange actions, in segments (rules/exchange)
    8  if this is an EVM batch: withdrawals to the EVM, then Ethereum transactions

Forced transactions (forced.py) come first in 3 to 8.

Sequencer, validator, replay and tests all call this module (docs/design.md). A batch that breaks a rule is refused
before anything is changed. An Ethereum transaction that may not be included when its turn comes is skipped: it changes
nothing and invalidates nothing, since its place follows from a seed its sender could not know.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.ethereum import EthereumTransaction, encode_transaction
from coinone.base.primitives.errors import InvalidBatch, InvalidInput
from coinone.base.primitives.types import Hash32
from coinone.rules.chain.batch_limits import limits_of
from coinone.rules.chain.bridge.own import best_of
from coinone.rules.chain.bridge.precompiles import precompiles_over
from coinone.rules.chain.bridge.seen import Bests
from coinone.rules.chain.bridge.system_calls import (
    core_actions_in,
    deposits_in,
    pay_withdrawal,
    write_block_hashes,
)
from coinone.rules.chain.contents import check_ordinary
from coinone.rules.chain.cursor import Cursor, Effects, check_batch, evm_timestamp
from coinone.rules.chain.ethereum.delegation import is_contract
from coinone.rules.chain.ethereum.execution import apply_transaction
from coinone.rules.chain.ethereum.recording import record_of
from coinone.rules.chain.forced import check_carried, hash_of, split_forced
from coinone.rules.chain.invariants import check_conservation
from coinone.rules.chain.network import Network
from coinone.rules.chain.state import BatchResult, ChainState
from coinone.rules.chain.transactions import Verified
from coinone.rules.consensus.mode import require_mode_a
from coinone.rules.consensus.seeds import ordering_seed
from coinone.rules.consensus.terms import Term
from coinone.rules.exchange.batch.inclusion import Included, include
from coinone.rules.exchange.context import BatchContext, ExchangeResult
from coinone.rules.exchange.engine import apply_exchange, apply_undo
from coinone.rules.exchange.wire.types import OracleReport, VerifiedAction
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.crossings import Deposit, Withdrawal
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.records import TransactionRecord, evm_results
from coinone.rules.ledger.turns import round_robin
from coinone.rules.vm import BlockEnv


@dataclass(slots=True)
class _Contents:
    """A batch's transactions, verified and sorted by kind."""

    every: list[Verified] = field(default_factory=list)
    actions: list[VerifiedAction] = field(default_factory=list)
    oracle: list[OracleReport] = field(default_factory=list)
    ethereum: list[EthereumTransaction] = field(default_factory=list)
    forced_actions: int = 0  # number of first actions that are forced
    forced_now: list[EthereumTransaction] = field(default_factory=list)
    forced_later: list[EthereumTransaction] = field(default_factory=list)
    included: Included | None = None  # the exchange's inclusion of the actions


@dataclass(slots=True)
class _Segment:
    """The results of an EVM segment."""

    records: list[TransactionRecord] = field(default_factory=list)
    skipped: list[tuple[Hash32, str]] = field(default_factory=list)
    returned: list[Deposit] = field(default_factory=list)  # withdrawals that could not be paid


def apply_batch(chain: ChainState, batch: Batch) -> BatchResult:
    """Execute `batch` on top of `chain`. Raises InvalidBatch; after any exception nothing has changed."""
    term, contents = _checked(chain, batch)
    snapshot = chain.state.snapshot()
    exchange: ExchangeResult | None = None
    try:
        write_block_hashes(chain.state, _confirmed(chain, batch))
        exchange = _run_exchange(chain, batch, contents)
        cursor, segment = _run_contracts(chain, batch, term, exchange, contents)
    except BaseException:  # a fault in this code: leave a readable state
        chain.state.revert(snapshot)
        if exchange is not None:
            apply_undo(chain.exchange, exchange.undo)
        raise
    result = BatchResult(
        batch=batch,
        before=chain.cursor,
        after=cursor,
        layer=chain.state.freeze(),
        exchange=exchange,
        action_hashes=tuple(action.tx_hash for action in contents.actions),
        records=tuple(segment.records),
        skipped=tuple(segment.skipped),
        bests=_bests(chain, exchange),
    )
    chain.cursor = cursor
    chain.applied.append(result)
    try:
        check_conservation(chain, result)
    except AssertionError:
        undo_batch(chain)
        raise
    return result


def undo_batch(chain: ChainState) -> BatchResult:
    """Undo the newest batch; the chain is then as before it."""
    result = chain.applied.pop()
    assert result.after == chain.cursor, "the newest batch is the cursor's"
    layer = chain.state.pop()
    assert layer is result.layer, "state and exchange are at the same batch"
    apply_undo(chain.exchange, result.exchange.undo)
    chain.cursor = result.before
    return result


def block_env(chain: ChainState, batch: Batch, base: Header) -> BlockEnv:
    """The environment of contracts during `batch` (D1): fixed by the batch, whichever block includes it."""
    return _env(chain, base, batch.seq, evm_timestamp(batch, base))


def call_env(chain: ChainState) -> BlockEnv:
    """The environment of a contract that is called now, outside any batch."""
    base = chain.headers(max(chain.head.number - chain.network.blocks.base_depth, chain.cursor.base_number))
    assert base is not None, "the base is a block of this chain"
    return _env(chain, base, chain.cursor.seq + 1, base.timestamp + 1)


def _env(chain: ChainState, base: Header, seq: int, timestamp: int) -> BlockEnv:
    # never backwards, even where the clock fell back
    timestamp = max(timestamp, chain.cursor.evm_timestamp)
    return environment(chain.network, base, seq, timestamp, lambda number: _block_hash(chain, number))


def environment(
    network: Network, base: Header, seq: int, timestamp: int, block_hash: Callable[[int], Hash32]
) -> BlockEnv:
    """The environment of contracts in batch `seq` over `base`."""
    return BlockEnv(
        chain_id=network.chain_id,
        number=base.number + 1,
        timestamp=timestamp,
        coinbase=network.reward_pool,
        gas_limit=network.block_gas_limit,
        base_fee=base.base_fee,
        prevrandao=keccak256(base.hash + seq.to_bytes(8, "big")),
        block_hash=block_hash,
    )


def check_proposal(chain: ChainState, batch: Batch) -> None:
    """Check a proposal before voting: raise InvalidBatch or NotSupported if `apply_batch` would."""
    _checked(chain, batch)


def _checked(chain: ChainState, batch: Batch) -> tuple[Term, _Contents]:
    require_mode_a(chain.federation, chain.head, chain.headers)
    term = check_batch(chain.network, chain.federation, chain.cursor, batch, chain.headers)
    check_carried(chain, batch)
    key = (batch.hash, chain.cursor.batch_hash)
    if chain.checked is None or chain.checked[0] != key:  # a member that votes for a batch applies it next
        chain.checked = (key, _contents(chain, batch))
    contents: _Contents = chain.checked[1]
    _check_limits(chain, batch, contents)
    return term, contents


def _contents(chain: ChainState, batch: Batch) -> _Contents:
    contents = _verify(chain, batch)
    included = include(chain.exchange, contents.actions, batch.time_ms, contents.forced_actions)
    for index, reason in included.refused.items():
        if index >= contents.forced_actions:
            raise InvalidBatch("holds what the state before it excludes", problem=reason)
    contents.included = included
    return contents


def _verify(chain: ChainState, batch: Batch) -> _Contents:
    contents = _Contents()
    for index, raw in enumerate(batch.transactions):
        try:
            verified = chain.verify(raw)
        except InvalidInput as error:
            raise InvalidBatch("invalid transaction", index=index, problem=str(error)) from error
        contents.every.append(verified)
        if isinstance(verified, VerifiedAction):
            contents.actions.append(verified)
            contents.forced_actions += index < batch.forced
        elif isinstance(verified, OracleReport):
            contents.oracle.append(verified)
        elif index >= batch.forced:
            contents.ethereum.append(verified)
    hashes = [hash_of(verified) for verified in contents.every if not isinstance(verified, OracleReport)]
    if len(dict.fromkeys(hashes)) != len(hashes):
        raise InvalidBatch("a transaction twice")
    return contents


def _check_limits(chain: ChainState, batch: Batch, contents: _Contents) -> None:
    """Raise InvalidBatch if limits are exceeded; divide the forced transactions into those that run now and later."""
    base = chain.headers(batch.base_number)
    assert base is not None, "check_batch found the base"
    limits = limits_of(chain.network.batches, batch.seq, base)
    check_ordinary(limits, list(zip(batch.transactions, contents.every, strict=True))[batch.forced :])
    forced = [_ethereum(chain, raw) for raw in chain.cursor.effects.forced]
    forced += [tx for tx in contents.every[: batch.forced] if isinstance(tx, EthereumTransaction)]
    contents.forced_now, contents.forced_later = split_forced(forced, limits.gas)
    most = limits.gas - sum(tx.gas for tx in contents.forced_now)
    gas = sum(tx.gas for tx in contents.ethereum)
    if gas > most:
        raise InvalidBatch("too much gas", most=most, have=gas)


def _ethereum(chain: ChainState, raw: bytes) -> EthereumTransaction:
    verified = chain.verify(raw)
    assert isinstance(verified, EthereumTransaction), "only Ethereum transactions wait for an EVM batch"
    return verified


def _confirmed(chain: ChainState, batch: Batch) -> list[Header]:
    """The blocks confirmed by this batch: after the last base, up to and including the new one."""
    first = chain.cursor.base_number + 1 if chain.cursor.seq else 0
    headers = [chain.headers(number) for number in range(first, batch.base_number + 1)]
    assert None not in headers, "a block below the base is unknown"
    return [header for header in headers if header is not None]


def _run_exchange(chain: ChainState, batch: Batch, contents: _Contents) -> ExchangeResult:
    """Run segments 1 to 7. `is_contract` reads the state after the last EVM segment, since only segment 8 changes
    it."""
    effects = chain.cursor.effects
    context = BatchContext(
        seq=batch.seq,
        time_ms=batch.time_ms,
        seed=ordering_seed(batch.seed, batch.parent_hash),
        deposits=effects.deposits,
        oracle=tuple(contents.oracle),
        core_actions=effects.core_actions,
        forced=contents.forced_actions,
        withdrawals_waiting=len(effects.withdrawals),
        is_contract=partial(is_contract, chain.state),
    )
    return apply_exchange(chain.exchange, context, contents.actions, contents.included)


def _run_contracts(
    chain: ChainState,
    batch: Batch,
    term: Term,
    exchange: ExchangeResult,
    contents: _Contents,
) -> tuple[Cursor, _Segment]:
    """Run segment 8, if this is an EVM batch; return the cursor after it."""
    network, before = chain.network, chain.cursor
    base = chain.headers(batch.base_number)
    assert base is not None, "check_batch found the base"
    env, segment = block_env(chain, batch, base), _Segment()
    waiting = before.effects.withdrawals + exchange.withdrawals
    forced = tuple(encode_transaction(tx) for tx in contents.forced_later)
    results, effects = before.evm_results, Effects(withdrawals=waiting, forced=forced)
    if network.batches.is_evm(batch.seq):
        most = network.batches.withdrawals_max
        _pay(chain, env, waiting[:most], segment)
        _run_transactions(chain, env, batch, contents, segment)
        results = evm_results(segment.records)
        effects = Effects(
            deposits=(*segment.returned, *deposits_in(segment.records, network)),
            core_actions=core_actions_in(segment.records),
            withdrawals=waiting[most:],
            forced=forced,
        )
    cursor = Cursor(
        seq=batch.seq,
        batch_hash=batch.hash,
        time_ms=batch.time_ms,
        evm_timestamp=env.timestamp,
        evm_offset_s=batch.evm_offset_s,
        base_number=batch.base_number,
        base_hash=batch.base_hash,
        term=term,
        evm_results=results,
        effects=effects,
    )
    return cursor, segment


def _bests(chain: ChainState, exchange: ExchangeResult) -> Bests:
    """Best prices after the batch: read where it changed a book, else copied from the batch before."""
    count = chain.exchange.rows.market_count
    if not chain.applied:
        return tuple(best_of(chain.exchange, market) for market in range(count))
    bests = list(chain.applied[-1].bests)
    for market in exchange.events.markets():
        bests[market : market + 1] = [best_of(chain.exchange, market)]
    return tuple(bests)


def _pay(chain: ChainState, env: BlockEnv, withdrawals: Sequence[Withdrawal], segment: _Segment) -> None:
    for withdrawal in withdrawals:
        record = pay_withdrawal(
            chain.state, env, chain.rules, chain.network.quote_token, withdrawal, chain.engine
        )
        segment.records.append(record)
        if not record.succeeded:  # the token pays any address but zero, which cannot sign
            segment.returned.append(Deposit(withdrawal.address, withdrawal.amount, record.hash))


def _run_transactions(
    chain: ChainState,
    env: BlockEnv,
    batch: Batch,
    contents: _Contents,
    segment: _Segment,
) -> None:
    seed = ordering_seed(batch.seed, batch.parent_hash)
    precompiles = precompiles_over(chain.rules, chain.exchange)
    for tx in [*_ranked(seed, contents.forced_now), *_ranked(seed, contents.ethereum)]:
        try:
            outcome = apply_transaction(chain.state, env, tx, chain.rules, precompiles, engine=chain.engine)
        except InvalidInput as error:
            segment.skipped.append((tx.hash, str(error)))
        else:
            segment.records.append(record_of(tx, outcome))


def _ranked(seed: Hash32, transactions: Sequence[EthereumTransaction]) -> list[EthereumTransaction]:
    by_nonce = sorted(transactions, key=lambda tx: (tx.nonce, tx.hash))
    return round_robin(seed, ((tx.sender, tx) for tx in by_nonce))


def _block_hash(chain: ChainState, number: int) -> Hash32:
    header = chain.headers(number)
    assert header is not None, "BLOCKHASH reads blocks up to the base only"
    return header.hash
