"""Auto-deleveraging: the last resort, when nobody in the book takes a bankrupt position.

The position is closed against holders of the other side at the bankrupt account's bankruptcy price: zero-sum, no
fee, no debt. Who comes first: the highest (mark / entry, or entry / mark for a short) * notional / equity, that is
profit times leverage (Hyperliquid's index); holders in profit before the others, then the older position, then the
lower account number. Nobody is closed beyond what their own equity bears: a counterparty never ends below zero.
"""

from __future__ import annotations

from collections import deque

from coinone.base.primitives.integers import div_down
from coinone.rules.exchange.batch import NO_HASH, Batch
from coinone.rules.exchange.events import Fill, FillSide, LiquidationEvent
from coinone.rules.exchange.margin import equity, refresh_margins
from coinone.rules.exchange.rows import Rows

MAX_SIZE = 2**62
_SCORE_SCALE = 10**12


class Deleveraging:
    """The rankings of one batch: each side of a market is ranked once, when it is first needed."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._queues: dict[tuple[int, bool], deque[int]] = {}

    def close(self, slot: int, market: int, price: int) -> None:
        """Close the bankrupt `slot`'s position against ranked counterparties, at `price` as far as they can bear it.
        What is left after that goes at the mark, which costs nobody anything; the debt then is the fund's."""
        rows = self._batch.rows
        queue = self._queue(slot, market)
        for other in queue:
            _close(self._batch, slot, other, market, _bearable(rows, other, market, price), price)
            if not rows.positions[slot, market]["size"]:
                break
        mark = int(rows.markets[market]["mark"])
        while rows.positions[slot, market]["size"]:
            if not rows.positions[queue[0], market]["size"]:
                queue.popleft()
                continue
            _close(self._batch, slot, queue[0], market, MAX_SIZE, mark)

    def _queue(self, slot: int, market: int) -> deque[int]:
        rows = self._batch.rows
        long = int(rows.positions[slot, market]["size"]) > 0
        if (market, long) not in self._queues:
            self._queues[market, long] = deque(ranked_counterparties(rows, slot, market))
        queue = self._queues[market, long]
        while not rows.positions[queue[0], market]["size"]:
            queue.popleft()
        return queue


def ranked_counterparties(rows: Rows, slot: int, market: int) -> list[int]:
    """Holders of the other side, first to be deleveraged first."""
    slots = rows.positioned(market)
    sizes = rows.positions["size"][slots, market]
    others = slots[(sizes < 0) if rows.positions[slot, market]["size"] > 0 else (sizes > 0)]
    return sorted(others.tolist(), key=lambda other: _rank(rows, other, market))


def _rank(rows: Rows, slot: int, market: int) -> tuple[int, int, int, int]:
    held, mark = rows.positions[slot, market], int(rows.markets[market]["mark"])
    size, entry = int(held["size"]), int(held["entry_notional"])
    notional = abs(size) * mark
    profit = (notional > entry) if size > 0 else (notional < entry)
    better, worse = (notional, entry) if size > 0 else (entry, notional)
    score = div_down(better * notional * _SCORE_SCALE, max(1, worse) * max(1, equity(rows, slot)))
    return (0 if profit else 1, -score, int(held["opened_ms"]), int(rows.accounts[slot]["number"]))


def _bearable(rows: Rows, slot: int, market: int, price: int) -> int:
    """The most lots the counterparty can be closed at `price` without its equity going below zero."""
    size, mark = int(rows.positions[slot, market]["size"]), int(rows.markets[market]["mark"])
    loss = mark - price if size > 0 else price - mark
    return abs(size) if loss <= 0 else max(0, div_down(equity(rows, slot), loss))


def _close(batch: Batch, slot: int, other: int, market: int, most: int, price: int) -> None:
    """Close at most `most` lots of both."""
    rows = batch.rows
    sizes = [abs(int(rows.positions[side, market]["size"])) for side in (slot, other)]
    part = min(most, *sizes)
    if part == 0:
        return
    change = -part if int(rows.positions[slot, market]["size"]) > 0 else part
    rows.journal.globals()
    tid = int(rows.globals["next_tid"][0])
    rows.globals["next_tid"] += 1
    rows.journal.market(market)
    rows.markets[market]["open_interest"] -= part
    bankrupt = _reduce(batch, slot, market, change, price)
    counterparty = _reduce(batch, other, market, -change, price)
    batch.events.append(
        Fill(
            *batch.here,
            tid=tid,
            market=market,
            px=price,
            sz=part,
            taker_is_buy=change > 0,
            taker=bankrupt,
            maker=counterparty,
            tx_hash=NO_HASH,
            kind="adl",
        )
    )
    batch.events.append(
        LiquidationEvent(
            *batch.here,
            account=bankrupt.account,
            kind="adl",
            market=market,
            size=-change,
            px=price,
            amount=part * price,
            counterparty=counterparty.account,
        )
    )


def _reduce(batch: Batch, slot: int, market: int, change: int, price: int) -> FillSide:
    """One side of a close outside the book: as the kernel's fill, without order and fee."""
    rows = batch.rows
    rows.journal.account(slot)
    rows.journal.position(slot, market)
    holder, held = rows.accounts[slot], rows.positions[slot, market]
    before, entry = int(held["size"]), int(held["entry_notional"])
    cost = div_down(entry * abs(change), abs(before))
    value = abs(change) * price
    holder["cash"] -= change * price
    holder["position_value"] += change * int(rows.markets[market]["mark"])
    held["size"] = before + change
    held["entry_notional"] = entry - cost
    held["funding_change"] = 0
    refresh_margins(rows, slot, market)
    pnl = value - cost if before > 0 else cost - value
    return FillSide(rows.address_of(slot), 0, 0, before, pnl, 0)
