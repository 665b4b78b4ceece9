"""One address's requests to all listeners of a node: its weight runs out, with an answer that says so, and refills."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from coinone.interfaces.api.admission import weights
from coinone.interfaces.api.app import App
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.server import ApiServer
from coinone.interfaces.api.sockets.listeners import open_listeners
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.node.roles.reporter import signed_prices

NETWORK = load_network("dev")

pytestmark = pytest.mark.usefixtures("calls_on_demand")


@pytest.fixture
def server(node: Node, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(weights, "LOOPBACK_WEIGHT_PER_MINUTE", 40)  # for once, loopback is a stranger
    config = ApiConfig(exchange_port=0, ethereum_port=0)
    made = ApiServer(App(node, config), open_listeners(config))
    made.start()
    yield made
    made.stop()


def post(port: int, path: str, body: Any) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    raw = body if isinstance(body, bytes) else json.dumps(body)
    connection.request("POST", path, raw, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def test_whoever_has_used_up_the_weight_waits_at_every_door(server: ApiServer) -> None:
    port = server.exchange_port
    for _ in range(3):  # 20 each, also where the answer is known from before; the third overdraws
        post(port, "/info", {"type": "meta"})
    for path, body in (
        ("/info", {"type": "meta"}),
        ("/info", {"type": "userFills", "user": "0x" + "11" * 20}),
        ("/exchange", {"action": {"type": "noop"}, "nonce": 1, "signature": {}}),
        ("/explorer", {"type": "blockDetails", "height": 1}),
    ):
        status, answer = post(port, path, body)
        assert (status, answer["code"]) == (429, 429), path
        assert "weight of 40 a minute; try again in" in answer["msg"]
    calls = [{"jsonrpc": "2.0", "id": n, "method": "eth_chainId"} for n in range(2)]
    for refused in post(server.ethereum_port, "/", calls)[1]:
        assert refused["error"]["code"] == -32005 and "try again in" in refused["error"]["message"]


def test_a_refused_question_costs_too(server: ApiServer) -> None:
    statuses = [post(server.exchange_port, "/info", {"type": "nonsense"})[0] for _ in range(4)]
    assert statuses == [422, 422, 422, 429]


@pytest.mark.parametrize("path", ["/rpc", "/exchange"])
def test_what_cannot_even_be_read_costs_too(server: ApiServer, path: str) -> None:
    answers = [post(server.exchange_port, path, b"{") for _ in range(60)]
    refused = [status == 429 or "try again in" in json.dumps(answer) for status, answer in answers]
    assert refused[:40] == [False] * 40, "an address has a weight of 40 here"
    assert any(refused)


def test_reporters_prices_come_by_the_ordinary_door_and_only_from_reporters(
    server: ApiServer, node: Node
) -> None:
    def send(key: bytes) -> Any:
        raw = signed_prices(NETWORK.chain_id, node.view.time_ms + 1_000, ((0, 1_234_567),), key)
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x" + raw.hex()]}
        return post(server.ethereum_port, "/", call)[1]

    assert "not a reporter" in send(b"\x01" * 32)["error"]["message"]
    key = bytes.fromhex((node.data_dir / "keys" / "reporter").read_text())
    assert len(send(key)["result"]) == 66
