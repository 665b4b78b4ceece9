"""Hittable quotes: the prices that funding and fair prices take from the book.

A quote counts only if takers could have traded with it after seeing it. The bid of batch t is therefore the lowest of
the impact bids at three moments: at the end of batch t - 1, which is public; before the takers of t, after its cancels
and post-only orders; and after its takers. The ask is the highest of the three. Orders that came among the takers of a
batch do not count at its end: an account that withdraws its quote before them and restores it after them has quoted
nothing, nor has one that places a quote in one batch and cancels it in the next. Each batch is weighted by its length
(at most 5 s), so no moment counts more than another.

An order counts as far as a taker would get it after taking all better ones: if its owner could bear its fill, after the
fills of all its nearer orders, and within the band. The margin that an order entered with may be gone since, sent away,
used elsewhere or lost to another account: then the kernel removes the side when a taker meets it, or the orders that
add risk with the first small fill that costs more than the account has above its initial margin, and no taker gets what
was behind.

An *impact price* is the average price of trading the market's impact notional into a side, over at most `IMPACT_ORDERS`
orders; a thinner side has none. An order is worth 10 quote when it enters, so hiding the depth behind that many small
orders takes eight times the notional. Here prices are in 1 / QUOTE_SCALE of the market's price unit, and 0 means none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from coinone.base.primitives.integers import div_down, div_up
from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.parameters import SAMPLE_MS
from coinone.rules.exchange.accounts.equity import apply_distance
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.book.ladders import ladder_of
from coinone.rules.exchange.kernel.matching import fee, holds_stale, list_stale
from coinone.rules.exchange.margin.fill_check import beyond_band, costs_the_fund, may_fill, room
from coinone.rules.exchange.margin.sums import initial_margin, maintenance_margin
from coinone.rules.exchange.prices.fair import add_book
from coinone.rules.exchange.prices.funding import add_premium
from coinone.rules.exchange.prices.oracle import is_fresh
from coinone.rules.exchange.prices.traded import (
    NO_VOLUMES,
    add_offers,
    add_trades,
    limited,
    trades_beside_the_mark,
)
from coinone.rules.exchange.rows.arrays import CORE, NUMBER_ROWS, NUMBERS, attach, i64, inlined, part
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED, Array
from coinone.rules.exchange.state.distance import distance_of
from coinone.rules.exchange.state.ledger import QUOTE_SCALE

IMPACT_ORDERS = 16_384  # examined for an impact price, some 0.5 ms at most; deeper orders are ignored
OID_END = 2**63 - 1
_LADDER, _LOTS, _REDUCING, _COST, _RISE, _GONE = range(6)
_RISK, _SIDE = 1, 2  # what is removed: orders that add risk, or the whole side


class ImpactPrices(NamedTuple):
    """A market's impact prices: the bid rounded down, the ask up."""

    bid: int
    ask: int


def impact_quotes(batch: Execution) -> list[ImpactPrices]:
    """Each market's current impact prices."""
    _, quotes = impact_quotes_since(batch, OID_END)
    return quotes


def impact_quotes_since(batch: Execution, before: int) -> tuple[list[ImpactPrices], list[ImpactPrices]]:
    """Each market's current impact prices from orders with ids below `before`, and from all orders."""
    rows, listing_of = batch.rows, batch.ledger.listing_of
    notionals = np.array([listing_of(n).impact_notional for n in range(rows.market_count)], np.int64)
    found = np.zeros((len(notionals), 8), np.int64)
    _walk(rows.core(), notionals, before, found, np.zeros((len(rows.accounts), 6), np.int64))
    return [_prices(row[:4]) for row in found.tolist()], [_prices(row[4:]) for row in found.tolist()]


def _prices(found: list[int]) -> ImpactPrices:
    """From value and size of a trade into the bids, and into the asks; size 0: too thin."""
    bid_value, bid_size, ask_value, ask_size = found
    return ImpactPrices(
        div_down(bid_value * QUOTE_SCALE, bid_size) if bid_size else 0,
        div_up(ask_value * QUOTE_SCALE, ask_size) if ask_size else 0,
    )


def hittable(*quotes: ImpactPrices) -> ImpactPrices:
    """The hittable quote of several moments: the lowest bid and the highest ask, 0 if missing at any."""
    bids, asks = [quote.bid for quote in quotes], [quote.ask for quote in quotes]
    return ImpactPrices(min(bids), max(asks) if all(asks) else 0)


def apply_distances(batch: Execution, met: Sequence[ImpactPrices] = ()) -> None:
    """Set each market's distance from its index: at the end of a batch by its memory, before the takers by what they
    meet as well."""
    for market in range(batch.rows.market_count):
        memory, row = batch.ledger.memory_of(market), batch.rows.markets[market]
        mark, leverage = int(row["mark"]), int(row["max_leverage"])
        if market < len(met):
            memory = add_offers(memory, *met[market], mark)
        apply_distance(batch.rows, market, *distance_of(memory, mark, leverage))


def weigh_quotes(batch: Execution, met: list[ImpactPrices], before: int, fills: Sequence[Array]) -> None:
    """Weight what a batch's takers could hit and what was traded, and store the public quotes at its end.

    The takers met `met`, made of orders with ids below `before`. A market listed after them is not in it: it begins
    with the next batch.
    """
    trades = trades_beside_the_mark(batch, fills)
    left_of, rest_of = impact_quotes_since(batch, before)
    for market, (quote, left, rest) in enumerate(zip(met, left_of, rest_of, strict=False)):
        memory, row = batch.ledger.memory_of(market), batch.rows.markets[market]
        elapsed = batch.now - memory.weighed_ms if memory.weighed_ms else 0
        bid, ask = hittable(ImpactPrices(memory.seen_bid, memory.seen_ask), quote, left)
        weight = min(elapsed, SAMPLE_MS)
        if is_fresh(batch.rows, market):
            memory = add_premium(batch, market, memory, bid, ask, weight)
            memory = add_book(memory, bid, ask, int(row["oracle"]), int(row["max_leverage"]), weight)
        mark, notional = int(row["mark"]), batch.ledger.listing_of(market).impact_notional
        volumes = limited(trades[market], bid, ask, mark) if market in trades else NO_VOLUMES
        memory = add_trades(memory, volumes, notional, weight)
        memory = add_offers(add_offers(memory, *quote, mark), *rest, mark)
        memory = replace(memory, weighed_ms=batch.now, seen_bid=left.bid, seen_ask=left.ask)
        batch.ledger.memory.put(market, memory)


@inlined
def _met(core: Any, slot: int, ladder: int, met: Any) -> int:
    """The lots of an order that a taker would get after taking all better ones of the side.

    `met` has the sums of the better ones by account: the ladder + 1 they are of, their lots, those of reduce-only
    orders, what they cost their owner, by how much its initial margin rose (where reduce-only fills leave orders that
    open more), and what was removed with the last.
    """
    order = core.orders[slot]
    account, market = i64(order.account), i64(order.market)
    held, terms = core.positions[account, market], core.markets[market]
    if met[account, _LADDER] != ladder + 1:
        met[account, :] = 0
        met[account, _LADDER] = ladder + 1
    gone = met[account, _GONE]
    if gone == _SIDE or (gone == _RISK and order.reduce_only == 0):
        return i64(0)
    direction = 1 - 2 * order.side
    loss = direction * (order.px - terms.mark)
    if costs_the_fund(core, slot) or (loss > 0 and beyond_band(core, market, order.px)):
        return i64(0)
    locked = core.accounts[account].flags & ACCOUNT_LOCKED != 0
    lots = i64(order.sz)
    spent = met[account, _COST] + met[account, _RISE]
    if order.reduce_only != 0 or locked or holds_stale(core, account, spent):
        lots = min(lots, max(-direction * held.size, 0) - met[account, _LOTS])
        if lots <= 0:
            return i64(0)
    change = direction * (met[account, _LOTS] + lots)
    share = fee(lots * order.px, order.builder_fee)
    cost = met[account, _COST] + loss * lots
    cost += max(fee(lots * order.px, core.accounts[account].maker_rate) + share, 0)
    left = maintenance_margin(core, market, held.size + change)
    if not may_fill(core, account, market, change, terms.mark, cost, left):
        met[account, _GONE] = _SIDE
        return i64(0)
    reducing = met[account, _REDUCING] + (lots if order.reduce_only != 0 else 0)
    opening = direction * (met[account, _LOTS] + lots - reducing)
    bids, asks = held.bid_size - max(opening, 0), held.ask_size + min(opening, 0)
    rise = initial_margin(core, market, held.size + change, bids, asks, held.leverage) - held.initial_margin
    lost = loss * lots + share
    if lost > max(met[account, _RISE] - rise, 0) and room(core, account) < cost + rise:
        met[account, _GONE] = _RISK
    met[account, _LOTS] += lots
    met[account, _REDUCING] = reducing
    met[account, _RISE] = rise
    met[account, _COST] = cost
    return i64(lots)


@inlined
def _part(lots: int, px: int, missing: int) -> int:
    """The lots of an order that a trade takes which lacks so much value; the last lot may exceed it."""
    return i64(min(lots, (missing + px - 1) // px))


@part
def _impact(core: Any, ladder: int, notional: int, before: int, met: Any) -> tuple[int, int, int, int]:
    """Value and size of a trade of `notional` into a side's orders with ids below `before`, then into all orders; size
    0: too thin."""
    value = size = all_value = all_size = i64(0)
    place, looked = core.ladder_counts[ladder] - 1, 0
    while place >= core.ladder_firsts[ladder] and looked < IMPACT_ORDERS:
        px = abs(core.ladder_keys[ladder, place])
        slot = i64(core.levels[core.ladder_levels[ladder, place]].head)
        while slot >= 0 and looked < IMPACT_ORDERS:
            looked += 1
            lots = _met(core, slot, ladder, met)
            if all_value < notional:
                take = _part(lots, px, notional - all_value)
                all_value += px * take
                all_size += take
            if core.orders[slot].oid < before:
                take = _part(lots, px, notional - value)
                value += px * take
                size += take
                if value >= notional:
                    return value, size, all_value, all_size
            slot = i64(core.links[slot].next)
        place -= 1
    if all_value < notional:
        return i64(0), i64(0), i64(0), i64(0)
    return i64(0), i64(0), all_value, all_size


@njit(
    types.void(CORE, NUMBERS, types.int64, NUMBER_ROWS, NUMBER_ROWS),
    error_model="numpy",
    _nrt=False,
)
def _walk(words: Any, notionals: Any, before: int, found: Any, met: Any) -> None:
    """Set found[market] to value and size of the impact trade into the bids, then into the asks, by orders with ids
    below `before`, then the same by all orders; size 0: too thin."""
    core = attach(words)
    list_stale(core)
    for market in range(notionals.shape[0]):
        for side in range(2):
            value, size, all_value, all_size = _impact(
                core, ladder_of(market, side), notionals[market], before, met
            )
            found[market, 2 * side] = value
            found[market, 2 * side + 1] = size
            found[market, 4 + 2 * side] = all_value
            found[market, 5 + 2 * side] = all_size
