"""Streams over a raw WebSocket: what a subscriber gets, in which order, and what it never gets."""

import base64
import json
import time
import zlib
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.errors import Refused
from coinone.interfaces.client.local import LocalNode

pytestmark = pytest.mark.slow
MAKER, TAKER = 7, 8  # dev accounts of this module
TOKEN_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def subscribe(socket: ClientConnection, **subscription: Any) -> None:
    socket.send(json.dumps({"method": "subscribe", "subscription": subscription}))


def next_on(socket: ClientConnection, channel: str, seconds: float = 20.0) -> Any:
    """The data of the next message of a channel; others pass by."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        message = json.loads(socket.recv(left))
        if message["channel"] == channel:
            return message["data"]
    raise AssertionError(f"nothing on {channel}")


@pytest.fixture
def socket(market_node: LocalNode) -> Any:
    with connect(f"ws://127.0.0.1:{market_node.port}/ws") as made:
        yield made


def client(market_node: LocalNode, number: int) -> Client:
    return Client(market_node.url, key=dev_keys()[number])


def test_every_market_channel_begins_with_a_snapshot(socket: ClientConnection) -> None:
    subscribe(socket, type="allMids")
    assert set(next_on(socket, "allMids")["mids"]) == {"BTC", "ETH", "SOL"}
    subscribe(socket, type="l2Book", coin="BTC")
    book = next_on(socket, "l2Book")
    assert book["coin"] == "BTC" and all(book["levels"])
    subscribe(socket, type="bbo", coin="ETH")
    assert [side["px"] for side in next_on(socket, "bbo")["bbo"]]
    subscribe(socket, type="activeAssetCtx", coin="SOL")
    assert float(next_on(socket, "activeAssetCtx")["ctx"]["markPx"]) > 0


def test_what_is_told_of_all_dexs_is_told_of_the_one_there_is(
    market_node: LocalNode, socket: ClientConnection
) -> None:
    with client(market_node, TAKER) as taker:
        user = taker.account
        subscribe(socket, type="allDexsClearinghouseState", user=user)
        ((dex, state),) = next_on(socket, "allDexsClearinghouseState")["clearinghouseStates"]
        assert dex == "" and float(state["marginSummary"]["accountValue"]) > 0
    subscribe(socket, type="webData3", user=user)
    assert next_on(socket, "webData3")["userState"]["user"] == user
    subscribe(socket, type="assetCtxs", dex="")
    contexts = next_on(socket, "assetCtxs")
    assert contexts["dex"] == "" and len(contexts["ctxs"]) == 3


def test_squeezed_prices_begin_with_all_and_go_on_with_what_changed(socket: ClientConnection) -> None:
    def prices() -> Any:
        packed = base64.b64decode(next_on(socket, "fastAssetCtxs"))
        return json.loads(zlib.decompress(packed, wbits=-zlib.MAX_WBITS))

    subscribe(socket, type="fastAssetCtxs")
    known = prices()
    assert set(known) == {"BTC", "ETH", "SOL"}
    for _ in range(3):
        changed = prices()
        assert changed and all(known[coin] != price for coin, price in changed.items())
        known |= changed


def test_the_explorers_streams_are_bare_arrays_of_batches_and_their_transactions(
    market_node: LocalNode, socket: ClientConnection
) -> None:
    def next_array(names: set[str]) -> Any:
        while True:
            message = json.loads(socket.recv(20))
            if isinstance(message, list) and message and names <= set(message[0]):
                return message

    subscribe(socket, type="explorerBlock")
    subscribe(socket, type="explorerTxs")
    first, second = (next_array({"blockTime", "hash", "height", "numTxs", "proposer"})[0] for _ in range(2))
    assert second["height"] == first["height"] + 1
    with client(market_node, TAKER) as taker, pytest.raises(Refused):
        taker.send(taker.account, 1)
    rows: list[Any] = []
    while not any(row["user"] == taker.account for row in rows):
        rows = next_array({"action", "block", "error", "hash", "time", "user"})
    mine = next(row for row in rows if row["user"] == taker.account)
    assert (mine["action"]["type"], mine["error"]) == ("usdSend", "Cannot self-transfer.")


def test_books_go_on_with_rising_times_and_are_never_crossed(socket: ClientConnection) -> None:
    subscribe(socket, type="l2Book", coin="BTC")
    books = [next_on(socket, "l2Book") for _ in range(5)]
    times = [book["time"] for book in books]
    assert times == sorted(times) and len(set(times[1:])) == 4  # the snapshot may be of the batch sent next
    for book in books:
        bids, asks = ([float(level["px"]) for level in side] for side in book["levels"])
        assert bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0]


def test_an_order_shows_on_all_of_its_owners_channels(
    market_node: LocalNode, socket: ClientConnection
) -> None:
    with client(market_node, TAKER) as taker:
        user = taker.account
        for kind in ("orderUpdates", "userEvents", "userFills", "clearinghouseState", "openOrders"):
            subscribe(socket, type=kind, user=user)
        assert next_on(socket, "userFills")["isSnapshot"] is True
        bid = float(taker.mids()["ETH"]) * 0.9
        price = round(bid, 1)
        oid = taker.order("ETH", True, "0.5", price)["resting"]["oid"]
        (update,) = next_on(socket, "orderUpdates")
        assert (update["order"]["oid"], update["status"]) == (oid, "open")
        orders = next_on(socket, "openOrders")
        while not orders["orders"]:
            orders = next_on(socket, "openOrders")
        assert orders["user"] == user and orders["orders"][0]["oid"] == oid
        taker.cancel([(1, oid)])
        (update,) = next_on(socket, "orderUpdates")
        assert (update["order"]["oid"], update["status"]) == (oid, "canceled")


def test_a_fill_reaches_its_party_and_the_tape(market_node: LocalNode, socket: ClientConnection) -> None:
    with client(market_node, MAKER) as trader, connect(f"ws://127.0.0.1:{market_node.port}/ws") as tape:
        subscribe(socket, type="userFills", user=trader.account)
        assert next_on(socket, "userFills")["isSnapshot"] is True
        subscribe(tape, type="trades", coin="SOL")
        ask = float(trader.book("SOL")["levels"][1][0]["px"])
        assert trader.order("SOL", True, "0.25", round(ask * 1.01, 2), tif="Ioc")["filled"]
        news = next_on(socket, "userFills")
        assert news["isSnapshot"] is False and news["user"] == trader.account
        mine = news["fills"][0]
        assert (mine["side"], mine["coin"], mine["crossed"]) == ("B", "SOL", True)
        seen: dict[int, list[str]] = {}
        while mine["tid"] not in seen:
            seen |= {trade["tid"]: trade["users"] for trade in next_on(tape, "trades")}
        assert seen[mine["tid"]][0] == trader.account, "the buyer is named first"


def test_nothing_comes_that_was_not_asked_for(socket: ClientConnection) -> None:
    subscribe(socket, type="userFills", user="0x" + "11" * 20)
    channels = []
    deadline = time.monotonic() + 1.5
    while (left := deadline - time.monotonic()) > 0:
        try:
            channels.append(json.loads(socket.recv(left))["channel"])
        except TimeoutError:
            break
    assert channels == ["subscriptionResponse", "userFills"]


def test_after_unsubscribing_the_stream_is_still(socket: ClientConnection) -> None:
    subscribe(socket, type="l2Book", coin="BTC")
    next_on(socket, "l2Book")
    socket.send('{"method":"unsubscribe","subscription":{"type":"l2Book","coin":"BTC"}}')
    while json.loads(socket.recv(5))["channel"] != "subscriptionResponse":
        continue
    with pytest.raises(TimeoutError):
        socket.recv(1.0)


def test_ethereum_subscriptions_tell_of_blocks_and_logs(market_node: LocalNode) -> None:
    with connect(f"ws://127.0.0.1:{market_node.rpc_port}/") as socket, client(market_node, MAKER) as maker:

        def call(method: str, *params: Any) -> Any:
            socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
            while "id" not in (answer := json.loads(socket.recv(10))):
                continue
            return answer["result"]

        heads = call("eth_subscribe", "newHeads")
        logs = call("eth_subscribe", "logs", {"topics": [TOKEN_TRANSFER]})
        maker.withdraw("5")
        head_numbers, transfers = [], []
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (transfers and len(head_numbers) >= 2):
            params = json.loads(socket.recv(10)).get("params", {})
            if params.get("subscription") == heads:
                head_numbers.append(int(params["result"]["number"], 16))
            elif params.get("subscription") == logs:
                transfers.append(params["result"])
        assert head_numbers == list(range(head_numbers[0], head_numbers[0] + len(head_numbers)))
        assert int(transfers[0]["data"], 16) == 5_000_000
        found = call("eth_getLogs", {"blockHash": transfers[0]["blockHash"], "topics": [TOKEN_TRANSFER]})
        assert transfers[0] in found
        assert call("eth_unsubscribe", heads) is True
