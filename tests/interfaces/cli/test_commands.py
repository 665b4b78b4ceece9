"""The command line as its users meet it: a mistake gives a sentence and an exit code, never a traceback."""

import re
import socket
import subprocess
import sys
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import pytest

from coinone.interfaces.cli.bench import available
from coinone.interfaces.cli.main import main


def coinone(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coinone.interfaces.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def mistaken(*arguments: str) -> tuple[int, str]:
    """The exit code and the errors of a command line that starts nothing, in this process: it takes half a second to
    start another."""
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(StringIO()) as errors:
        patch.setattr(sys, "argv", ["coinone", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
    assert isinstance(end.value.code, int)
    return end.value.code, errors.getvalue()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["account", "list", "--url", "http://127.0.0.1:9"], 1, "Is a node running?"),
        (["account", "list", "--url", "localhost"], 1, "not an http(s) address"),
        (["account", "list", "0x12"], 1, "0x and 40 hex digits"),
        (["account", "agent"], 1, "--key-file FILE or --dev NUMBER"),
        (["account", "agent", "--key-file", "/nonexistent"], 1, "/nonexistent: No such file"),
        (["account", "check", "0x12"], 1, "0x and 40 hex digits"),
        (["record", "x.tape", "--seconds", "-1"], 2, "0.25"),
        (["up", "--bind", "0.0.0.0"], 1, "does not listen beyond this computer"),
        (["node", "--network", "main"], 1, "not launched"),
        (["node", "--network", "moon"], 1, "unknown network"),
        (["bench", "nothing"], 1, "no benchmark 'nothing'"),
        (["upp"], 2, "No such command"),
        (["up", "--http-port", "123456"], 2, "65535"),
    ],
)
def test_a_mistake_is_explained(arguments: list[str], code: int, said: str) -> None:
    ended, errors = mistaken(*arguments)
    assert ended == code
    assert said in errors
    assert "Traceback" not in errors


def test_a_mistake_ends_the_process_with_the_same_code_and_words() -> None:
    done = coinone("account", "list", "0x12")
    assert (done.returncode, done.stderr) == mistaken("account", "list", "0x12")
    assert done.returncode == 1


@pytest.mark.parametrize("command", ["up", "node"])
@pytest.mark.parametrize("flag", ["--port", "--rpc-port", "--listen"])
def test_a_busy_port_is_named_with_the_flag_that_moves_it_before_anything_is_made(
    command: str, flag: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    ports = {"--port": "0", "--rpc-port": "0"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = f"127.0.0.1:{taken.getsockname()[1]}"
        ports[flag] = busy if flag == "--listen" else busy.partition(":")[2]
        done = coinone(command, "--data-dir", str(folder), *[part for port in ports.items() for part in port])
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"port {busy.partition(':')[2]} on 127.0.0.1" in done.stderr and f"{flag} moves it" in done.stderr
    assert not folder.exists()


def test_help_lists_the_commands() -> None:
    done = coinone("--help")
    assert done.returncode == 0
    assert all(
        f" {name} " in done.stdout for name in ("up", "node", "verify", "record", "replay", "warm", "bench")
    )


def test_programs_that_a_benchmark_starts_are_no_benchmarks() -> None:
    """`coinone bench` ran node/_transfer_node too, which wants a folder and ports and failed without them."""
    names = available()
    assert "node/transfers" in names
    assert [name for name in names if "/_" in name] == []


def test_the_heavy_libraries_wait_until_they_are_needed() -> None:
    program = "import sys, coinone.interfaces.cli.main; print(sorted({'numba', 'numpy', 'uvicorn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_told() -> None:
    assert coinone("--version").stdout.startswith("coinone 0.")


def test_up_and_node_take_the_same_options_and_a_few_of_their_own() -> None:
    options = {name: set(re.findall(r"--[a-z-]+", coinone(name, "--help").stdout)) for name in ("up", "node")}
    assert options["up"] - options["node"] == {"--demo", "--no-demo", "--reset"}
    assert options["node"] - options["up"] == {"--network", "--follow"}
    assert {"--data-dir", "--port", "--rpc-port", "--bind", "--listen", "--vm", "--archive"} <= options["up"]
