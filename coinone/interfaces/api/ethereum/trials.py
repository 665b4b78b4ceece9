"""Contracts run on trial, away from the chain: what is behind eth_call, eth_estimateGas, eth_createAccessList.

The state of the last blocks lies in the store, which any process may read; so trials run in a small process of
their own, with a gas cap and a time cap, and cannot delay a batch. What `pending` shows exists only in the
node's own memory, and so does the exchange: a trial at `pending`, and one at the newest block whose contracts
read the exchange, runs on the executor between batches, with a far smaller time cap.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TypeVar

from coinone.base.primitives.errors import InvalidInput, InvalidTransaction, LimitExceeded, NotSupported
from coinone.base.primitives.types import ZERO_HASH, Hash32
from coinone.interfaces.api.ethereum.chain_reads import ChainReads
from coinone.interfaces.api.ethereum.errors import LIMIT_EXCEEDED, SERVER_ERROR, RpcError
from coinone.interfaces.api.ethereum.format import AnyHeader
from coinone.interfaces.api.ethereum.overrides import (
    NONE,
    Overrides,
    env_with,
    precompiles_with,
    state_with,
)
from coinone.interfaces.api.ethereum.params import PENDING, BlockId
from coinone.interfaces.api.ethereum.served import ServedNode, ServedReader
from coinone.interfaces.api.limits import CALL_PENDING_TIMEOUT_S, CALL_TIMEOUT_S, CALLS_WAITING_MAX
from coinone.node.ethereum.archive import EthereumArchive, is_imported
from coinone.node.runtime.archive import Archive, BlockArchive
from coinone.node.runtime.compiling import choose_engine
from coinone.node.runtime.workers import worker_pool
from coinone.node.storage.blocks import Blocks
from coinone.node.storage.lmdb_store import LmdbStore
from coinone.node.storage.past import after_block
from coinone.node.storage.store import Snapshot
from coinone.rules.chain.ethereum.access import create_access_list
from coinone.rules.chain.ethereum.call import ExecutionFailed, call, estimate_gas
from coinone.rules.chain.ethereum.execution import Precompiles
from coinone.rules.chain.ethereum.transaction import AccessList
from coinone.rules.chain.ethereum.trial_fees import CallRequest, without_fees
from coinone.rules.chain.precompiles import ExchangeNeeded, precompiles_without_exchange
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv, Choice, chosen_engine
from coinone.rules.vm.errors import FrameError, Revert, describe

Job = TypeVar("Job")
T = TypeVar("T")
CALL_WORKERS = 1  # one core of the two that a small machine has


class Purpose(Enum):
    CALL = "call"
    ESTIMATE = "estimate gas"
    ACCESS_LIST = "access list"


@dataclass(frozen=True, slots=True)
class Trial:
    """All that a trial needs beside the state, which is that after block `number`."""

    request: CallRequest
    purpose: Purpose
    number: int
    env: BlockEnv
    fork: str
    timeout_s: float
    overrides: Overrides = NONE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a trial: an output, an amount of gas, an access list, or why not."""

    output: bytes = b""
    gas: int = 0
    access_list: AccessList = ()
    error: str | None = None
    is_revert: bool = False
    needs_exchange: bool = False


def try_out(trial: Trial, state: State, precompiles: Precompiles) -> Verdict:
    """Run a trial on `state`, which is left as it was. Pure but for its stopwatch."""
    rules, budget, request = FORKS[trial.fork], Stopwatch(trial.timeout_s), trial.request
    env = env_of(trial)
    try:
        table = precompiles_with(precompiles, trial.overrides)
        if trial.purpose is Purpose.ESTIMATE:
            return Verdict(gas=estimate_gas(state, env, request, rules, table, budget))
        if trial.purpose is Purpose.ACCESS_LIST:
            found = create_access_list(state, env, request, rules, table, budget)
            words = describe(found.error) if found.error else None
            return Verdict(gas=found.gas_used, access_list=found.access_list, error=words)
        result = call(state, env, request, rules, table, budget)
    except ExecutionFailed as failed:
        return _failed(failed.error, failed.output)
    except InvalidTransaction as error:
        is_call = trial.purpose is Purpose.CALL
        return Verdict(error=f"err: {error} (supplied gas {request.gas})" if is_call else str(error))
    except InvalidInput as error:
        return Verdict(error=str(error))
    except ExchangeNeeded:
        return Verdict(needs_exchange=True)
    return Verdict(result.output, result.gas_used) if result.success else _failed(result.error, result.output)


def env_of(trial: Trial) -> BlockEnv:
    """What contracts learn of the block; what the sender overrides counts, even fees that it does not pay."""
    return env_with(without_fees(trial.env, trial.request), trial.overrides)


def _failed(error: FrameError | None, output: bytes) -> Verdict:
    assert error is not None, "what fails has a reason"
    return Verdict(output, error=describe(error), is_revert=isinstance(error, Revert))


class Stopwatch:
    """Stops a run that lasts too long; asked at each jump, so it looks at the clock now and then only."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._calls = 0

    def __call__(self) -> None:
        self._calls += 1
        if self._calls & 0x3F == 0 and time.monotonic() > self._end:
            raise LimitExceeded("execution aborted (timeout)")


class Trials:
    """Runs trials for a node."""

    def __init__(self, node: ServedNode, reads: ChainReads) -> None:
        self._node = node
        self._reads = reads
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(
        self, request: CallRequest, purpose: Purpose, wanted: BlockId, overrides: Overrides = NONE
    ) -> Verdict:
        """Raises RpcError where there is no such block, or its state is not kept any more."""
        if wanted.tag == PENDING:
            return await self._run_pending(request, purpose, overrides)
        number = self._reads.block_number(wanted)
        trial = self.trial(request, purpose, number, overrides)
        verdict = await self.run_on_store(_try_on, trial)
        if not verdict.needs_exchange:
            return verdict
        if number != self._reads.head_number() and wanted.tag is None:
            raise RpcError(
                SERVER_ERROR, f"a contract read the exchange, whose state at block {number} is not kept"
            )
        return await self._run_pending(request, purpose, overrides)

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
            self._pool = worker_pool(CALL_WORKERS, _start_worker, self._node.data_dir, chosen_engine())
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, _work_in_worker, work, job)
        except BrokenProcessPool as error:
            self._pool = None  # the next call starts another
            raise RpcError(SERVER_ERROR, "the call's process ended unexpectedly: try again") from error

    async def _run_pending(self, request: CallRequest, purpose: Purpose, overrides: Overrides) -> Verdict:
        def run(reader: ServedReader) -> Verdict:
            env, state = reader.env(), reader.state
            if overrides.accounts:
                state = state_with(reader.database, state.layers, overrides)
            trial = Trial(
                request,
                purpose,
                reader.head.number,
                env,
                reader.rules.name,
                CALL_PENDING_TIMEOUT_S,
                overrides,
            )
            return try_out(trial, state, reader.precompiles())

        return await self._node.query(run)

    def trial(
        self, request: CallRequest, purpose: Purpose, number: int, overrides: Overrides = NONE
    ) -> Trial:
        """A trial at a block sees that block's own fields, as in geth."""
        env, rules = self._node.env_at(number, _no_hash)
        return Trial(request, purpose, number, env, rules.name, CALL_TIMEOUT_S, overrides)


def _no_hash(number: int) -> Hash32:
    """Replaced where the trial runs: a function over a store does not travel between processes."""
    raise AssertionError("the trial's own store answers BLOCKHASH")


def _try_on(trial: Trial, snapshot: Snapshot) -> Verdict:
    try:
        state, trial = prepared(trial, snapshot)
    except NotSupported as error:
        return Verdict(error=str(error))
    return try_out(trial, state, precompiles_of(trial, snapshot))


def prepared(trial: Trial, snapshot: Snapshot) -> tuple[State, Trial]:
    """The trial's own state, and the trial with the block hashes of the store. Raises NotSupported."""
    state = state_with(after_block(snapshot, trial.number), (), trial.overrides)
    return state, replace(trial, env=replace(trial.env, block_hash=block_hashes(snapshot)))


def precompiles_of(trial: Trial, snapshot: Snapshot) -> Precompiles:
    """Of the fork, and on a chain of ours those that stand for the exchange, which is not in the store."""
    rules = FORKS[trial.fork]
    return rules.precompiles if is_imported(snapshot) else precompiles_without_exchange(rules)


def archive_of(snapshot: Snapshot) -> BlockArchive[object, AnyHeader]:
    """The blocks in the store."""
    blocks = Blocks(snapshot)
    return EthereumArchive(blocks) if is_imported(snapshot) else Archive(blocks)


def block_hashes(snapshot: Snapshot) -> Callable[[int], Hash32]:
    """BLOCKHASH out of the store; zero for a block that only an override pretends."""
    archive = archive_of(snapshot)

    def block_hash(number: int) -> Hash32:
        header = archive.header(number)
        return ZERO_HASH if header is None else header.hash

    return block_hash


# In the worker process

_store: LmdbStore | None = None


def _start_worker(data_dir: Path, engine: Choice) -> None:
    global _store
    choose_engine(engine)
    _store = LmdbStore(data_dir, 0, readonly=True)


def _work_in_worker(work: Callable[[Job, Snapshot], T], job: Job) -> T:
    assert _store is not None, "the worker opened the store"
    with _store.snapshot() as snapshot:
        return work(job, snapshot)
