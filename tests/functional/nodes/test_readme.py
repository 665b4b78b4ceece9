"""Commands and code of the README work as pasted; only ports and the program's path differ here."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coinone.interfaces.client import Client, ClientError
from coinone.interfaces.client.local import COMMAND_LINE, LocalNode, free_ports
from tests.functional.waiting import wait_for

README = (Path(__file__).parents[3] / "README.md").read_text()
DEFAULT_HTTP_PORT, DEFAULT_RPC_PORT = 3001, 8545

pytestmark = pytest.mark.slow


def blocks(heading: str) -> list[str]:
    """The code blocks below a heading."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```\w*\n(.*?)```", section, re.DOTALL)


@contextmanager
def running(command: str, folder: Path, ports: dict[int, int]) -> Iterator[None]:
    """A command of the README, run in `folder`, on free ports instead of those it names."""
    for port, free in ports.items():
        command = re.sub(rf"\b{port}\b", str(free), command)
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/coinone"
    if "--http-port" not in arguments:
        arguments += [
            "--http-port",
            str(ports[DEFAULT_HTTP_PORT]),
            "--rpc-port",
            str(ports[DEFAULT_RPC_PORT]),
        ]
    process = subprocess.Popen([*COMMAND_LINE, *arguments], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def block_of(client: Client) -> int | None:
    try:
        number: int = client.health()["block"]
    except ClientError:
        return None
    return number


def test_the_second_node_follows_the_first(tmp_path: Path) -> None:
    first, second = blocks("Run a second node")
    named = (DEFAULT_HTTP_PORT, DEFAULT_RPC_PORT, 30301, 3002, 8546)
    ports = dict(zip(named, free_ports(len(named)), strict=True))
    at = {port: Client(f"http://127.0.0.1:{ports[port]}") for port in (DEFAULT_HTTP_PORT, 3002)}
    with running(first, tmp_path, ports):
        wait_for(lambda: (block_of(at[DEFAULT_HTTP_PORT]) or 0) > 0, "the first node's first block", 120)
        with running(second, tmp_path, ports):
            reached = wait_for(lambda: block_of(at[DEFAULT_HTTP_PORT]), "a block")
            wait_for(lambda: (block_of(at[3002]) or 0) >= reached, "the follower to be as far", 120)


def test_the_bot_places_an_order(market_node: LocalNode, tmp_path: Path) -> None:
    assert "`pip install hyperliquid-python-sdk`" in README
    (program,) = blocks("Connect a bot")
    script = tmp_path / "bot.py"
    script.write_text(program.replace("http://localhost:3001", market_node.url))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)
    assert "'resting': {'oid':" in done.stdout, done.stdout
