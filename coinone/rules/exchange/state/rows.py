"""Rows: all arrays of the exchange, which grow between kernel calls.

An account keeps its slot until it is removed or the process ends; an order's slot is reused. Slots never reach a leaf
or an answer: `load_account` may put accounts back in any order without any difference.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from coinone.base.crypto.siphash import PUBLIC_KEY, Key
from coinone.base.primitives.jit_tables import WORDS, describe
from coinone.base.primitives.parameters import (
    MARGIN_TIERS_MAX,
    MARKETS_MAX,
    POSITION_NOTIONAL_MAX,
    PRICE_LEVELS_MAX,
    PRICE_MAX,
    SIDE_ORDERS_MAX,
)
from coinone.base.primitives.types import Address
from coinone.base.primitives.units import price_decimals
from coinone.rules.exchange.book import book
from coinone.rules.exchange.margin.funding import rate_cap
from coinone.rules.exchange.margin.sums import recompute
from coinone.rules.exchange.rows.arrays import (
    KEY_0,
    KEY_1,
    LEVELS_MAX,
    LIVE_ORDERS,
    MARKETS,
    SIDE_MAX,
    KernelArrays,
)
from coinone.rules.exchange.rows.journal import Journal, Undo
from coinone.rules.exchange.rows.numbers import Numbers
from coinone.rules.exchange.rows.output import Output
from coinone.rules.exchange.rows.store import RowStore
from coinone.rules.exchange.rows.tables import ACCOUNT, LIMIT_WHOLE, MARKET, OP, POSITION, TIER, Array, zeros

__all__ = ["Array", "Rows"]

_NOBODY: Array = np.zeros(0, np.int64)
"""No slots, for unions that may be empty."""

_NO_OPS: Array = np.zeros(0, OP)
_SPARE_ORDERS = 64  # room in a rebuilt book


class Rows(RowStore):
    """The tables with their book, journal and output, and the slots of addresses and numbers."""

    def __init__(
        self, accounts: int = 1024, markets: int = 4, orders: int = 4096, key: Key = PUBLIC_KEY
    ) -> None:
        """`key` is that of the indexes (book/indexes.py); a node on a network passes a secret one."""
        super().__init__(accounts, markets, orders)
        self.globals["next_account"] = self.globals["next_oid"] = self.globals["next_tid"] = 1
        self.slot_by_address: dict[Address, int] = {}
        self.slot_by_number: dict[int, int] = {}
        self.numbers = Numbers()
        self._free_slots: list[int] = []  # of removed accounts
        self.counters[[KEY_0, KEY_1]] = key
        self.counters[[LEVELS_MAX, SIDE_MAX]] = PRICE_LEVELS_MAX, SIDE_ORDERS_MAX
        self.book = book.Book(key)
        self.journal = Journal(self)
        self.output = Output(self.counters)
        self._arrays: KernelArrays | None = None
        self._words: Array = np.zeros(WORDS * len(KernelArrays._fields), np.int64)
        self.rebuild()

    def core(self, ops: Array = _NO_OPS) -> Array:
        """The kernel's argument: the addresses of all arrays, valid until the next call.

        The caller must reserve room for what the kernel will write, and keep `ops` alive as long.
        """
        shelf, journal, output = self.book, self.journal, self.output
        self.counters[MARKETS] = self.market_count
        keys, images = journal.keys, journal.images
        arrays = KernelArrays(
            self.counters,
            self.accounts,
            self.positions,
            self.holders,
            self.holder_counts,
            self.orders,
            self.markets,
            self.stale,
            self.tiers,
            self.globals,
            shelf.ladder_keys,
            shelf.ladder_levels,
            shelf.ladder_firsts,
            shelf.ladder_counts,
            shelf.ladder_orders,
            shelf.value_keys,
            shelf.value_slots,
            shelf.value_counts,
            shelf.levels,
            shelf.free_orders,
            shelf.free_levels,
            shelf.oids,
            shelf.oid_shifts,
            shelf.cloid_slots,
            shelf.links,
            shelf.hints,
            shelf.blank,
            keys["account"],
            images["account"],
            keys["position"],
            images["position"],
            keys["order"],
            images["order"],
            keys["market"],
            images["market"],
            journal.globals_image,
            ops,
            output.results,
            output.fills,
            output.updates,
        )
        describe(arrays, self._arrays, self._words)
        self._arrays = arrays
        return self._words

    @property
    def live_orders(self) -> int:
        return int(self.counters[LIVE_ORDERS])

    def reserve_orders(self, new: int) -> None:
        """Make room for `new` more resting orders."""
        if not self.book.fits(self, new):
            self._rebuild_book(new)

    def rebuild(self) -> None:
        """Rebuild from the rows alone what was not journalled: running values, indexes and book."""
        recompute(self.core())
        self._rebuild_book(_SPARE_ORDERS)

    def _rebuild_book(self, new: int) -> None:
        """Rebuild the book with room for `new` more orders; reads orders only, not all accounts."""
        live = int(np.count_nonzero(self.orders["oid"]))
        if live + new > len(self.orders):
            self.orders = _grown(self.orders, 2 * (live + new))
        depth = min(live, PRICE_LEVELS_MAX)
        self.book.resize(self, live, new, depth)
        self.book.rebuild(self.orders, self.core())

    def holders_of(self, market: int) -> Array:
        """A copy of the slots of all accounts with a position or open orders in a market, unordered."""
        slots: Array = self.holders[market, : self.holder_counts[market]].astype(np.int64)
        return slots

    def holders_in(self, markets: Iterable[int]) -> Array:
        """The slots of holders in several markets, each once per market: removing duplicates later, from fewer, is
        cheaper."""
        return np.concatenate([_NOBODY, *map(self.holders_of, markets)])

    def positioned(self, market: int) -> Array:
        """Slots of all accounts with a position in a market, by account number."""
        slots = self.holders_of(market)
        slots = slots[self.positions["size"][slots, market] != 0]
        by_number: Array = slots[np.argsort(self.accounts["number"][slots])]
        return by_number

    def slot_of(self, address: Address) -> int | None:
        return self.slot_by_address.get(address)

    def address_of(self, slot: int) -> Address:
        return bytes(self.addresses[slot])

    def add_account(self, address: Address, now: int, taker_rate: int = 4500, maker_rate: int = 1500) -> int:
        """Add an account with the next number; return its slot."""
        assert address not in self.slot_by_address
        row = np.zeros(1, ACCOUNT)
        row["number"] = self.globals["next_account"][0]
        row["looked_ms"] = -now
        row["created_ms"], row["taker_rate"], row["maker_rate"] = now, taker_rate, maker_rate
        self.globals["next_account"] += 1
        return self.load_account(address, row[0])

    def load_account(self, address: Address, row: np.void) -> int:
        """Put an account's row into the next free slot; its positions are `positions[slot, market]`."""
        if self._free_slots:
            slot = self._free_slots.pop()
        else:
            slot = self.account_count
            if slot == len(self.accounts):
                self._grow_accounts(2 * slot)
            self.account_count += 1
        self.accounts[slot] = row
        self.journal.opened.append(slot)
        self._register(slot, address, int(row["number"]))
        return slot

    def drop_account(self, slot: int) -> None:
        """Remove an account that holds nothing and free its slot. The journal keeps what restores it."""
        held = self.positions[slot]
        names = [name for name in POSITION.names or () if name != "epoch"]
        for market in np.flatnonzero(np.any([held[name] != 0 for name in names], axis=0)).tolist():
            self.journal.position(slot, market)
        self.journal.account(slot)
        self.journal.dropped.append((slot, self.address_of(slot), int(self.accounts["number"][slot])))
        self._forget(slot)
        self._free_slots.append(slot)

    def take_back_accounts(self, undo: Undo) -> None:
        """Remove the accounts that a batch opened, and restore those that it removed (undo)."""
        for slot in undo.opened:
            self._forget(slot)
            if slot < undo.account_count:
                self._free_slots.append(slot)
        self.account_count = undo.account_count
        for slot, address, number in undo.dropped:
            self._free_slots.remove(slot)
            self._register(slot, address, number)

    @property
    def dropped_numbers(self) -> list[int]:
        """Numbers of the accounts that the open batch removed."""
        return [number for _, _, number in self.journal.dropped]

    def _register(self, slot: int, address: Address, number: int) -> None:
        self.addresses[slot] = np.frombuffer(address, np.uint8)
        self.slot_by_address[address] = slot
        self.slot_by_number[number] = slot
        self.numbers.add(number)

    def _forget(self, slot: int) -> None:
        """Blank the slot but keep its epochs, so that the journal does not save it a second time."""
        number = int(self.accounts["number"][slot])
        del self.slot_by_address[self.address_of(slot)]
        del self.slot_by_number[number]
        self.numbers.drop(number)
        for table in (self.accounts, self.positions):
            epochs = table["epoch"][slot].copy()
            table[slot] = 0
            table["epoch"][slot] = epochs
        self.addresses[slot] = 0

    def drop_markets(self, count: int) -> None:
        """Remove the markets added last, down to `count` (undo)."""
        self.markets[count : self.market_count] = 0
        self.tiers[count : self.market_count] = 0
        self.positions[:, count : self.market_count] = 0
        self.market_count = count

    def add_market(
        self,
        sz_decimals: int,
        max_leverage: int,
        mark: int,
        *,
        tiers: tuple[tuple[int, int], ...] = (),
        **parameters: int,
    ) -> int:
        """Add a market and return its index; `tiers` are (lower bound of notional in u, max leverage) above the
        first."""
        assert len(tiers) < MARGIN_TIERS_MAX
        row = np.zeros(1, MARKET)
        defaults = {
            "sz_decimals": sz_decimals,
            "max_leverage": max_leverage,
            "first_leverage": max_leverage,
            "mark": mark,
            "oracle": mark,
            "max_px": 1 << 27,
            "max_sz": 1 << 28,
            "min_notional": 10_000_000,
            "tick": 1,
            "lot": 1,
            "px_unit": 10 ** price_decimals(sz_decimals),
            "band_bps": 9500,
            "sig_figs": 5,
            "limit_share": LIMIT_WHOLE,
        }
        for name, value in (defaults | parameters).items():
            row[name] = value
        assert int(row["max_px"][0]) * int(row["max_sz"][0]) <= POSITION_NOTIONAL_MAX
        assert int(row["max_px"][0]) * rate_cap(max_leverage) < 1 << 63, (
            "what a lot pays in an hour fits in a row"
        )
        assert int(row["max_px"][0]) <= PRICE_MAX and 0 < mark <= int(row["max_px"][0])
        return self.load_market(row[0], _tiers(((0, max_leverage), *tiers)))

    def load_market(self, row: np.void, tiers: Array) -> int:
        """Put a market's row and its tiers into the next place; return its index."""
        index = self.market_count
        assert index < MARKETS_MAX
        if index == len(self.markets):
            self._grow_markets(2 * index)
        self.markets[index] = row
        self.markets[index]["tier_count"] = len(tiers)
        self.tiers[index, : len(tiers)] = tiers
        self.market_count += 1
        return index

    def _grow_accounts(self, capacity: int) -> None:
        self.accounts = _grown(self.accounts, capacity)
        self.addresses = _grown(self.addresses, capacity)
        self.positions = _grown(self.positions, capacity)
        holders = np.zeros((len(self.markets), capacity), np.int32)
        holders[:, : self.holders.shape[1]] = self.holders
        self.holders = holders

    def _grow_markets(self, capacity: int) -> None:
        self.markets = _grown(self.markets, capacity)
        self.tiers = _grown(self.tiers, capacity)
        self.holders = _grown(self.holders, capacity)
        self.holder_counts = _grown(self.holder_counts, capacity)
        self.stale = _grown(self.stale, capacity)
        positions = zeros((len(self.accounts), capacity), POSITION)
        positions[:, : self.positions.shape[1]] = self.positions
        self.positions = positions
        self._rebuild_book(_SPARE_ORDERS)  # which has two ladders for each place of the table


def _grown(array: Array, capacity: int) -> Array:
    larger = zeros((capacity, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def _tiers(tiers: tuple[tuple[int, int], ...]) -> Array:
    """Compute the tiers: deduction_n = deduction_(n-1) + lower_n * (rate_n - rate_(n-1)), rate = 1 / (2 * leverage)."""
    found = np.zeros(len(tiers), TIER)
    deduction, before = 0, tiers[0][1]
    for n, (lower, leverage) in enumerate(tiers):
        # lower * (1/2L - 1/2B) = lower * (B - L) / (2 L B); rounded down: more margin, never less
        deduction += lower * (before - leverage) // (2 * leverage * before)
        found[n] = (lower, deduction, leverage)
        before = leverage
    return found
