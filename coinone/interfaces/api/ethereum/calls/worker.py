"""The worker process for simulated calls: contracts on the node's store, overlaid with batches from the node.

The time of a job is limited. The interpreter checks the stopwatch at every jump, machine code after half a million gas;
a precompiled contract cannot be interrupted, so it gets no more gas than it could use in the remaining time at the
slowest rate.
"""

import os
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from coinone.base.primitives.parameters import VM_MEMORY_UNCAPPED_MAX
from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.api.limits import CALL_MEMORY_MAX, PRECOMPILE_GAS_PER_S
from coinone.node.compiling import serving_engine
from coinone.node.imported.node import ImportedNetwork
from coinone.node.storage.lmdb_store import LmdbStore
from coinone.node.storage.store import Snapshot
from coinone.node.views.pending import PendingBatch
from coinone.rules.chain.ethereum.execution import Precompiles
from coinone.rules.chain.network import Network
from coinone.rules.vm import Engine
from coinone.rules.vm.errors import OutOfGas
from coinone.rules.vm.precompiles import Precompile

Job = TypeVar("Job")
T = TypeVar("T")
_NICENESS = 10  # below the thread that makes batches, and below the interface


class OutOfTime(Exception):
    """Raised when the job exceeds its time limit. Jobs must not catch it."""


class Stopwatch:
    """Stops a job that takes too long: the running code calls it regularly. `clock` is wall time, or the thread's
    processor time."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def within(self, seconds: float) -> "Stopwatch":
        """A stopwatch that stops after `seconds`, or with this one, whichever is earlier."""
        made = Stopwatch(seconds)
        made._end = min(made._end, self._end)
        return made

    def __call__(self) -> None:
        if self._clock() > self._end:
            raise OutOfTime

    def gas_left(self) -> int:
        """The most gas that a precompiled contract may use in the remaining time."""
        return max(0, int((self._end - self._clock()) * PRECOMPILE_GAS_PER_S))


@dataclass(frozen=True, slots=True)
class Desk:
    """The environment of a job. `batches`, lowest first, are the pending ones if it is to see them."""

    snapshot: Snapshot
    network: Network | ImportedNetwork
    budget: Stopwatch
    engine: Engine
    batches: tuple[PendingBatch, ...] = ()


Work = Callable[[Job, Desk], T]


def metered(precompiles: Precompiles, budget: Stopwatch) -> dict[Address, Precompile]:
    """The same contracts, each limited to the budget's time."""
    return {address: partial(_run_metered, contract, budget) for address, contract in precompiles.items()}


def _run_metered(contract: Precompile, budget: Stopwatch, data: bytes, gas: int) -> tuple[int, bytes]:
    budget()
    most = budget.gas_left()
    try:
        return contract(data, min(gas, most))
    except OutOfGas:
        if most < gas:
            raise OutOfTime from None
        raise


@dataclass(frozen=True, slots=True)
class Question:
    """A job for a worker. `batches` are all those it is to see, by hash; `news` are those not sent before."""

    work: Callable[[Any, Desk], Any]
    job: Any
    limit_s: float
    of_processor: bool  # whether the limit counts only processor time
    batches: tuple[Hash32, ...] = ()
    news: tuple[PendingBatch, ...] = ()


class CallWorker:
    """Runs jobs in the worker's process."""

    def __init__(self, data_dir: Path, network: Network | ImportedNetwork, engine: Engine) -> None:
        self._network = network
        self._engine = engine
        self._store = LmdbStore(data_dir, 0, readonly=True)
        self._batches: dict[Hash32, PendingBatch] = {}

    def answer(self, question: Question) -> Any:
        """Run a job. Raises OutOfTime, and whatever the job raises."""
        batches = self._seen(question.batches, question.news) if question.batches else ()
        with self._store.snapshot() as snapshot:
            clock = time.thread_time if question.of_processor else time.monotonic
            desk = Desk(snapshot, self._network, Stopwatch(question.limit_s, clock), self._engine, batches)
            return question.work(question.job, desk)

    def _seen(self, hashes: Iterable[Hash32], news: Iterable[PendingBatch]) -> tuple[PendingBatch, ...]:
        self._batches.update((batch.hash, batch) for batch in news)
        self._batches = {each: self._batches[each] for each in hashes}
        return tuple(self._batches.values())


def _data_limit(network: Network | ImportedNetwork) -> int:
    """The memory limit of a worker process. Each engine maps its two arenas whole, and touches what gas pays for."""
    return CALL_MEMORY_MAX + (2 * VM_MEMORY_UNCAPPED_MAX if isinstance(network, ImportedNetwork) else 0)


def start_worker(
    data_dir: Path, network: Network | ImportedNetwork, engine: str, first: Question
) -> Callable[[Question], Any]:
    """Start a worker: load everything that the first call would wait for, by running `first` and dropping its
    answer. `engine` is the name of the node's engine."""
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (_data_limit(network), _data_limit(network)))
    worker = CallWorker(data_dir, network, serving_engine(engine))
    worker.answer(first)
    return worker.answer
