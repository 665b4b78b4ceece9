"""Debts by market, and closes outside the book, compared with the same in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from coinone.base.primitives.integers import div_down, muldiv_down
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.closing import adl, debts
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.state.rows import Rows

BTC, ETH = 0, 1


def split_of(rows: Rows, slot: int, changes: dict[int, int]) -> dict[int, int]:
    """A debt by market, in proportion to what each took; what rounding leaves goes to the first that took more."""
    row = rows.accounts[slot]
    debt = -(int(row["cash"]) + int(row["position_value"]))
    sizes = {market: int(rows.positions[slot, market]["size"]) for market in changes}
    lost = {market: max(0, -sizes[market] * change) for market, change in changes.items()}
    parts = {market: muldiv_down(debt, loss, sum(lost.values())) for market, loss in lost.items()}
    rest = debt - sum(parts.values())
    for market, loss in lost.items():
        more = min(rest, loss - parts[market])
        parts[market] += more
        rest -= more
    return parts


def test_debts_are_split_by_market_as_in_plain_python(world: Callable[..., Any]) -> None:
    """Two debtors with positions of either sign, debts from 1 micro-quote to all that the move took."""
    w = world({1: 10**6, 2: 10**6, 9: 10**9})
    rows, both = w.ex.rows, np.array([w.slot(1), w.slot(2)], np.int64)
    for seed in range(300):
        dice = random.Random(seed)
        changes = {BTC: dice.randint(-30_000, 30_000), ETH: dice.randint(-20_000, 20_000)}
        for slot in both.tolist():
            for market in changes:
                rows.positions[slot, market]["size"] = dice.randint(-200_000, 200_000)
            rows.positions[slot, BTC]["size"] = -dice.randint(1, 200_000) * (1 if changes[BTC] > 0 else -1)
            took = sum(max(0, -int(rows.positions[slot, m]["size"]) * c) for m, c in changes.items())
            owed = dice.choice([1, took, dice.randint(1, max(1, took))])
            rows.accounts[slot]["cash"] = -owed - int(rows.accounts[slot]["position_value"])
        if changes[BTC] == 0:
            continue
        plain = [split_of(rows, slot, changes) for slot in both.tolist()]
        due = debts._by_market(rows, both, changes)
        assert due == {market: plain[0][market] + plain[1][market] for market in changes}, seed


def closed_plainly(rows: Rows, slot: int, change: int, price: int, booked: int) -> dict[str, int]:
    """What a close makes of one side: `booked` is the funding that it owes."""
    holder, held = rows.accounts[slot], rows.positions[slot, BTC]
    before, entry = int(held["size"]), int(held["entry_notional"])
    cost = div_down(entry * abs(change), abs(before))
    value = abs(change) * price
    return {
        "cash": int(holder["cash"]) - booked - change * price,
        "value": int(holder["position_value"]) + booked + change * int(rows.markets[BTC]["mark"]),
        "size": before + change,
        "entry": entry - cost,
        "funding": int(held["funding_all"]) + booked,
        "pnl": value - cost if before > 0 else cost - value,
    }


def found(rows: Rows, slot: int, pnl: int) -> dict[str, int]:
    holder, held = rows.accounts[slot], rows.positions[slot, BTC]
    columns = held["size"], held["entry_notional"], held["funding_all"]
    size, entry, funding = map(int, columns)
    cash, value = int(holder["cash"]), int(holder["position_value"])
    return {"cash": cash, "value": value, "size": size, "entry": entry, "funding": funding, "pnl": pnl}


def test_a_close_outside_the_book_is_as_in_plain_python(world: Callable[..., Any]) -> None:
    """A long and a short of different sizes, closed in parts at prices about the mark, with an hour's funding of 7
    micro-quote a lot (long) and -5 (short) not booked yet at the first."""
    for seed in range(40):
        dice = random.Random(seed)
        w = world({1: 10**8, 2: 10**8, 3: 10**8})
        for who, size in ((1, dice.randint(100, 90_000)), (2, dice.randint(100, 90_000))):
            order, other = (w.buy, w.sell) if who == 1 else (w.sell, w.buy)
            price = dice.randint(49_000, 51_000)
            w.batch(order(who, size / 100_000, price, "Gtc"), other(3, size / 100_000, price, "Gtc"))
        rows, sides = w.ex.rows, (w.slot(1), w.slot(2))
        row = rows.markets[BTC]
        if owes := dice.random() < 0.7:  # in 10^-9 a lot; what is unbooked stands in the value already
            row["funding_ms"], row["funding_long"], row["funding_short"] = w.now, 7 * 10**9, -5 * 10**9
            row["unbooked"] = len(rows.positioned(BTC))
        for turn in range(3):
            sizes = [int(rows.positions[slot, BTC]["size"]) for slot in sides]
            most, price = dice.randint(1, 60_000), dice.randint(495_000, 505_000)
            part = min(most, *map(abs, sizes))
            if part == 0:
                continue
            booked = [7 * sizes[0], 5 * sizes[1]] if owes and turn == 0 else [0, 0]
            moves = list(zip(sides, (-part, part), booked, strict=True))
            plain = [closed_plainly(rows, slot, change, price, owed) for slot, change, owed in moves]
            interest, tid = int(row["open_interest"]), int(rows.globals["next_tid"][0])
            batch = Execution(w.ex, BatchContext(w.seq + 1, w.now + 250, bytes(32)))
            assert adl._close(batch, *sides, BTC, most, price) == part
            fill = next(batch.events.fills())
            assert (fill.tid, fill.sz, fill.px, fill.taker_is_buy) == (tid, part, price, False)
            assert [fill.taker.start_position, fill.maker.start_position] == sizes
            pnls = fill.taker.closed_pnl, fill.maker.closed_pnl
            assert [found(rows, slot, pnl) for slot, pnl in zip(sides, pnls, strict=True)] == plain, seed
            assert int(row["open_interest"]) == interest - part
            assert int(rows.globals["next_tid"][0]) == tid + 1
