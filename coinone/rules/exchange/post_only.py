"""In which order the post-only orders of a batch enter the book: those first that lose least by being filled.

Of two that cross each other whoever rests first keeps the other out. By the race alone (race.py) an ask of a stranger
far below all others would, when it wins, bar the bids of all makers who cancel and quote anew in the batch, and its
owner's own bid below it would be the best: sellers and liquidations then meet nobody else. So orders come behind whose
price is beyond the middle of the book, to their owner's loss, the less the earlier; the race decides among equals.

The middle is what everybody saw at the end of the last batch (quotes.py: impact prices of what could be hit), within
the farthest offset of the mark (mark.py). Not the mark alone: where a book trades off it, or moves ahead of the oracle,
an ask at the mark loses nothing by it and would keep out all bids above. Where no such book was seen it is the mark.
"""

import numpy as np

from coinone.base.primitives.integers import div_down
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.fixed import QUOTE_SCALE
from coinone.rules.exchange.mark import OFFSET_SHARE
from coinone.rules.exchange.tables import Array, OpKind, Side

_SELL = int(Side.SELL)
_MODIFIES = (int(OpKind.MODIFY), int(OpKind.MODIFY_CLOID))


def middles(batch: Batch) -> Array:
    """Of each market, in its price units: the middle of bid and ask at the last batch's end, at most an offset from the
    mark, rounded down; the mark if one was missing or they were further apart than that."""
    found = []
    for market in range(batch.rows.market_count):
        row, memory = batch.rows.markets[market], batch.ledger.memory_of(market)
        mark, bid, ask = int(row["mark"]), memory.seen_bid, memory.seen_ask
        most = div_down(int(row["oracle"]), OFFSET_SHARE * int(row["max_leverage"]))
        seen = div_down(bid + ask, 2 * QUOTE_SCALE)
        trusted = bid and ask and ask - bid <= most * QUOTE_SCALE
        found.append(max(mark - most, min(seen, mark + most)) if trusted else mark)
    return np.array(found, np.int64)


def entry_order(ops: Array, middle: Array) -> Array | None:
    """The places of post-only orders `ops`, which come as the race ranked them and in their markets' units, in the
    order in which they enter; None: as they are. `middle`: of each market. Of an account's own in a market a modify
    enters behind what came before it, and what comes after a modify behind that: it may name it."""
    known = (ops["market"] >= 0) & (ops["market"] < len(middle))
    beyond = ops["px"] - middle[np.where(known, ops["market"], 0)]
    lost = np.where(known, np.maximum(np.where(ops["side"] == _SELL, -beyond, beyond), 0), 0)
    if not lost.any():
        return None
    modifies = np.isin(ops["kind"], _MODIFIES)
    if modifies.any():
        _keep_behind(ops, modifies, lost)
    places: Array = np.argsort(lost, kind="stable")
    return places


def _keep_behind(ops: Array, modifies: Array, lost: Array) -> None:
    """Raise the losses of modifies to the greatest of what came before, and of all orders to the greatest of the
    modifies before, each within its account and market."""
    furthest: dict[
        tuple[int, int], tuple[int, int]
    ] = {}  # of all orders so far, and of the modifies among them
    columns = (ops["account"], ops["market"], modifies, lost)
    for place, (account, market, modify, loss) in enumerate(
        zip(*map(np.ndarray.tolist, columns), strict=True)
    ):
        of_all, of_modifies = furthest.get((account, market), (0, 0))
        loss = max(loss, of_all if modify else of_modifies)
        furthest[account, market] = max(of_all, loss), loss if modify else of_modifies
        lost[place] = loss
