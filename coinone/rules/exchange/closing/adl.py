"""Auto-deleveraging: the last resort, when no order in the book takes a position that must be closed.

The position is closed against holders of the other side, at the mark or at a price better for them: zero-sum, without a
fee, and only the closed account loses by it. The ranking: first the lots that the holder's other positions do not
hedge, of all holders; then the rest. Within each, holders in profit come first; then the highest profit times leverage,
(mark / entry, or entry / mark for a short) * notional / equity (Hyperliquid's index); then the older position, then the
lower account number.

One large position may face many thousands of small ones: a batch ranks only the largest holders of a side and makes a
bounded number of closes; the rest of the position waits for the next batch, which ranks again. A batch ranks more
holders than it makes closes, so it never runs out of ranked holders. For the second half of a batch's closes the
largest holders come first: otherwise a crowd of tiny holders, ranked first and coming back, would use up all closes of
every batch, and the position would stay open.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from coinone.base.primitives.integers import div_down
from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.parameters import CLOSES_BY_RANK, CLOSES_PER_BATCH, RANKED_PER_SIDE
from coinone.rules.exchange.batch.execution import NO_HASH, Execution
from coinone.rules.exchange.events.events import Fill, FillSide, LiquidationEvent
from coinone.rules.exchange.kernel.matching import change_position
from coinone.rules.exchange.margin.sums import maintenance_margin, update_margins
from coinone.rules.exchange.rows.arrays import CORE, NUMBERS, attach, i64
from coinone.rules.exchange.rows.journal import save_globals, save_market
from coinone.rules.exchange.rows.tables import Array
from coinone.rules.exchange.state.rows import Rows

_SCORE_SCALE = 10**6


class Deleveraging:
    """The rankings of one batch: each side of a market is ranked once, when it is first needed."""

    def __init__(self, batch: Execution) -> None:
        self._batch = batch
        self._queues: dict[tuple[int, bool], deque[tuple[int, int]]] = {}
        self._closes_left = CLOSES_PER_BATCH
        self._by_size: set[tuple[int, bool]] = set()  # the queues already ordered by size
        self.closed: dict[tuple[int, int], None] = {}  # (slot, market) of every position that shrank

    def close(self, slot: int, market: int, price: int) -> None:
        """Close the position of `slot`, as far as the batch's closes allow: the other side holds as many lots."""
        rows = self._batch.rows
        while self._closes_left and rows.positions[slot, market]["size"]:
            queue = self._queue(slot, market)
            other, most = queue.popleft()
            closed = _close(self._batch, slot, other, market, most, price)
            self._closes_left -= closed > 0
            self.closed[slot, market] = self.closed[other, market] = None
            if most > closed and rows.positions[other, market]["size"]:
                queue.appendleft((other, most - closed))

    def overreduced(self) -> list[tuple[int, int]]:
        """(slot, market) of each position left smaller than its reduce-only orders."""
        held = self._batch.rows.positions
        return [at for at in self.closed if held["reduce_size"][at] > abs(int(held["size"][at]))]

    def _queue(self, slot: int, market: int) -> deque[tuple[int, int]]:
        long = int(self._batch.rows.positions[slot, market]["size"]) > 0
        if (market, long) not in self._queues:
            ranked = ranked_counterparties(self._batch.rows, slot, market)
            self._queues[market, long] = deque(_in_two_passes(self._batch.rows, ranked, market))
        if CLOSES_PER_BATCH - self._closes_left >= CLOSES_BY_RANK and (market, long) not in self._by_size:
            self._by_size.add((market, long))
            self._queues[market, long] = deque(self._largest_first(market, self._queues[market, long]))
        return self._queues[market, long]

    def _largest_first(self, market: int, queue: deque[tuple[int, int]]) -> list[tuple[int, int]]:
        """Sort a queue by the lots that each holder can still take; ties keep their rank."""
        sizes = self._batch.rows.positions["size"][:, market]
        return sorted(queue, key=lambda entry: -min(entry[1], abs(int(sizes[entry[0]]))))


def ranked_counterparties(rows: Rows, slot: int, market: int) -> Array:
    """Slots of the other side's largest holders, in the order of deleveraging."""
    slots = rows.positioned(market)
    sizes = rows.positions["size"][slots, market]
    others = slots[(sizes < 0) if rows.positions[slot, market]["size"] > 0 else (sizes > 0)]
    if len(others) > RANKED_PER_SIDE:  # ties go to the lower account number
        others = others[
            np.argsort(-np.abs(rows.positions["size"][others, market]), kind="stable")[:RANKED_PER_SIDE]
        ]
    held, accounts = rows.positions[others, market], rows.accounts[others]
    worth, mark = accounts["cash"] + accounts["position_value"], int(rows.markets[market]["mark"])
    columns = held["size"], held["entry_notional"], worth, held["opened_ms"], accounts["number"]
    told = zip(*[column.tolist() for column in columns], strict=True)
    ranks = [_rank(size, entry, worth, mark, *ties) for size, entry, worth, *ties in told]
    by_rank: Array = others[sorted(range(len(ranks)), key=ranks.__getitem__)]
    return by_rank


def _rank(size: int, entry: int, worth: int, mark: int, *ties: int) -> tuple[int, ...]:
    notional = abs(size) * mark
    better, worse = (notional, entry) if size > 0 else (entry, notional)
    score = div_down(better * notional * _SCORE_SCALE, max(1, worse) * max(1, worth))
    return (0 if better > worse else 1, -score, *ties)


def unhedged(rows: Rows, slots: Array, market: int) -> Array:
    """Lots of each position that the account's other positions, at their marks, do not offset; rounded down."""
    sizes, mark = rows.positions["size"][slots, market], int(rows.markets[market]["mark"])
    net = np.sign(sizes) * rows.accounts["position_value"][slots]
    lots: Array = np.minimum(np.abs(sizes) * mark, np.maximum(net, 0)) // mark
    return lots


def _in_two_passes(rows: Rows, ranked: Array, market: int) -> list[tuple[int, int]]:
    """(slot, lots) in order: the unhedged lots of each holder, then the rest of each."""
    bare = unhedged(rows, ranked, market)
    rest = np.abs(rows.positions["size"][ranked, market]) - bare
    slots, lots = np.concatenate([ranked, ranked]).tolist(), np.concatenate([bare, rest]).tolist()
    return [pair for pair in zip(slots, lots, strict=True) if pair[1]]


def _close(batch: Execution, slot: int, other: int, market: int, most: int, price: int) -> int:
    """Close at most `most` lots of both positions; return how many."""
    rows = batch.rows
    rows.journal.reserve(2)
    told = np.zeros(5, np.int64)
    part = int(_close_both(rows.core(), slot, other, market, most, price, told))
    if part == 0:
        return 0
    tid, start, pnl, other_start, other_pnl = told.tolist()
    closed = FillSide(rows.address_of(slot), 0, 0, start, pnl, 0)
    counterparty = FillSide(rows.address_of(other), 0, 0, other_start, other_pnl, 0)
    batch.events.append(
        Fill(
            *batch.here,
            tid=tid,
            market=market,
            px=price,
            sz=part,
            taker_is_buy=start < 0,
            taker=closed,
            maker=counterparty,
            tx_hash=NO_HASH,
            kind="adl",
        )
    )
    batch.events.append(
        LiquidationEvent(
            *batch.here,
            account=closed.account,
            kind="adl",
            market=market,
            size=part if start > 0 else -part,
            px=price,
            amount=part * price,
            counterparty=counterparty.account,
        )
    )
    return part


@njit(types.int64(CORE, *[types.int64] * 5, NUMBERS), error_model="numpy", _nrt=False)
def _close_both(words: Any, slot: int, other: int, market: int, most: int, price: int, told: Any) -> int:
    """Close both positions without order and fee; return the lots closed.

    The last argument receives the trade id, and of both their size before and their profit.
    """
    core = attach(words)
    size = core.positions[slot, market].size
    part = min(most, min(abs(size), abs(core.positions[other, market].size)))
    if part == 0:
        return 0
    change = -part if size > 0 else part
    save_globals(core)
    save_market(core, market)
    told[0] = core.globals[0].next_tid
    core.globals[0].next_tid += 1
    for side in range(2):
        account, lots = (slot, change) if side == 0 else (other, -change)
        told[1 + 2 * side] = core.positions[account, market].size
        told[2 + 2 * side] = change_position(core, account, market, lots, price, 0, 1)
        left = core.positions[account, market].size
        update_margins(core, account, market, maintenance_margin(core, market, left), -1)
    return i64(part)
