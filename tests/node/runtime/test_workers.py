"""Worker processes come and go with the process that they work for."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.functional.waiting import wait_for

OWNER = """
import os, time
from coinone.node.runtime.workers import worker_pool
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
