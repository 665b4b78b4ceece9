"""The dev network's clock changes, mining, snapshots and faucet, and what the explorer shows of them."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from coinone.base.crypto.secp256k1 import address_of
from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
STRANGER = "0x" + "5a" * 20


@pytest.fixture(scope="module")
def node() -> Iterator[LocalNode]:
    """A node of its own: going back in time is no good company."""
    with LocalNode() as made:
        yield made


@pytest.fixture
def client(node: LocalNode) -> Iterator[Client]:
    with Client(node.url, key=dev_keys()[0]) as made:
        yield made


def explore(node: LocalNode, path: str) -> Any:
    with urllib.request.urlopen(f"{node.url}/explorer/{path}") as answer:
        return json.load(answer)


def head(client: Client) -> dict[str, Any]:
    return client.rpc("eth_getBlockByNumber", "latest", False)


def test_the_faucet_gives_on_both_sides(client: Client) -> None:
    client.rpc("coinone_faucet", STRANGER)
    wait_for(lambda: int(client.rpc("eth_getBalance", STRANGER, "latest"), 16) == 10 * 10**18, "gas coin")
    assert client.info("clearinghouseState", user=STRANGER)["withdrawable"] == "9999.0"  # 1 to open
    assert client.info("userRole", user=STRANGER) == {"role": "user"}


def test_a_block_is_mined_at_once_and_at_a_time(client: Client) -> None:
    before = head(client)
    assert client.rpc("evm_mine") == "0x0"
    assert int(head(client)["number"], 16) > int(before["number"], 16)
    wanted = int(head(client)["timestamp"], 16) + 1000
    client.rpc("evm_mine", hex(wanted))
    assert int(head(client)["timestamp"], 16) >= wanted
    later = int(head(client)["timestamp"], 16)
    client.rpc("evm_increaseTime", 86_400)
    client.rpc("evm_mine")
    assert int(head(client)["timestamp"], 16) >= later + 86_400


def test_reverting_undoes_both_sides_and_the_node_goes_on(client: Client) -> None:
    snapshot = client.rpc("evm_snapshot")
    at = int(head(client)["number"], 16)
    worth = client.summary()["withdrawable"]
    client.send(STRANGER, "123")
    client.rpc("evm_mine")
    assert client.summary()["withdrawable"] != worth
    assert client.rpc("evm_revert", snapshot) is True
    assert client.summary()["withdrawable"] == worth
    assert client.rpc("evm_revert", snapshot) is False
    wait_for(lambda: int(head(client)["number"], 16) > at, "blocks after going back")
    assert "resting" in client.order("BTC", True, "0.01", 50_000)
    client.cancel_all()


def test_the_explorer_follows_an_action_from_batch_to_block(node: LocalNode, client: Client) -> None:
    client.order("BTC", True, "0.02", 51_000)
    seq = explore(node, "blocks")["blocks"][0]["lastBatch"]
    found = wait_for(
        lambda: next(
            (
                tx
                for number in range(seq, seq + 40)
                for tx in _batch(node, number)
                if tx["action"].get("type") == "order" and tx["action"]["orders"][0]["p"] == "51000"
            ),
            None,
        ),
        "the order in a batch",
    )
    shown = explore(node, f"tx/{found['hash']}")
    assert shown["kind"] == "action" and shown["user"] == client.account and shown["status"] == "executed"
    wait_for(lambda: explore(node, f"tx/{found['hash']}")["tier"] == "included", "inclusion in a block")
    batch = explore(node, f"batch/{shown['block']}")
    assert client.account in json.dumps(batch)
    member = bytes.fromhex((node.data_dir / "keys" / "federation").read_text())
    assert batch["proposer"] == "0x" + address_of(member).hex(), "dev's only member leads every term"
    account = explore(node, f"account/{client.account}")
    assert account["isTrader"] and account["openOrders"][0]["limitPx"] == "51000.0"
    client.cancel_all()


def _batch(node: LocalNode, seq: int) -> list[Any]:
    try:
        return explore(node, f"batch/{seq}")["txs"]  # type: ignore[no-any-return]
    except OSError:
        return []


def test_blocks_are_shown_by_number_and_hash(node: LocalNode, client: Client) -> None:
    block = explore(node, "block/latest")
    assert explore(node, f"block/{block['number']}")["hash"] == block["hash"]
    assert explore(node, f"block/{block['hash']}")["number"] == block["number"]
    assert block["ethereum"]["hash"] == block["hash"]
    assert client.rpc("eth_getBlockByNumber", hex(block["number"]), False)["hash"] == block["hash"]


@pytest.mark.parametrize(
    "path", ["block/x", "block/99999999999999999999", "tx/0x12", "account/me", "batch/-1"]
)
def test_the_explorer_refuses_what_is_no_name(node: LocalNode, path: str) -> None:
    with pytest.raises(urllib.request.HTTPError) as caught:
        explore(node, path)
    assert caught.value.code == 400


def test_health_and_metrics_are_there_for_supervisors(node: LocalNode) -> None:
    with urllib.request.urlopen(f"{node.url}/health") as answer:
        assert json.load(answer)["status"] == "ok"
    with urllib.request.urlopen(f"{node.url}/metrics") as answer:
        text = answer.read().decode()
    assert "coinone_batch_seq" in text and "coinone_action_seconds_bucket" in text
