"""Kernel: resting reduce-only orders never exceed the position they reduce (docs/protocol/matching.md).

They need no margin, so without a bound one lot could occupy a thousand places in every book. When a position shrinks,
for whatever reason, its worst-priced reduce-only orders are removed or reduced, at one price the youngest first.
"""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.parameters import REDUCE_ONLY_ORDERS_MAX
from coinone.rules.exchange.book.ladders import take_from
from coinone.rules.exchange.book.own_orders import first_reducing
from coinone.rules.exchange.kernel.cancelling import remove_order, report_order
from coinone.rules.exchange.rows.arrays import i64, inlined, part
from coinone.rules.exchange.rows.journal import save_account, save_order
from coinone.rules.exchange.rows.status import Status

_OPEN, _REDUCE_ONLY = int(Status.OPEN), int(Status.REDUCE_ONLY_CANCELED)


@inlined
def reducible(core: Any, account: int, market: int, side: int) -> int:
    """How much an order of that side can reduce the account's position; not positive if nothing."""
    return i64(core.positions[account, market].size * (2 * side - 1))


@part
def reducing_room(core: Any, account: int, market: int, side: int, old: int) -> int:
    """How many more lots of reduce-only orders may rest, not counting the one in slot `old`."""
    room = reducible(core, account, market, side) - core.positions[account, market].reduce_size
    if old >= 0 and core.orders[old].reduce_only != 0:
        room += core.orders[old].sz
    return i64(room)


@part
def too_many_reducing(core: Any, account: int, market: int, old: int) -> bool:
    """Whether one more reduce-only order would be too many: for the account, or for a position of so many minimums."""
    count = 1
    slot = first_reducing(core, account, market)
    while slot >= 0:
        count += i64(slot != old)
        slot = i64(core.links[slot].own_next)
    worth = abs(core.positions[account, market].size) * core.markets[market].mark
    few = count == 1 or count * core.markets[market].min_notional <= worth
    return not few or count > REDUCE_ONLY_ORDERS_MAX


@inlined
def trim(core: Any, account: int, market: int, i: int) -> None:
    """Trim the account's reduce-only orders to its position; op `i` caused it."""
    if core.positions[account, market].first_reduce != 0:
        _trim(core, account, market, i)


@part
def _trim(core: Any, account: int, market: int, i: int) -> None:
    while core.positions[account, market].reduce_size > 0:
        slot = first_reducing(core, account, market)
        order = core.orders[slot]
        most = max(reducible(core, account, market, order.side), 0)
        over = core.positions[account, market].reduce_size - most
        if over <= 0:
            return
        if over >= order.sz:
            remove_order(core, slot, i, _REDUCE_ONLY)
        else:
            save_account(core, account)
            save_order(core, slot)
            take_from(core, slot, over)
            order.orig_sz -= over
            report_order(core, slot, i, _OPEN)
