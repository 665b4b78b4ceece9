"""Flows of few accounts whose equity is at a limit, or one beside it, when each segment begins: its initial margin,
twice its maintenance margin, the maintenance margin, nothing; for test_twin.py."""

from __future__ import annotations

import numpy as np

from coinone.rules.exchange.accounts.equity import apply_distance, apply_marks
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED, OP, OpKind, Tif
from coinone.rules.exchange.state.distance import steps_max
from coinone.rules.exchange.state.rows import Rows

TRADERS, MARKETS = 5, 3
_KINDS = (OpKind.PLACE, OpKind.MODIFY, OpKind.CANCEL, OpKind.MODIFY_CLOID)


def world_of_few(random: np.random.Generator) -> Rows:
    """Three markets of leverages and marks small and large, with tiers or without; balances from poor to huge."""
    rows = Rows(accounts=4, markets=1, orders=8)
    for _ in range(MARKETS):
        leverage, mark = (
            int(random.choice([1, 3, 19, 50, 100])),
            int(random.choice([7, 1000, 123_450, 1 << 26])),
        )
        tiers = ((mark * 200, max(1, leverage // 2)), (mark * 2000, max(1, leverage // 5)))
        rows.add_market(
            int(random.choice([0, 3, 6])), leverage, mark,
            tiers=tiers if leverage > 3 and random.random() < 0.5 else (),
            min_notional=int(random.choice([0, mark * 2])), max_sz=int(random.choice([400, 1 << 28])),
            max_open_interest=int(random.choice([0, 0, 300])), first_leverage=max(1, leverage // 2),
        )  # fmt: skip
    for number in range(TRADERS):
        rates = int(random.choice([0, 1, 4500, 100_000])), int(random.choice([0, 1, 1500, 100_000]))
        slot = rows.add_account(number.to_bytes(20, "big"), 0, *rates)
        rows.accounts[slot]["cash"] = int(random.choice([10**6, 10**8, 1 << 40, 1 << 58]))
    return rows


def ops_near_limits(random: np.random.Generator, rows: Rows, count: int) -> np.ndarray:
    """Half of them modifies: plain to reduce-only and back, to the other side, of an order of this very segment; sizes
    about the position, prices about the mark and the order's own, and liquidations in several markets."""
    ops = np.zeros(count, OP)
    live, next_oid = rows.orders[rows.orders["oid"] != 0], int(rows.globals["next_oid"][0])
    worth = rows.accounts["cash"] + rows.accounts["position_value"]
    short = np.flatnonzero(worth[:TRADERS] < rows.accounts["maintenance_margin"][:TRADERS])
    for place, op in enumerate(ops):
        op["account"], op["market"] = random.integers(0, TRADERS), random.choice(MARKETS, p=[0.7, 0.2, 0.1])
        op["kind"] = random.choice(_KINDS, p=[0.4, 0.45, 0.05, 0.1] if len(live) else [1, 0, 0, 0])
        op["side"], op["tif"] = random.integers(0, 2), random.choice(3, p=[0.7, 0.2, 0.1])
        op["has_cloid"], op["target_lo"] = random.random() < 0.3, random.integers(0, 6)
        op["cloid_lo"] = op["has_cloid"] * random.integers(0, 6)
        op["builder"], op["builder_fee"] = random.integers(0, TRADERS), random.choice([0, 0, 1, 10_000])
        if op["kind"] != OpKind.PLACE:
            target = live[random.integers(0, len(live))]
            op["account"], op["market"] = target["account"], target["market"]
            op["oid"], op["target_lo"] = target["oid"], target["cloid_lo"]
            if random.random() < 0.12:
                op["oid"] = next_oid + int(random.integers(0, place + 1))
        _terms(random, rows, op)
        if random.random() < 0.1:
            if len(short) and random.random() < 0.7:
                op["account"] = random.choice(short)
            op["kind"], op["liquidation"], op["liquidation_fee"] = OpKind.PLACE, 1, 20_000
            op["reduce_only"], op["tif"] = 1, Tif.IOC
            op["side"] = rows.positions[op["account"], op["market"]]["size"] > 0
    return ops


def _terms(random: np.random.Generator, rows: Rows, op: np.void) -> None:
    """Side, price and size: of half what only reduces, if there is a position."""
    account, market = int(op["account"]), rows.markets[int(op["market"])]
    size, mark = int(rows.positions[account, int(op["market"])]["size"]), int(market["mark"])
    if random.random() < (0.5 if size else 0.05):
        op["reduce_only"], op["side"] = random.random() < 0.8, size > 0
    share = float(random.choice([0, 0, 0, 0.001, 0.1, 0.3, 0.9])) / int(market["max_leverage"])
    px = round(mark * (1 + share * int(random.choice([-1, 1])))) + int(random.integers(-1, 2))
    step = 1
    while px % int(market["px_unit"]) and px >= step * 100_000:
        step *= 10
    op["px"] = min(max(px // step * step, 1), int(market["max_px"]))
    holder = rows.accounts[account]
    free = int(holder["cash"]) + int(holder["position_value"]) - int(holder["initial_margin"])
    could = free * int(market["max_leverage"]) // (3 * mark)
    wanted = could * int(random.integers(1, 11)) // 10 if could > 1 else int(random.integers(1, 400))
    chosen = abs(size) + int(random.integers(-1, 2)) if size and random.random() < 0.5 else wanted
    op["sz"] = min(max(chosen, 1), int(market["max_sz"]))


def ops_that_pass(random: np.random.Generator, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """What rests is cancelled, and a few small orders of one side come; then post-only ones, mostly much larger and of
    the other side of the same market, which cross most of them."""
    live = rows.orders[rows.orders["oid"] != 0]
    market, side = int(random.integers(0, MARKETS)), int(random.integers(0, 2))
    mark, unit = int(rows.markets[market]["mark"]), int(rows.markets[market]["px_unit"])
    small, large = np.zeros(len(live) + random.integers(1, 6), OP), np.zeros(random.integers(1, 6), OP)
    small["kind"][: len(live)] = OpKind.CANCEL
    for name in ("account", "market", "oid"):
        small[name][: len(live)] = live[name]
    for ops, sells in ((small[len(live) :], side), (large, 1 - side)):
        for op in ops:
            op["account"], op["market"], op["side"] = random.integers(0, TRADERS), market, sells
            if ops is large and random.random() < 0.3:
                op["side"] = side
            px = int(mark * (1 + random.normal(0, 0.02))) + int(random.integers(-2, 3))
            op["px"] = max(px // unit * unit if px > 100_000 else px, 1)
            op["sz"] = random.integers(1, 9) * (
                1 if ops is not large else int(random.choice([1, 16, 64, 300]))
            )
            op["reduce_only"], op["builder_fee"] = random.random() < 0.3, random.choice([0, 0, 10_000])
            op["builder"], op["tif"] = random.integers(0, TRADERS), Tif.GTC if ops is not large else Tif.ALO
    return small, large


def some_modify(random: np.random.Generator, rows: Rows, ops: np.ndarray) -> None:
    """A third of `ops`, new orders so far, modify an order that rests in their market."""
    resting = rows.orders[(rows.orders["oid"] != 0) & (rows.orders["market"] == ops["market"][0])]
    for op in ops:
        if len(resting) and random.random() < 0.3:
            old = resting[random.integers(0, len(resting))]
            op["kind"], op["oid"], op["account"] = OpKind.MODIFY, old["oid"], old["account"]


def to_the_limits(random: np.random.Generator, rows: Rows) -> None:
    """Between segments: marks move by parts of a margin, leverages change, some are locked, funding waits, and each
    other account is worth what a limit asks, or one more or less, or a little beside it."""
    for market in range(MARKETS):
        row = rows.markets[market]
        moved = int(int(row["mark"]) * (1 + random.normal(0, 0.3 / int(row["max_leverage"]))))
        apply_marks(rows, {market: min(max(moved, 1), int(row["max_px"]))})
        most = steps_max(int(row["max_leverage"]))
        apply_distance(rows, market, *random.choice([0, 0, 0, 1, most], 2).tolist())
        row["status"] = random.choice(4, p=[0.97, 0.01, 0.01, 0.01])
        leverage = int(random.choice([0, 1, int(row["max_leverage"])]))
        rows.positions[random.integers(0, TRADERS), market]["leverage"] = leverage
        if not row["unbooked"] and random.random() < 0.05:
            paid, got = sorted(random.integers(1, 10**10, 2).tolist(), reverse=True)
            row["funding_ms"] += 3_600_000
            row["funding_long"], row["funding_short"] = (
                (paid, -got) if random.random() < 0.5 else (-got, paid)
            )
            row["unbooked"] = len(rows.positioned(market))
    rows.accounts["flags"][:TRADERS] = ACCOUNT_LOCKED * (random.random(TRADERS) < 0.05)
    rows.rebuild()
    for account in rows.accounts[:TRADERS]:
        initial, maintenance = int(account["initial_margin"]), int(account["maintenance_margin"])
        limit = int(
            random.choice([initial, initial, 2 * maintenance, maintenance, maintenance, maintenance // 3, 0])
        )
        spread = float(random.choice([0, 0, 0.02, 0.3]))
        beside = int(random.integers(-1, 2)) + int(initial * random.normal(0, spread))
        if random.random() < 0.3:
            account["cash"] = max(limit + beside, 0) - int(account["position_value"])
        elif random.random() < 0.5:
            account["cash"] += 3 * initial
