"""Which callers a running node admits: requests as a browser page, a DNS-rebinding name or an extension sends them."""

import http.client
import json

import pytest
import websockets
from websockets.sync.client import connect

from coinone.interfaces.client.local import LocalNode

pytestmark = pytest.mark.slow
CHAIN_ID = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
EXTENSION = "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn"


def ask(port: int, path: str, body: str = "", method: str = "POST", **headers: str) -> tuple[int, dict, dict]:
    """Status, JSON and headers of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    named = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    text = answer.read()
    found = {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return answer.status, json.loads(text) if text else {}, found


@pytest.mark.parametrize("path", ["/info", "/exchange", "/rpc", "/explorer"])
def test_a_foreign_page_reaches_nothing(market_node: LocalNode, path: str) -> None:
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        status, answer, headers = ask(market_node.port, path, "{}", Origin=origin)
        assert (status, answer["code"]) == (403, 403)
        assert "--allow-origin" in answer["msg"]
        assert "access-control-allow-origin" not in headers
    status, _, headers = ask(market_node.port, path, method="OPTIONS", Origin="https://evil.example")
    assert status == 403 and "access-control-allow-origin" not in headers


def test_a_rebound_name_reaches_nothing(market_node: LocalNode) -> None:
    for port, path in (
        (market_node.port, "/info"),
        (market_node.rpc_port, "/"),
        (market_node.port, "/health"),
    ):
        status, answer, _ = ask(port, path, CHAIN_ID, Host="evil.example")
        assert status == 403 and "--allow-host" in answer["msg"]


def test_a_form_cannot_post(market_node: LocalNode) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        for port, path in ((market_node.port, "/exchange"), (market_node.rpc_port, "/")):
            status, answer, _ = ask(port, path, CHAIN_ID, Content_Type=kind)
            assert status == 415 and "application/json" in answer["msg"]


def test_the_nodes_own_page_gets_its_answers(market_node: LocalNode) -> None:
    origin = f"http://localhost:{market_node.port}"
    status, answer, headers = ask(market_node.rpc_port, "/", CHAIN_ID, Origin=origin)
    assert status == 200 and answer["result"] == hex(926002)
    assert headers["access-control-allow-origin"] == origin
    status, _, headers = ask(market_node.rpc_port, "/", method="OPTIONS", Origin=origin)
    assert status == 204 and headers["access-control-allow-headers"] == "content-type"


def test_an_extension_gets_the_ethereum_basics_only(market_node: LocalNode) -> None:
    assert ask(market_node.rpc_port, "/", CHAIN_ID, Origin=EXTENSION)[1]["result"] == hex(926002)
    mine = CHAIN_ID.replace("eth_chainId", "evm_mine")
    assert ask(market_node.rpc_port, "/", mine, Origin=EXTENSION)[1]["error"]["code"] == -32601
    assert ask(market_node.port, "/info", '{"type":"meta"}', Origin=EXTENSION)[0] == 403


@pytest.mark.parametrize("where", ["/ws", "/rpc", "ethereum"])
def test_websockets_have_the_same_rules_though_browsers_have_none(market_node: LocalNode, where: str) -> None:
    url = (
        f"ws://127.0.0.1:{market_node.rpc_port}/"
        if where == "ethereum"
        else f"ws://127.0.0.1:{market_node.port}{where}"
    )
    with pytest.raises(websockets.InvalidStatus) as caught:
        connect(url, origin="https://evil.example", open_timeout=5).__enter__()
    assert caught.value.response.status_code == 403
    with connect(url, open_timeout=5) as socket:
        socket.send('{"method":"ping"}')
        assert socket.recv(5)


def test_every_mistake_is_answered_as_json_with_code_and_msg(market_node: LocalNode) -> None:
    cases = [
        ("/info", "{", 422),
        ("/info", '{"type":"no such thing"}', 422),
        ("/info", '{"type":"l2Book","coin":"NOPE"}', 422),
        ("/info", "[]", 422),
        ("/exchange", "{", 422),
        ("/nowhere", "{}", 404),
        ("/info", "x" * (2 * 1024 * 1024), 413),
    ]
    for path, body, wanted in cases:
        status, answer, _ = ask(market_node.port, path, body)
        assert (status, answer["code"]) == (wanted, wanted), (path, body[:40])
        assert isinstance(answer["msg"], str)
    status, answer, _ = ask(market_node.port, "/exchange", '{"action":{"type":"order"}}')
    assert status == 200 and answer["status"] == "err"
