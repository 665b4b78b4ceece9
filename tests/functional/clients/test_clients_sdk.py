"""hyperliquid-python-sdk, unmodified: only its address is ours."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from hyperliquid.utils.types import Cloid

from coinone.interfaces.client.local import LocalNode
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
ACCOUNT = 1


@pytest.fixture
def info(market_node: LocalNode) -> Info:
    return Info(market_node.url, skip_ws=True)


@pytest.fixture
def exchange(market_node: LocalNode, wallet: LocalAccount) -> Exchange:
    return Exchange(wallet, market_node.url)


@pytest.fixture
def listener(market_node: LocalNode) -> Iterator[Info]:
    """An Info with its WebSocket; its threads end with the test."""
    listening = Info(market_node.url)
    yield listening
    listening.disconnect_websocket()


def below(info: Info, coin: str, part: float = 0.95) -> float:
    """A bid that rests: five significant figures, well below the market."""
    return float(f"{float(info.all_mids()[coin]) * part:.4g}")


def only_status(answer: Any) -> Any:
    assert answer["status"] == "ok", answer
    (status,) = answer["response"]["data"]["statuses"]
    return status


def test_the_market_is_described_as_the_sdk_expects(info: Info) -> None:
    universe = info.meta()["universe"]
    assert [each["name"] for each in universe] == ["BTC", "ETH", "SOL"]
    assert info.name_to_asset("ETH") == 1
    mids = info.all_mids()
    meta, contexts = info.meta_and_asset_ctxs()
    for market, context in zip(meta["universe"], contexts, strict=True):
        assert abs(float(context["oraclePx"]) / float(mids[market["name"]]) - 1) < 0.02
    bids, asks = info.l2_snapshot("BTC")["levels"]
    assert float(bids[0]["px"]) < float(asks[0]["px"])
    assert [float(level["px"]) for level in bids] == sorted(
        (float(level["px"]) for level in bids), reverse=True
    )


def test_an_order_rests_is_found_by_number_and_is_cancelled(
    info: Info, exchange: Exchange, wallet: LocalAccount
) -> None:
    price = below(info, "ETH")
    oid = only_status(exchange.order("ETH", True, 0.5, price, {"limit": {"tif": "Gtc"}}))["resting"]["oid"]
    (found,) = [each for each in info.open_orders(wallet.address) if each["oid"] == oid]
    assert (found["coin"], found["side"], float(found["limitPx"]), found["sz"]) == ("ETH", "B", price, "0.5")
    assert info.query_order_by_oid(wallet.address, oid)["order"]["status"] == "open"
    assert only_status(exchange.cancel("ETH", oid)) == "success"
    assert info.query_order_by_oid(wallet.address, oid)["order"]["status"] == "canceled"
    assert oid not in [each["oid"] for each in info.open_orders(wallet.address)]
    assert "error" in only_status(exchange.cancel("ETH", oid))


def test_an_order_is_named_by_its_senders_own_id(
    info: Info, exchange: Exchange, wallet: LocalAccount
) -> None:
    cloid = Cloid.from_int(time.time_ns())
    exchange.order("SOL", True, 3.0, below(info, "SOL"), {"limit": {"tif": "Gtc"}}, cloid=cloid)
    assert info.query_order_by_cloid(wallet.address, cloid)["order"]["order"]["cloid"] == cloid.to_raw()
    assert only_status(exchange.cancel_by_cloid("SOL", cloid)) == "success"


def test_an_order_is_modified(info: Info, exchange: Exchange, wallet: LocalAccount) -> None:
    price = below(info, "BTC")
    oid = only_status(exchange.order("BTC", True, 0.01, price, {"limit": {"tif": "Gtc"}}))["resting"]["oid"]
    lower = below(info, "BTC", 0.94)
    answer = exchange.modify_order(oid, "BTC", True, 0.02, lower, {"limit": {"tif": "Gtc"}})
    changed = only_status(answer)["resting"]["oid"]
    (found,) = [each for each in info.open_orders(wallet.address) if each["oid"] == changed]
    assert (float(found["limitPx"]), found["sz"]) == (lower, "0.02")
    only_status(exchange.cancel("BTC", changed))


def test_several_orders_in_one_action_have_a_status_each(info: Info, exchange: Exchange) -> None:
    price = below(info, "ETH")
    limit = {"limit": {"tif": "Gtc"}}
    orders = [
        {
            "coin": "ETH",
            "is_buy": True,
            "sz": 0.1,
            "limit_px": price,
            "order_type": limit,
            "reduce_only": False,
        },
        {
            "coin": "ETH",
            "is_buy": True,
            "sz": 1e-8,
            "limit_px": price,
            "order_type": limit,
            "reduce_only": False,
        },
    ]
    first, second = exchange.bulk_orders(orders)["response"]["data"]["statuses"]
    assert "error" in second
    only_status(exchange.cancel("ETH", first["resting"]["oid"]))


def test_a_market_order_fills_opens_a_position_and_market_close_ends_it(
    info: Info, exchange: Exchange, wallet: LocalAccount
) -> None:
    assert exchange.update_leverage(10, "BTC")["status"] == "ok"
    filled = only_status(exchange.market_open("BTC", True, 0.02))["filled"]
    assert filled["totalSz"] == "0.02"
    state = info.user_state(wallet.address)
    (position,) = [each["position"] for each in state["assetPositions"] if each["position"]["coin"] == "BTC"]
    assert position["szi"] == "0.02" and position["leverage"] == {"type": "cross", "value": 10}
    fill = info.user_fills(wallet.address)[0]
    assert (fill["coin"], fill["side"], fill["dir"], fill["crossed"]) == ("BTC", "B", "Open Long", True)
    assert float(fill["fee"]) > 0
    assert "filled" in only_status(exchange.market_close("BTC"))
    assert info.user_state(wallet.address)["assetPositions"] == []


def test_an_agent_trades_for_the_account_and_cannot_take_its_money(
    market_node: LocalNode, info: Info, exchange: Exchange, wallet: LocalAccount
) -> None:
    answer, key = exchange.approve_agent("helper")
    assert answer["status"] == "ok", answer
    agent = Exchange(Account.from_key(key), market_node.url, account_address=wallet.address)
    oid = only_status(agent.order("ETH", True, 0.2, below(info, "ETH"), {"limit": {"tif": "Gtc"}}))[
        "resting"
    ]["oid"]
    assert oid in [each["oid"] for each in info.open_orders(wallet.address)]
    only_status(agent.cancel("ETH", oid))
    assert agent.usd_transfer(10.0, "0x" + "12" * 20)["status"] == "err"


def test_money_goes_from_account_to_account(info: Info, exchange: Exchange, wallet: LocalAccount) -> None:
    receiver = Account.create().address
    before = float(info.user_state(wallet.address)["marginSummary"]["accountValue"])
    assert exchange.usd_transfer(25.0, receiver)["status"] == "ok"
    wait_for(
        lambda: float(info.user_state(receiver)["marginSummary"]["accountValue"]) == 24.0,
        "the transfer, less 1 for the receiver's account",
    )
    after = float(info.user_state(wallet.address)["marginSummary"]["accountValue"])
    assert before - after == pytest.approx(25.0, abs=1e-6)


def test_an_expired_action_is_refused(info: Info, exchange: Exchange) -> None:
    exchange.set_expires_after(int(time.time() * 1000) - 60_000)
    answer = exchange.order("ETH", True, 0.1, below(info, "ETH"), {"limit": {"tif": "Gtc"}})
    assert answer["status"] == "err" or "error" in only_status(answer)


def test_streams_bring_the_market_and_the_accounts_own_events(
    info: Info, listener: Info, exchange: Exchange, wallet: LocalAccount
) -> None:
    seen: dict[str, list[Any]] = {}
    for subscription in (
        {"type": "allMids"},
        {"type": "l2Book", "coin": "BTC"},
        {"type": "trades", "coin": "BTC"},
        {"type": "bbo", "coin": "BTC"},
        {"type": "candle", "coin": "BTC", "interval": "1m"},
        {"type": "activeAssetCtx", "coin": "BTC"},
        {"type": "orderUpdates", "user": wallet.address},
        {"type": "userEvents", "user": wallet.address},
        {"type": "userFills", "user": wallet.address},
    ):
        listener.subscribe(
            subscription, lambda message: seen.setdefault(message["channel"], []).append(message)
        )
    wait_for(lambda: {"allMids", "l2Book", "userFills"} <= set(seen), f"the first messages, have {set(seen)}")
    only_status(exchange.market_open("BTC", True, 0.01))
    only_status(exchange.market_close("BTC"))
    wanted = {
        "allMids",
        "l2Book",
        "trades",
        "bbo",
        "candle",
        "activeAssetCtx",
        "orderUpdates",
        "user",
        "userFills",
    }
    wait_for(lambda: wanted <= set(seen), f"a message of each channel; missing {wanted - set(seen)}")
    trade = seen["trades"][-1]["data"][-1]
    assert {"coin", "side", "px", "sz", "time", "tid"} <= set(trade)
    assert any(each["data"].get("fills") for each in seen["user"])
