"""eth_call and eth_estimateGas: contracts run on trial, away from the chain.

The newest block's state lies in the store, which any process may read; so trials run in a small process of
their own, with a gas cap and a time cap, and cannot delay a batch. What `pending` shows exists only in the
node's own memory, and so does the exchange: a trial at `pending`, and one whose contracts read the exchange,
runs on the executor between batches, with a far smaller time cap.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from coinone.base.primitives.errors import InvalidInput, LimitExceeded
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.ethereum.chain_reads import ChainReads
from coinone.interfaces.api.ethereum.dispatch import Context
from coinone.interfaces.api.ethereum.errors import LIMIT_EXCEEDED, SERVER_ERROR, RpcError, reverted
from coinone.interfaces.api.ethereum.params import PENDING, BlockId, block_id, call_request
from coinone.interfaces.api.limits import (
    CALL_GAS_MAX,
    CALL_PENDING_TIMEOUT_S,
    CALL_TIMEOUT_S,
    CALLS_WAITING_MAX,
)
from coinone.node.runtime.node import ChainReader, Node
from coinone.node.storage.blocks import Blocks
from coinone.node.storage.lmdb_store import LmdbStore
from coinone.node.storage.store import Snapshot
from coinone.rules.chain.block import decode_block
from coinone.rules.chain.ethereum.call import CallRequest, ExecutionFailed, call, estimate_gas
from coinone.rules.chain.ethereum.execution import Precompiles
from coinone.rules.chain.precompiles import ExchangeNeeded, precompiles_without_exchange
from coinone.rules.consensus.header import Header
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv, Engine, chosen_engine, use_engine
from coinone.rules.vm.errors import Revert, describe

Job = TypeVar("Job")
T = TypeVar("T")
CALL_WORKERS = 1  # one core of the two that a small machine has


@dataclass(frozen=True, slots=True)
class Trial:
    """All that a trial needs beside the state."""

    request: CallRequest
    estimate: bool
    env: BlockEnv
    fork: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a trial: an output, an amount of gas, or why not."""

    output: bytes = b""
    gas: int = 0
    error: str | None = None
    is_revert: bool = False
    needs_exchange: bool = False


def try_out(trial: Trial, state: State, precompiles: Precompiles | None) -> Verdict:
    """Run a trial on `state`, which is left as it was. Pure but for its stopwatch."""
    rules, budget = FORKS[trial.fork], Stopwatch(trial.timeout_s)
    try:
        if trial.estimate:
            return Verdict(gas=estimate_gas(state, trial.env, trial.request, rules, precompiles, budget))
        result = call(state, trial.env, trial.request, rules, precompiles, budget)
    except ExecutionFailed as failed:
        return Verdict(
            failed.output, error=describe(failed.error), is_revert=isinstance(failed.error, Revert)
        )
    except InvalidInput as error:
        return Verdict(error=str(error))
    except ExchangeNeeded:
        return Verdict(needs_exchange=True)
    if result.error is not None:
        return Verdict(
            result.output, error=describe(result.error), is_revert=isinstance(result.error, Revert)
        )
    return Verdict(result.output, result.gas_used)


class Stopwatch:
    """Stops a run that lasts too long; asked at each jump, so it looks at the clock now and then only."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._calls = 0

    def __call__(self) -> None:
        self._calls += 1
        if self._calls & 0x3F == 0 and time.monotonic() > self._end:
            raise LimitExceeded("execution aborted (timeout)")


class Calls:
    """Runs trials for a node."""

    def __init__(self, node: Node, reads: ChainReads) -> None:
        self._node = node
        self._reads = reads
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, request: CallRequest, estimate: bool, wanted: BlockId) -> Verdict:
        if wanted.tag == PENDING:
            return await self._run_pending(request, estimate)
        with self._reads.snapshot() as snapshot:
            self._reads.require_newest(wanted, snapshot)
        trial = self.trial(request, estimate, self._reads.head())
        verdict = await self.run_on_store(_try_on, trial)
        return await self._run_pending(request, estimate) if verdict.needs_exchange else verdict

    async def run_on_store(self, work: Callable[[Job, Snapshot], T], job: Job) -> T:
        """`work` on the newest block, in the process for trials; it waits its turn."""
        if self._waiting >= CALLS_WAITING_MAX:
            raise RpcError(LIMIT_EXCEEDED, "too many calls at once: try again")
        self._waiting += 1
        try:
            return await self._run(work, job)
        finally:
            self._waiting -= 1

    async def _run(self, work: Callable[[Job, Snapshot], T], job: Job) -> T:
        store = self._node.storage.store
        if not isinstance(store, LmdbStore):  # a store in memory has no other process
            return await self._reads.in_thread(lambda: work(job, store))
        if self._pool is None:
            self._pool = _start_pool(self._node.data_dir)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, _work_in_worker, work, job)
        except BrokenProcessPool as error:
            self._pool = None  # the next call starts another
            raise RpcError(SERVER_ERROR, "the call's process ended unexpectedly: try again") from error

    async def _run_pending(self, request: CallRequest, estimate: bool) -> Verdict:
        def run(reader: ChainReader) -> Verdict:
            env = replace(reader.env(), base_fee=0) if not request.gas_price else reader.env()
            trial = Trial(request, estimate, env, reader.rules.name, CALL_PENDING_TIMEOUT_S)
            return try_out(trial, reader.state, reader.precompiles())

        return await self._node.query(run)

    def trial(self, request: CallRequest, estimate: bool, header: Header) -> Trial:
        """A trial at a block sees that block's own fields, as in geth."""
        network = self._node.network
        env = BlockEnv(
            chain_id=network.chain_id,
            number=header.number,
            timestamp=header.timestamp,
            coinbase=header.coinbase,
            gas_limit=header.gas_limit,
            base_fee=header.base_fee if request.gas_price else 0,
            prevrandao=header.prev_randao,
            block_hash=_no_hash,
        )
        return Trial(request, estimate, env, network.fork, CALL_TIMEOUT_S)


def _no_hash(number: int) -> Hash32:
    """Replaced where the trial runs: a function over a store does not travel between processes."""
    raise AssertionError("the trial's own store answers BLOCKHASH")


def _try_on(trial: Trial, snapshot: Snapshot) -> Verdict:
    env = replace(trial.env, block_hash=block_hashes(snapshot))
    return try_out(replace(trial, env=env), State(snapshot), precompiles_without_exchange(FORKS[trial.fork]))


def block_hashes(snapshot: Snapshot) -> Callable[[int], Hash32]:
    """BLOCKHASH out of the store."""

    def block_hash(number: int) -> Hash32:
        block = Blocks(snapshot).block(number)
        assert block is not None, "BLOCKHASH asks for blocks below the head only"
        return decode_block(block).hash

    return block_hash


# In the worker process

_store: LmdbStore | None = None


def _start_pool(data_dir: Path) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(CALL_WORKERS, context, _start_worker, (data_dir, chosen_engine()))


def _start_worker(data_dir: Path, engine: Engine) -> None:
    global _store
    use_engine(engine)
    _store = LmdbStore(data_dir, 0, readonly=True)


def _work_in_worker(work: Callable[[Job, Snapshot], T], job: Job) -> T:
    assert _store is not None, "the worker opened the store"
    with _store.snapshot() as snapshot:
        return work(job, snapshot)


# Methods


async def eth_call(context: Context, transaction: Any, block: Any = None, *overrides: Any) -> str:
    """The output of a call. State overrides are not supported."""
    if any(override for override in overrides):
        raise RpcError(SERVER_ERROR, "state and block overrides are not supported")
    verdict = await context.backend.calls.run(call_request_of(transaction), False, block_id(block))
    _raise_error(verdict)
    return "0x" + verdict.output.hex()


async def eth_estimate_gas(context: Context, transaction: Any, block: Any = None, *overrides: Any) -> str:
    """The least gas limit that is enough."""
    if any(override for override in overrides):
        raise RpcError(SERVER_ERROR, "state overrides are not supported")
    verdict = await context.backend.calls.run(call_request_of(transaction), True, block_id(block))
    _raise_error(verdict)
    return hex(verdict.gas)


def call_request_of(transaction: Any) -> CallRequest:
    given = call_request(transaction)
    price = given.gas_price if given.gas_price is not None else given.max_fee
    return CallRequest(
        caller=given.caller,
        to=given.to,
        data=given.data,
        value=given.value,
        gas=min(given.gas or CALL_GAS_MAX, CALL_GAS_MAX),
        gas_price=price or 0,
    )


def _raise_error(verdict: Verdict) -> None:
    if verdict.is_revert:
        raise reverted(verdict.output)
    if verdict.error is not None:
        raise RpcError(SERVER_ERROR, verdict.error)
