"""A market that a batch lists is served immediately by a running node, and the same after a restart or an undo."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.admission.weights import RateLimits
from coinone.interfaces.api.exchange.channels.table import parse_subscription
from coinone.interfaces.api.service import Service
from coinone.interfaces.client import actions
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.signing import Domain, Signer, sign_action
from coinone.node.dev.tools import Dev
from coinone.node.network.peering import NOBODY_SEEN
from coinone.node.networks import load_network
from coinone.node.node import Node
from tests.interfaces.api.exchange.test_api_info import ask
from tests.interfaces.api.stream_stand import Listener
from tests.rules.exchange.listing import add_to_table, says

MAKER, TAKER = (Signer(dev_keys()[number]) for number in (0, 1))
USER = "0x" + MAKER.address.hex()
NEW = 3  # the asset number of the next market: genesis lists BTC, ETH, SOL
XRP = says("XRP", 2, 250_000)  # 25.0, with four decimals of prices
BID = actions.Order(NEW, True, "2", "24.9")
SALE = actions.Order(NEW, False, "1", "24.9", "Ioc")  # of the 2 that are bid for, 24.9 altogether

pytestmark = pytest.mark.usefixtures("calls_on_demand")


@pytest.fixture(autouse=True)
def in_table(monkeypatch: pytest.MonkeyPatch) -> None:
    add_to_table(monkeypatch)


@contextmanager
def running(folder: Path) -> Iterator[Node]:
    node = Node(load_network("dev"), folder, map_size_bytes=2**28)
    node.start()
    try:
        yield node
    finally:
        node.stop()


def served(node: Node, scenario: Callable[[Service], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        service = Service(node, lambda: NOBODY_SEEN, 1200)
        await service.start()
        try:
            async with asyncio.timeout(60):
                return await scenario(service)
        finally:
            await service.stop()

    return asyncio.run(run())


async def act(service: Service, action: Any, signer: Signer = MAKER) -> Any:
    """The answer to a signed action, once what it changed has been told."""
    domain = Domain.coinone(service.node.network.chain_id)
    signed = sign_action(signer, domain, action, at_ms=service.node.view.time_ms + 1)
    answer = await service.relay.act(signed, 300)
    assert answer["status"] == "ok", answer
    while service.data.seq < answer["receipt"]["batch"]:
        await asyncio.sleep(0.01)
    return answer["response"]


async def priced(service: Service, market: int) -> None:
    """Wait until the oracle has a price of this market."""
    while not service.node.view.markets[market].is_active:
        await asyncio.sleep(0.05)


async def place(service: Service, order: actions.Order, signer: Signer = MAKER) -> Any:
    (status,) = (await act(service, actions.order([order]), signer))["data"]["statuses"]
    return status


async def listen(service: Service, *kinds: str, coin: str = "XRP") -> Listener:
    """A listener to these streams about the market, or the user."""
    listener = Listener()
    service.hub.join(listener)
    for kind in kinds:
        asked = {"type": kind, "coin": coin, "interval": "1m", "user": USER}
        key = parse_subscription(asked, service.data.coins)
        service.hub.subscribe(listener, key)
        service.hub.begin(listener, key, await service.feed.snapshot(key))
    return listener


async def heard(listener: Listener, channel: str, when: Callable[[Any], bool]) -> Any:
    """The data of the newest message of a channel, once it is as wanted."""
    while True:
        found = [message["data"] for message in listener.messages if message["channel"] == channel]
        if found and when(found[-1]):
            return found[-1]
        await asyncio.sleep(0.02)


async def told(service: Service) -> dict[str, Any]:
    """What the interface answers about the new market and of one who trades there, without what time changes."""
    book = await ask(service, "l2Book", coin="XRP")
    state = await ask(service, "clearinghouseState", user=USER)
    candle = {"coin": "XRP", "interval": "1m", "startTime": 0}
    (position,) = state["assetPositions"]
    return {
        "meta": await ask(service, "meta"),
        "mids": sorted(await ask(service, "allMids")),
        "levels": book["levels"],
        "trades": await ask(service, "recentTrades", coin="XRP"),
        "candles": await ask(service, "candleSnapshot", req=candle),
        "fills": await ask(service, "userFills", user=USER),
        "orders": await ask(service, "openOrders", user=USER),
        "size": (position["position"]["coin"], position["position"]["szi"]),
        "leverage": (await ask(service, "activeAssetData", user=USER, coin="XRP"))["leverage"],
        "day": (await ask(service, "metaAndAssetCtxs"))[1][NEW]["dayBaseVlm"],
    }


async def traded(service: Service) -> None:
    """List the market, and trade 1 of it at 24.9; 1 more is bid for."""
    await act(service, XRP)
    await priced(service, NEW)
    assert "resting" in await place(service, BID)
    assert (await place(service, SALE, TAKER))["filled"]["totalSz"] == "1.0"


def test_a_market_is_served_from_the_batch_that_lists_it(tmp_path: Path) -> None:
    async def scenario(service: Service) -> Any:
        with pytest.raises(InvalidInput, match="unknown coin"):
            await listen(service, "l2Book")
        states = await listen(service, "allMids", "webData2", "clearinghouseState")
        await act(service, XRP)
        assert (await ask(service, "l2Book", coin="XRP"))["levels"] == [[], []]
        assert (await ask(service, "allMids"))["XRP"] == "25.0"
        market = await listen(service, "l2Book", "trades", "bbo", "candle", "activeAssetCtx")
        await priced(service, NEW)
        await place(service, BID)
        level = {"px": "24.9", "sz": "2.0", "n": 1}
        await heard(market, "l2Book", lambda data: data["levels"] == [[level], []])
        await place(service, SALE, TAKER)
        await heard(market, "bbo", lambda data: data["bbo"] == [{**level, "sz": "1.0"}, None])
        await heard(
            market, "trades", lambda data: [(row["px"], row["sz"]) for row in data] == [("24.9", "1.0")]
        )
        await heard(
            market, "candle", lambda data: (data["s"], data["c"], data["v"]) == ("XRP", "24.9", "1.0")
        )
        await heard(market, "activeAssetCtx", lambda data: data["ctx"]["dayBaseVlm"] == "1.0")
        await heard(states, "allMids", lambda data: "XRP" in data["mids"])
        for channel in ("clearinghouseState", "webData2"):
            data = await heard(states, channel, lambda data: data["clearinghouseState"]["assetPositions"])
            (row,) = data["clearinghouseState"]["assetPositions"]
            assert (row["position"]["coin"], row["position"]["szi"]) == ("XRP", "1.0")
        assert len(data["meta"]["universe"]) == len(data["assetCtxs"]) == NEW + 1
        return await told(service)

    with running(tmp_path) as node:
        found = served(node, scenario)
    new = {"szDecimals": 2, "name": "XRP", "maxLeverage": 20, "marginTableId": 20}
    assert found["meta"]["universe"][NEW] == new
    assert found["mids"] == ["BTC", "ETH", "SOL", "XRP"]
    assert found["levels"] == [[{"px": "24.9", "sz": "1.0", "n": 1}], []]
    (candle,) = found["candles"]
    assert [candle[name] for name in "ohlcvn"] == ["24.9", "24.9", "24.9", "24.9", "1.0", 1]
    assert [(row["coin"], row["px"], row["sz"]) for row in found["fills"]] == [("XRP", "24.9", "1.0")]
    assert [(row["coin"], row["sz"]) for row in found["orders"]] == [("XRP", "1.0")]
    assert found["size"] == ("XRP", "1.0") and found["day"] == "1.0"


def test_who_trades_there_is_answered_although_the_streams_are_behind(tmp_path: Path) -> None:
    """What is read of accounts and of the store may be ahead of the view that the interface has come to."""

    async def scenario(service: Service) -> Any:
        before = service.node.view
        await traded(service)
        assert service._pump is not None and service._pump.cancel()
        service.data.begin(before, service.node.history)
        assert len((await ask(service, "meta"))["universe"]) == NEW
        state = await ask(service, "clearinghouseState", user=USER)
        kinds = ("userFills", "openOrders", "frontendOpenOrders", "historicalOrders")
        lists = [await ask(service, kind, user=USER) for kind in kinds]
        account = json.loads(await service.explorer.get(f"account/{USER}", RateLimits(10**9).purse("")))
        streamed = await listen(service, "clearinghouseState", "openOrders", "webData2", coin="BTC")
        return state, lists, account, streamed.messages

    with running(tmp_path) as node:
        state, lists, account, messages = served(node, scenario)
    assert [row["position"]["coin"] for row in state["assetPositions"]] == ["XRP"]
    assert [len(rows) for rows in lists] == [1, 1, 1, 1] and len(messages) == 3
    assert account["openOrders"][0]["coin"] == "XRP"


def test_a_restart_gives_the_same_market(tmp_path: Path) -> None:
    async def before(service: Service) -> Any:
        await traded(service)
        return await told(service)

    async def after(service: Service) -> Any:
        found = await told(service)
        await priced(service, NEW)
        return found, await place(service, SALE, TAKER)

    with running(tmp_path) as node:
        first = served(node, before)
    with running(tmp_path) as node:
        again, sale = served(node, after)
    assert again == first
    assert sale["filled"]["totalSz"] == "1.0"


def test_going_back_takes_the_market_away_and_another_may_have_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(service: Service) -> None:
        dev, node = Dev(service.node), service.node
        snapshot, before = await dev.snapshot(), await ask(service, "meta")
        root = node.view.head.exchange_root
        await traded(service)
        gone, stays = await listen(service, "l2Book", "trades", "candle"), await listen(service)
        assert gone.messages and await dev.revert(snapshot)
        assert (len(node.view.markets), node.view.head.exchange_root) == (NEW, root)
        while len(service.data.coins.all) > NEW:
            await asyncio.sleep(0.01)
        assert await ask(service, "meta") == before
        assert [listener.open for listener in (gone, stays)] == [False, True]
        with pytest.raises(InvalidInput, match="unknown coin"):
            await listen(service, "l2Book")
        assert await ask(service, "userFills", user=USER) == []
        await act(service, says("ADA", 3, 9_000))
        assert (await ask(service, "meta"))["universe"][NEW]["name"] == "ADA"
        ada = await listen(service, "l2Book", coin="ADA")
        await priced(service, NEW)
        assert 8_900 < node.view.markets[NEW].oracle < 9_100  # walks from 9.0, not from the other's 25.0
        await place(service, actions.Order(NEW, True, "20", "8.9"))
        await heard(ada, "l2Book", lambda data: data["levels"] == [[{"px": "8.9", "sz": "20.0", "n": 1}], []])

    with running(tmp_path) as node:
        served(node, scenario)
    assert caplog.messages == []  # no batch failed to be published
