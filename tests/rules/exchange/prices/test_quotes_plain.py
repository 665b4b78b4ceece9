"""Which orders funding counts, held against the same in plain Python on the kernel's twin."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from coinone.base.primitives.integers import div_down, div_up
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.prices.quotes import ImpactPrices, impact_quotes
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED
from coinone.rules.exchange.state.ledger import QUOTE_SCALE
from coinone.rules.exchange.twin.book import TwinOrder
from coinone.rules.exchange.twin.compare import twin_of
from coinone.rules.exchange.twin.run import Twin
from coinone.rules.exchange.twin.terms import (
    BUY,
    beyond_band,
    costs_the_fund,
    fee,
    holds_stale,
    initial_margin,
    may_fill,
    room,
    stale_markets,
)

QUOTE = 10**6


@dataclass
class Met:
    """What came of an owner's orders that a taker met so far."""

    lots: int = 0
    cost: int = 0  # losses against the mark, less gains, and fees
    opening: int = 0  # lots of orders that are not reduce-only
    rise: int = 0  # of the initial margin
    out_of_room: bool = False  # a fill that cost something left too little for what adds risk
    could_not: bool = False  # bear a fill, so the side is gone


def met(twin: Twin, order: TwinOrder, so_far: Met) -> int:
    """Lots of it that a taker gets who took all better ones before."""
    sign, px, market = (1 if order.op.side == BUY else -1), order.op.px, order.market
    if so_far.could_not or (so_far.out_of_room and not order.op.reduce_only):
        return 0
    if sign * (px - market.mark) > 0 and beyond_band(market, px):
        return 0
    lots = order.left
    if costs_the_fund(order):
        return 0
    clipped = order.op.reduce_only or order.owner.locked
    if clipped or holds_stale(stale_markets(twin.markets), order.owner, so_far.cost + so_far.rise):
        lots = min(lots, max(-sign * order.held.size, 0) - so_far.lots)
    if lots <= 0:
        return 0
    share = fee(lots * px, order.op.builder_fee)
    worse = sign * (px - market.mark) * lots
    cost = so_far.cost + worse + max(fee(lots * px, order.owner.maker_rate) + share, 0)
    if not may_fill(order, sign * (so_far.lots + lots), market.mark, cost):
        so_far.could_not = True
        return 0
    so_far.lots, so_far.cost = so_far.lots + lots, cost
    so_far.opening += 0 if order.op.reduce_only else lots
    rise, before = rise_of_margin(order, sign, so_far), so_far.rise
    so_far.rise = rise
    short = room(order.owner) < cost + rise
    so_far.out_of_room |= worse + share > 0 and worse + share + rise > before and short
    return lots


def rise_of_margin(order: TwinOrder, sign: int, so_far: Met) -> int:
    """By how much the fills so far raise the owner's initial margin: a position with what still rests, at its worst."""
    held, market = order.held, order.market
    after = replace(
        held,
        size=held.size + sign * so_far.lots,
        bids=held.bids - (so_far.opening if sign > 0 else 0),
        asks=held.asks - (so_far.opening if sign < 0 else 0),
    )
    return initial_margin(market, after) - held.initial_margin


def impact(twin: Twin, market: int, side: int, notional: int) -> tuple[int, int]:
    """Value and size of the trade of `notional`; zeros if what counts is too thin."""
    value = size = 0
    of_owner: dict[int, Met] = {}
    ladder = twin.markets[market].sides[side]
    for key in reversed(ladder.keys):
        for order in ladder.queues[key].values():
            lots = met(twin, order, of_owner.setdefault(id(order.owner), Met()))
            take = min(lots, -(-max(notional - value, 0) // order.op.px))
            value, size = value + take * order.op.px, size + take
    return (value, size) if value >= notional else (0, 0)


def in_plain_python(w: Any, market: int) -> ImpactPrices:
    twin, notional = twin_of(w.ex.rows), w.config.markets[market].impact_notional
    (bids, bought), (asks, sold) = (impact(twin, market, side, notional) for side in (0, 1))
    bid = div_down(bids * QUOTE_SCALE, bought) if bought else 0
    return ImpactPrices(bid, div_up(asks * QUOTE_SCALE, sold) if sold else 0)


def test_what_counts_is_as_in_plain_python(world: Any) -> None:
    """Six accounts with positions in BTC and a lot of ETH, ladders around the mark, reduce-only and not, equities from
    none to plenty; in some worlds ETH is silent."""
    found: set[tuple[bool, bool]] = set()
    differs = 0
    for seed in range(25):
        dice = random.Random(seed)
        w = world(dict.fromkeys(range(1, 7), 500_000) | {99: 10**9})
        for who in range(1, 7):
            one, other = (w.buy, w.sell) if dice.random() < 0.5 else (w.sell, w.buy)
            size = round(3 * dice.random() + 0.01, 3)
            w.batch(one(who, size, 50_000, "Alo"), other(99, size, 50_000))
        w.batch(w.sell(99, 0.01, 3_000, "Alo", market=1))
        w.batch(w.buy(dice.randint(1, 6), 0.01, 3_000, market=1))
        if silent := dice.random() < 0.3:
            del w.prices[1]
            for _ in range(11):
                w.batch(step_ms=2_000)
        middle = 50_000 + dice.choice([-2_600, -500, 0, 500, 2_600])
        for who in range(1, 7):
            for _ in range(6):
                bids, step = dice.random() < 0.5, dice.randint(1, 300)
                order = w.buy if bids else w.sell
                size, reduces = round(0.2 * dice.random() + 0.01, 3), dice.random() < 0.4
                price = middle - step if bids else middle + step
                w.batch(order(who, size, price, "Alo", reduce_only=reduces))
        accounts = w.ex.rows.accounts
        for who in range(1, 7):
            row = accounts[w.slot(who)]
            row["cash"] = int(int(row["initial_margin"]) * 2 * dice.random()) - int(row["position_value"])
            row["flags"] |= ACCOUNT_LOCKED * (dice.random() < 0.2)
        quote = impact_quotes(Execution(w.ex, BatchContext(w.seq + 1, w.now + 250, bytes(32))))[0]
        assert quote == in_plain_python(w, 0), (seed, silent)
        found.add((quote.bid > 0, quote.ask > 0))
        for who in range(1, 7):
            accounts[w.slot(who)]["cash"] += 10**8 * QUOTE
        differs += quote != in_plain_python(w, 0)
    assert len(found) > 2 and differs > 5, (found, differs)
