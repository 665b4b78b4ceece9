"""The executor ends in order: what waits is told, what nobody waits for any more does no harm."""

import threading
import time

import pytest

from coinone.base.primitives.errors import StorageError
from coinone.node.runtime.clock import SystemClock
from coinone.node.runtime.executor import Executor


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
