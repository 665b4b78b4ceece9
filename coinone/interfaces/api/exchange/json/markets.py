"""Encode books, prices and market contexts as the JSON of the exchange API. Pure functions of integers."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coinone.interfaces.api.exchange.json.coins import Coin, Coins
from coinone.interfaces.api.exchange.json.numbers import money, quotient, rate, round_significant
from coinone.interfaces.api.limits import BOOK_LEVELS_MAX

Json = dict[str, Any]
Level = tuple[int, int, int]  # price, size, number of orders


@dataclass(frozen=True, slots=True)
class DayStats:
    """The last 24 hours of a market: traded notional (micro-quote) and size, and the price before them."""

    notional: int = 0
    size: int = 0
    previous_px: int = 0


@dataclass(frozen=True, slots=True)
class MarketFigures:
    """The figures of a market's context; a price of 0 means none yet."""

    mark: int
    oracle: int
    funding_rate: int
    premium: int
    open_interest: int
    best_bid: int
    best_ask: int
    last_px: int
    day: DayStats


def level_json(coin: Coin, level: Level) -> Json:
    return {"px": coin.px(level[0]), "sz": coin.sz(level[1]), "n": level[2]}


def book_json(
    coin: Coin,
    time_ms: int,
    bids: Sequence[Level],
    asks: Sequence[Level],
    figures: int | None = None,
    mantissa: int | None = None,
) -> Json:
    """An l2Book answer: at most 20 levels per side, best first, grouped to `figures` significant digits."""
    if figures is not None:
        bids = group_levels(bids, figures, mantissa, up=False)
        asks = group_levels(asks, figures, mantissa, up=True)
    return {
        "coin": coin.name,
        "time": time_ms,
        "levels": [
            [level_json(coin, level) for level in bids[:BOOK_LEVELS_MAX]],
            [level_json(coin, level) for level in asks[:BOOK_LEVELS_MAX]],
        ],
    }


def group_levels(levels: Sequence[Level], figures: int, mantissa: int | None, up: bool) -> list[Level]:
    """Merge levels of equal rounded price, as many as are shown; bids round down and asks up, so that grouping never
    crosses. A book may have a thousand levels: only the first of a group is rounded, the rest lie up to that price."""
    grouped: list[Level] = []
    start = 0
    while start < len(levels) and len(grouped) < BOOK_LEVELS_MAX:
        rounded = round_significant(levels[start][0], figures, mantissa or 1, up)
        if up:
            end = bisect_right(levels, rounded, start, key=lambda level: level[0])
        else:
            end = bisect_right(levels, -rounded, start, key=lambda level: -level[0])
        _, sizes, counts = zip(*levels[start:end], strict=True)
        grouped.append((rounded, sum(sizes), sum(counts)))
        start = end
    return grouped


def bbo_json(coin: Coin, time_ms: int, bids: Sequence[Level], asks: Sequence[Level]) -> Json:
    best = [level_json(coin, side[0]) if side else None for side in (bids, asks)]
    return {"coin": coin.name, "time": time_ms, "bbo": best}


def mid_text(coin: Coin, best_bid: int, best_ask: int) -> str | None:
    """The mid price, which may fall between two ticks; None if a side is empty."""
    if not best_bid or not best_ask:
        return None
    return quotient(best_bid + best_ask, 2 * 10**coin.px_decimals, coin.px_decimals + 1)


def shown_mid(coin: Coin, market: MarketFigures) -> str:
    """The price in allMids: the mid, else the last price, else the mark."""
    return mid_text(coin, market.best_bid, market.best_ask) or coin.px(market.last_px or market.mark)


def context_json(coin: Coin, market: MarketFigures) -> Json:
    """A perpetual's context, as in metaAndAssetCtxs."""
    mid = mid_text(coin, market.best_bid, market.best_ask)
    impact = [coin.px(market.best_bid), coin.px(market.best_ask)] if mid else None
    return {
        "funding": rate(market.funding_rate),
        "openInterest": coin.sz(market.open_interest),
        "prevDayPx": coin.px(market.day.previous_px or market.mark),
        "dayNtlVlm": money(market.day.notional),
        "premium": rate(market.premium),
        "oraclePx": coin.px(market.oracle),
        "markPx": coin.px(market.mark),
        "midPx": mid,
        "impactPxs": impact,
        "dayBaseVlm": coin.sz(market.day.size),
    }


def predicted_funding_json(market: MarketFigures, next_ms: int) -> Json:
    """The funding of the hour that ends at `next_ms` if the premium stays the same."""
    return {
        "fundingRate": rate(market.funding_rate),
        "nextFundingTime": next_ms,
        "fundingIntervalHours": 1,
    }


def meta_json(coins: Coins) -> Json:
    """The universe; margin table ids below 50 mean "one tier of that leverage", as at Hyperliquid."""
    return {
        "universe": [
            {
                "szDecimals": coin.sz_decimals,
                "name": coin.name,
                "maxLeverage": coin.max_leverage,
                "marginTableId": coin.max_leverage,
            }
            for coin in coins.all
        ],
        "marginTables": [[leverage, margin_table(leverage)] for leverage in _leverages(coins)],
        "collateralToken": 0,
    }


def margin_table(leverage: int) -> Json:
    return {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": leverage}]}


def _leverages(coins: Coins) -> list[int]:
    return sorted({coin.max_leverage for coin in coins.all})


SPOT_MARKET = "USDC/USDC"
"""The only spot entry: the quote token against itself. There is no spot market, but symbol converters of some
clients fail on an empty list; this one cannot be mistaken for a market, and orders in it are refused."""


def spot_meta_json(token_name: str, token_decimals: int, token_address: bytes) -> Json:
    """One token, the quote, and the entry that those clients need."""
    token = {
        "name": token_name,
        "szDecimals": token_decimals,
        "weiDecimals": token_decimals,
        "index": 0,
        "tokenId": "0x" + token_address.rjust(16, b"\0")[-16:].hex(),
        "isCanonical": True,
        "evmContract": {"address": "0x" + token_address.hex(), "evm_extra_wei_decimals": 0},
        "fullName": token_name,
        "deployerTradingFeeShare": "0.0",
    }
    entry = {"name": SPOT_MARKET, "tokens": [0, 0], "index": 0, "isCanonical": False}
    return {"tokens": [token], "universe": [entry]}


def spot_contexts_json() -> list[Json]:
    """A context for each spot entry, without trades."""
    return [
        {
            "coin": SPOT_MARKET,
            "prevDayPx": "1.0",
            "markPx": "1.0",
            "midPx": None,
            "dayNtlVlm": "0.0",
            "dayBaseVlm": "0.0",
            "circulatingSupply": "0.0",
            "totalSupply": "0.0",
        }
    ]
