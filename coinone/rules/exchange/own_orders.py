"""Own orders: each account's resting orders of one side of one market, linked, newest first (jitted).

With them an account's orders are found without looking at anybody else's: to cancel all, or one whole side when a
maker cannot bear a fill. The heads stand in the position's row.
"""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.core import i64, inlined


@inlined
def first_own(core: Any, account: int, market: int, side: int) -> int:
    """Slot of the account's newest resting order of the side, or -1."""
    held = core.positions[account, market]
    return i64(held.first_ask if side != 0 else held.first_bid) - 1


@inlined
def _set_first(core: Any, slot: int, first: int) -> None:
    """Let the list that the order in `slot` belongs to begin with `first`."""
    order = core.orders[slot]
    held = core.positions[order.account, order.market]
    if order.side != 0:
        held.first_ask = first + 1
    else:
        held.first_bid = first + 1


@inlined
def add_own(core: Any, slot: int) -> None:
    order = core.orders[slot]
    link = core.links[slot]
    newest = first_own(core, order.account, order.market, order.side)
    link.own_next = newest
    link.own_prev = -1
    if newest >= 0:
        core.links[newest].own_prev = slot
    _set_first(core, slot, slot)


@inlined
def drop_own(core: Any, slot: int) -> None:
    """The order's row must still be there."""
    link = core.links[slot]
    if link.own_next >= 0:
        core.links[link.own_next].own_prev = link.own_prev
    if link.own_prev >= 0:
        core.links[link.own_prev].own_next = link.own_next
    else:
        _set_first(core, slot, i64(link.own_next))
