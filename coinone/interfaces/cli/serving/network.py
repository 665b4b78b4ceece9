"""`coinone network`: a federation of several members on this computer, to watch and to break.

`up` makes the data folders at the first start, runs a process for each member, and starts one again that has ended.
The other commands act on a running network through files in its folder: `pid` of each member, and `stopped` for one
that is to stay away.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from coinone.base.primitives.errors import InvalidInput

app = typer.Typer(help="Run a federation of several members on this computer.", no_args_is_help=True)

MEMBERS_MAX = 9  # more do not keep up with four batches a second on two cores
RESTART_WAIT_S = 3.0
STOP_WAIT_S = 15.0
WATCH_S = 0.5
_SETTINGS = "network.json"

Folder = Annotated[
    Path, typer.Option("--data-dir", help="The network's folder.", envvar="COINONE_NETWORK_DIR")
]
Name = Annotated[str, typer.Argument(help="A member, such as member0.")]
_DATA = Path("data-network")


class Settings(msgspec.Struct, frozen=True):
    """What a network was begun with."""

    members: int
    http_port: (
        int  # of the first member; then one for each, for JSON-RPC a hundred later, for peers two hundred
    )

    def ports(self, number: int) -> tuple[int, int, int]:
        first = self.http_port + number
        return first, first + 100, first + 200


@app.command("up")
def up(
    members: Annotated[
        int, typer.Option("--members", help="How many members, at the first start.", min=1, max=MEMBERS_MAX)
    ] = 4,
    data_dir: Folder = _DATA,
    http_port: Annotated[
        int,
        typer.Option("--http-port", help="The first member's port, at the first start.", min=1, max=65_000),
    ] = 3101,
) -> None:
    """Start the members and keep them running until Ctrl-C."""
    console = Console()
    settings = _settings(data_dir, Settings(members, http_port), console)
    network = LocalNetwork(data_dir, settings, console)
    stopping = _signals()
    try:
        network.watch()
        network.introduce()
        console.print(
            f"From another terminal: coinone network kill|stop|start NAME --data-dir {data_dir}. Ctrl-C ends all.",
            soft_wrap=True,
        )
        while not stopping:
            time.sleep(WATCH_S)
            network.watch()
    finally:
        console.print("stopping")
        network.stop()


@app.command("kill")
def kill(name: Name, data_dir: Folder = _DATA) -> None:
    """Kill a member as a power cut does; it starts again after three seconds."""
    os.kill(_pid(data_dir, name), signal.SIGKILL)


@app.command("stop")
def stop(name: Name, data_dir: Folder = _DATA) -> None:
    """Stop a member until `coinone network start`."""
    pid = _pid(data_dir, name)
    _stopped(data_dir, name).touch()
    os.kill(pid, signal.SIGINT)


@app.command("start")
def start(name: Name, data_dir: Folder = _DATA) -> None:
    """Start a member that was stopped."""
    if not (data_dir / name).is_dir():
        raise InvalidInput(f"no such member in {data_dir}", have=name)
    _stopped(data_dir, name).unlink(missing_ok=True)


class LocalNetwork:
    """The processes of a network's members."""

    def __init__(self, folder: Path, settings: Settings, console: Console) -> None:
        self._folder = folder
        self._settings = settings
        self._console = console
        self._names = [f"member{number}" for number in range(settings.members)]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: dict[str, float] = {}
        self._keys = _keys([folder / name for name in self._names])

    def watch(self) -> None:
        """Start members that do not run and are to, each some seconds after it ended."""
        for name in self._names:
            process = self._processes.get(name)
            if process is not None and process.poll() is not None:
                self._console.print(f"{name} has ended ({_how(process.returncode)})")
                del self._processes[name]
                _pid_file(self._folder, name).unlink(missing_ok=True)
                self._ended[name] = time.monotonic()
            due = time.monotonic() - self._ended.get(name, float("-inf")) >= RESTART_WAIT_S
            if name not in self._processes and due and not _stopped(self._folder, name).exists():
                self._start(name)

    def stop(self) -> None:
        """Ask all to end, as Ctrl-C does, and wait for them."""
        for process in self._processes.values():
            process.send_signal(signal.SIGINT)
        for name, process in self._processes.items():
            try:
                process.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _pid_file(self._folder, name).unlink(missing_ok=True)

    def introduce(self) -> None:
        """Print each member's addresses and process."""
        for number, name in enumerate(self._names):
            http, rpc, _ = self._settings.ports(number)
            process = self._processes.get(name)
            runs = f"process {process.pid}" if process else "stopped"
            line = f"{name}  page and API http://localhost:{http}  JSON-RPC http://localhost:{rpc}  {runs}"
            self._console.print(line, soft_wrap=True, highlight=False)
        self._console.print(f"What they print is in {self._folder}/NAME/node.log.", soft_wrap=True)

    def _start(self, name: str) -> None:
        number, folder = self._names.index(name), self._folder / name
        http, rpc, listen = self._settings.ports(number)
        command = [sys.executable, "-m", "coinone.interfaces.cli.main", "node", "--data-dir", str(folder)]
        command += ["--http-port", str(http), "--rpc-port", str(rpc), "--listen", str(listen)]
        for other, key in enumerate(self._keys):
            if other != number:
                command += ["--follow", f"127.0.0.1:{self._settings.ports(other)[2]}#{key}"]
        with (folder / "node.log").open("ab") as log:
            # Its own session: Ctrl-C goes to this process, which then stops them in order.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._processes[name] = process
        _pid_file(self._folder, name).write_text(f"{process.pid}\n")


def _settings(folder: Path, wanted: Settings, console: Console) -> Settings:
    """Those that the network was begun with; at the first start, make its folders. Raises StorageError."""
    path = folder / _SETTINGS
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    from coinone.node.clock import SystemClock, system_entropy
    from coinone.node.dev.federation import make_members
    from coinone.node.networks import load_network

    folders = [folder / f"member{number}" for number in range(wanted.members)]
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("making the members' folders", total=wanted.members)
        now_ms = SystemClock().wall_ms()
        make_members(load_network("dev"), folders, now_ms, system_entropy, lambda: progress.advance(task))
    path.write_bytes(msgspec.json.encode(wanted))
    return wanted


def _keys(folders: list[Path]) -> list[str]:
    from coinone.base.primitives.parse import format_bytes
    from coinone.node.clock import system_entropy
    from coinone.node.dev.federation import transport_key_of

    return [format_bytes(transport_key_of(folder, system_entropy)) for folder in folders]


def _signals() -> list[int]:
    """A list that Ctrl-C and SIGTERM make not empty."""
    came: list[int] = []
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, _: came.append(number))
    return came


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


def _pid_file(folder: Path, name: str) -> Path:
    return folder / name / "pid"


def _stopped(folder: Path, name: str) -> Path:
    return folder / name / "stopped"


def _pid(folder: Path, name: str) -> int:
    """Raises InvalidInput if no such member runs."""
    try:
        return int(_pid_file(folder, name).read_text())
    except (OSError, ValueError):
        raise InvalidInput(f"no such member runs in {folder}", have=name) from None
