"""In which order the post-only orders of a batch enter the book: first those on the side that brings more.

Of two that cross each other whoever rests first keeps the other out. By the race alone (race.py) a small ask far below
all others would, when it wins, bar the bids of all makers who cancel and quote anew in the batch, and its owner's own
bid below it would be the best: sellers and liquidations then meet nobody else. And any price taken from outside as the
measure of "far" can be made wrong: the mark where the book trades off it, the last batch's middle by whoever was alone
in it. So the batch's own orders decide, as in a call auction: the price where the bids above it and the asks below it
balance. Orders come behind whose price lies beyond that, the less the earlier; the race decides among equals.

    B(p), A(p)    lots claimed by bids at p or above, by asks at p or below
    low, high     the highest price of an order with B > A, the lowest with B < A
    lost          of a bid max(0, price - high), of an ask max(0, low - price)

What an order claims is its lots, if its owner could bear it as things stand when the segment begins; each account has
its free margin once in a market and side, in the order of the race. So what bars others is capital, and not words. And
less, the further it lies beyond the mark to its owner's loss: at n times as far as a book may be from it (oracle / 4L,
mark.py), and from the mark of the last batch, which its owner knew, an n-th. An order stands for one batch before its
owner may take it back, so a large one far away is little risk.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import types

from coinone.base.primitives.jit import njit
from coinone.base.primitives.limits import INT64_MAX
from coinone.rules.exchange.core import CORE, MARKETS, attach, i64
from coinone.rules.exchange.fill_check import beyond_band, room
from coinone.rules.exchange.ladders import ladder_of
from coinone.rules.exchange.margin_rules import leverage_of
from coinone.rules.exchange.mark import OFFSET_SHARE
from coinone.rules.exchange.order_terms import check_terms
from coinone.rules.exchange.placing import would_cross
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.tables import ACCOUNT_LOCKED, Array, MarketStatus, OpKind, Side

_SELL = int(Side.SELL)
_ACTIVE = int(MarketStatus.ACTIVE)
_MODIFIES = (int(OpKind.MODIFY), int(OpKind.MODIFY_CLOID))
_NUMBERS = types.Array(types.int64, 1, "C")


def entry_order(rows: Rows, ops: Array, moved: Mapping[int, int]) -> Array | None:
    """The places of post-only orders `ops`, which come as the race ranked them and in their markets' units, in the
    order in which they enter; None: as they are, since no two of them cross. `moved`: by how much marks moved in this
    batch. Of an account's own in a market a modify enters behind what came before it, and what comes after a modify
    behind that: it may name it."""
    px, sells = ops["px"].copy(), ops["side"] == _SELL
    crossed = _crossed(rows, ops, px, sells)
    if not len(crossed):
        return None
    claimed, lost = claims(rows, ops, moved), np.zeros(len(ops), np.int64)
    for market in crossed:
        there = np.flatnonzero(ops["market"] == market)
        low, high = balance(px[there], sells[there], claimed[there])
        lost[there] = np.maximum(np.where(sells[there], low - px[there], px[there] - high), 0)
    modifies = np.isin(ops["kind"], _MODIFIES)
    if modifies.any():
        _keep_behind(ops, modifies, lost)
    places: Array = np.argsort(lost, kind="stable")
    return places


def _crossed(rows: Rows, ops: Array, px: Array, sells: Array) -> Array:
    """The markets in which the highest bid of the orders reaches their lowest ask."""
    known = (ops["market"] >= 0) & (ops["market"] < rows.market_count)
    bids, asks = known & ~sells, known & sells
    highest, lowest = np.full((2, rows.market_count), [[-INT64_MAX], [INT64_MAX]], np.int64)
    np.maximum.at(highest, ops["market"][bids], px[bids])
    np.minimum.at(lowest, ops["market"][asks], px[asks])
    found: Array = np.flatnonzero(highest >= lowest)
    return found


def balance(px: Array, sells: Array, claimed: Array) -> tuple[int, int]:
    """The highest price at which bids claim more than asks, and the lowest at which less; 0 and INT64_MAX if none."""
    prices, place = np.unique(px, return_inverse=True)
    bids, asks = np.zeros(len(prices), np.int64), np.zeros(len(prices), np.int64)
    np.add.at(bids, place[~sells], claimed[~sells])
    np.add.at(asks, place[sells], claimed[sells])
    over = np.cumsum(bids[::-1])[::-1] - np.cumsum(asks)
    more, less = prices[over > 0], prices[over < 0]
    return int(more[-1]) if len(more) else 0, int(less[0]) if len(less) else INT64_MAX


def claims(rows: Rows, ops: Array, moved: Mapping[int, int]) -> Array:
    """The lots that each order may claim. A modify may use what its side's open orders hold of the margin."""
    known = rows.markets["mark"][: rows.market_count].copy()
    for market, change in moved.items():
        known[market] -= change
    keys = (ops["account"].astype(np.int64) * (rows.market_count + 1) + ops["market"]) * 2 + ops["side"]
    _, group = np.unique(keys, return_inverse=True)
    # Of each group: margin, and lots that reduce; -1 where it was not looked up yet.
    left = np.full(2 * len(ops), -1, np.int64)
    found = np.zeros(len(ops), np.int64)
    _claim(rows.core(ops), group.astype(np.int64), known, left, found)
    return found


@njit(types.void(CORE, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS), error_model="numpy", _nrt=False)
def _claim(words: Any, group: Any, known: Any, left: Any, found: Any) -> None:
    core = attach(words)
    for i in range(core.ops.shape[0]):
        op = core.ops[i]
        if op.market < 0 or op.market >= core.counters[MARKETS] or check_terms(core, i) != 0:
            continue
        account, market, px = i64(op.account), i64(op.market), i64(op.px)
        terms, held = core.markets[market], core.positions[account, market]
        other = ladder_of(market, 1 - op.side)
        best = (
            core.ladder_counts[other] - 1
        )  # which keeps it out, unless it is one that no fill could ever meet
        if would_cross(core, i, other, -1) and not beyond_band(
            core, market, abs(core.ladder_keys[other, best])
        ):
            continue
        if beyond_band(core, market, px) or core.accounts[account].flags & ACCOUNT_LOCKED != 0:
            continue
        leverage = leverage_of(core, market, held.leverage)
        margin, lots = i64(2 * group[i]), i64(2 * group[i] + 1)
        if left[margin] < 0:
            freed = held.ask_size if op.side == _SELL else held.bid_size
            left[margin] = max(room(core, account), 0) + freed * terms.mark // leverage
            left[lots] = max(held.size if op.side == _SELL else -held.size, 0)
        reduced = min(i64(op.sz), left[lots])
        opened = i64(0) if op.reduce_only != 0 else i64(op.sz) - reduced
        if opened > 0 and terms.status != _ACTIVE:
            continue
        beyond = max(terms.mark - px if op.side == _SELL else px - terms.mark, 0)
        far = min(beyond, known[market] - px if op.side == _SELL else px - known[market])
        needed = opened * terms.mark // leverage + (opened + reduced) * beyond
        if needed <= left[margin]:
            left[margin] -= needed
            left[lots] -= reduced
            found[i] = opened + reduced
            if far * OFFSET_SHARE * terms.max_leverage > terms.oracle:
                found[i] = found[i] * terms.oracle // (far * OFFSET_SHARE * terms.max_leverage)


def _keep_behind(ops: Array, modifies: Array, lost: Array) -> None:
    """Raise the losses of modifies to the greatest of what came before, and of all orders to the greatest of the
    modifies before, each within its account and market."""
    furthest: dict[tuple[int, int], tuple[int, int]] = {}  # of all so far, and of the modifies among them
    named = zip(*(column.tolist() for column in (ops["account"], ops["market"], modifies, lost)), strict=True)
    for place, (account, market, modify, loss) in enumerate(named):
        of_all, of_modifies = furthest.get((account, market), (0, 0))
        loss = max(loss, of_all if modify else of_modifies)
        furthest[account, market] = max(of_all, loss), loss if modify else of_modifies
        lost[place] = loss
