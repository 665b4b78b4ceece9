"""What runs in a process for trial calls: contracts, on the store that the node writes, under batches the node sent.

A job may take only so long. The interpreter asks the stopwatch at every jump, the machine code after half a million
gas; a precompiled contract cannot be asked while it works, so it gets no more gas than the time left would do at the
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
_NICENESS = 10  # behind the thread that makes batches, and behind the interface


class OutOfTime(Exception):
    """The job took longer than it may. Nothing that a job does may catch it."""


class Stopwatch:
    """Stops a job that lasts too long: whoever works calls it now and then. `clock` is that of the wall, or of the
    thread's own processor time."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def within(self, seconds: float) -> "Stopwatch":
        """One that stops after so many seconds, or when this one does."""
        made = Stopwatch(seconds)
        made._end = min(made._end, self._end)
        return made

    def __call__(self) -> None:
        if self._clock() > self._end:
            raise OutOfTime

    def gas_left(self) -> int:
        """What a precompiled contract may burn at most in the time that is left."""
        return max(0, int((self._end - self._clock()) * PRECOMPILE_GAS_PER_S))


@dataclass(frozen=True, slots=True)
class Desk:
    """What a job is done with. `batches`, lowest first, are the pending ones if it is to see them."""

    snapshot: Snapshot
    network: Network | ImportedNetwork
    budget: Stopwatch
    engine: Engine
    batches: tuple[PendingBatch, ...] = ()


Work = Callable[[Job, Desk], T]


def metered(precompiles: Precompiles, budget: Stopwatch) -> dict[Address, Precompile]:
    """The same contracts, none of which runs longer than the budget allows."""
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
    """A job on its way to a worker. `batches` are all it is to see, by hash; `news` those not sent before."""

    work: Callable[[Any, Desk], Any]
    job: Any
    limit_s: float
    of_processor: bool  # whether the limit counts processor time alone
    batches: tuple[Hash32, ...] = ()
    news: tuple[PendingBatch, ...] = ()


class CallWorker:
    """In the worker's process."""

    def __init__(self, data_dir: Path, network: Network | ImportedNetwork, engine: Engine) -> None:
        self._network = network
        self._engine = engine
        self._store = LmdbStore(data_dir, 0, readonly=True)
        self._batches: dict[Hash32, PendingBatch] = {}

    def answer(self, question: Question) -> Any:
        """Raises OutOfTime, and whatever the job raises."""
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
    """Most bytes of a process for calls. A machine maps its two arenas whole, and touches what gas pays for."""
    return CALL_MEMORY_MAX + (2 * VM_MEMORY_UNCAPPED_MAX if isinstance(network, ImportedNetwork) else 0)


def start_worker(
    data_dir: Path, network: Network | ImportedNetwork, engine: str, first: Question
) -> Callable[[Question], Any]:
    """What a worker's process begins with: everything that the first call would wait for. `first` is answered, to
    nobody, so that what it needs is loaded. `engine` is the name of the node's."""
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (_data_limit(network), _data_limit(network)))
    worker = CallWorker(data_dir, network, serving_engine(engine))
    worker.answer(first)
    return worker.answer
