"""A temporary node for a test or an experiment, run as a child process.

with LocalNode() as node, Client(node.url, key=dev_keys()[0]) as client:
    client.order("BTC", True, "0.01", 97000)
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from coinone.interfaces.client.client import Client
from coinone.interfaces.client.errors import ClientError, NoAnswer

COMMAND_LINE = (sys.executable, "-m", "coinone.interfaces.cli.main")
START_WAIT_S = 120.0  # the very first start compiles the kernels
STOP_WAIT_S = 15.0
_POLL_S = 0.1


class LocalNode:
    """`coinone up` in a child process, on free ports, in a temporary folder unless `data_dir` is given.

    `follow` makes it a `coinone node` that follows the node listening there. `launcher` is a program that runs the
    command line, such as strace.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        demo: bool = False,
        arguments: tuple[str, ...] = (),
        follow: str | None = None,
        launcher: tuple[str, ...] = COMMAND_LINE,
    ) -> None:
        self._is_temporary = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="coinone-"))
        self.port, self.rpc_port = free_ports(2)
        self._command = "up" if follow is None else "node"
        wanted = ("--follow", follow) if follow is not None else () if demo else ("--no-demo",)
        self._arguments = (*wanted, *arguments)
        self._launcher = launcher
        self._printed = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._output = Path(tempfile.mkstemp(prefix="coinone-", suffix=".log")[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def rpc_url(self) -> str:
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def __enter__(self) -> "LocalNode":
        try:
            return self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._printed = self.output()
        self._output.unlink(missing_ok=True)
        if self._is_temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def start(self) -> "LocalNode":
        """Start, and return when the node answers. Raises NoAnswer with what it printed if it does not."""
        command = [*self._launcher, self._command, "--data-dir", str(self.data_dir)]
        command += ["--http-port", str(self.port), "--rpc-port", str(self.rpc_port), *self._arguments]
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=os.environ
            )
        deadline = time.monotonic() + START_WAIT_S
        with Client(self.url) as client:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise NoAnswer(f"the node ended immediately:\n{self.output()}")
                with contextlib.suppress(ClientError):
                    client.rpc("eth_chainId")
                    return self
                time.sleep(_POLL_S)
        raise NoAnswer(f"the node does not answer after {START_WAIT_S:g} s:\n{self.output()}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> int | None:
        """Ask it to end, as Ctrl-C does (or SIGKILL: as a power cut does); its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise NoAnswer(f"the node did not stop within {STOP_WAIT_S:g} s:\n{self.output()}") from None

    def wait(self, seconds: float) -> int:
        """Wait for the node to exit; return its exit code. Raises NoAnswer after `seconds`."""
        assert self._process is not None, "not started"
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"the node is still running after {seconds:g} s:\n{self.output()}") from None

    def restart(self, how: signal.Signals = signal.SIGINT) -> "LocalNode":
        self.stop(how)
        return self.start()

    def output(self) -> str:
        """The node's output so far."""
        return self._output.read_text(errors="replace") if self._output.exists() else self._printed


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at this moment."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
