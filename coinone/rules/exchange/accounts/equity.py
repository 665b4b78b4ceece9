"""Equity and margins for Python: new marks and distances, changes of leverage, and the value of an account.

For the rule see margin/sums.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.jit_tables import prefetch
from coinone.rules.exchange.margin.sums import initial_margin, maintenance_margin, set_margins, update_margins
from coinone.rules.exchange.rows.arrays import CORE, attach, i64
from coinone.rules.exchange.state.distance import steps_max
from coinone.rules.exchange.state.rows import Rows

_AHEAD = 6  # holders to prefetch ahead


def apply_marks(rows: Rows, marks: Mapping[int, int]) -> None:
    """Set new marks, market by market, and update every holder's running value and margins."""
    core = rows.core()
    for market, mark in marks.items():
        row = rows.markets[market]
        assert 0 < mark <= row["max_px"]
        if mark != row["mark"]:
            rows.journal.market(market)
            _set_mark(core, market, mark)


def apply_distance(rows: Rows, market: int, below: int, above: int) -> None:
    """Set by how many steps a market stands beside its index, and update every holder's running initial margin."""
    row = rows.markets[market]
    assert 0 <= min(below, above) <= max(below, above) <= steps_max(int(row["max_leverage"]))
    if (below, above) != (row["below"], row["above"]):
        rows.journal.market(market)
        row["below"], row["above"] = below, above
        _set_mark(rows.core(), market, int(row["mark"]))


def refresh_margins(rows: Rows, account: int, market: int) -> None:
    """Update a position's running margins after Python changed its size, orders or leverage."""
    _refresh(rows.core(), account, market)


@njit(types.void(CORE, types.int64, types.int64), error_model="numpy", _nrt=False)
def _refresh(words: Any, account: int, market: int) -> None:
    core = attach(words)
    held = core.positions[account, market]
    update_margins(core, account, market, maintenance_margin(core, market, held.size), -1)


def equity(rows: Rows, account: int) -> int:
    """The account's equity: its value at the marks."""
    row = rows.accounts[account]
    return int(row["cash"]) + int(row["position_value"])


def would_be_initial_margin(rows: Rows, account: int, market: int, leverage: int) -> int:
    """The account's initial margin if its leverage in `market` were changed to `leverage`."""
    held = rows.positions[account, market]
    sizes = np.array([held["size"], held["bid_size"], held["ask_size"]], np.int64)
    wanted = _initial(rows.core(), market, sizes[0], sizes[1], sizes[2], leverage)
    return int(rows.accounts[account]["initial_margin"]) - int(held["initial_margin"]) + int(wanted)


def position_margins(rows: Rows, account: int, markets: Sequence[int]) -> list[int]:
    """Initial margin of the account's position in each of `markets` alone, without its open orders."""
    core, held = rows.core(), rows.positions[account]
    sizes, leverages = held["size"].tolist(), held["leverage"].tolist()
    return [int(_initial(core, market, sizes[market], 0, 0, leverages[market])) for market in markets]


@njit(types.int64(CORE, *[types.int64] * 5), error_model="numpy", _nrt=False)
def _initial(words: Any, market: int, size: int, bids: int, asks: int, leverage: int) -> int:
    core = attach(words)
    return initial_margin(core, market, size, bids, asks, leverage)


@njit(types.void(CORE, types.int64, types.int64), error_model="numpy", _nrt=False)
def _set_mark(words: Any, market: int, mark: int) -> None:
    core = attach(words)
    change = mark - core.markets[market].mark
    core.markets[market].mark = mark
    last = core.holder_counts[market] - 1
    for n in range(last + 1):
        ahead = i64(core.holders[market, min(n + _AHEAD, last)])
        prefetch(core.accounts, ahead)
        prefetch(core.positions, ahead * core.positions.shape[1] + market)
        account = i64(core.holders[market, n])
        held = core.positions[account, market]
        core.accounts[account].position_value += held.size * change
        set_margins(core, account, market, maintenance_margin(core, market, held.size), -1)
