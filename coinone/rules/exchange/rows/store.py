"""The store that book, journal and rows share: the tables themselves, and how many of their rows are in use."""

from __future__ import annotations

import numpy as np

from coinone.base.primitives.parameters import MARGIN_TIERS_MAX
from coinone.rules.exchange.rows.arrays import COUNTERS
from coinone.rules.exchange.rows.tables import ACCOUNT, GLOBALS, MARKET, ORDER, POSITION, TIER, Array, zeros


class RowStore:
    """accounts, addresses, positions[account slot, market], orders, markets, tiers[market, n], globals[0].

    holders[market, n] (margin/holders.py) is an index over positions, with capacity for all accounts.
    """

    def __init__(self, accounts: int, markets: int, orders: int) -> None:
        self.accounts: Array = zeros(accounts, ACCOUNT)
        self.addresses: Array = np.zeros((accounts, 20), np.uint8)
        self.positions: Array = zeros((accounts, markets), POSITION)
        self.holders: Array = np.zeros((markets, accounts), np.int32)
        self.holder_counts: Array = np.zeros(markets, np.int64)
        self.stale: Array = np.zeros(markets, np.int32)  # written by the kernel, for a segment
        self.markets: Array = np.zeros(markets, MARKET)
        self.tiers: Array = np.zeros((markets, MARGIN_TIERS_MAX), TIER)
        self.orders: Array = zeros(orders, ORDER)
        self.globals: Array = np.zeros(1, GLOBALS)
        self.account_count = 0
        self.market_count = 0
        self.counters: Array = np.zeros(COUNTERS, np.int64)  # slots of arrays.py
