"""A maker keeps its ladder, and between two looks at the market it only changes sizes."""

import asyncio
from decimal import Decimal
from random import Random
from typing import Any

from coinone.interfaces.client import Market, Order
from coinone.interfaces.demo.maker import NEAR_TOUCH, TURNS_PER_REQUOTE, Maker
from coinone.interfaces.demo.quotes import Style

KEY = bytes.fromhex("0123456789012345678901234567890123456789012345678901234567890123")
BTC = Market(0, "BTC", 5, 50)


class Book:
    """Stands in for a node that one maker trades on: what rests, and what was asked of it."""

    def __init__(self) -> None:
        self.resting: dict[str, Order] = {}
        self.asked: list[str] = []

    async def contexts(self) -> Any:
        return {"BTC": {"oraclePx": "97000"}}

    async def summary(self) -> Any:
        return {"assetPositions": []}

    async def open_orders(self) -> Any:
        self.asked.append("look")
        return [
            {
                "cloid": name,
                "side": "B" if each.is_buy else "A",
                "limitPx": str(each.price),
                "sz": str(each.size),
                "coin": "BTC",
            }
            for name, each in self.resting.items()
        ]

    async def cancel_by_cloid(self, pairs: list[tuple[int, str]]) -> Any:
        for _, name in pairs:
            del self.resting[name]

    async def orders(self, orders: list[Order]) -> Any:
        self.resting |= {str(each.cloid): each for each in orders}
        return ["resting"] * len(orders)

    async def modify(self, changes: list[tuple[str, Order]]) -> Any:
        self.asked.append("resize")
        for name, each in changes:
            before = self.resting.pop(name)
            assert (each.is_buy, each.price, each.tif) == (before.is_buy, before.price, "Alo")
            assert each.size != before.size
            assert 0.69 < float(each.size) / float(before.size) < 1.31
            self.resting[str(each.cloid)] = each
        return ["resting"] * len(changes)

    async def schedule_cancel(self, time_ms: int) -> None:
        pass


def played(turns: int) -> Book:
    maker, book = Maker("http://127.0.0.1:9", KEY, Random(7), Style(6, 0.8, 1.0, 4_000, 80_000, 2)), Book()
    maker.client, maker.markets = book, {"BTC": BTC}  # type: ignore[assignment]

    async def play() -> None:
        for _ in range(turns):
            await maker.turn()
            maker.turns += 1

    asyncio.run(play())
    return book


def test_it_looks_at_the_market_now_and_then_and_resizes_in_between() -> None:
    between = ["resize"] * (TURNS_PER_REQUOTE - 1)
    assert played(3 * TURNS_PER_REQUOTE).asked == ["look", *between] * 3


def test_every_order_it_resizes_is_one_of_its_own_near_the_touch() -> None:
    book = played(40)  # the stand-in would not know any other name
    prices = sorted({abs(Decimal(each.price) - 97000) for each in book.resting.values()})
    assert len(book.resting) == 12 and len(prices) >= NEAR_TOUCH
