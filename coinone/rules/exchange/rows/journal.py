"""The journal: every row is copied before its first change in an epoch (a batch), so undo costs what was touched.

`epoch` in the row shows whether the copy exists already; epochs only grow, also over undos. Book and running values are
not copied: they are functions of the rows, and rebuilt. Code outside the kernel calls `account`, `position`, ... before
it changes a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coinone.base.primitives.parameters import MARKETS_MAX
from coinone.base.primitives.types import Address
from coinone.rules.exchange.rows.arrays import (
    EPOCH,
    RESULTS,
    SAVED_ACCOUNTS,
    SAVED_GLOBALS,
    SAVED_MARKETS,
    SAVED_ORDERS,
    SAVED_POSITIONS,
    inlined,
    next_place,
)
from coinone.rules.exchange.rows.store import RowStore
from coinone.rules.exchange.rows.tables import ACCOUNT, GLOBALS, MARKET, ORDER, POSITION, Array, copied


@inlined
def _save(core: Any, counter: int, keys: Any, images: Any, key: int, row: Any) -> None:
    if row.epoch != core.counters[EPOCH]:
        n = next_place(core, counter, keys)
        keys[n] = key
        images[n] = row
        row.epoch = core.counters[EPOCH]


@inlined
def save_account(core: Any, slot: int) -> None:
    _save(core, SAVED_ACCOUNTS, core.account_keys, core.account_images, slot, core.accounts[slot])


@inlined
def save_position(core: Any, account: int, market: int) -> None:
    key = account * MARKETS_MAX + market
    _save(
        core, SAVED_POSITIONS, core.position_keys, core.position_images, key, core.positions[account, market]
    )


@inlined
def save_order(core: Any, slot: int) -> None:
    _save(core, SAVED_ORDERS, core.order_keys, core.order_images, slot, core.orders[slot])


@inlined
def save_blank_order(core: Any, slot: int) -> None:
    """Save a free slot like `save_order`: nothing is copied except that it was free."""
    row = core.orders[slot]
    if row.epoch != core.counters[EPOCH]:
        n = next_place(core, SAVED_ORDERS, core.order_keys)
        core.order_keys[n] = slot
        image = core.order_images[n]
        image.oid = 0
        image.epoch = row.epoch
        row.epoch = core.counters[EPOCH]


@inlined
def save_market(core: Any, market: int) -> None:
    _save(core, SAVED_MARKETS, core.market_keys, core.market_images, market, core.markets[market])


@inlined
def save_globals(core: Any) -> None:
    row = core.globals[0]
    if row.epoch != core.counters[EPOCH]:
        core.globals_images[0] = row
        core.counters[SAVED_GLOBALS] = 1
        row.epoch = core.counters[EPOCH]


@dataclass(frozen=True)
class Undo:
    """The undo record of a batch: touched rows as they were, and the numbers of accounts and markets before it."""

    account_count: int
    market_count: int
    opened: tuple[int, ...]  # slots of new accounts
    dropped: tuple[tuple[int, Address, int], ...]  # slot, address and number of removed accounts
    accounts: tuple[Array, Array]  # slots, rows
    positions: tuple[Array, Array]  # slot * MARKETS_MAX + market, rows
    orders: tuple[Array, Array]  # where the row was free, only its oid (0) and epoch are valid
    markets: tuple[Array, Array]
    globals: Array  # no row or one


_TABLES = (
    (SAVED_ACCOUNTS, "account", ACCOUNT),
    (SAVED_POSITIONS, "position", POSITION),
    (SAVED_ORDERS, "order", ORDER),
    (SAVED_MARKETS, "market", MARKET),
)


class Journal:
    """Before-images of the open epoch. `keys[name]` has the keys of the rows copied in `images[name]`."""

    def __init__(self, store: RowStore) -> None:
        self._store = store
        self.counters = store.counters
        self.keys: dict[str, Array] = {name: np.zeros(64, np.int64) for _, name, _ in _TABLES}
        self.images: dict[str, Array] = {name: np.zeros(64, dtype) for _, name, dtype in _TABLES}
        self.globals_image: Array = np.zeros(1, GLOBALS)
        self.begin()

    def begin(self) -> None:
        """Open an epoch: the last one's before-images are dropped, and its output may be overwritten."""
        self.counters[EPOCH] += 1
        assert self.counters[EPOCH] < 1 << 31, "epochs last for 17 years of four batches a second"
        self.counters[RESULTS : SAVED_GLOBALS + 1] = 0
        self.opened: list[int] = []
        self.dropped: list[tuple[int, Address, int]] = []
        self._account_count = self._store.account_count
        self._market_count = self._store.market_count

    def reserve(self, touched: int) -> None:
        """Make room for `touched` more rows of each table (at most all existing rows)."""
        rows = self._store
        totals = (len(rows.accounts), rows.positions.size, len(rows.orders), len(rows.markets))
        for (counter, name, dtype), total in zip(_TABLES, totals, strict=True):
            used = int(self.counters[counter])
            needed = min(used + touched, total)
            if needed > len(self.keys[name]):
                self._grow(name, dtype, used, 2 * needed)

    def _grow(self, name: str, dtype: np.dtype[np.void], used: int, capacity: int) -> None:
        keys, images = np.empty(capacity, np.int64), np.empty(capacity, dtype)
        keys[:used], images[:used] = self.keys[name][:used], self.images[name][:used]
        self.keys[name], self.images[name] = keys, images

    def account(self, slot: int) -> None:
        """Save the account's row; call before changing it."""
        self._save(SAVED_ACCOUNTS, "account", slot, self._store.accounts[slot : slot + 1])

    def position(self, slot: int, market: int) -> None:
        row = self._store.positions[slot, market : market + 1]
        self._save(SAVED_POSITIONS, "position", slot * MARKETS_MAX + market, row)

    def order(self, slot: int) -> None:
        self._save(SAVED_ORDERS, "order", slot, self._store.orders[slot : slot + 1])

    def market(self, market: int) -> None:
        self._save(SAVED_MARKETS, "market", market, self._store.markets[market : market + 1])

    def globals(self) -> None:
        row = self._store.globals
        if row["epoch"][0] != self.counters[EPOCH]:
            self.globals_image[0] = row[0]
            self.counters[SAVED_GLOBALS] = 1
            row["epoch"] = self.counters[EPOCH]

    def accounts(self, slots: Iterable[int]) -> None:
        for slot in slots:
            self.account(int(slot))

    def _save(self, counter: int, name: str, key: int, row: Array) -> None:
        if row["epoch"][0] == self.counters[EPOCH]:
            return
        self.reserve(1)
        n = int(self.counters[counter])
        self.keys[name][n], self.images[name][n] = key, row[0]
        self.counters[counter] = n + 1
        row["epoch"] = self.counters[EPOCH]

    def saved_accounts(self) -> list[int]:
        """Slots of the accounts whose row this epoch saved, in the order of saving."""
        slots: list[int] = self.keys["account"][: self.counters[SAVED_ACCOUNTS]].tolist()
        return slots

    def saved_positions(self) -> tuple[Array, Array]:
        """(account slots, markets) of the positions whose row this epoch saved."""
        slots, markets = np.divmod(self.keys["position"][: self.counters[SAVED_POSITIONS]], MARKETS_MAX)
        return slots, markets

    def touched_accounts(self) -> Array:
        """Slots, ascending, of new accounts and those whose row, position or order this epoch saved, without removed
        ones."""
        rows = self._store
        saved_orders = self.keys["order"][: self.counters[SAVED_ORDERS]]
        images = self.images["order"][: self.counters[SAVED_ORDERS]]
        now = rows.orders[saved_orders]
        parts = [
            self.keys["account"][: self.counters[SAVED_ACCOUNTS]],
            self.keys["position"][: self.counters[SAVED_POSITIONS]] // MARKETS_MAX,
            _runs(images["account"][images["oid"] != 0]),
            _runs(now["account"][now["oid"] != 0]),
            np.array(self.opened, np.int64),
        ]
        touched: Array = np.unique(np.concatenate(parts)).astype(np.int64)
        still_there: Array = touched[rows.accounts["number"][touched] != 0]
        return still_there

    def touched_markets(self) -> Array:
        new = np.arange(self._market_count, self._store.market_count)
        return np.unique(np.concatenate([self.keys["market"][: self.counters[SAVED_MARKETS]], new]))

    def seal(self) -> Undo:
        """Copy the epoch's undo record, then begin a new epoch."""
        saved = {
            name: (self.keys[name][:n].copy(), copied(self.images[name][:n]))
            for name, n in ((name, int(self.counters[counter])) for counter, name, _ in _TABLES)
        }
        undo = Undo(
            self._account_count,
            self._market_count,
            tuple(self.opened),
            tuple(self.dropped),
            saved["account"],
            saved["position"],
            saved["order"],
            saved["market"],
            self.globals_image[: self.counters[SAVED_GLOBALS]].copy(),
        )
        self.begin()
        return undo


def _runs(values: Array) -> Array:
    """Drop values equal to the one before: an account's orders are saved one after another."""
    first = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    found: Array = values[first]
    return found
