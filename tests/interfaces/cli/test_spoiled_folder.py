"""A damaged data folder: `coinone up` says in a sentence what is wrong, and does not start."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coinone.interfaces.client.local import COMMAND_LINE
from coinone.node.networks import load_network
from coinone.node.node import Node

pytestmark = pytest.mark.slow

LOG = "log/0000000001.log"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped node's folder: a block, and batches above it."""
    folder = tmp_path_factory.mktemp("chain") / "data"
    node = Node(load_network("dev"), folder, map_size_bytes=2**28)
    node.start()
    deadline = time.monotonic() + 60
    while node.view.head.batch_seq == 0 or node.view.seq == node.view.head.batch_seq:
        assert time.monotonic() < deadline, "no block"
        time.sleep(0.02)
    node.stop()
    return folder


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def other_digit(file: Path) -> None:
    """Still a key, of somebody else."""
    text = file.read_text()
    file.write_text(("1" if text[0] != "1" else "2") + text[1:])


def empty(file: Path) -> None:
    os.truncate(file, 0)


@pytest.mark.parametrize(
    ("file", "spoil", "said"),
    [
        ("state.lmdb", cut, "is cut short"),
        ("state.lmdb", empty, "the database is gone or empty"),
        ("state.lmdb", Path.unlink, "the database is gone or empty"),
        (LOG, empty, "0000000001.log is cut short, to 0 good bytes"),
        (LOG, Path.unlink, "0000000001.log is gone"),
        ("log", shutil.rmtree, "0000000001.log is gone"),
        ("keys/federation", Path.unlink, "federation is gone"),
        (
            "keys/federation",
            other_digit,
            "keys/federation is of no member of this chain, and no node to follow",
        ),
        ("keys/seeds", other_digit, "keys/seeds is not the one that this chain was begun with"),
        ("keys/reporter", other_digit, "keys/reporter is not the one that this chain was begun with"),
        ("LOCK", lambda file: (file.unlink(), file.mkdir()), "Is a directory"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made_anew(
    chain: Path, tmp_path: Path, file: str, spoil: Callable[[Path], object], said: str
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(chain, folder)
    spoil(folder / file)
    ports = ("--port", "0", "--rpc-port", "0")
    command = [*COMMAND_LINE, "up", "--no-demo", "--data-dir", str(folder), *ports]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("coinone: ") and said in done.stderr


@pytest.mark.parametrize("folder", ["/proc/nothing", "/dev/null", "/dev/null/data"])
def test_a_folder_that_cannot_be_made_is_named(folder: str) -> None:
    ports = ("--port", "0", "--rpc-port", "0")
    command = [*COMMAND_LINE, "up", "--no-demo", "--data-dir", folder, *ports]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"coinone: data folder {folder}: "), done.stderr
