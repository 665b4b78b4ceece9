"""The processes of a local federation: one for each member, started again when it ends.

Other commands act on a running network through files in the folder of a member: `LOCK`, which its node holds while it
runs and which names its process (folder_lock.py), and `stopped` for one that is to stay away.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import format_bytes
from coinone.interfaces.cli.serving.signals import stop_on_signals
from coinone.interfaces.client.local import COMMAND_LINE
from coinone.node.clock import SystemClock, system_entropy
from coinone.node.dev.federation import make_members, transport_key_of
from coinone.node.networks import load_network
from coinone.node.storage.folder_lock import FolderLock, owner_of_lock

RESTART_WAIT_S = 3.0
STOP_WAIT_S = 15.0
WATCH_S = 0.5
_SETTINGS = "network.json"


class Settings(msgspec.Struct, frozen=True):
    """What a network was begun with. `http_port` is the first member's; then one for each, for JSON-RPC a hundred
    later, for peers two hundred."""

    members: int
    http_port: int

    def ports(self, number: int) -> tuple[int, int, int]:
        first = self.http_port + number
        return first, first + 100, first + 200


def run(folder: Path, wanted: Settings) -> None:
    """Keep the members running until Ctrl-C. Raises InvalidInput or StorageError."""
    console = Console()
    settings = _settings(folder, wanted, console)
    lock = FolderLock(folder)  # raises while another process runs this network
    network = LocalNetwork(folder, settings, console)
    stopping = stop_on_signals()
    try:
        network.watch()
        network.introduce()
        while not stopping.wait(WATCH_S):
            network.watch()
    finally:
        console.print("stopping")
        network.stop()
        lock.release()


def kill(folder: Path, name: str) -> None:
    """Raises InvalidInput if no such member runs."""
    os.kill(_process_of(folder, name), signal.SIGKILL)


def stop(folder: Path, name: str) -> None:
    """Raises InvalidInput if no such member runs."""
    process = _process_of(folder, name)
    _stopped(folder, name).touch()
    os.kill(process, signal.SIGINT)


def start(folder: Path, name: str) -> None:
    """Raises InvalidInput if there is no such member."""
    if not (folder / name).is_dir():
        raise InvalidInput(f"no such member in {folder}", have=name)
    _stopped(folder, name).unlink(missing_ok=True)


class LocalNetwork:
    def __init__(self, folder: Path, settings: Settings, console: Console) -> None:
        self._folder = folder
        self._settings = settings
        self._console = console
        self._names = _names(settings)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: dict[str, float] = {}
        keys = [transport_key_of(folder / name, system_entropy) for name in self._names]
        self._addresses = [
            f"127.0.0.1:{settings.ports(number)[2]}#{format_bytes(key)}" for number, key in enumerate(keys)
        ]

    def watch(self) -> None:
        """Start members that do not run and are to, each some seconds after it ended."""
        for name in self._names:
            process = self._processes.get(name)
            if process is not None and process.poll() is not None:
                self._console.print(f"{name} has ended ({_how(process.returncode)})")
                del self._processes[name]
                self._ended[name] = time.monotonic()
            due = time.monotonic() - self._ended.get(name, float("-inf")) >= RESTART_WAIT_S
            if name not in self._processes and due and not _stopped(self._folder, name).exists():
                self._processes[name] = self._started(name)

    def stop(self) -> None:
        """Ask all to end, as Ctrl-C does, and wait for them."""
        for process in self._processes.values():
            process.send_signal(signal.SIGINT)
        for process in self._processes.values():
            try:
                process.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def introduce(self) -> None:
        """Print each member's addresses and process."""
        for number, name in enumerate(self._names):
            http, rpc, _ = self._settings.ports(number)
            process = self._processes.get(name)
            runs = f"process {process.pid}" if process else "stopped"
            line = f"{name}  page and API http://localhost:{http}  JSON-RPC http://localhost:{rpc}  {runs}"
            self._console.print(line, soft_wrap=True, highlight=False)
        self._console.print(
            f"What they print is in {self._folder}/NAME/node.log.\n"
            f"From another terminal: coinone network kill|stop|start NAME --data-dir {self._folder}. Ctrl-C ends all.",
            soft_wrap=True,
        )

    def _started(self, name: str) -> subprocess.Popen[bytes]:
        number, folder = self._names.index(name), self._folder / name
        http, rpc, listen = self._settings.ports(number)
        command = [*COMMAND_LINE, "node", "--data-dir", str(folder)]
        command += ["--http-port", str(http), "--rpc-port", str(rpc), "--listen", str(listen)]
        for other, address in enumerate(self._addresses):
            command += ["--follow", address] if other != number else []
        with (folder / "node.log").open("ab") as log:
            # Its own session: Ctrl-C goes to this process, which then stops them in order.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


def _settings(folder: Path, wanted: Settings, console: Console) -> Settings:
    """Those that the network was begun with; at the first start, make its folders, in one step at the end."""
    path = folder / _SETTINGS
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty and no network of Coinone")
    draft = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("making the members' folders", total=wanted.members)
        folders, now_ms = [draft / name for name in _names(wanted)], SystemClock().wall_ms()
        make_members(load_network("dev"), folders, now_ms, system_entropy, lambda: progress.advance(task))
    (draft / _SETTINGS).write_bytes(msgspec.json.encode(wanted))
    draft.rename(folder)
    return wanted


def _names(settings: Settings) -> list[str]:
    return [f"member{number}" for number in range(settings.members)]


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


def _stopped(folder: Path, name: str) -> Path:
    return folder / name / "stopped"


def _process_of(folder: Path, name: str) -> int:
    """The process that has a member's folder open. Raises InvalidInput if none has."""
    process = owner_of_lock(folder / name)
    if process is None:
        raise InvalidInput(f"no such member runs in {folder}", have=name)
    return process
