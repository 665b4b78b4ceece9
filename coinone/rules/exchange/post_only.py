"""Which post-only orders of a batch rest although others cross them; what still crosses meets at its end (passing.py).

On other venues whoever rests first keeps out what would cross it. Here makers cancel and quote anew in the same batch,
cancels first, so that a stranger's ask for 12 quote far below all others would bar the bids of all of them: sellers and
liquidations would then meet nobody but the stranger's own bid. So a post-only order rests over

- what others bring in the same batch: they have not been there for any taker yet;
- what rests at a loss against the mark: its owner may take it away ahead of takers and put it back behind them;
- of all else, a 16th of its own lots, and what a post-only modify of the batch is about to move.

A post-only order that more is in the way of is refused, as everywhere: who is late with a price does not want to trade.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from coinone.base.primitives.jit import njit
from coinone.rules.exchange.cancelling import find_target
from coinone.rules.exchange.core import CORE, NUMBERS, attach
from coinone.rules.exchange.passing import MADE_PART
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.tables import Array, MarketStatus, OpKind, Side

_PLACE = int(OpKind.PLACE)


def passing(rows: Rows, ops: Array) -> Array:
    """Which of a segment's post-only orders, in their markets' units, rest over what crosses them."""
    found = np.zeros(len(ops), np.bool_)
    moved = _moved_orders(rows, ops)
    markets = np.unique(ops["market"])
    for market in markets[(markets >= 0) & (markets < rows.market_count)].tolist():
        if rows.markets[market]["status"] != MarketStatus.ACTIVE:
            continue
        for side in Side:
            coming = np.flatnonzero((ops["market"] == market) & (ops["side"] != side))
            if len(coming):
                in_way = _in_way(rows, market, side, ops["px"][coming], moved)
                found[coming] = in_way <= ops["sz"][coming] // MADE_PART
    return found


def _in_way(rows: Rows, market: int, side: Side, px: Array, moved: Array) -> Array:
    """Lots that rest on `side`, at no loss to their owners, and that orders of the other side at `px` would meet."""
    sign = 1 if side is Side.BUY else -1  # a ladder's keys rise to its best price
    reached = px * sign
    keys, sizes = rows.book.levels_from(market, side, int(reached.min()))
    gone = moved[(moved["market"] == market) & (moved["side"] == side)]
    gone = gone[gone["px"] * sign >= reached.min()]
    np.subtract.at(sizes, np.searchsorted(keys, gone["px"] * sign), gone["sz"])
    lots = np.concatenate(([0], np.cumsum(sizes)))
    most = np.searchsorted(keys, int(rows.markets[market]["mark"]) * sign, "right")
    found: Array = np.maximum(lots[most] - lots[np.searchsorted(keys, reached)], 0)
    return found


def _moved_orders(rows: Rows, ops: Array) -> Array:
    """The resting orders that modifies among `ops` would put at another price or on the other side."""
    if (ops["kind"] == _PLACE).all():
        return rows.orders[:0]
    slots = np.full(len(ops), -1, np.int64)
    _find_moved(rows.core(ops), slots)
    return rows.orders[np.unique(slots[slots >= 0])]


@njit(types.void(CORE, NUMBERS), error_model="numpy", _nrt=False)
def _find_moved(words: Any, slots: Any) -> None:
    core = attach(words)
    for i in range(core.ops.shape[0]):
        op = core.ops[i]
        if op.kind != _PLACE and op.market >= 0:
            slot = find_target(core, i)
            if slot >= 0 and (core.orders[slot].px != op.px or core.orders[slot].side != op.side):
                slots[i] = slot
