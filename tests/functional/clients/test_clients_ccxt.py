"""ccxt and ccxt.pro, unmodified: their hyperliquid class with our addresses."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import ccxt.pro
import pytest
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client.local import LocalNode
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
ACCOUNT = 2
BTC, ETH = "BTC/USDC:USDC", "ETH/USDC:USDC"


def settings(node: LocalNode, wallet: LocalAccount) -> dict[str, Any]:
    stream = node.url.replace("http", "ws") + "/ws"
    return {
        "urls": {"api": {"public": node.url, "private": node.url, "ws": {"public": stream}}},
        "walletAddress": wallet.address,
        "privateKey": wallet.key.hex(),
    }


@pytest.fixture
def exchange(market_node: LocalNode, wallet: LocalAccount) -> ccxt.hyperliquid:
    made = ccxt.hyperliquid(settings(market_node, wallet))
    made.load_markets()
    return made


def bid(exchange: ccxt.hyperliquid, symbol: str, part: float = 0.95) -> float:
    return float(exchange.price_to_precision(symbol, exchange.fetch_ticker(symbol)["last"] * part))


def test_markets_tickers_books_and_candles_are_read(exchange: ccxt.hyperliquid) -> None:
    assert {BTC, ETH, "SOL/USDC:USDC"} <= set(exchange.markets)
    assert exchange.market(BTC)["precision"]["amount"] == 0.00001
    assert exchange.fetch_ticker(BTC)["last"] > 0
    book = exchange.fetch_order_book(BTC)
    assert book["bids"][0][0] < book["asks"][0][0]
    candles = wait_for(lambda: exchange.fetch_ohlcv(BTC, "1m"), "a candle")
    opened, high, low, closed = candles[-1][1:5]
    assert low <= min(opened, closed) <= max(opened, closed) <= high
    assert exchange.fetch_funding_rates([BTC])[BTC]["fundingRate"] is not None
    assert exchange.fetch_open_interests([BTC])[BTC]["openInterestAmount"] is not None


def test_a_limit_order_is_placed_found_edited_and_cancelled(exchange: ccxt.hyperliquid) -> None:
    price = bid(exchange, ETH)
    order = exchange.create_order(ETH, "limit", "buy", 0.3, price)
    fetched = exchange.fetch_order(order["id"], ETH)
    assert (fetched["status"], fetched["amount"], fetched["price"]) == ("open", 0.3, price)
    edited = exchange.edit_order(order["id"], ETH, "limit", "buy", 0.4, bid(exchange, ETH, 0.94))
    assert edited["id"] in [each["id"] for each in exchange.fetch_open_orders(ETH)]
    exchange.cancel_order(edited["id"], ETH)
    assert exchange.fetch_open_orders(ETH) == []
    assert exchange.fetch_order(edited["id"], ETH)["status"] == "canceled"


def test_a_post_only_order_that_would_trade_is_refused(exchange: ccxt.hyperliquid) -> None:
    with pytest.raises(ccxt.ExchangeError):
        exchange.create_order(ETH, "limit", "buy", 0.3, bid(exchange, ETH, 1.02), {"postOnly": True})


def test_an_account_without_money_is_refused_as_ccxt_understands(exchange: ccxt.hyperliquid) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(BTC, "limit", "buy", 1_500, bid(exchange, BTC))


def test_a_market_order_opens_a_position_that_is_closed_reduce_only(exchange: ccxt.hyperliquid) -> None:
    exchange.set_leverage(5, BTC)
    before = exchange.fetch_balance()["USDC"]["total"]
    price = exchange.fetch_ticker(BTC)["last"]
    exchange.create_order(BTC, "market", "buy", 0.03, price)
    (position,) = exchange.fetch_positions([BTC])
    assert (position["side"], position["contracts"], position["leverage"]) == ("long", 0.03, 5)
    trade = exchange.fetch_my_trades(BTC)[-1]
    assert exchange.fetch_trades(BTC)[-1]["id"] == trade["id"]  # in ccxt's class these are one's own, too
    assert (trade["side"], trade["takerOrMaker"]) == ("buy", "taker") and trade["fee"]["cost"] > 0
    exchange.create_order(BTC, "market", "sell", 0.03, price, {"reduceOnly": True})
    assert exchange.fetch_positions([BTC]) == []
    assert exchange.fetch_balance()["USDC"]["total"] < before  # spread and fees


def test_orders_by_client_id_and_several_at_once(exchange: ccxt.hyperliquid) -> None:
    name = f"0x{time.time_ns():032x}"
    exchange.create_order(ETH, "limit", "buy", 0.1, bid(exchange, ETH), {"clientOrderId": name})
    exchange.cancel_order(None, ETH, {"clientOrderId": name})
    price = bid(exchange, ETH)
    rows = [{"symbol": ETH, "type": "limit", "side": "buy", "amount": 0.1, "price": price} for _ in range(3)]
    made = exchange.create_orders(rows)
    exchange.cancel_orders([each["id"] for each in made], ETH)
    assert exchange.fetch_open_orders(ETH) == []


@pytest.fixture
def stream(market_node: LocalNode, wallet: LocalAccount) -> Iterator[Callable[..., Any]]:
    """Runs a coroutine with a connected ccxt.pro exchange."""

    def run(scenario: Callable[[ccxt.pro.hyperliquid], Awaitable[None]]) -> None:
        async def whole() -> None:
            exchange = ccxt.pro.hyperliquid(settings(market_node, wallet))
            try:
                async with asyncio.timeout(40):
                    await exchange.load_markets()
                    await scenario(exchange)
            finally:
                await exchange.close()

        asyncio.run(whole())

    yield run


def test_ccxt_pro_watches_the_market(stream: Callable[..., Any]) -> None:
    async def scenario(exchange: ccxt.pro.hyperliquid) -> None:
        for _ in range(3):
            book = await exchange.watch_order_book(BTC)
            assert book["bids"][0][0] < book["asks"][0][0]
        assert (await exchange.watch_trades(BTC))[-1]["price"] > 0
        assert (await exchange.watch_ticker(BTC))["last"] > 0
        assert (await exchange.watch_ohlcv(BTC, "1m"))[-1][4] > 0

    stream(scenario)


def test_ccxt_pro_trades_over_the_stream_and_sees_its_orders(stream: Callable[..., Any]) -> None:
    async def scenario(exchange: ccxt.pro.hyperliquid) -> None:
        watching = asyncio.create_task(exchange.watch_orders(ETH))
        fills = asyncio.create_task(exchange.watch_my_trades(ETH))
        await asyncio.sleep(1)
        price = (await exchange.fetch_ticker(ETH))["last"]
        resting = float(exchange.price_to_precision(ETH, price * 0.95))
        order = await exchange.create_order_ws(ETH, "limit", "buy", 0.2, resting)
        assert order["id"] in [each["id"] for each in await watching]
        await exchange.cancel_order_ws(order["id"], ETH)
        await exchange.create_order(ETH, "market", "buy", 0.05, price)
        assert (await fills)[-1]["amount"] > 0
        await exchange.create_order(ETH, "market", "sell", 0.05, price, {"reduceOnly": True})

    stream(scenario)
