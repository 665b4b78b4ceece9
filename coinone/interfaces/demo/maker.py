"""A maker: keeps a ladder of post-only orders round the oracle price in every market."""

import time
from decimal import Decimal
from random import Random
from typing import Any

from coinone.interfaces.client import Market, Order, new_cloid
from coinone.interfaces.demo.participant import Participant, log
from coinone.interfaces.demo.quotes import Quote, Resting, Style, ladder, reconcile

SWITCH_RENEW_S = 30.0
SWITCH_MS = 120_000  # if this process is killed, its quotes leave the book after two minutes


class Maker(Participant):
    def __init__(self, url: str, key: bytes, random: Random, style: Style) -> None:
        super().__init__(url, key, random)
        self._style = style
        self._armed_at_s = float("-inf")

    def wait_s(self) -> float:
        return self._random.uniform(0.6, 1.4)

    async def turn(self) -> None:
        contexts = await self.client.contexts()
        summary = await self.client.summary()
        resting = _resting(await self.client.open_orders())
        inventory = _positions(summary)
        cancels: list[tuple[int, str]] = []
        orders: list[Order] = []
        for name, market in self.markets.items():
            fair = Decimal(contexts[name]["oraclePx"])
            value = float(inventory.get(name, Decimal(0)) * fair)
            wanted = ladder(market, fair, value, self._style, self._random)
            stale, missing = reconcile(wanted, resting.get(name, []))
            cancels += [(market.asset, order.cloid) for order in stale]
            orders += [_order(market, quote) for quote in missing]
        if cancels:
            await self.client.cancel_by_cloid(cancels)
        if orders:
            self._note(await self.client.orders(orders))
        await self._arm_switch()

    async def _arm_switch(self) -> None:
        if time.monotonic() - self._armed_at_s > SWITCH_RENEW_S:
            await self.client.schedule_cancel(time.time_ns() // 1_000_000 + SWITCH_MS)
            self._armed_at_s = time.monotonic()

    def _note(self, statuses: list[Any]) -> None:
        """A post-only order that would have crossed is daily business; log the first of anything refused."""
        refused = [each["error"] for each in statuses if isinstance(each, dict) and "error" in each]
        if refused:
            log.debug("%s: %d of %d refused: %s", self.name(), len(refused), len(statuses), refused[0])


def _order(market: Market, quote: Quote) -> Order:
    return Order(market.asset, quote.is_buy, quote.size, quote.price, "Alo", cloid=new_cloid())


def _resting(rows: list[Any]) -> dict[str, list[Resting]]:
    found: dict[str, list[Resting]] = {}
    for row in rows:
        order = Resting(row["cloid"], row["side"] == "B", Decimal(row["limitPx"]), Decimal(row["sz"]))
        found.setdefault(row["coin"], []).append(order)
    return found


def _positions(summary: Any) -> dict[str, Decimal]:
    held = [row["position"] for row in summary["assetPositions"]]
    return {position["coin"]: Decimal(position["szi"]) for position in held}
