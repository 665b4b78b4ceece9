"""Colluding accounts and an observer that trusts no rule: it replays every event by itself and judges every fill.

Accounts 1 to 5 have one owner and trade with nobody else; 100 to 103 are outsiders with positions and no orders. What
the owner does is drawn from strategies that have farmed exchanges: margin handed over by bad prices, as taker or maker,
reduce-only or not, in pieces, through a builder, in a thin market; bids below the mark for liquidations to come;
hedges that hide a winner; sends; gaps. Random orders alone do not find such things.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.events.events import Fill, FundingPayment, LedgerUpdate, LiquidationEvent
from tests.rules.exchange import words as t

QUOTE = 10**6
OWN = range(1, 6)
OUTSIDERS = (100, 101, 102, 103)
LEVERAGE = 50
DECIMALS = (5, 4)  # of sizes


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


class Observer:
    """Cash and positions as the events tell them, checked against the rows after every batch.

    `exposure_gain` is what the owner's accounts together won from outsiders because marks moved: trading among
    themselves they hold as much long as short, but once one of them was closed against an outsider the others carry
    market risk, which may gain or lose and is nobody's fault.
    """

    def __init__(self, w: Any) -> None:
        self.w = w
        self.cash = {n: w.cash(n) for n in (*OWN, *OUTSIDERS)}
        self.held = {n: [w.position(n, market) for market in (0, 1)] for n in (*OWN, *OUTSIDERS)}
        self.outsiders_paid = self.debts = 0
        self.exposure_gain = 0
        self.marks = self._marks()
        self.faults: list[str] = []

    def watch(self) -> None:
        """Replay the last batch by its events, and compare with the rows."""
        before, self.marks = self.marks, self._marks()  # a batch moves them before anybody trades
        for market in (0, 1):
            net = sum(self.held[who][market] for who in OWN)
            self.exposure_gain += net * (self.marks[market] - before[market])
        for event in self.w.last.events:
            if isinstance(event, Fill):
                self.judge(event)
            elif isinstance(event, FundingPayment):
                self.cash[int.from_bytes(event.account, "big")] += event.amount
            elif isinstance(event, LiquidationEvent) and event.kind == "debt":
                self.cash[int.from_bytes(event.account, "big")] += event.amount
                self.debts += event.amount
            elif isinstance(event, LedgerUpdate) and event.kind not in ("unclaimed", "covered"):
                who = int.from_bytes(event.account, "big")
                self.cash[who] += event.amount
                self.outsiders_paid -= event.amount * (event.kind == "levy" and who in OUTSIDERS)
        for who, cash in self.cash.items():
            freed = cash != self.w.cash(who) and self.w.cash(who) == 0 and not any(self.held[who])
            assert freed or cash == self.w.cash(who), (
                f"{who}: {cash} by events, {self.w.cash(who)} in its row"
            )
            self.cash[who] = self.w.cash(who)  # what a locked account's closing brought went to the fund

    def _marks(self) -> list[int]:
        return [self.w.mark(market) for market in (0, 1)]

    def _worth(self, who: int, marks: list[int]) -> tuple[int, int]:
        """Equity and maintenance margin, from nothing."""
        value = sum(size * mark for size, mark in zip(self.held[who], marks, strict=True))
        needs = sum(
            -(-abs(size) * mark // (2 * LEVERAGE)) for size, mark in zip(self.held[who], marks, strict=True)
        )
        return self.cash[who] + value, needs

    def judge(self, fill: Fill) -> None:
        """Book a fill, and note a fault if a side had no right to it."""
        marks = self.marks
        for side, buys in ((fill.taker, fill.taker_is_buy), (fill.maker, not fill.taker_is_buy)):
            who, change = int.from_bytes(side.account, "big"), fill.sz if buys else -fill.sz
            size = self.held[who][fill.market]
            assert size == side.start_position
            before, needed = self._worth(who, marks)
            self.cash[who] -= change * fill.px + side.fee
            self.held[who][fill.market] = size + change
            after, left = self._worth(who, marks)
            reduces = size * change < 0 and abs(change) <= abs(size)
            share = -(-before * left // needed) if needed else 0
            least = min(2 * left, share) if reduces else 2 * left
            if fill.kind == "adl" and side is fill.maker:
                least = before * left // needed if needed else 0
            if after < least - 2 or after < 0:  # each of two markets rounds once
                self.faults.append(
                    f"{fill.kind} {fill.sz}@{fill.px} took {who} from {before}/{needed} to {after}/{left}"
                )


class Coalition:
    """One life of the five accounts; `calm`: no batch moves a mark by more than an eighth of a maintenance margin."""

    def __init__(self, world: Any, seed: int, *, calm: bool, hedged: bool = True) -> None:
        self.dice = random.Random(seed)
        self.calm, self.hedged = calm, hedged
        self.done: defaultdict[str, int] = defaultdict(int)
        stakes = {n: self.dice.choice([1_200, 11_000, 60_000]) for n in OWN}
        self.w = w = world(stakes | dict.fromkeys(OUTSIDERS, 3_000_000))
        w.ex.rows.globals["insurance"] += self.dice.choice([0, 1_000, 1_000_000]) * QUOTE
        w.batch(w.sell(101, 20, 50_000), w.buy(100, 20, 50_000))
        w.batch(w.sell(103, 200, 3_000, market=1), w.buy(102, 200, 3_000, market=1))
        self.fund = w.fund("insurance")
        self.observer = Observer(w)
        self.brought = self.own()

    def own(self) -> int:
        return sum(self.w.equity(n) for n in OWN)

    def batch(self, *actions: Any, **more: Any) -> None:
        self.w.batch(*actions, **more)
        self.observer.watch()
        self.done["filled"] += sum(isinstance(event, Fill) for event in self.w.last.events)

    def live(self, steps: int) -> int:
        """Draw so many strategies; returns what the owner gained, in micro-quote."""
        self.open()
        for _ in range(steps):
            name = self.dice.choice(
                ["hand_over", "hand_over", "move", "bait", "send", "open", "wait", "close"]
            )
            getattr(self, name)()
            self.done[name] += 1
        for _ in range(3):
            self.batch()
        return self.own() - self.brought

    def price(self, market: int, percent: float) -> float:
        """So far from the mark, at a tick of five figures."""
        return float(f"{self.w.mark(market) / (10, 100)[market] * (1 + percent / 100):.5g}")

    def size(self, market: int, notional: float) -> float:
        return max(
            round(notional / (self.w.mark(market) / (10, 100)[market]), DECIMALS[market]),
            10.0 ** -DECIMALS[market],
        )

    def open(self) -> None:
        """Two accounts take both sides at the mark, as large as one of them can carry; perhaps with a hedge."""
        a, b = self.dice.sample(OWN, 2)
        for market in (0, 1) if self.hedged and self.dice.random() < 0.4 else (self.dice.choice((0, 1)),):
            size = self.size(market, self.w.equity(a) / QUOTE * self.dice.choice([5, 20, 45, 48]))
            price = self.price(market, 0)
            self.batch(self.w.sell(b, size, price, market=market), self.w.buy(a, size, price, market=market))

    def hand_over(self) -> None:
        """Somebody with a position trades part of it with an accomplice at a bad price."""
        market, who = self.dice.choice((0, 1)), self.dice.choice(OWN)
        held = self.w.position(who, market)
        if not held:
            return
        other = self.dice.choice([n for n in OWN if n != who])
        size = max(
            round(
                abs(held) / 10 ** DECIMALS[market] * self.dice.choice([0.01, 0.1, 0.5, 1]), DECIMALS[market]
            ),
            0.0003,
        )
        worse = self.dice.choice([0.2, 0.9, 1.9, 2.7, 4.9, 10])
        price = self.price(market, -worse if held > 0 else worse)
        out, into = (self.w.sell, self.w.buy) if held > 0 else (self.w.buy, self.w.sell)
        bad = out(
            who,
            size,
            price,
            self.dice.choice(["Gtc", "Ioc"]),
            market=market,
            reduce_only=self.dice.random() < 0.5,
        )
        bid = into(other, size, price, market=market)
        if self.dice.random() < 0.5:
            self.batch(bid)
            self.batch(bad)
        else:
            self.batch(out(who, size, price, market=market))
            self.batch(into(other, size, price, "Ioc", market=market))

    def move(self) -> None:
        """The oracle moves; with a jump, until the chain takes it."""
        most = 0.12 if self.calm else self.dice.choice([0.12, 0.9, 2, 5, 8])
        for market in (0, 1):
            self.w.prices[market] = max(
                1, round(self.w.prices[market] * (1 + self.dice.uniform(-most, most) / 100))
            )
        for _ in range(3):
            self.batch(step_ms=1_000)

    def bait(self) -> None:
        """An order off the mark, for a liquidation to come."""
        market, who = self.dice.choice((0, 1)), self.dice.choice(OWN)
        side, sign = self.dice.choice([(self.w.buy, -1), (self.w.sell, 1)])
        price = self.price(market, sign * self.dice.choice([0.1, 0.5, 1, 2]))
        self.batch(side(who, self.size(market, self.dice.choice([500, 20_000])), price, market=market))

    def send(self) -> None:
        a, b = self.dice.sample(OWN, 2)
        amount = withdrawable(self.w.ex.rows, self.w.slot(a))
        if amount > QUOTE:
            self.batch(self.w.signed(a, t.SendAsset(address(b), amount)))

    def wait(self) -> None:
        self.batch(step_ms=self.dice.choice([250, 1_000, 3_000]))

    def close(self) -> None:
        """Two of them close what they hold against each other, at the mark."""
        a, b = self.dice.sample(OWN, 2)
        market = self.dice.choice((0, 1))
        x, y = self.w.position(a, market), self.w.position(b, market)
        if x * y < 0:
            size = min(abs(x), abs(y)) / 10 ** DECIMALS[market]
            out, into = (self.w.sell, self.w.buy) if x > 0 else (self.w.buy, self.w.sell)
            price = self.price(market, 0)
            self.batch(out(a, size, price, market=market), into(b, size, price, market=market))
