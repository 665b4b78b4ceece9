"""What monitoring reads of a node: /health, and the same as metrics."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.interfaces.api.admission.weights import RateLimits
from coinone.interfaces.api.app import App
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.ethereum.methods.send import syncing
from coinone.interfaces.api.metrics import Metrics
from coinone.node.network.peering import PeersSeen
from coinone.node.node import Node


def get(app: App, path: str, client: str = "127.0.0.1") -> tuple[int, bytes]:
    sent: list[Any] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": [(b"host", b"localhost:3001")],
        "client": (client, 1),
    }

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("a GET has no body")

    asyncio.run(app.exchange.http(SimpleNamespace(purse=None, cut=None), scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_a_node_whose_batches_are_on_time_is_well(node: Node) -> None:
    app = App(node, ApiConfig(), lambda: PeersSeen(3, 0, b"\x11" * 32))
    status, body = get(app, "/health")
    health = json.loads(body)
    assert health["peerKey"] == "0x" + "11" * 32
    assert (health["member"], health["leader"]) == (0, 0)
    assert (status, health["status"], health["reason"], health["peers"]) == (200, "ok", None, 3)
    assert abs(health["clock"] - health["time"]) < 10_000
    _, figures = get(app, "/metrics")
    assert b"coinone_healthy 1.0" in figures and b"coinone_peers 3.0" in figures


def test_a_node_without_batches_for_long_answers_503_and_says_why(node: Node) -> None:
    node._executor.stop(5.0)  # as if it hung
    node._heard_s -= 60.0
    app = App(node, ApiConfig())
    status, body = get(app, "/health")
    assert status == 503 and json.loads(body)["msg"].startswith("late: the newest batch is 6")
    assert b"coinone_healthy 0.0" in get(app, "/metrics")[1]


def test_a_node_that_tells_what_is_long_past_is_not_well(node: Node) -> None:
    """Batches were on time, and what was told of them 86 s old; /health said ok. 20 batches are 5 s."""
    node._executor.stop(5.0)
    app = App(node, ApiConfig(), lambda: PeersSeen(3, 0))
    app._service.data.seq = node.view.seq - 20
    status, body = get(app, "/health")
    assert (status, json.loads(body)["told"]) == (200, node.view.seq - 20)
    app._service.data.seq -= 1
    status, body = get(app, "/health")
    assert (status, json.loads(body)["msg"]) == (503, "late: the interface is 21 batches behind the newest")
    assert b"coinone_healthy 0.0" in get(app, "/metrics")[1]


@pytest.mark.parametrize(
    ("best", "told"),
    [
        (0, False),  # it follows nobody
        (102, False),  # a block or two are on their way
        (103, {"startingBlock": "0x7", "currentBlock": "0x64", "highestBlock": "0x67"}),
    ],
)
def test_a_node_that_is_behind_those_it_follows_says_that_it_is_syncing(best: int, told: Any) -> None:
    reads = SimpleNamespace(head_number=lambda: 100)
    backend = SimpleNamespace(reads=reads, peers=lambda: PeersSeen(1, best), first_number=7)
    assert asyncio.run(syncing(SimpleNamespace(backend=backend))) == told  # type: ignore[arg-type]


def test_the_page_of_figures_is_made_once_a_second_however_many_ask() -> None:
    now, made = [100.0], [0]
    metrics = Metrics(lambda: now[0])
    metrics.peers.set_function(lambda: float(made.__setitem__(0, made[0] + 1) or made[0]))
    pages = {metrics.render() for _ in range(60)}
    assert made == [1] and len(pages) == 1
    now[0] += 0.999
    assert metrics.render() in pages
    now[0] += 0.001
    assert b"coinone_peers 2.0" in metrics.render()[0]


def test_figures_are_paid_for_and_health_is_told_to_who_has_nothing_left(node: Node) -> None:
    """2 each: ten of them use up a purse of 20. A load balancer that is refused would take the node for dead."""
    app, stranger = App(node, ApiConfig()), "203.0.113.5"
    app._service._weights = RateLimits(20, clock=lambda: 0.0)
    answers = [get(app, "/metrics", stranger)[0] for _ in range(11)]
    assert answers == [200] * 10 + [429]
    assert get(app, "/health", stranger)[0] == 200
