"""Which accounts below their margin are served by the book, compared with the same in plain Python."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.parameters import LIQUIDATION_COOLDOWN_MS
from coinone.rules.exchange.accounts.equity import equity
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.closing import liquidation
from coinone.rules.exchange.closing.served import by_lot, served
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.prices.oracle import is_fresh
from coinone.rules.exchange.rows.tables import Side


def in_plain_python(ex: Any, slots: list[int], now: int, most: int) -> list[int]:
    """Each order takes what reaches its limit of what those before it left; who gets nothing has no place."""
    rows, batch = ex.rows, Execution(ex, BatchContext(1, now, bytes(32)))
    left = {
        (market, side): [
            [int(rows.orders[slot][name]) for name in ("px", "sz")] for slot in rows.book.queue(market, side)
        ]
        for market in range(rows.market_count)
        for side in Side
    }
    chosen: list[int] = []
    for slot in slots:
        calm = 3 * equity(rows, slot) >= 2 * int(rows.accounts[slot]["maintenance_margin"])
        rests = calm and now - int(rows.accounts[slot]["liquidated_ms"]) < LIQUIDATION_COOLDOWN_MS
        if rests or len(chosen) == most:
            continue
        meets = False
        for market in range(rows.market_count):
            size = int(rows.positions[slot, market]["size"])
            if size == 0 or not is_fresh(rows, market):
                continue
            limit, lots = (
                liquidation.limit_price(rows, slot, market),
                liquidation.part_of(batch, slot, market),
            )
            for order in left[market, Side.BUY if size > 0 else Side.SELL]:
                reached = order[0] >= limit if size > 0 else order[0] <= limit
                part = min(lots, order[1]) if reached else 0
                order[1] -= part
                lots -= part
                meets = meets or part > 0
        if meets:
            chosen.append(slot)
    return chosen


def test_who_is_served_is_as_in_plain_python(world: Any) -> None:
    """Twelve accounts with positions of either sign in two markets and little of their margin, some at rest after a
    fifth, and orders around their limits; eight places. Twelve worlds, in each of which ten draws are looked at."""
    counts: set[int] = set()
    for seed in range(12):
        dice = random.Random(seed)
        w = world(dict.fromkeys(range(1, 13), 200_000) | {99: 10**9})
        for who in range(1, 13):
            for market, price, size in ((0, 50_000, 4), (1, 3_000, 50)):
                lots = round(size * dice.random(), 3)
                one, other = (w.buy, w.sell) if dice.random() < 0.5 else (w.sell, w.buy)
                if lots:
                    w.batch(
                        one(who, lots, price, "Alo", market=market), other(99, lots, price, market=market)
                    )
        for _ in range(10):
            for market, price, tick in ((0, 50_000, 1), (1, 3_000, 0.1)):
                for side, away in ((w.buy, -1), (w.sell, 1)):
                    at = price + away * tick * dice.randint(100, 600)
                    w.batch(
                        side(99, round(20_000 * dice.random() / price + 0.01, 3), at, "Alo", market=market)
                    )
            rows = w.ex.rows
            for slot in [w.slot(who) for who in range(1, 13)]:
                row = rows.accounts[slot]
                row["cash"] = int(int(row["maintenance_margin"]) * dice.random()) - int(row["position_value"])
                row["liquidated_ms"] = w.now - dice.choice([10_000, 40_000, 90_000])
            slots = liquidation.endangered(rows, liquidation.holders(rows))
            found = served(rows, np.array(slots, np.int64), w.now, 8)
            assert found == in_plain_python(w.ex, slots, w.now, 8), seed
            counts.add(len(found))
            for slot in slots:
                rows.accounts[slot]["cash"] += 200_000 * 10**6
    assert len(counts) > 6, counts


def test_every_account_is_as_likely_as_any_other_to_be_drawn_first() -> None:
    """Of 20 accounts each is first in some 250 of 5,000 draws (standard deviation 15.4) and among the first half in
    2,500 (35.4), also if their numbers follow each other. The order is that of the formula in plain Python."""
    numbers, firsts, halves = np.arange(1, 21), np.zeros(20), np.zeros(20)
    for n in range(5_000):
        seed = n.to_bytes(32, "big")
        order = by_lot(numbers, seed).tolist()
        firsts[order[0]] += 1
        halves[order[:10]] += 1
        if n < 20:
            assert order == sorted(range(20), key=lambda place: _mixed(place + 1, seed))
    assert firsts.min() > 250 - 62 and firsts.max() < 250 + 62
    assert halves.min() > 2_500 - 142 and halves.max() < 2_500 + 142


def _mixed(number: int, seed: bytes) -> int:
    value = number * 0x9E3779B97F4A7C15 + int.from_bytes(keccak256(seed + b"liquidations")[:8], "big")
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value %= 1 << 64
        value = (value ^ value >> shift) * factor
    value %= 1 << 64
    return value ^ value >> 31
