"""More of what colluding accounts try (coalition.py): several orders in one action, modifies, orders through zero,
builders of their own, ladders of reduce-only orders, two markets in one batch."""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.events.events import Fill
from tests.rules.exchange import words as t
from tests.rules.exchange.coalition import DECIMALS, OWN, QUOTE, Coalition, Observer, address


def builder_of(who: int) -> int:
    return 1 + who % len(OWN)


class BuilderObserver(Observer):
    """Knows which accomplice is whose builder, which the events do not tell."""

    def judge(self, fill: Fill) -> None:
        super().judge(fill)
        for side in (fill.taker, fill.maker):
            if side.builder_fee:
                self.cash[builder_of(int.from_bytes(side.account, "big"))] += side.builder_fee


class Crafty(Coalition):
    """The five accounts at the greatest leverage, each with the next as its builder."""

    strategies = ("hand_over", "move", "bait", "send", "open", "wait", "close")
    crafts = ("several", "several", "modify", "through_zero", "build", "ladder")

    def live(self, steps: int) -> int:
        self.observer = BuilderObserver(self.w)
        leverage = t.UpdateLeverage(0, True, 50), t.UpdateLeverage(1, True, 50)
        self.batch(
            *[self.w.signed(n, action) for n in OWN for action in leverage],
            *[self.w.signed(n, t.ApproveBuilderFee(address(builder_of(n)), 100)) for n in OWN],
        )
        self.open()
        for _ in range(steps):
            name = self.dice.choice(self.strategies + self.crafts)
            getattr(self, name)()
            self.done[name] += 1
        for _ in range(3):
            self.batch()
        return self.own() - self.brought

    def spec(self, buys: bool, market: int, size: float, worse: float, *more: Any) -> t.OrderSpec:
        """At a price `worse` percent to the disadvantage of whose order it is."""
        size = max(round(size, DECIMALS[market]), 10.0 ** -DECIMALS[market])
        price = self.price(market, worse if buys else -worse)
        tif, reduce_only = more if more else ("Gtc", False)
        return self.w.spec(buys, size, price, tif, market, reduce_only)

    def held(self, who: int, market: int) -> float:
        return float(self.w.position(who, market) / 10 ** DECIMALS[market])

    def other(self, who: int) -> int:
        return self.dice.choice([n for n in OWN if n != who])

    def several(self) -> None:
        """One action of several orders at bad prices, in both markets, each met by an accomplice's."""
        who, specs, met = self.dice.choice(OWN), [], []
        for _ in range(self.dice.randint(2, 6)):
            market, worse = self.dice.choice((0, 1)), self.dice.choice([0.05, 0.5, 1, 1.9, 2.7, 4.9])
            held = self.held(who, market)
            size = abs(held) * self.dice.choice([0.1, 0.5, 1])
            size = size or self.size(market, self.w.equity(who) / QUOTE * self.dice.choice([1, 30]))
            terms = self.dice.choice(["Gtc", "Ioc"]), self.dice.random() < 0.4
            specs.append(self.spec(held < 0, market, size, worse, *terms))
            accomplice = self.w.many(self.spec(held >= 0, market, size, -worse))
            met.append(self.w.signed(self.other(who), accomplice))
        action = self.w.signed(who, self.w.many(*specs))
        if self.dice.random() < 0.5:
            self.batch(*met)
            self.batch(action)
        else:
            self.batch(*met, action)

    def modify(self) -> None:
        """A resting order is moved to a bad price, made larger, or turned to the other side."""
        rows = self.w.ex.rows
        own = [(n, slot) for n in OWN for slot in rows.book.slots_of(rows, self.w.slot(n))]
        if own:
            who, slot = self.dice.choice(own)
            order, market = rows.orders[slot], int(rows.orders[slot]["market"])
            buys = bool(order["side"] == 0) != (self.dice.random() < 0.2)
            size = int(order["sz"]) / 10 ** DECIMALS[market] * self.dice.choice([0.5, 1, 3])
            worse = self.dice.choice([0.1, 1, 3, 4.9])
            new = self.spec(buys, market, size, worse, "Gtc", bool(order["reduce_only"]))
            self.batch(self.w.signed(who, self.w.modify(int(order["oid"]), new, market)))

    def through_zero(self) -> None:
        who, market = self.dice.choice(OWN), self.dice.choice((0, 1))
        held = self.held(who, market)
        size, worse = abs(held) * self.dice.choice([1.01, 1.5, 2]), self.dice.choice([0, 0.5, 1.9, 4])
        if held:
            own = self.w.signed(who, self.w.many(self.spec(held < 0, market, size, worse)))
            met = self.w.many(self.spec(held > 0, market, size, -worse))
            self.batch(own, self.w.signed(self.other(who), met))

    def build(self) -> None:
        """A trade at the mark whose builders are accomplices, as large as equity carries."""
        who, market = self.dice.choice(OWN), self.dice.choice((0, 1))
        size = self.size(market, self.w.equity(who) / QUOTE * self.dice.choice([1, 10, 48]))
        actions = []
        for n, buys in ((who, True), (self.other(who), False)):
            builder = t.Builder(address(builder_of(n)), 100)
            order = t.PlaceOrders((self.spec(buys, market, size, 0),), "na", builder)
            actions.append(self.w.signed(n, order))
        self.batch(*actions)

    def ladder(self) -> None:
        """Reduce-only orders at worse and worse prices, swept by an accomplice."""
        who, market = self.dice.choice(OWN), self.dice.choice((0, 1))
        held = self.held(who, market)
        if held:
            rungs = [self.spec(held < 0, market, abs(held) / 8, 0.6 * n, "Gtc", True) for n in range(8)]
            self.batch(self.w.signed(who, self.w.many(*rungs)))
            sweep = self.spec(held > 0, market, abs(held), -5, "Ioc", False)
            self.batch(self.w.signed(self.other(who), self.w.many(sweep)))
