"""In which order the post-only orders of a batch enter the book: first those with which most of what they claim rests.

Of two that cross each other whoever rests first keeps the other out. By the race alone (race.py) a small ask far below
all others would, when it wins, bar the bids of all makers who cancel and quote anew in the batch, and its owner's own
bid below it would be the best: sellers and liquidations then meet nobody else. And any price taken from outside as the
measure of "far" can be made wrong: the mark where the book trades off it, the last batch's middle by whoever was alone
in it. So the batch's own orders decide: they are parted at the price that refuses the fewest of the lots they claim
(claims.py). Orders come behind that lie beyond it, the further the later, and last those that are not sure to rest;
the race decides among equals.

    refused(c)    lots claimed by bids above the price c and by asks at c or below
    high, low     the highest price at which a bid rests, the lowest at which an ask does, at some c that refuses least
    lost          of a bid max(0, price - high), of an ask max(0, low - price)

So a claim speaks only for prices at which its order rests and may be hit: what is refused itself helps nothing else in.
The price where bids above and asks below balance, as in a call auction, would not do: a large bid that loses to asks
better than its own helped a small one below it to bar those in between.

What rests already in their way claims its lots `TIMES_MAX` times, as much as any order can: else the small ask would
only have to come a batch earlier. It is not refused any more, but where it loses, the orders that claim more than it
rest over it (passing.py). What rests at a loss against the mark claims nothing: it is not bound to a batch, and its
owner could take it away ahead of takers and put it back behind them.
"""

from typing import NamedTuple

import numpy as np

from coinone.base.primitives.limits import INT64_MAX
from coinone.rules.exchange.claims import CLAIM_MAX, TIMES_MAX, claims
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.sure import UNSURE
from coinone.rules.exchange.tables import Array, MarketStatus, Side

_SELL = int(Side.SELL)


class Entry(NamedTuple):
    """How post-only orders enter."""

    places: Array  # of the orders handed in, in the order in which they enter
    passes: Array  # of each order handed in: does it rest over what crosses it?


def entry_order(rows: Rows, ops: Array) -> Entry | None:
    """How post-only orders `ops` enter, which come as the race ranked them and in their markets' units; None: as they
    are, since nothing crosses them. No sure order names what another one makes, so that sure ones may change places;
    behind them the rest stay in the order of the race."""
    sells = ops["side"] == _SELL
    crossed = _crossed(rows, ops, sells)
    if not len(crossed):
        return None
    claimed = claims(rows, ops)
    lost, passes = np.where(claimed == UNSURE, INT64_MAX, 0), np.zeros(len(ops), np.bool_)
    for market in crossed.tolist():
        there = np.flatnonzero((ops["market"] == market) & (claimed != UNSURE))
        if len(there):
            px, selling = ops["px"][there], sells[there]
            low, high = _parting_with_resting(rows, market, px, selling, claimed[there])
            lost[there] = np.maximum(np.where(selling, low - px, px - high), 0)
            # Where several prices refuse as few, nobody rests over another: the race decides, and what came before.
            passes[there] = np.where(selling, px > high, px < low)
            passes[there] &= rows.markets[market]["status"] == MarketStatus.ACTIVE
    return Entry(np.argsort(lost, kind="stable"), passes)


def _parting_with_resting(
    rows: Rows, market: int, px: Array, sells: Array, claimed: Array
) -> tuple[int, int]:
    """`parting`, with what rests in the way of the orders among them."""
    prices, kinds, lots = [px], [sells], [claimed]
    for side, reached in ((Side.BUY, px[sells]), (Side.SELL, px[~sells])):
        if len(reached):
            best = int(reached.min() if side is Side.BUY else reached.max())
            levels, sizes = rows.book.crossing(market, side, best)
            mark = int(rows.markets[market]["mark"])
            stays = levels <= mark if side is Side.BUY else levels >= mark
            prices.append(levels[stays])
            kinds.append(np.full(len(prices[-1]), side is Side.SELL))
            lots.append(np.minimum(sizes[stays], CLAIM_MAX // TIMES_MAX) * TIMES_MAX)
    return parting(*map(np.concatenate, (prices, kinds, lots)))


def parting(px: Array, sells: Array, claimed: Array) -> tuple[int, int]:
    """(low, high): asks rest from `low` on and bids up to `high` where the fewest claimed lots are refused. Where
    several prices refuse as few, `low` is of the lowest and `high` of the highest of them, and between them the race
    decides. 0 and the price above all where no bid, or no ask, rests at any."""
    prices, place = np.unique(px, return_inverse=True)
    bids, asks = np.zeros((2, len(prices) + 1), np.int64)
    np.add.at(bids, place[~sells], claimed[~sells])
    np.add.at(asks, place[sells] + 1, claimed[sells])
    # Of the n-th: bids at the first n prices rest, and asks at all others.
    refused = np.cumsum(bids[::-1])[::-1] + np.cumsum(asks)
    best = np.flatnonzero(refused == refused.min())
    bounds = [0, *prices.tolist(), int(prices[-1]) + 1]
    return bounds[best[0] + 1], bounds[best[-1]]


def _crossed(rows: Rows, ops: Array, sells: Array) -> Array:
    """The markets in which the highest bid of the orders reaches their lowest ask, or what rests on the other side."""
    px, known = ops["px"], (ops["market"] >= 0) & (ops["market"] < rows.market_count)
    bids, asks = known & ~sells, known & sells
    highest, lowest = np.full((2, rows.market_count), [[-INT64_MAX], [INT64_MAX]], np.int64)
    np.maximum.at(highest, ops["market"][bids], px[bids])
    np.minimum.at(lowest, ops["market"][asks], px[asks])
    best = [[rows.book.best(market, side) for market in range(rows.market_count)] for side in Side]
    bid = np.array([-INT64_MAX if px is None else px for px in best[Side.BUY]], np.int64)
    ask = np.array([INT64_MAX if px is None else px for px in best[Side.SELL]], np.int64)
    found: Array = np.flatnonzero((highest >= np.minimum(lowest, ask)) | (lowest <= bid))
    return found
