"""Worker processes come and go with the process that they work for."""

import gc
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coinone.node.executor.workers import Answer, Servant
from tests.functional.waiting import wait_for

OWNER = """
import os, time
from coinone.node.executor.workers import worker_pool
if __name__ == "__main__":
    pool = worker_pool(1)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # dead, and nobody has asked how it ended


def test_a_worker_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout is not None
        worker = int(owner.stdout.readline())
        assert worker != owner.pid and is_running(worker)
        owner.send_signal(signal.SIGKILL)
    wait_for(lambda: not is_running(worker), "the worker's end")


def refusing() -> Answer:
    def answer(question: object) -> object:
        raise ValueError(question)

    return answer


@contextmanager
def without_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Held:
    """What whoever asks holds meanwhile: an answer of 25 MB, say."""


def test_an_error_of_a_worker_keeps_nothing_in_memory() -> None:
    """Error and frame held each other and all their callers' variables until the collector came, minutes later: 2.4 GB
    of answers that had long been sent."""

    def ask(servant: Servant, held: Held) -> None:
        servant.ask("why", 60.0)

    servant, held = Servant(refusing), Held()
    trace = weakref.ref(held)
    try:
        servant.start()
        with without_collector():
            with pytest.raises(ValueError, match="why") as caught:
                ask(servant, held)
            del caught, held
            assert trace() is None
    finally:
        servant.close()
