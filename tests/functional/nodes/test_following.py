"""Two more nodes follow the one that trades: over loopback, as processes, through the command line."""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from coinone.interfaces.client import Client, ClientError
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import COMMAND_LINE, LocalNode
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow


def free_endpoint() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def key_of(node: LocalNode) -> str:
    """The key that a node shows at its start."""
    return wait_for(lambda: re.findall(r"this node's key: (0x[0-9a-f]{64})", node.output()), "its key")[0]


def equity(client: Client, address: str) -> float:
    return float(client.summary(address)["marginSummary"]["accountValue"])


def test_followers_show_the_same_accounts_and_refuse_to_trade_themselves(tmp_path: Path) -> None:
    trading, relaying = free_endpoint(), free_endpoint()
    stranger = "0x" + "77" * 20
    leader = LocalNode(tmp_path / "leader", arguments=("--listen", trading))
    second = LocalNode(tmp_path / "second", follow=relaying)
    with leader, Client(leader.url, key=dev_keys()[0]) as trader:
        pinned = f"{trading}#{key_of(leader)}"
        first = LocalNode(tmp_path / "first", follow=pinned, arguments=("--listen", relaying))
        trader.send(stranger, 12)
        with first, second, Client(second.url, key=dev_keys()[0]) as reader:
            wait_for(lambda: equity(reader, stranger) == 11, "the transfer, less 1 for the account")
            trader.send(stranger, 30)
            wait_for(lambda: equity(reader, stranger) == 41, "the second transfer")
            with pytest.raises(ClientError, match="follows the chain"):
                reader.send(stranger, 1)
            assert "makes no batches itself" in second.output()
        trader.send(stranger, 8)
        with first, Client(first.url) as reader:  # a restart goes on from its own disk
            wait_for(lambda: equity(reader, stranger) == 49, "the third transfer")


def test_a_follower_whose_pinned_key_is_not_the_leaders_does_not_start_and_names_both(tmp_path: Path) -> None:
    trading, other = free_endpoint(), "0x" + "22" * 32
    with LocalNode(tmp_path / "leader", arguments=("--listen", trading)) as leader:
        key, folder = key_of(leader), tmp_path / "first"
        command = (*COMMAND_LINE, "node", "--follow", f"{trading}#{other}", "--data-dir", str(folder))
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        said = " ".join(ended.stderr.split() + ended.stdout.split())
        assert ended.returncode == 1 and f"want={other}, have={key}" in said
        assert not (folder / "keys").exists()
