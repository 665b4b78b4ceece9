"""The executor stops in order: waiting callers get an answer, and abandoned requests do no harm."""

import threading
import time
from concurrent.futures import Future

import pytest

from coinone.base.primitives.errors import StorageError
from coinone.node.clock import SystemClock
from coinone.node.executor.executor import Executor


def test_jobs_that_wait_at_the_end_fail_by_name_and_a_job_given_up_before_changes_nothing() -> None:
    busy, go_on = threading.Event(), threading.Event()

    def occupy() -> None:
        busy.set()
        assert go_on.wait(10)

    clock = SystemClock()
    executor = Executor(clock, lambda: clock.steady_s() + 60)
    executor.start()
    first = executor.submit(occupy)
    assert busy.wait(10)
    given_up, waiting = executor.submit(lambda: 1), executor.submit(lambda: 2)
    assert given_up.cancel()
    stopper = threading.Thread(target=executor.stop, args=(10,))
    stopper.start()
    while not executor.submit(lambda: 3).done():  # refused at once: it is stopping
        time.sleep(0.01)
    go_on.set()
    stopper.join(10)

    assert first.result(10) is None
    with pytest.raises(StorageError, match="node is stopping"):
        waiting.result(10)


def test_every_job_that_is_handed_in_while_it_ends_is_answered() -> None:
    clock = SystemClock()
    for _ in range(50):
        executor = Executor(clock, lambda: clock.steady_s() + 60)
        executor.start()
        answers: list[Future[int]] = []

        def hand_in(executor: Executor = executor, answers: list[Future[int]] = answers) -> None:
            answers.extend(executor.submit(lambda: 1) for _ in range(200))

        callers = [threading.Thread(target=hand_in) for _ in range(4)]
        for caller in callers:
            caller.start()
        executor.stop(10)
        for caller in callers:
            caller.join(10)
        assert len(answers) == 800 and all(isinstance(a.exception(10), StorageError | None) for a in answers)


def test_who_waits_has_a_turn_between_two_slices_of_the_nodes_own_work() -> None:
    """A block is sealed in slices, each due at once after the last: jobs must not wait for the last of them."""
    clock, slices, begun = SystemClock(), [0], threading.Event()

    def work() -> float:
        slices[0] += 1
        begun.set()
        time.sleep(0.001)
        return clock.steady_s() + (60 if slices[0] >= 300 else 0)

    executor = Executor(clock, work)
    executor.start()
    assert begun.wait(10)
    assert executor.submit(lambda: slices[0]).result(10) < 300
    executor.stop(10)
