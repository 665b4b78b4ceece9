"""A maker: keeps a ladder of post-only orders around the oracle price in every market.

Most of its turns only change the size of one order in each market: that is one small action, and four makers doing so
keep every book moving from batch to batch. Every fourth turn it checks prices, fills and inventory, and adjusts the
whole ladder.
"""

import time
from decimal import Decimal
from random import Random
from typing import Any

from coinone.interfaces.client import Market, Order, new_cloid, round_size
from coinone.interfaces.demo.participant import Participant, log
from coinone.interfaces.demo.quotes import RestingOrder, Style, WantedQuote, ladder, reconcile

SWITCH_RENEW_S = 30.0
TURNS_PER_REQUOTE = 4
VALUE_MIN = 20  # twice the chain's minimum, since a resized order may be partly filled
NEAR_TOUCH = 6  # orders at the top of the book
SWITCH_MS = 120_000  # if this process is killed, its quotes are cancelled after two minutes


class Maker(Participant):
    def __init__(self, url: str, key: bytes, random: Random, style: Style) -> None:
        super().__init__(url, key, random)
        self._style = style
        self._armed_at_s = float("-inf")
        self._standing: dict[str, list[RestingOrder]] = {}  # by market, the orders near the touch

    def wait_s(self) -> float:
        return self._random.uniform(0.15, 0.45)

    async def turn(self) -> None:
        if self.turns % TURNS_PER_REQUOTE == 0 or not self._standing:
            await self._requote()
        else:
            await self._resize()

    async def _requote(self) -> None:
        contexts = await self.client.contexts()
        summary = await self.client.summary()
        resting = _resting(await self.client.open_orders())
        inventory = _positions(summary)
        cancels: list[tuple[int, str]] = []
        orders: list[Order] = []
        self._standing = {}
        for name, market in self.markets.items():
            fair = Decimal(contexts[name]["oraclePx"])
            value = float(inventory.get(name, Decimal(0)) * fair)
            wanted = ladder(market, fair, value, self._style, self._random)
            held = resting.get(name, [])
            stale, missing = reconcile(wanted, held)
            cancels += [(market.asset, order.cloid) for order in stale]
            placed = [_order(market, quote) for quote in missing]
            orders += placed
            standing = [order for order in held if order not in stale]
            standing += [
                RestingOrder(str(order.cloid), quote.is_buy, quote.price, quote.size)
                for order, quote in zip(placed, missing, strict=True)
            ]
            standing.sort(key=lambda order: abs(order.price - fair))
            self._standing[name] = standing[:NEAR_TOUCH]
        if cancels:
            await self.client.cancel_by_cloid(cancels)
        if orders:
            self._note(await self.client.orders(orders))
        await self._arm_switch()

    async def _resize(self) -> None:
        """Change the size of one order near the touch of each market."""
        changes: list[tuple[str, Order]] = []
        for name, standing in self._standing.items():
            if standing:
                place = self._random.randrange(len(standing))
                before, market = standing[place], self.markets[name]
                size = round_size(before.size * Decimal(self._random.uniform(0.7, 1.3)), market.size_decimals)
                if size > 0 and size * before.price >= VALUE_MIN:
                    quote = WantedQuote(before.is_buy, before.price, size, 0)
                    changes.append((before.cloid, order := _order(market, quote)))
                    standing[place] = RestingOrder(str(order.cloid), before.is_buy, before.price, size)
        if changes:
            self._note(await self.client.modify(changes))

    async def _arm_switch(self) -> None:
        if time.monotonic() - self._armed_at_s > SWITCH_RENEW_S:
            await self.client.schedule_cancel(time.time_ns() // 1_000_000 + SWITCH_MS)
            self._armed_at_s = time.monotonic()

    def _note(self, statuses: list[Any]) -> None:
        """Log the first refusal, except of post-only orders that would have crossed, which is normal."""
        refused = [each["error"] for each in statuses if isinstance(each, dict) and "error" in each]
        if refused:
            log.debug("%s: %d of %d refused: %s", self.name(), len(refused), len(statuses), refused[0])


def _order(market: Market, quote: WantedQuote) -> Order:
    return Order(market.asset, quote.is_buy, quote.size, quote.price, "Alo", cloid=new_cloid())


def _resting(rows: list[Any]) -> dict[str, list[RestingOrder]]:
    found: dict[str, list[RestingOrder]] = {}
    for row in rows:
        order = RestingOrder(row["cloid"], row["side"] == "B", Decimal(row["limitPx"]), Decimal(row["sz"]))
        found.setdefault(row["coin"], []).append(order)
    return found


def _positions(summary: Any) -> dict[str, Decimal]:
    held = [row["position"] for row in summary["assetPositions"]]
    return {position["coin"]: Decimal(position["szi"]) for position in held}
