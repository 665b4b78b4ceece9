"""`cancelAllByMarket`: cancel every order that the account has resting in one market.

It reaches what rests when the cancels of a batch run, and no order of the same batch. It costs as much as a cancel:
nothing if it finds an order, else one credit, and an account in credit debt may send it only where an order rests.

The work is bounded. Only the account's orders of that market are read, and each is cancelled once in a segment however
often its owner sends this, so an account causes at most as many cancels as it has resting orders (`OPEN_ORDERS_MAX`).
When a batch has swept `CANCELLED_WHOLE_PER_BATCH` orders in this way, accounts with more than `SWEPT_AT_ONCE_MAX` in
their market must try again later, and from `SWEPT_PER_BATCH` on those with more than `FIRED_WITH_FEW`: a crowd could
otherwise use up the bound with orders of another market, and take what a maker wanted to cancel. All together are fewer
than the cancels by name that a batch has room for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coinone.base.primitives.parameters import (
    CANCELLED_WHOLE_PER_BATCH,
    FIRED_WITH_FEW,
    OPEN_ORDERS_MAX,
    SWEPT_AT_ONCE_MAX,
    SWEPT_PER_BATCH,
)
from coinone.rules.exchange.rows.status import FIRST_REJECTION, Status
from coinone.rules.exchange.rows.tables import OpKind
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.trading import open_orders
from coinone.rules.exchange.trading.answers import Answers
from coinone.rules.exchange.trading.segment import Trading
from coinone.rules.exchange.wire import fields as f
from coinone.rules.exchange.wire.action import ActionType, Segment, Traded
from coinone.rules.exchange.wire.fields import Shape
from coinone.rules.exchange.wire.segments import Item


@dataclass(frozen=True, slots=True)
class CancelAllByMarket:
    asset: int


def _add(trading: Trading, item: Item, says: CancelAllByMarket) -> None:
    place = (item.account, says.asset)
    cancels = None if place in trading.unswept else trading.open_cancels(*place)
    if cancels is not None and len(cancels) > _most(trading.swept):
        trading.unswept.add(place)  # its orders are walked once, however often the sweep is repeated
        cancels = None
    if cancels is None:
        trading.batch.failed(item, "Too many orders are cancelled at once, try again.")
    elif not len(cancels):  # a cancel of nothing, which is answered and charged as one that found nothing
        trading.ops.add_one(item, kind=int(OpKind.CANCEL), market=says.asset)
    else:
        trading.swept += len(cancels)
        trading.sweep(item, Status.CANCELED, cancels, says.asset)


def _most(swept: int) -> int:
    """The most orders of an account and market that are swept after so many of the batch."""
    if swept < CANCELLED_WHOLE_PER_BATCH:
        return OPEN_ORDERS_MAX
    return SWEPT_AT_ONCE_MAX if swept < SWEPT_PER_BATCH else FIRED_WITH_FEW


def _answer(answers: Answers, start: int, stop: int) -> dict[str, Any]:
    count = int(np.count_nonzero(answers.results["status"][start:stop] < FIRST_REJECTION))
    return {"type": "cancelAllByMarket", "data": {"count": count}}


def _any_rests(ex: Exchange, slot: int, says: CancelAllByMarket) -> bool:
    return open_orders.has_any(ex, slot, says.asset)


CANCEL_ALL_BY_MARKET = ActionType(
    "cancelAllByMarket",
    Shape(CancelAllByMarket, {"a": f.asset}),
    Traded(_add, _answer),
    segment=Segment.CANCELS,
    cost=0,
    rests=_any_rests,
)
