"""A taker: occasionally trades at the market, mostly against its own position."""

from decimal import Decimal
from random import Random
from typing import Any

from coinone.interfaces.client import Market, Order, new_cloid, round_price, round_size
from coinone.interfaces.demo.participant import Participant

SLIPPAGE = Decimal("0.003")  # beyond the best price
POSITION_MAX = 60_000.0  # value at which the next trade always reduces


class Taker(Participant):
    def __init__(self, url: str, key: bytes, random: Random, pace_s: float, trade_value: float) -> None:
        super().__init__(url, key, random)
        self._pace_s = pace_s
        self._trade_value = trade_value

    def wait_s(self) -> float:
        return min(self._random.expovariate(1 / self._pace_s), 6 * self._pace_s)

    async def turn(self) -> None:
        market = self._random.choice(list(self.markets.values()))
        book = await self.client.book(market.name)
        held = _position(await self.client.summary(), market.name)
        best = {side: levels[0]["px"] for side, levels in zip("ba", book["levels"], strict=True) if levels}
        if len(best) == 2:  # no market order against an empty side
            middle = (Decimal(best["b"]) + Decimal(best["a"])) / 2
            is_buy = self._random.random() < self._lean(float(held * middle))
            await self.client.orders([self._order(market, is_buy, Decimal(best["a" if is_buy else "b"]))])

    def _lean(self, value: float) -> float:
        """The probability that the next trade buys: one half if flat, zero if long to the limit."""
        return 0.5 - 0.5 * max(-1.0, min(1.0, value / POSITION_MAX))

    def _order(self, market: Market, is_buy: bool, best: Decimal) -> Order:
        price = best * (1 + SLIPPAGE if is_buy else 1 - SLIPPAGE)
        value = Decimal(self._trade_value * self._random.lognormvariate(0, 0.8))
        size = max(round_size(value / best, market.size_decimals), Decimal(1).scaleb(-market.size_decimals))
        limit = round_price(price, market.size_decimals)
        return Order(market.asset, is_buy, size, limit, "Ioc", cloid=new_cloid())


def _position(summary: Any, coin: str) -> Decimal:
    held = [row["position"] for row in summary["assetPositions"]]
    return next((Decimal(each["szi"]) for each in held if each["coin"] == coin), Decimal(0))
