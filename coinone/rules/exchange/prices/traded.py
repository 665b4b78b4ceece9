"""How far from the mark a market traded and was offered of late: what the book at the end of a batch need not show.

Who buys all asks of each batch leaves no quote by which anybody could see where the market is (quotes.py), and one
whose standing bid removes what makers ask leaves none either. But the profit at the mark that somebody could have
gained, the next order may gain as well, and initial margin covers it (state/distance.py). So the market keeps, for each
side, the larger one of

    what its quotes showed before the takers of a batch, which counts for these takers already, and at its end, by
        orders that came among the takers too
    what was traded in it: of the fills that lie a step of the distance beside the mark the furthest, up to the impact
        notional. So much sets the distance, less moves it by its share: many small trades count like a large one,
        where a side is too thin for an impact price

and it fades by 1/e in 150 s. What else stands in the book limits both: a hittable bid above an ask or a trade shows
where longs can sell, an ask below it where shorts can buy. So who offers something beside a market in which others
quote, to take it back or to buy it himself, shows nothing. A quote ends nothing that was shown before: one that is
there for a moment is soon gone again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from coinone.base.primitives.integers import div_down, div_up, muldiv_down, muldiv_up
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.prices.fair import DECAY_150_S, decay
from coinone.rules.exchange.rows.tables import DISTANCE_STEPS, Array
from coinone.rules.exchange.state.ledger import QUOTE_SCALE, TRADED_SCALE, MarketMemory


@dataclass(frozen=True, slots=True)
class Volume:
    """What was traded in a batch on one side of the mark."""

    value: int = 0  # in micro-quote, at most the impact notional
    distance: int = 0  # of the average price from the mark, in 1e-9 of it, rounded down


class Volumes(NamedTuple):
    """What was traded in a batch below the mark, and above it."""

    below: Volume = Volume()
    above: Volume = Volume()


NO_VOLUMES = Volumes()


def trades_beside_the_mark(batch: Execution, fills: Sequence[Array]) -> dict[int, Volumes]:
    """The trades that count, by market."""
    rows, found = batch.rows, dict[int, Volumes]()
    found_in = [_beyond_a_step(rows.markets[: rows.market_count], each) for each in fills if len(each)]
    if not any(len(far) for far, _, _ in found_in):
        return found
    market, px, sz = map(np.concatenate, zip(*found_in, strict=True))
    for number in np.unique(market).tolist():
        mark, notional = int(rows.markets["mark"][number]), batch.ledger.listing_of(number).impact_notional
        sides = [np.flatnonzero((market == number) & side) for side in (px < mark, px > mark)]
        furthest = [side[np.argsort(np.abs(px[side] - mark), kind="stable")[::-1]] for side in sides]
        found[number] = Volumes(*[_summed(px[side], sz[side], mark, notional) for side in furthest])
    return found


def add_trades(memory: MarketMemory, volumes: Volumes, notional: int, elapsed: int) -> MarketMemory:
    """The market's memory with this batch's trades; `notional` in micro-quote, `elapsed` in ms."""
    if volumes is NO_VOLUMES and memory.traded_below == memory.traded_above == 0:
        return memory
    kept = decay(DECAY_150_S, elapsed)
    return replace(
        memory,
        traded_below=_moved(memory.traded_below * kept >> 64, volumes.below, notional),
        traded_above=_moved(memory.traded_above * kept >> 64, volumes.above, notional),
    )


def limited(volumes: Volumes, bid: int, ask: int, mark: int) -> Volumes:
    """No more than hittable quotes leave possible; `bid` and `ask` in 1 / QUOTE_SCALE, 0 for none."""
    price = mark * QUOTE_SCALE
    return Volumes(
        _within(volumes.below, price - bid, price) if bid else volumes.below,
        _within(volumes.above, ask - price, price) if ask else volumes.above,
    )


def add_offers(memory: MarketMemory, bid: int, ask: int, mark: int) -> MarketMemory:
    """The market's memory with the impact prices before a batch's takers, in 1 / QUOTE_SCALE, 0 for none. What takers
    gain there is limited by the other side's, of now and of the last batch's end."""
    price = mark * QUOTE_SCALE
    below, above = (price - ask if ask else 0), (bid - price if bid else 0)
    if bid and memory.seen_bid:
        below = min(below, price - min(bid, memory.seen_bid))
    if ask and memory.seen_ask:
        above = min(above, max(ask, memory.seen_ask) - price)
    if below <= 0 and above <= 0:
        return memory
    return replace(
        memory,
        traded_below=max(memory.traded_below, muldiv_down(below, TRADED_SCALE, price)),
        traded_above=max(memory.traded_above, muldiv_down(above, TRADED_SCALE, price)),
    )


def _beyond_a_step(markets: Array, fills: Array) -> tuple[Array, Array, Array]:
    """Market, price and size of the fills that count: of thousands, seldom one. Only these columns are read."""
    market, px = fills["market"], fills["px"]
    steps = markets["mark"] // (DISTANCE_STEPS * markets["max_leverage"])
    far = np.flatnonzero(np.abs(px - markets["mark"][market]) >= np.maximum(steps, 1)[market])
    return market[far], px[far], fills["sz"][far]


def _within(volume: Volume, gap: int, price: int) -> Volume:
    """No further than a quote that is `gap` from the mark, rounded up."""
    return replace(volume, distance=min(volume.distance, muldiv_up(max(gap, 0), TRADED_SCALE, price)))


def _summed(prices: Array, sizes: Array, mark: int, notional: int) -> Volume:
    """Value and distance of the first trades, up to the notional."""
    size = value = 0
    for px, sz in zip(prices.tolist(), sizes.tolist(), strict=True):
        take = min(sz, div_up(notional - value, px))
        size, value = size + take, value + take * px
        if value >= notional:
            break
    if not size:
        return Volume()
    gap = abs(mark * size - value)
    return Volume(min(value, notional), muldiv_down(gap, TRADED_SCALE, mark * size))


def _moved(old: int, traded: Volume, notional: int) -> int:
    """Towards a larger distance, by the part of the notional that was traded; rounded down."""
    if traded.distance <= old:
        return old
    return old + div_down((traded.distance - old) * traded.value, notional)
