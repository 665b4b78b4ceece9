"""Rebuilding the exchange from its leaves, in whatever order they come: slots are private and never matter."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from coinone.base.crypto.siphash import PUBLIC_KEY, Key
from coinone.base.primitives import rlp
from coinone.rules.exchange.instruments.config import ExchangeConfig
from coinone.rules.exchange.rows.tables import ACCOUNT, MARKET, ORDER, TIER
from coinone.rules.exchange.state import leaves as form
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.leaf_rows import ACCOUNT_COLUMNS, ORDER_COLUMNS, POSITION_COLUMNS
from coinone.rules.exchange.state.ledger import (
    Agent,
    Cursors,
    Listing,
    MarketMemory,
    NonceSet,
    Reported,
    Settings,
)


def exchange_from_leaves(
    config: ExchangeConfig, leaves: Iterable[tuple[bytes, bytes]], index_key: Key = PUBLIC_KEY
) -> Exchange:
    """The exchange whose leaves these are. They come from our own disk: nonsense in them is a fault."""
    ex = Exchange(config, index_key)
    markets: list[tuple[bytes, bytes]] = []
    rest: list[tuple[bytes, bytes]] = []
    for key, leaf in leaves:
        (markets if key[:1] == form.MARKET else rest).append((key, leaf))
    for key, leaf in sorted(markets):  # first, so that positions have their place
        _load_market(ex, int.from_bytes(key[1:], "big"), leaf)
    orders: list[tuple[bytes, bytes]] = []
    for key, leaf in rest:
        kind = key[:1]
        if kind == form.ACCOUNT:
            _load_account(ex, int.from_bytes(key[1:], "big"), leaf)
        elif kind == form.ORDER:
            orders.append((key, leaf))
        elif kind == form.UNCLAIMED:
            ex.ledger.unclaimed.restore(key[1:], int.from_bytes(leaf, "big"))
        else:
            assert key == form.GLOBALS, "a leaf of no known kind"
            _load_globals(ex, leaf)
    _load_orders(ex, orders)
    ex.rows.rebuild()
    ex.rows.journal.begin()
    return ex


def _load_account(ex: Exchange, number: int, leaf: bytes) -> None:
    address, columns, positions, settings, scheduled, agents, signers = _list(rlp.decode(leaf))
    row = np.zeros(1, ACCOUNT)
    row["number"] = number
    _unpack(row[0], ACCOUNT_COLUMNS, _bytes(columns))
    slot = ex.rows.load_account(_bytes(address), row[0])
    for position in _list(positions):
        market, values = _list(position)
        _unpack(ex.rows.positions[slot, rlp.decode_int(market)], POSITION_COLUMNS, _bytes(values))
    ledger = ex.ledger
    ledger.schedule.restore(number, rlp.decode_int(scheduled) or None)
    for agent in _list(agents):
        key, name, until, compat = _list(agent)
        known = Agent(number, _bytes(name).decode(), rlp.decode_int(until), rlp.decode_int(compat) == 1)
        ledger.agents.restore(_bytes(key), known)
    for signer in _list(signers):
        key, packed, *closed = _list(signer)
        used = struct.unpack(f">{len(_bytes(packed)) // 8}Q", _bytes(packed))
        ledger.nonces.restore(_bytes(key), NonceSet(number, used, bool(closed)))
    ledger.settings.restore(number, _settings(settings, agents, signers))


def _settings(item: rlp.Item, agents: rlp.Item, signers: rlp.Item) -> Settings:
    builders, referrer, fired, days, is_builder = _list(item)
    day, count = _list(fired)
    return Settings(
        signers=tuple([_bytes(_list(signer)[0]) for signer in _list(signers)]),
        agents=tuple([_bytes(_list(agent)[0]) for agent in _list(agents)]),
        builders=tuple([(_bytes(pair[0]), rlp.decode_int(pair[1])) for pair in map(_list, _list(builders))]),
        referrer=_bytes(referrer).decode(),
        cancels_fired=(rlp.decode_int(day), rlp.decode_int(count)),
        volume_days=tuple([(rlp.decode_int(p[0]), rlp.decode_int(p[1])) for p in map(_list, _list(days))]),
        is_builder=rlp.decode_int(is_builder) == 1,
    )


def _load_orders(ex: Exchange, leaves: Sequence[tuple[bytes, bytes]]) -> None:
    ex.rows.reserve_orders(len(leaves))
    for slot, (key, leaf) in enumerate(leaves):
        row = np.zeros(1, ORDER)[0]
        _unpack(row, ORDER_COLUMNS, leaf[:-8])
        account = ex.rows.slot_by_number[int.from_bytes(key[1:9], "big")]
        builder = int.from_bytes(leaf[-8:], "big")
        row["oid"] = int.from_bytes(key[9:], "big")
        row["account"] = account
        row["builder"] = ex.rows.slot_by_number[builder] if builder else -1
        ex.rows.orders[slot] = row
        market = int(row["market"])
        ex.rows.accounts[account]["order_count"] += 1
        ex.rows.markets[market]["order_count"] += 1
        if not row["reduce_only"]:
            column = "ask_size" if row["side"] else "bid_size"
            ex.rows.positions[account, market][column] += row["sz"]


def _load_market(ex: Exchange, market: int, leaf: bytes) -> None:
    columns, memory, reports, terms = _list(rlp.decode(leaf))
    name, fixed, tiers, impact_notional = _list(rlp.decode(_bytes(terms)))
    row, limits = np.zeros(1, MARKET)[0], np.zeros(len(_list(tiers)), TIER)
    _unpack(row, form.MARKET_COLUMNS, _bytes(columns))
    _unpack(row, form.TERMS_COLUMNS, _bytes(fixed))
    for limit, tier in zip(limits, _list(tiers), strict=True):
        _unpack(limit, form.TIER_COLUMNS, _bytes(tier))
    assert ex.rows.load_market(row, limits) == market, "markets have the first numbers"
    ex.ledger.listings.restore(market, Listing(_bytes(name).decode(), rlp.decode_int(impact_notional)))
    numbers = [int.from_bytes(_bytes(number), "big", signed=True) for number in _list(memory)]
    ex.ledger.memory.restore(market, MarketMemory(*numbers))
    for report in _list(reports):
        reporter, time_ms, px = _list(report)
        known = Reported(rlp.decode_int(time_ms), rlp.decode_int(px))
        ex.ledger.reports.restore((market, _bytes(reporter)), known)


def _load_globals(ex: Exchange, leaf: bytes) -> None:
    columns, seq, time_ms, fund_spent, fee_day, fee_account, collect_account = _list(rlp.decode(leaf))
    _unpack(ex.rows.globals[0], form.GLOBAL_COLUMNS, _bytes(columns))
    ex.ledger.cursors.restore(
        "all",
        Cursors(
            rlp.decode_int(seq),
            rlp.decode_int(time_ms),
            tuple([_quota(entry) for entry in _list(fund_spent)]),
            rlp.decode_int(fee_day),
            rlp.decode_int(fee_account),
            rlp.decode_int(collect_account),
        ),
    )


def _quota(entry: rlp.Item) -> tuple[int, tuple[int, int]]:
    """(market, -1 for all; (spent, since when in ms))."""
    name, spent, since = _list(entry)
    market = int.from_bytes(_bytes(name), "big", signed=True)
    return market, (rlp.decode_int(spent), rlp.decode_int(since))


def _unpack(row: Any, columns: Sequence[str], data: bytes) -> None:
    for name, value in zip(columns, struct.unpack(f">{len(columns)}q", data), strict=True):
        row[name] = value


def _list(item: rlp.Item) -> list[rlp.Item]:
    return rlp.decode_list(item)


def _bytes(item: rlp.Item) -> bytes:
    return rlp.decode_bytes(item)
