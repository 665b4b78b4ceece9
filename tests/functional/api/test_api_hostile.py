"""Every request type with every kind of wrong value: the answer is JSON, and never an internal error; a stream
continues."""

import http.client
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect

from coinone.interfaces.api.ethereum.table import METHODS
from coinone.interfaces.api.exchange.info.table import INFO_TYPES
from coinone.interfaces.client.local import LocalNode

pytestmark = pytest.mark.slow
USER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
RIGHT: dict[str, list[Any]] = {
    "user": [USER],
    "coin": ["BTC"],
    "oid": [1, "0x" + "01" * 16],
    "startTime": [0],
    "req": [{"coin": "BTC", "interval": "1m", "startTime": 0, "endTime": 2**60}],
    "builder": [USER],
    "id": [50],
    "nSigFigs": [5],
    "mantissa": [2],
}
WRONG: list[Any] = [
    None, True, -1, 0, 1, 2**53, 2**63, 2**64, 2**200, -(2**63), 1.5, "", "0x", "0x0", "0x00", "latest", "１２", " 1",
    "1e9", "0x" + "f" * 64, "0x" + "f" * 65, "0x" + "0" * 40, USER.upper(), "BTC", "btc",
    "\x00", "a" * 5000, [], {}, [[]], [None], {"a": {}},
    {"blockHash": "0x12"}, {"to": USER, "data": "0x1"}, {"fromBlock": "0x5", "toBlock": "0x1"}, {"topics": [[[]]]},
    {"coin": "BTC"}, {"from": USER, "gas": "0xffffffffffffffff", "to": None, "data": "0xfe"}, [1, 2], ["newHeads"],
]  # fmt: skip


@pytest.fixture
def ask(market_node: LocalNode) -> Iterator[Any]:
    connection = http.client.HTTPConnection("127.0.0.1", market_node.port, timeout=20)

    def post(path: str, body: Any) -> tuple[int, Any]:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    yield post
    connection.close()


@pytest.mark.parametrize("kind", sorted(INFO_TYPES))
def test_a_question_is_answered_or_refused(ask: Any, kind: str) -> None:
    right = {"type": kind} | {name: values[0] for name, values in RIGHT.items()}
    assert ask("/info", right)[0] == 200, ask("/info", right)
    for name in RIGHT:
        for wrong in WRONG:
            status, answer = ask("/info", right | {name: wrong})
            assert status == 200 or (status == 422 and answer["msg"]), (name, wrong, answer)


@pytest.mark.parametrize("interval", ["1m", "1w", "1M"])
def test_candles_of_any_time_are_answered_or_refused(ask: Any, interval: str) -> None:
    right = {"coin": "BTC", "interval": interval, "startTime": 0, "endTime": 2**60}
    for name in right:
        for wrong in WRONG:
            status, answer = ask("/info", {"type": "candleSnapshot", "req": right | {name: wrong}})
            assert status == 200 or (status == 422 and answer["msg"]), (name, wrong, answer)


def test_an_order_number_that_no_order_can_have_is_unknown(ask: Any) -> None:
    for oid in (-1, 2**63, 2**64, 2**200):
        question = {"type": "orderStatus", "user": USER, "oid": oid}
        assert ask("/info", question) == (200, {"status": "unknownOid"})


def test_a_stream_answers_whatever_is_said_and_goes_on(market_node: LocalNode) -> None:
    said: list[Any] = list(WRONG)
    for wrong in WRONG:
        said += [
            {"method": wrong},
            {"method": "subscribe", "subscription": wrong},
            {"method": "subscribe", "subscription": {"type": wrong}},
            {"method": "unsubscribe", "subscription": {"type": "userFills", "user": wrong}},
            {"method": "subscribe", "subscription": {"type": "l2Book", "coin": wrong, "nSigFigs": wrong}},
            {"method": "subscribe", "subscription": {"type": "candle", "coin": "BTC", "interval": wrong}},
            {"method": "post", "id": wrong, "request": {"type": "info", "payload": {"type": "meta"}}},
            {"method": "post", "id": 1, "request": {"type": wrong, "payload": wrong}},
            {"method": "post", "id": 1, "request": {"type": "action", "payload": wrong}},
        ]
    with connect(f"ws://127.0.0.1:{market_node.port}/ws") as socket:
        for message in said:
            socket.send(json.dumps(message))
            answer = json.loads(socket.recv(20))
            assert answer["channel"] in ("error", "post"), (message, answer)
            assert "internal error" not in json.dumps(answer), (message, answer)
        socket.send('{"method":"ping"}')
        assert json.loads(socket.recv(20)) == {"channel": "pong"}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_call_is_answered_or_refused(ask: Any, method: str) -> None:
    chance = random.Random(method)
    row = METHODS[method]
    for _ in range(25):
        params = [chance.choice(WRONG) for _ in range(chance.randint(0, min(row.most, 3)))]
        status, answer = ask("/rpc", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert status == 200
        error = answer.get("error")
        assert error is None or error["code"] != -32603, (params, answer)


def test_an_action_of_any_shape_is_answered(ask: Any) -> None:
    signature = {"r": "0x1", "s": "0x1", "v": 27}
    order = {"a": 0, "b": True, "p": "1", "s": "1", "r": False, "t": {"limit": {"tif": "Gtc"}}}
    right = {
        "action": {"type": "order", "orders": [order], "grouping": "na"},
        "nonce": 1,
        "signature": signature,
        "vaultAddress": None,
        "expiresAfter": None,
    }
    status, answer = ask("/exchange", right)
    assert status == 200 and answer["status"] == "err"
    for place in right:
        for wrong in WRONG:
            status, answer = ask("/exchange", right | {place: wrong})
            assert status == 200 and answer["status"] == "err", (place, wrong, answer)
    for name in order:
        for wrong in WRONG:
            action = {"type": "order", "orders": [order | {name: wrong}], "grouping": "na"}
            status, answer = ask("/exchange", right | {"action": action})
            assert status == 200 and answer["status"] == "err", (name, wrong, answer)
