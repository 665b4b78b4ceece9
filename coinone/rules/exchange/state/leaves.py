"""Leaves: the exchange's state as bytes under keys, complete enough to rebuild everything from.

    b"a" + number      an account: its row, positions, settings, agents, nonces
    b"o" + number + oid  one of its resting orders
    b"m" + market      a market: its row, the memory of oracle and funding, the reporters' last prices, its terms
    b"u" + address     a deposit too small to open an account
    b"g"               counters, funds, cursors

and those of a table of the ledger whose entries are leaves of their own, as the deposits are (tables.py).

Numbers in keys are big endian, 8 bytes (a market 4). For the contents of a leaf see leaf_forms.py. Running sums, links
and slots are left out, since they follow from the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter, itemgetter

import numpy as np

from coinone.base.primitives.records import encode
from coinone.base.primitives.types import Address
from coinone.rules.exchange.rows.arrays import SAVED_ORDERS
from coinone.rules.exchange.rows.tables import Array
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.leaf_forms import (
    ACCOUNT,
    GLOBAL_COLUMNS,
    GLOBALS,
    MARKET,
    MARKET_COLUMNS,
    ORDER,
    TERMS_COLUMNS,
    TIER_COLUMNS,
    GlobalsLeaf,
    MarketLeaf,
    QuotaLeaf,
    ReportLeaf,
    TermsLeaf,
    pack_row,
)
from coinone.rules.exchange.state.leaf_rows import account_leaves, order_keys, order_leaves
from coinone.rules.exchange.state.ledger import MarketMemory

_VALUES = attrgetter(*[field.name for field in fields(MarketMemory)])  # `astuple` copies deeply


def account_key(number: int) -> bytes:
    return ACCOUNT + number.to_bytes(8, "big")


def address_in(account_leaf: bytes) -> Address:
    """The address of an account's leaf, without decoding the rest: it comes first in the list."""
    start = _first_item(account_leaf)
    assert account_leaf[start] == 0x80 + 20, "an account's leaf begins with its address"
    return account_leaf[start + 1 : start + 21]


def next_account_in(globals_leaf: bytes) -> int:
    """The next account number, read from the globals leaf: the first of the columns, which come first."""
    start = _first_item(globals_leaf)
    assert globals_leaf[start : start + 2] == bytes((0xB8, 8 * len(GLOBAL_COLUMNS))), "the columns come first"
    return int.from_bytes(globals_leaf[start + 2 : start + 10], "big")


def _first_item(leaf: bytes) -> int:
    """The offset of the first item of an encoded list."""
    return 1 if leaf[0] <= 0xF7 else 1 + leaf[0] - 0xF7


def market_key(market: int) -> bytes:
    return MARKET + market.to_bytes(4, "big")


def touched_leaves(ex: Exchange, touched: Array) -> dict[bytes, bytes | None]:
    """The leaves that the open batch changed, in rising order of keys; None for a removed one.

    `touched`: the slots of accounts whose rows the batch changed.
    """
    accounts = set(ex.rows.accounts["number"][touched].tolist()) | set(ex.rows.dropped_numbers)
    markets = set(ex.rows.journal.touched_markets().tolist())
    own = _touched_entries(ex, {ACCOUNT: accounts, MARKET: markets})
    leaves: dict[bytes, bytes | None] = {}
    numbers = [number for number in sorted(accounts) if number in ex.rows.slot_by_number]
    slots = np.array([ex.rows.slot_by_number[number] for number in numbers], np.int64)
    leaves.update(dict.fromkeys(map(account_key, sorted(accounts))))  # removed, unless found
    leaves.update(zip(map(account_key, numbers), account_leaves(ex, slots), strict=True))
    leaves[GLOBALS] = encode_globals(ex)
    for market in sorted(markets):
        leaves[market_key(market)] = encode_market(ex, market)
    leaves.update(_touched_orders(ex))
    leaves.update(sorted(own.items()))
    return leaves


def _touched_entries(ex: Exchange, owners: dict[bytes, set[int]]) -> dict[bytes, bytes | None]:
    """The ledger's changed entries that are leaves of their own. To `owners`, those who show the others are added."""
    own: dict[bytes, bytes | None] = {}
    for table, key, before in ex.ledger.log.entries:
        form = table.form
        if form.own is not None:
            leaf_key, leaf = table.leaf(key)
            own[leaf_key] = leaf
        elif form.owner is not None:
            for value in (before, table.get(key)):
                if value is not None:
                    owners[form.leaf].add(form.owner(key, value))
    return own


def all_leaves(ex: Exchange) -> Iterator[tuple[bytes, bytes]]:
    """All leaves with their keys."""
    slots = ex.rows.accounts["number"].nonzero()[0]
    numbers = ex.rows.accounts["number"][slots].tolist()
    yield from zip(map(account_key, numbers), account_leaves(ex, slots), strict=True)
    resting = ex.rows.orders["oid"].nonzero()[0]
    yield from zip(_keys_of(ex, ex.rows.orders[resting]), order_leaves(ex, resting), strict=True)
    for market in range(ex.rows.market_count):
        yield market_key(market), encode_market(ex, market)
    for table in ex.ledger.own_leaves.values():
        for entry, _ in table.items():
            key, leaf = table.leaf(entry)
            assert leaf is not None, "the entry exists"
            yield key, leaf
    yield GLOBALS, encode_globals(ex)


def encode_market(ex: Exchange, market: int) -> bytes:
    known = [(reporter, ex.ledger.reports.get((market, reporter))) for reporter in ex.config.reporters]
    return encode(
        MarketLeaf(
            row=pack_row(ex.rows.markets[market], MARKET_COLUMNS),
            memory=_VALUES(ex.ledger.memory_of(market)),
            reports=tuple([ReportLeaf(by, last.time_ms, last.px) for by, last in known if last is not None]),
            terms=terms_of(ex, market),
        )
    )


def terms_of(ex: Exchange, market: int) -> TermsLeaf:
    listing, row = ex.ledger.listing_of(market), ex.rows.markets[market]
    tiers = ex.rows.tiers[market][: int(row["tier_count"])]
    return TermsLeaf(
        name=listing.name,
        row=pack_row(row, TERMS_COLUMNS),
        tiers=tuple([pack_row(tier, TIER_COLUMNS) for tier in tiers]),
        impact_notional=listing.impact_notional,
    )


def encode_globals(ex: Exchange) -> bytes:
    cursor = ex.ledger.cursor
    return encode(
        GlobalsLeaf(
            row=pack_row(ex.rows.globals[0], GLOBAL_COLUMNS),
            seq=cursor.seq,
            time_ms=cursor.time_ms,
            fund_spent=tuple([QuotaLeaf(name, spent, since) for name, (spent, since) in cursor.fund_spent]),
            fee_day=cursor.fee_day,
            fee_account=cursor.fee_account,
            collect_account=cursor.collect_account,
        )
    )


def _touched_orders(ex: Exchange) -> Iterator[tuple[bytes, bytes | None]]:
    """The leaves of orders that were placed, changed or removed, in rising order of keys."""
    orders, journal = ex.rows.orders, ex.rows.journal
    count = int(journal.counters[SAVED_ORDERS])
    slots, before = journal.keys["order"][:count], journal.images["order"][:count]
    oids = orders["oid"][slots]
    there, gone = slots[oids != 0], before[(before["oid"] != 0) & (before["oid"] != oids)]
    keys = _keys_of(ex, orders[there]) + _keys_of(ex, gone)
    found: list[bytes | None] = [*order_leaves(ex, there), *[None] * len(gone)]
    return iter(sorted(zip(keys, found, strict=True), key=itemgetter(0)))


def _keys_of(ex: Exchange, orders: Array) -> list[bytes]:
    return order_keys(ex.rows.accounts["number"][orders["account"]], orders["oid"], ORDER)
