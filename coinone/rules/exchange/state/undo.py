"""Undo of a batch: the rows as they were before it, then everything that follows from rows."""

from __future__ import annotations

import numpy as np

from coinone.base.primitives.parameters import MARKETS_MAX
from coinone.rules.exchange.rows.journal import Undo
from coinone.rules.exchange.rows.tables import ORDER, Array
from coinone.rules.exchange.state.rows import Rows


def apply_undo(rows: Rows, undo: Undo) -> None:
    """Undo the batch `undo` came from, which must be the last one not undone yet."""
    rows.take_back_accounts(undo)
    rows.drop_markets(undo.market_count)
    kept = ~np.isin(undo.accounts[0], undo.opened)
    rows.accounts[undo.accounts[0][kept]] = undo.accounts[1][kept]
    slots, markets = np.divmod(undo.positions[0], MARKETS_MAX)
    kept = ~np.isin(slots, undo.opened) & (markets < undo.market_count)
    rows.positions[slots[kept], markets[kept]] = undo.positions[1][kept]
    _restore_orders(rows, *undo.orders)
    kept = undo.markets[0] < undo.market_count
    rows.markets[undo.markets[0][kept]] = undo.markets[1][kept]
    if len(undo.globals):
        rows.globals[0] = undo.globals[0]
    rows.rebuild()
    rows.journal.begin()


def _restore_orders(rows: Rows, slots: Array, images: Array) -> None:
    """Restore orders; a slot that was free is blank again, under its old epoch."""
    was_free = images["oid"] == 0
    blank = np.zeros(int(was_free.sum()), ORDER)
    blank["epoch"] = images["epoch"][was_free]
    rows.orders[slots[was_free]] = blank
    rows.orders[slots[~was_free]] = images[~was_free]
