"""Which post-only orders of a batch rest although they cross others; what still crosses trades at its end (passing.py).

On other venues the order that rests first keeps out orders that would cross it. Here makers cancel and requote in the
same batch, cancels first, so a stranger's ask for 12 quote far below all others would bar the bids of all makers:
sellers and liquidations would then meet only the stranger's own bid. So a post-only order rests over

- what others bring in the same batch, and over what came in the last one or is about to be moved by a post-only modify:
  no taker may have had a chance at it (of the latter, more than a 16th of the order removes it after the takers);
- what is a gift (prices/fair.py), such as an ask below the fair ask: its owner may withdraw it before takers and
  restore it after them, or nobody may care to take it;
- of all else, a 16th of its own lots.

A post-only order that crosses more than that is refused, as everywhere: a maker late with a price does not want to
trade. Beyond the band at its owner's loss, where no fill can happen, an order rests over nothing: 16,384 such bids,
each at a better price than the makers', would push theirs off the side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.parameters import PRICE_LEVELS_MAX
from coinone.rules.exchange.kernel.cancelling import find_target
from coinone.rules.exchange.kernel.passing import SMALL_PART
from coinone.rules.exchange.margin.fill_check import band_divisor
from coinone.rules.exchange.rows.arrays import CORE, NUMBERS, attach, i64, inlined
from coinone.rules.exchange.rows.tables import Array, MarketStatus, OpKind, Side
from coinone.rules.exchange.state.rows import Rows

_PLACE = int(OpKind.PLACE)


def passing(
    rows: Rows, ops: Array, last_batch_ms: int, fair_prices: Callable[[int], tuple[int, int]]
) -> Array:
    """Which of a segment's post-only orders, in their markets' units, rest over what they cross.

    Orders that came at `last_batch_ms` or later keep nothing out, nor do gifts by a market's `fair_prices` (fair.py).
    """
    found = np.zeros(len(ops), np.bool_)
    small = _lots(rows, ops) // SMALL_PART
    order = np.argsort(ops["market"], kind="stable")
    markets, starts = np.unique(ops["market"][order], return_index=True)
    moved: Array | None = None
    for market, places in zip(markets.tolist(), np.split(order, starts[1:]), strict=True):
        if not 0 <= market < rows.market_count or rows.markets[market]["status"] > MarketStatus.AGED:
            continue
        fair = fair_prices(market)
        for side in Side:
            coming = places[ops["side"][places] != side]
            if not len(coming):
                continue
            reached = ops["px"][coming] * _sign(side)
            keys, sizes = rows.book.levels_from(market, side, int(reached.min()))
            in_way = _in_way(fair, side, reached, keys, sizes)
            if (in_way > small[coming]).any():
                moved = _moved_orders(rows, ops) if moved is None else moved
                _count(rows.core(), 2 * market + side, keys, sizes, last_batch_ms, moved)
                in_way = _in_way(fair, side, reached, keys, sizes)
            found[coming] = (in_way <= small[coming]) & ~_beyond_band(rows, market, side, reached)
            if rows.markets[market]["status"] == MarketStatus.AGED:  # no order may open on an old price
                found[coming] &= ops["reduce_only"][coming] != 0
    return found


def _lots(rows: Rows, ops: Array) -> Array:
    """The lots of each order; of a reduce-only one, at most the position."""
    known = (ops["market"] >= 0) & (ops["market"] < rows.market_count)
    held = rows.positions["size"][ops["account"], np.where(known, ops["market"], 0)]
    reducible = np.maximum(held * (2 * ops["side"].astype(np.int64) - 1), 0)
    return np.where(ops["reduce_only"] != 0, np.minimum(ops["sz"], reducible), ops["sz"])


def _sign(side: int) -> int:
    """The sign of a ladder's keys, which rise to its best price: prices of bids, and minus prices of asks."""
    return 1 if side == Side.BUY else -1


def _in_way(fair: tuple[int, int], side: Side, reached: Array, keys: Array, sizes: Array) -> Array:
    """Lots of the other side that orders meet, from the keys `reached` to the last one that is no gift."""
    lots = np.concatenate(([0], np.cumsum(sizes)))
    most = np.searchsorted(keys, fair[side] * _sign(side), "right")
    found: Array = np.maximum(lots[most] - lots[np.searchsorted(keys, reached)], 0)
    return found


def _beyond_band(rows: Rows, market: int, side: Side, reached: Array) -> Array:
    """Which prices of orders against `side`, as its keys, are beyond the band to the loss of their owners.

    Also those so far away that enough prices to fill a side fit in between.
    """
    row = rows.markets[market]
    mark = int(row["mark"])
    most = min(mark // band_divisor(int(row["max_leverage"])), PRICE_LEVELS_MAX // 2 * int(row["px_unit"]))
    lost: Array = mark * _sign(side) - reached > most
    return lost


def _moved_orders(rows: Rows, ops: Array) -> Array:
    """Slots of the resting orders that modifies among `ops` would move to another price or side, in rising order."""
    slots = np.full(len(ops), -1, np.int64)
    if (ops["kind"] != _PLACE).any():
        _find_moved(rows.core(ops), slots)
    return np.unique(slots[slots >= 0])


@njit(types.void(CORE, NUMBERS), error_model="numpy", _nrt=False)
def _find_moved(words: Any, slots: Any) -> None:
    core = attach(words)
    for i in range(core.ops.shape[0]):
        op = core.ops[i]
        if op.kind != _PLACE and op.market >= 0:
            slot = find_target(core, i)
            if slot >= 0 and (core.orders[slot].px != op.px or core.orders[slot].side != op.side):
                slots[i] = slot


@inlined
def _holds(rising: Any, number: int) -> bool:
    low, high = 0, rising.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if rising[middle] < number:
            low = middle + 1
        else:
            high = middle
    return bool(low < rising.shape[0] and rising[low] == number)


@njit(types.void(CORE, types.int64, NUMBERS, NUMBERS, types.int64, NUMBERS), error_model="numpy", _nrt=False)
def _count(words: Any, ladder: int, keys: Any, sizes: Any, last_batch_ms: int, moved: Any) -> None:
    """Set the sizes at a ladder's best `keys` to the lots that keep others out.

    These are lots that came before the last batch and are not about to be moved.
    """
    core = attach(words)
    first = core.ladder_counts[ladder] - keys.shape[0]
    for place in range(keys.shape[0]):
        sizes[place] = 0
        slot = i64(core.levels[core.ladder_levels[ladder, first + place]].head)
        while slot >= 0:
            if core.orders[slot].time_ms < last_batch_ms and not _holds(moved, slot):
                sizes[place] += core.orders[slot].sz
            slot = i64(core.links[slot].next)
