"""Capacity: whether there is room for all that a segment may write (jitted).

The kernel checks once, before its first operation, and then writes without checking. If room is short it has done
nothing, Python grows the buffers (run.py), and it is called again: that is rare, and checking from Python would cost a
small segment more than its operations do. If a bound here were too low, the last row would be overwritten (`next_row`),
never memory behind it, and the node stops when the segment is over (`assert_held`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinone.rules.exchange.book.book import LADDER_MAX
from coinone.rules.exchange.rows.arrays import (
    FILLS,
    FREE_LEVELS,
    FREE_ORDERS,
    LIVE_ORDERS,
    RESULTS,
    SAVED_ACCOUNTS,
    SAVED_GLOBALS,
    SAVED_MARKETS,
    SAVED_ORDERS,
    SAVED_POSITIONS,
    SHORT,
    SIDE_MAX,
    UPDATES,
    inlined,
)

if TYPE_CHECKING:
    from coinone.rules.exchange.state.rows import Rows


def rows_touched(live: int, new: int) -> int:
    """Bound of the rows of a table that `new` operations may save, with `live` resting orders before them."""
    return 4 * new + 3 * (live + new)  # each of these orders can be removed once


def fills_made(live: int, new: int) -> int:
    """Bound of the fills of `new` operations.

    Each fill removes an order, except the last of each operation, and one in which an order is clipped to its owner's
    position: without that position the owner may trade the rest of it.
    """
    return 2 * live + 3 * new


def updates_made(live: int, new: int) -> int:
    """Bound of the updates of orders: each order is removed once, and each fill may trim one more of either side."""
    return 5 * live + 8 * new


def assert_held(rows: Rows) -> None:
    """Assert that no buffer was too short for what a segment wrote."""
    written = rows.counters[RESULTS:SAVED_GLOBALS]
    assert not rows.counters[SHORT], f"the kernel wrote more rows than fit: {written.tolist()}"


_rows_touched, _fills_made, _updates_made = (
    inlined(count) for count in (rows_touched, fills_made, updates_made)
)


@inlined
def has_capacity(core: Any, new: int) -> bool:
    """Whether `new` operations can be executed with the present buffers."""
    live = core.counters[LIVE_ORDERS]
    return (
        _book_fits(core, live, new)
        and _journal_fits(core, _rows_touched(live, new))
        and _output_fits(core, live, new)
    )


@inlined
def _book_fits(core: Any, live: int, new: int) -> bool:
    """Whether the book's tables suffice, as in Book.fits."""
    deepest = fullest = 0
    for ladder in range(core.ladder_counts.shape[0]):
        deepest = max(deepest, core.ladder_counts[ladder])
        fullest = max(fullest, core.ladder_orders[ladder])
    heap = core.counters[SIDE_MAX] if fullest + new >= core.counters[SIDE_MAX] else 0
    return bool(
        core.free_orders.shape[0] == core.orders.shape[0]
        and core.ladder_counts.shape[0] == 2 * core.markets.shape[0]
        and core.counters[FREE_ORDERS] >= new
        and core.counters[FREE_LEVELS] >= new
        and 2 * (live + new) <= core.oids.shape[0]
        and min(deepest + new, LADDER_MAX) <= core.ladder_keys.shape[1]
        and heap <= core.value_slots.shape[1]
    )


@inlined
def _journal_fits(core: Any, touched: int) -> bool:
    """Whether the journal's tables suffice, as in Journal.reserve."""
    used = core.counters
    accounts, markets = core.accounts.shape[0], core.positions.shape[1]
    return bool(
        min(used[SAVED_ACCOUNTS] + touched, accounts) <= core.account_keys.shape[0]
        and min(used[SAVED_POSITIONS] + touched, accounts * markets) <= core.position_keys.shape[0]
        and min(used[SAVED_ORDERS] + touched, core.orders.shape[0]) <= core.order_keys.shape[0]
        and min(used[SAVED_MARKETS] + touched, core.markets.shape[0]) <= core.market_keys.shape[0]
    )


@inlined
def _output_fits(core: Any, live: int, new: int) -> bool:
    """Whether the output buffers suffice, as in Output.reserve."""
    used = core.counters
    return bool(
        used[RESULTS] + new <= core.results.shape[0]
        and used[FILLS] + _fills_made(live, new) <= core.fills.shape[0]
        and used[UPDATES] + _updates_made(live, new) <= core.updates.shape[0]
    )
