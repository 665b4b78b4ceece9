"""Trace transactions in blocks, and calls, in the process for simulated calls (worker.py).

Everything needed is in the store: the undo records lead back to the state before a block, and its contracts are
executed again from there, on the exchange as they saw it (exchange_within.py). The answer is also encoded as JSON
there, so that a long trace blocks nothing here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from coinone.base.forms.ethereum import decode_any_transaction
from coinone.base.primitives.errors import InvalidInput, LimitExceeded, NotSupported
from coinone.base.primitives.records import decode
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.ethereum.calls.exchange_within import ExchangeWithin, SeenAfter
from coinone.interfaces.api.ethereum.calls.trials import CallJob, env_of, precompiles_at, prepared
from coinone.interfaces.api.ethereum.calls.worker import Desk, Stopwatch, metered
from coinone.interfaces.api.ethereum.json.overrides import precompiles_with
from coinone.interfaces.api.limits import CALL_TIMEOUT_S, RPC_ANSWER_BYTES_MAX
from coinone.node.imported.archive import is_imported, steps_of_block
from coinone.node.imported.node import ImportedNetwork
from coinone.node.storage.blocks import BlockReader
from coinone.node.storage.past import before_block
from coinone.rules.chain.ethereum.execution import FeePolicy
from coinone.rules.chain.ethereum.trace import trace_call, trace_transaction
from coinone.rules.chain.network import Network
from coinone.rules.chain.replay import ReplayStep, replay
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.records import TransactionRecord, decode_records
from coinone.rules.vm import FORKS
from coinone.rules.vm.tracing.flat_call_tracer import TracedPlace

Options = Mapping[str, Any]
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(h|ms|m|s|us|ns)", re.ASCII)
_DURATIONS = re.compile(rf"(?:{_DURATION.pattern}){{1,6}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Traced:
    """A trace as JSON, or the error message."""

    json: bytes = b""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class BlockTrace:
    """A trace of a block's transactions, or of the one at `index`, by the tracer that the options name. `flat`: the
    tracer's lists of all transactions are joined into one."""

    network: Network | ImportedNetwork
    number: int
    hash: Hash32
    index: int | None
    options: Options
    flat: bool = False


@dataclass(frozen=True, slots=True)
class CallTrace:
    trial: CallJob
    options: Options


def trace(job: BlockTrace | CallTrace, desk: Desk) -> Traced:
    """Run the job. A sender's mistake or an exceeded limit is returned as an error."""
    try:
        result = _trace_call(job, desk) if isinstance(job, CallTrace) else _trace_block(job, desk)
        encoded = msgspec.json.encode(result)
        if len(encoded) > RPC_ANSWER_BYTES_MAX:
            raise LimitExceeded("trace too long: callTracer is shorter", most=RPC_ANSWER_BYTES_MAX)
    except InvalidInput as error:
        return Traced(error=str(error))
    return Traced(encoded)


def _trace_call(job: CallTrace, desk: Desk) -> Any:
    state, trial = prepared(job.trial, desk)
    rules, env = FORKS[trial.fork], env_of(trial)
    precompiles = precompiles_with(precompiles_at(trial.number, trial.fork, desk), trial.overrides)
    policy = FeePolicy.BURN if is_imported(desk.snapshot) else FeePolicy.PAY_COINBASE
    budget = desk.budget.within(timeout_of(job.options))
    return trace_call(state, env, trial.request, rules, precompiles, budget, job.options, policy)


def _trace_block(job: BlockTrace, desk: Desk) -> Any:
    budget = desk.budget.within(timeout_of(job.options))
    results: list[Any] = []
    for index, step in enumerate(_steps(job, desk, budget)):
        if job.index is None:
            results += _one_of_many(job, index, step, budget)
        elif index == job.index:
            return _trace_step(job, index, step, budget)
    return results


def _one_of_many(job: BlockTrace, index: int, step: ReplayStep, budget: Stopwatch) -> list[Any]:
    name = {"txHash": "0x" + step.record.hash.hex()}
    if step.record.is_system:
        return [] if job.flat else [{**name, "error": "made by the chain itself"}]
    traced = _trace_step(job, index, step, budget)
    return list(traced) if job.flat else [{**name, "result": traced}]


def _trace_step(job: BlockTrace, index: int, step: ReplayStep, budget: Stopwatch) -> Any:
    if step.record.is_system:
        raise NotSupported("this transaction is the chain's own: it pays out a withdrawal")
    tx = decode_any_transaction(step.record.raw)
    precompiles = metered(step.precompiles, budget)
    place = TracedPlace(job.hash, job.number, step.record.hash, index)
    return trace_transaction(
        step.state, step.env, tx, step.rules, precompiles, step.fee_policy, job.options, budget, place
    )


def timeout_of(options: Options) -> float:
    """The time limit in seconds: the options' value, in geth's format ("5s", "1m30s", "300ms"), but at most this
    node's limit. Raises InvalidInput."""
    given = options.get("timeout")
    if given is None:
        return CALL_TIMEOUT_S
    parts = _DURATION.findall(given) if isinstance(given, str) and _DURATIONS.fullmatch(given) else []
    if not parts:
        raise InvalidInput('timeout must be a duration such as "5s"')
    return min(sum(float(number) * _UNITS[unit] for number, unit in parts), CALL_TIMEOUT_S)


def _steps(job: BlockTrace, desk: Desk, budget: Stopwatch) -> Iterator[ReplayStep]:
    snapshot, engine = desk.snapshot, desk.engine
    if isinstance(job.network, ImportedNetwork):
        return steps_of_block(snapshot, job.network.rules, job.number, budget, engine)
    blocks = BlockReader(snapshot)

    def header(number: int) -> Header:
        return _block(blocks, number).header

    block = _block(blocks, job.number)
    batches, before = _batches(blocks, block), before_block(snapshot, job.number)
    within = ExchangeWithin(job.network, snapshot, job.number, batches, budget, engine)
    seen = partial(SeenAfter, within)
    return replay(before, job.network, batches, _records(blocks, block), header, seen, budget, engine)


def _block(blocks: BlockReader, number: int) -> Block:
    data = blocks.block(number)
    assert data is not None, "blocks up to the head are on disk"
    return decode(Block, data)


def _batches(blocks: BlockReader, block: Block) -> list[Batch]:
    found = []
    for seq in range(block.first_seq, block.header.batch_seq + 1):
        data = blocks.batch(seq)
        assert data is not None, "a block's batches are on disk with it"
        found.append(decode(CertifiedBatch, data).batch)
    return found


def _records(blocks: BlockReader, block: Block) -> tuple[TransactionRecord, ...]:
    data = blocks.receipts(block.number)
    return () if data is None else decode_records(data)
