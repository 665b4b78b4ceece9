"""Rows of post-only orders, for test_claims.py and test_post_only.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from coinone.rules.exchange.tables import OP, Tif

BTC, ETH = 0, 1


def ops_of(w: Any, *orders: Any) -> Any:
    """(account, market, side, price, coins, other fields if any) of each, in race order; rows in the markets' units."""
    ops = np.zeros(len(orders), OP)
    for row, (who, market, side, px, size, *fields) in zip(ops, orders, strict=True):
        row["account"], row["market"], row["side"] = w.slot(who), market, side
        row["px"], row["sz"] = round(px * (10, 100)[market]), round(size * (10**5, 10**4)[market])
        row["tif"] = Tif.ALO
        for name, value in fields[0].items() if fields else ():
            row[name] = value
    return ops
