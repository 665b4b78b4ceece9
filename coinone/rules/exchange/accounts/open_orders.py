"""Sums of an account's resting orders (jitted): what they may lose, and what they pay a builder.

A send needs the first, an approval changes the second, and an account has up to a thousand orders: read row by row in
Python, one such action would cost as much as six hundred others. Following the account's own lists (book/own_orders.py)
takes some microseconds.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.parameters import QUOTE_SUPPLY_MAX
from coinone.rules.exchange.book.own_orders import first_own, first_reducing
from coinone.rules.exchange.rows.arrays import CORE, MARKETS, attach, i64
from coinone.rules.exchange.rows.journal import save_order
from coinone.rules.exchange.state.rows import Rows


def resting_loss(rows: Rows, slot: int) -> int:
    """What open orders at prices beyond the mark lose when they trade, as on entry (placing.py), without fees."""
    return int(_resting_loss(rows.core(), slot))


def cap_builder_fee(rows: Rows, slot: int, builder: int, most: int) -> None:
    """Cap what the account's resting orders pay the account in slot `builder` at `most`, in 1 / FEE_SCALE."""
    rows.journal.reserve(int(rows.accounts[slot]["order_count"]))
    _cap_builder_fee(rows.core(), slot, builder, most)


@njit(types.int64(CORE, types.int64), error_model="numpy", _nrt=False)
def _resting_loss(words: Any, account: int) -> int:
    core = attach(words)
    loss = i64(0)
    for market in range(core.counters[MARKETS]):
        mark = core.markets[market].mark
        for side in range(2):
            slot = first_own(core, account, i64(market), side)
            while slot >= 0:
                order = core.orders[slot]
                beyond = max((1 - 2 * side) * (order.px - mark), 0)
                loss = min(loss + beyond * order.sz, QUOTE_SUPPLY_MAX)  # no account has more than that
                slot = i64(core.links[slot].own_next)
    return loss


@njit(types.void(CORE, types.int64, types.int64, types.int64), error_model="numpy", _nrt=False)
def _cap_builder_fee(words: Any, account: int, builder: int, most: int) -> None:
    core = attach(words)
    for market in range(core.counters[MARKETS]):
        for n in range(3):
            slot = (
                first_own(core, account, i64(market), n)
                if n < 2
                else first_reducing(core, account, i64(market))
            )
            while slot >= 0:
                order = core.orders[slot]
                if order.builder == builder and order.builder_fee > most:
                    save_order(core, slot)
                    order.builder_fee = most
                slot = i64(core.links[slot].own_next)
