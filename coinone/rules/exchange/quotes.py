"""Quotes that could be hit: what mark and funding take from the book.

A quote counts only if takers could have traded with it after seeing it. Of batch t the bid is therefore the lower of
the impact bids at the end of batch t - 1, which everybody has seen, and when the takers of t begin, after its
cancels and post-only orders; the ask is the higher of the two. A quote placed in one batch and cancelled in the next
counts nowhere. Each batch weighs by its length (at most 5 s), so no instant counts more than another.

An *impact price* is the average to trade the market's impact notional into a side, over at most `IMPACT_LEVELS`
prices; a thinner side has none. An order is worth 10 quote when it enters, so that who would hide the depth behind so
many prices of small orders has put twice the notional there himself. Here prices are in 1 / QUOTE_SCALE of the
market's price unit, and 0 means none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numba import types

from coinone.base.primitives.integers import div_down, div_up
from coinone.base.primitives.jit import njit
from coinone.base.primitives.limits import SAMPLE_MS
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.core import CORE, attach, i64
from coinone.rules.exchange.fixed import QUOTE_SCALE
from coinone.rules.exchange.funding import add_premium
from coinone.rules.exchange.ladders import ladder_of
from coinone.rules.exchange.mark import add_basis
from coinone.rules.exchange.oracle import is_fresh

IMPACT_LEVELS = 4_096  # prices walked for an impact price, some 20 µs at most; deeper depth counts as absent


class Quote(NamedTuple):
    """A market's impact prices: the bid rounded down, the ask up."""

    bid: int
    ask: int


def impact_quotes(batch: Batch) -> list[Quote]:
    """Each market's impact prices as the book stands."""
    rows, configs = batch.rows, batch.ex.config.markets
    notionals = np.array([config.impact_notional for config in configs], np.int64)
    found = np.zeros((len(notionals), 4), np.int64)
    _walk(rows.core(), notionals, found)
    return [
        Quote(
            div_down(bid_value * QUOTE_SCALE, bid_size) if bid_size else 0,
            div_up(ask_value * QUOTE_SCALE, ask_size) if ask_size else 0,
        )
        for bid_value, bid_size, ask_value, ask_size in found.tolist()
    ]


def hittable(seen: Quote, met: Quote) -> Quote:
    """What could be hit of a quote seen at the end of the batch before, and of one that takers met in this batch."""
    return Quote(min(seen.bid, met.bid), max(seen.ask, met.ask) if seen.ask and met.ask else 0)


def weigh_quotes(batch: Batch, met: list[Quote]) -> None:
    """At a batch's end: weigh what its takers could hit, and remember what everybody sees now."""
    for market, (quote, seen_next) in enumerate(zip(met, impact_quotes(batch), strict=True)):
        before = batch.ledger.memory_of(market)
        elapsed = batch.now - before.weighed_ms if before.weighed_ms else 0
        if is_fresh(batch.rows, market):
            bid, ask = hittable(Quote(before.seen_bid, before.seen_ask), quote)
            memory = add_premium(batch, market, before, bid, ask, min(elapsed, SAMPLE_MS))
        else:  # nothing is weighed; an offset that was pushed goes back all the same
            bid, ask, memory = 0, 0, before
        memory = add_basis(batch, market, memory, bid, ask, elapsed)
        memory = replace(memory, weighed_ms=batch.now, seen_bid=seen_next.bid, seen_ask=seen_next.ask)
        batch.ledger.memory.put(market, memory)


@njit(
    types.void(CORE, types.Array(types.int64, 1, "C"), types.Array(types.int64, 2, "C")),
    error_model="numpy",
    _nrt=False,
)
def _walk(words: Any, notionals: Any, found: Any) -> None:
    """found[market] = value and size of the impact trade into the bids, then into the asks; size 0: too thin."""
    core = attach(words)
    for market in range(notionals.shape[0]):
        for side in range(2):
            ladder = ladder_of(market, side)
            count = core.ladder_counts[ladder]
            value = size = i64(0)
            first = max(count - IMPACT_LEVELS, core.ladder_firsts[ladder])
            for place in range(count - 1, first - 1, -1):
                px = abs(core.ladder_keys[ladder, place])
                wanted = (notionals[market] - value + px - 1) // px
                take = min(i64(core.levels[core.ladder_levels[ladder, place]].size), wanted)
                value += px * take
                size += take
                if value >= notionals[market]:
                    found[market, 2 * side] = value
                    found[market, 2 * side + 1] = size
                    break
