"""Two more nodes follow the one that trades: over loopback, as processes, through the command line."""

import socket
from pathlib import Path

import pytest

from coinone.interfaces.client import Client, ClientError
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow


def free_endpoint() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def equity(client: Client, address: str) -> float:
    return float(client.summary(address)["marginSummary"]["accountValue"])


def test_followers_show_the_same_accounts_and_refuse_to_trade_themselves(tmp_path: Path) -> None:
    trading, relaying = free_endpoint(), free_endpoint()
    stranger = "0x" + "77" * 20
    leader = LocalNode(tmp_path / "leader", arguments=("--listen", trading))
    first = LocalNode(tmp_path / "first", follow=trading, arguments=("--listen", relaying))
    second = LocalNode(tmp_path / "second", follow=relaying)
    with leader, Client(leader.url, key=dev_keys()[0]) as trader:
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
