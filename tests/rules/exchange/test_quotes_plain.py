"""Which orders mark and funding count, held against the same in plain Python on the kernel's twin."""

from __future__ import annotations

import random
from typing import Any

from coinone.base.primitives.integers import div_down, div_up
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.fixed import QUOTE_SCALE
from coinone.rules.exchange.quotes import Quote, impact_quotes
from coinone.rules.exchange.twin import Twin
from coinone.rules.exchange.twin_book import Order
from coinone.rules.exchange.twin_state import twin_of
from coinone.rules.exchange.twin_terms import BUY, beyond_band, fee, holds_stale, may_fill, stale_markets

QUOTE = 10**6


def could_trade(twin: Twin, order: Order) -> bool:
    """Its fill now; at a price worse than the mark that of all its owner has on the side, within the band."""
    sign, px, held, market = (1 if order.op.side == BUY else -1), order.op.px, order.held, order.market
    reducible, lots = max(-sign * held.size, 0), order.left
    if sign * (px - market.mark) > 0:
        if beyond_band(market, px):
            return False
        lots = held.bids if sign > 0 else held.asks
        lots += sum(other.left for other in twin.reducing(held, None)) if reducible else 0
    if lots > reducible and holds_stale(stale_markets(twin.markets), order.owner):
        return False
    charge = max(fee(lots * px, order.owner.maker_rate + order.op.builder_fee), 0)
    return may_fill(order, sign * lots, px, charge)


def impact(twin: Twin, market: int, side: int, notional: int) -> tuple[int, int]:
    """Value and size of the trade of `notional`; zeros if what counts is too thin."""
    value = size = 0
    ladder = twin.markets[market].sides[side]
    for key in reversed(ladder.keys):
        for order in ladder.queues[key].values():
            if could_trade(twin, order) and value < notional:
                take = min(order.left, -(-(notional - value) // order.op.px))
                value, size = value + take * order.op.px, size + take
    return (value, size) if value >= notional else (0, 0)


def in_plain_python(w: Any, market: int) -> Quote:
    twin, notional = twin_of(w.ex.rows), w.config.markets[market].impact_notional
    (bids, bought), (asks, sold) = (impact(twin, market, side, notional) for side in (0, 1))
    bid = div_down(bids * QUOTE_SCALE, bought) if bought else 0
    return Quote(bid, div_up(asks * QUOTE_SCALE, sold) if sold else 0)


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
        quote = impact_quotes(Batch(w.ex, BatchContext(w.seq + 1, w.now + 250, bytes(32))))[0]
        assert quote == in_plain_python(w, 0), (seed, silent)
        found.add((quote.bid > 0, quote.ask > 0))
        for who in range(1, 7):
            accounts[w.slot(who)]["cash"] += 10**8 * QUOTE
        differs += quote != in_plain_python(w, 0)
    assert len(found) > 2 and differs > 5, (found, differs)
