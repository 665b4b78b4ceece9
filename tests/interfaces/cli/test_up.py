"""`coinone up` as a process: what it prints, how it stops, and what it refuses."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from coinone.interfaces.client import Client, NoAnswer
from coinone.interfaces.client.dev import DEV_MNEMONIC, dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow


def coinone(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coinone.interfaces.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def node(tmp_path: Path) -> LocalNode:
    return LocalNode(tmp_path / "data")


def test_it_introduces_itself_stops_on_ctrl_c_and_goes_on_where_it_was(node: LocalNode) -> None:
    with node, Client(node.url, key=dev_keys()[0]) as client:
        for line in (node.url.replace("127.0.0.1", "localhost"), "926002", "public, worthless", DEV_MNEMONIC):
            wait_for(lambda line=line: line in node.output(), line)
        assert "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80" in node.output()
        client.send("0x" + "77" * 20, 12)
        batch = client.health()["batch"]
        assert node.stop(signal.SIGINT) == 0
        assert "everything that was answered is on disk" in node.output()
        node.start()
        assert client.health()["batch"] >= batch
        # Of 12, opening the account costs 1.
        assert float(client.summary("0x" + "77" * 20)["marginSummary"]["accountValue"]) == 11
        assert node.stop(signal.SIGTERM) == 0


def test_a_chain_that_was_killed_verifies_and_one_in_use_is_not_touched(node: LocalNode) -> None:
    with node, Client(node.url, key=dev_keys()[0]) as client:
        client.deposit(50)
        done = coinone("verify", "--data-dir", str(node.data_dir))
        assert done.returncode == 1 and f"in use by process {node.pid}" in done.stderr
        second = coinone("up", "--data-dir", str(node.data_dir), "--http-port", "0", "--rpc-port", "0")
        assert second.returncode == 1 and "in use by process" in second.stderr
        node.stop(signal.SIGKILL)
        done = coinone("verify", "--data-dir", str(node.data_dir))
        assert done.returncode == 0, done.stderr
        assert "all roots match" in done.stdout


def test_accounts_are_listed_and_an_agent_made_on_the_command_line_trades(
    node: LocalNode, tmp_path: Path
) -> None:
    key_file = tmp_path / "agent.key"
    with node, Client(node.url) as client:
        listed = coinone("account", "list", "--url", node.url)
        assert listed.returncode == 0 and "1000000" in listed.stdout
        done = coinone(
            "account", "agent", "bot", "--compat", "--dev", "4", "--out", str(key_file), "--url", node.url
        )
        assert done.returncode == 0, done.stderr
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600 and "compat" in done.stdout
        owner = "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65"  # the phrase's account 4
        wait_for(lambda: float(client.contexts()["BTC"]["oraclePx"]) > 0, "a price")
        agent = Client(node.url, key=key_file.read_text().strip(), account=owner)
        assert "resting" in agent.order("BTC", True, "0.01", 80_000)
        assert len(client.open_orders(owner)) == 1


def test_reset_keeps_the_old_folder_and_leaves_foreign_ones_alone(node: LocalNode, tmp_path: Path) -> None:
    with node, Client(node.url, key=dev_keys()[0]) as client:
        client.send("0x" + "77" * 20, 12)
        node.stop()
        again = LocalNode(node.data_dir, arguments=("--reset",))
        with again, Client(again.url) as fresh:
            assert float(fresh.summary("0x" + "77" * 20)["marginSummary"]["accountValue"]) == 0
    (backup,) = [path for path in tmp_path.iterdir() if path.name.startswith("data.")]
    assert (backup / "state.lmdb").exists() and str(backup.name) in again.output()
    photos = tmp_path / "photos"
    photos.mkdir()
    done = coinone("up", "--data-dir", str(photos), "--reset")
    assert done.returncode == 1 and "left it alone" in done.stderr and photos.exists()


def test_secrets_are_the_owners_alone(node: LocalNode) -> None:
    with node:
        keys = list((node.data_dir / "keys").iterdir())
        assert keys and all(stat.S_IMODE(key.stat().st_mode) == 0o600 for key in keys)


def test_the_demo_market_ends_with_its_parent(tmp_path: Path) -> None:
    node = LocalNode(tmp_path / "data", demo=True)
    with node:
        (demo,) = wait_for(lambda: demo_processes(node.pid), "the demo market")
        node.stop(signal.SIGKILL)
        wait_for(lambda: "interfaces.demo" not in command_line(demo), "the end of the demo market")


def demo_processes(parent: int) -> list[str]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [child for child in children if "interfaces.demo" in command_line(child)]


def command_line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""


def test_a_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "state.lmdb").write_bytes(os.urandom(20_000))
    with pytest.raises(NoAnswer, match=r"coinone: .*state\.lmdb"):
        LocalNode(folder).start()
