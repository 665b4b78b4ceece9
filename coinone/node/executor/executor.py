"""The single thread that owns the state (D14).

Everything that reads or writes chain, exchange or pools runs here: jobs from other threads in order, and the node's own
work when it is due. Batches come first: the clock is checked between two jobs. Then cancels: a trader that leaves the
market does not wait behind the requests of others. While the state includes a batch that others have not certified yet,
ordinary jobs, which would read it, are held.
"""

import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from coinone.base.primitives.errors import LimitExceeded, StorageError
from coinone.base.primitives.integers import div_down
from coinone.node.clock import Clock
from coinone.node.limits import EXECUTOR_JOBS_MAX, READS_HELD_S

T = TypeVar("T")
_Job = tuple[bool, int, Callable[[], Any], "Future[Any]"]  # is ordinary (later), number, job, result


class Overloaded(LimitExceeded):
    """Raised when the executor's queue is full: the refused job never reached the executor."""

    def __init__(self, most: int) -> None:
        super().__init__("node is overloaded, try again", most=most)

    def __reduce__(self) -> tuple[object, ...]:
        return Overloaded, (self.details["most"],)


class Executor:
    """Runs jobs and the node's own work on one thread. `work` does what is due and returns when, on the steady
    clock, it is to be called again. It is also called after each job, which may have made something due. Ordinary jobs
    are held while `holds`."""

    def __init__(
        self, clock: Clock, work: Callable[[], float], holds: Callable[[], bool] = lambda: False
    ) -> None:
        self._clock = clock
        self._work = work
        self._holds = holds
        self._held: deque[_Job] = deque()
        self._held_since: float | None = None
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._count = itertools.count()
        self._stopping = threading.Event()
        self._door = threading.Lock()  # so that no job is queued after the last check of the queue
        self._thread = threading.Thread(target=self._run, name="coinone-executor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End after the running job; queued jobs fail. Raises StorageError if the thread hangs."""
        with self._door:
            self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise StorageError(f"executor did not stop within {timeout_s} s")

    def submit(self, job: Callable[[], T], first: bool = False, own: bool = False) -> "Future[T]":
        """Run `job` on the executor; `first`: before all jobs without it, which can never fill the last quarter of
        the queue. Raises Overloaded if too many wait, unless the job is the node's `own`: its caller submits those
        one at a time."""
        future: Future[T] = Future()
        with self._door:
            if self._stopping.is_set():
                future.set_exception(StorageError("node is stopping"))
                return future
            most = EXECUTOR_JOBS_MAX if first else div_down(3 * EXECUTOR_JOBS_MAX, 4)
            waiting = self._jobs.qsize() + len(
                self._held
            )  # no other thread adds jobs: this one holds the lock
            if waiting >= most and not own:
                raise Overloaded(most)
            self._jobs.put_nowait((not first, next(self._count), job, future))
        return future

    def assert_owner(self) -> None:
        assert threading.current_thread() is self._thread, "the state belongs to the executor's thread"

    def _run(self) -> None:
        while not self._stopping.is_set():
            left = self._work() - self._clock.steady_s()
            is_holding = self._is_holding()
            if not is_holding:
                self._give_back()
            try:  # if work is due again immediately, one waiting job runs first
                entry = self._jobs.get(timeout=min(left, 0.1)) if left > 0 else self._jobs.get_nowait()
            except queue.Empty:
                continue
            is_ordinary, _, job, future = entry
            if is_ordinary and is_holding:
                self._held.append(entry)
            else:
                self._do(job, future)
        self._give_back()
        while not self._jobs.empty():
            *_, future = self._jobs.get_nowait()
            self._do(_refuse, future)

    def _give_back(self) -> None:
        """Return what was held to its places in the queue."""
        while self._held:
            self._jobs.put_nowait(self._held.popleft())

    def _is_holding(self) -> bool:
        if not self._holds():
            self._held_since = None
            return False
        now = self._clock.steady_s()
        self._held_since = now if self._held_since is None else self._held_since
        return now - self._held_since < READS_HELD_S

    def _do(self, job: Callable[[], Any], future: "Future[Any]") -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(job())
        except BaseException as error:
            future.set_exception(error)


def _refuse() -> None:
    raise StorageError("node is stopping")
