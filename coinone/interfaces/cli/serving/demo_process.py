"""Run the demo market as a child process: restart it after a crash, stop it in order."""

import subprocess
import sys
import time
from pathlib import Path

STOP_WAIT_S = 5.0  # it cancels its orders first
RESTART_WAIT_S = 5.0


class DemoProcess:
    def __init__(self, url: str, log_file: Path) -> None:
        self._url = url
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at_s = float("-inf")
        self.restarts = -1

    def keep_alive(self) -> None:
        """Start it unless it runs, at most once every few seconds."""
        if self._process is not None and self._process.poll() is None:
            return
        if time.monotonic() - self._started_at_s < RESTART_WAIT_S:
            return
        self._started_at_s = time.monotonic()
        self.restarts += 1
        command = [sys.executable, "-m", "coinone.interfaces.demo", "--url", self._url, "--until-parent-ends"]
        with self._log_file.open("ab" if self.restarts else "wb") as log:
            # Its own session: Ctrl-C goes to the parent only, which then lets the makers cancel their orders.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()  # end of input asks it to exit
        try:
            process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
