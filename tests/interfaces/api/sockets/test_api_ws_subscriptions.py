"""Which subscriptions exist, and which options they take: one that is not honoured is refused."""

from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.exchange.channels.table import parse_subscription
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.node.networks import load_network

COINS = Coins(load_network("dev").markets)
USER = "0x" + "aB" * 20

# The subscription types of @nktkas/hyperliquid 0.33 and hyperliquid-python-sdk 0.24, with what those need.
CURRENT: dict[str, dict[str, Any]] = {
    **{
        kind: {"user": USER}
        for kind in (
            "allDexsClearinghouseState",
            "clearinghouseState",
            "notification",
            "openOrders",
            "orderUpdates",
            "spotState",
            "twapStates",
            "userEvents",
            "userFills",
            "userFundings",
            "userHistoricalOrders",
            "userNonFundingLedgerUpdates",
            "userTwapHistory",
            "userTwapSliceFills",
            "webData2",
            "webData3",
        )
    },
    **{kind: {"coin": "BTC"} for kind in ("activeAssetCtx", "bbo", "l2Book", "trades")},
    **{
        kind: {}
        for kind in (
            "allDexsAssetCtxs",
            "allMids",
            "assetCtxs",
            "explorerBlock",
            "explorerTxs",
            "fastAssetCtxs",
            "outcomeMetaUpdates",
            "spotAssetCtxs",
        )
    },
    "activeAssetData": {"user": USER, "coin": "BTC"},
    "candle": {"coin": "BTC", "interval": "1m"},
}


@pytest.mark.parametrize("kind", CURRENT)
def test_every_type_of_current_clients_is_known(kind: str) -> None:
    assert parse_subscription({"type": kind, **CURRENT[kind]}, COINS)[0] == kind


@pytest.mark.parametrize("kind", CURRENT)
def test_another_dex_is_refused_and_the_main_one_is_the_default(kind: str) -> None:
    plain = parse_subscription({"type": kind, **CURRENT[kind]}, COINS)
    for main in ("", None):
        assert parse_subscription({"type": kind, **CURRENT[kind], "dex": main}, COINS) == plain
    with pytest.raises(InvalidInput, match="dex"):
        parse_subscription({"type": kind, **CURRENT[kind], "dex": "xyz"}, COINS)


def test_addresses_are_one_key_in_either_case() -> None:
    lower = parse_subscription({"type": "userFills", "user": USER.lower()}, COINS)
    assert parse_subscription({"type": "userFills", "user": USER}, COINS) == lower


def test_fills_put_together_are_a_stream_of_their_own() -> None:
    plain = {"type": "userFills", "user": USER}
    apart = parse_subscription({**plain, "aggregateByTime": False}, COINS)
    assert apart == parse_subscription(plain, COINS)
    assert parse_subscription({**plain, "aggregateByTime": True}, COINS) != apart
    with pytest.raises(InvalidInput, match="aggregateByTime"):
        parse_subscription({**plain, "aggregateByTime": 1}, COINS)
