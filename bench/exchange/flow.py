"""A random order flow in fixed proportions: new orders near the best prices, cancels, marketable orders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.tables import OP, Array, OpKind, Tif
from coinone.rules.exchange.state.rows import Rows

MARKETS = 3
MARK = 1_000_000


@dataclass
class World:
    rows: Rows
    segments: list[Array]


def new_rows(accounts: int, seed: int = 1) -> Rows:
    """Three markets with margin tiers, accounts with cash and different leverages."""
    random = np.random.default_rng(seed)
    rows = Rows(accounts=accounts)
    for _ in range(MARKETS):
        rows.add_market(5, 50, MARK, tiers=((10**11, 25), (10**12, 10)), tick=10)
    for number in range(accounts):
        slot = rows.add_account(number.to_bytes(20, "big"), 0)
        rows.accounts[slot]["cash"] = 10**12
        rows.positions[slot, :MARKETS]["leverage"] = random.integers(1, 51, MARKETS)
    return rows


def add_ops(random: np.random.Generator, count: int, accounts: int) -> Array:
    """Post-side orders around the mark, geometric distance, two sides."""
    ops = np.zeros(count, OP)
    ops["kind"] = OpKind.PLACE
    ops["account"] = random.integers(0, accounts, count)
    ops["market"] = random.integers(0, MARKETS, count)
    ops["side"] = random.integers(0, 2, count)
    away = 10 * random.geometric(0.01, count)
    ops["px"] = MARK + np.where(ops["side"] == 0, -away, away)
    ops["sz"] = random.integers(1_000, 20_000, count)
    ops["builder"] = -1
    return ops


def take_ops(random: np.random.Generator, count: int, accounts: int) -> Array:
    """Marketable orders, immediate or cancel, of about five fills each."""
    ops = add_ops(random, count, accounts)
    ops["tif"] = Tif.IOC
    ops["sz"] *= 4
    ops["px"] = MARK + np.where(ops["side"] == 0, 10_000, -10_000)
    return ops


def cancel_ops(random: np.random.Generator, rows: Rows, count: int) -> Array:
    """Cancels of orders that rest, each of another one."""
    chosen = random.choice(np.flatnonzero(rows.orders["oid"]), count, replace=False)
    ops = np.zeros(count, OP)
    for name in ("account", "market", "side", "oid"):
        ops[name] = rows.orders[name][chosen]
    ops["kind"] = OpKind.CANCEL
    return ops


def make(
    segments: int = 200, size: int = 1000, accounts: int = 2000, resting: int = 20_000, seed: int = 1
) -> World:
    """A world with `resting` orders, and segments of 70 % adds, 20 % cancels, 10 % marketable orders."""
    random = np.random.default_rng(seed)
    rows = new_rows(accounts, seed)
    run_segment(rows, add_ops(random, resting, accounts), 0)
    rows.journal.begin()
    shadow = new_rows(accounts, seed)
    run_segment(shadow, add_ops(np.random.default_rng(seed), resting, accounts), 0)
    made = []
    for _ in range(segments):
        ops = add_ops(random, size, accounts)
        kind = random.random(size)
        taking = kind > 0.9
        ops["tif"][taking] = Tif.IOC
        ops["sz"][taking] *= 4
        ops["px"][taking] = MARK + np.where(ops["side"][taking] == 0, 10_000, -10_000)
        live = np.flatnonzero(shadow.orders["oid"])
        cancels = np.flatnonzero((kind > 0.7) & (kind <= 0.9))
        chosen = random.choice(live, len(cancels), replace=False)
        for name in ("account", "market", "side", "oid"):
            ops[name][cancels] = shadow.orders[name][chosen]
        ops["kind"][cancels] = OpKind.CANCEL
        run_segment(shadow, ops, 1)
        shadow.journal.begin()
        made.append(ops)
    return World(rows, made)
