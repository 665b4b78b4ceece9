"""Rebuild the exchange from its leaves in any order: slots are private and never matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from coinone.base.crypto.siphash import PUBLIC_KEY, Key
from coinone.base.primitives.records import decode
from coinone.rules.exchange.instruments.config import ExchangeConfig
from coinone.rules.exchange.rows.tables import ACCOUNT, MARKET, ORDER, TIER
from coinone.rules.exchange.state import leaf_forms as form
from coinone.rules.exchange.state.distance import distance_of
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.leaf_forms import (
    ACCOUNT_COLUMNS,
    GLOBAL_COLUMNS,
    MARKET_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    TERMS_COLUMNS,
    TIER_COLUMNS,
    AccountLeaf,
    GlobalsLeaf,
    MarketLeaf,
    unpack_row,
)
from coinone.rules.exchange.state.ledger import (
    AccountSettings,
    Agent,
    Closed,
    Cursors,
    Listing,
    MarketMemory,
    NonceSet,
    Reported,
)


def exchange_from_leaves(
    config: ExchangeConfig, leaves: Iterable[tuple[bytes, bytes]], index_key: Key = PUBLIC_KEY
) -> Exchange:
    """Rebuild the exchange from its leaves. They come from the local disk: invalid ones are a fault."""
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
        elif kind in ex.ledger.own_leaves:
            ex.ledger.own_leaves[kind].load(key, leaf)
        else:
            assert key == form.GLOBALS, "a leaf of unknown kind"
            _load_globals(ex, leaf)
    _load_orders(ex, orders)
    ex.rows.rebuild()
    ex.rows.journal.begin()
    return ex


def _load_account(ex: Exchange, number: int, data: bytes) -> None:
    leaf, ledger = decode(AccountLeaf, data), ex.ledger
    row = np.zeros(1, ACCOUNT)
    row["number"] = number
    unpack_row(row[0], ACCOUNT_COLUMNS, leaf.row)
    slot = ex.rows.load_account(leaf.address, row[0])
    for market, columns in leaf.positions:
        unpack_row(ex.rows.positions[slot, market], POSITION_COLUMNS, columns)
    ledger.schedule.restore(number, leaf.scheduled_ms or None)
    for agent in leaf.agents:
        ledger.agents.restore(agent.address, Agent(number, agent.name, agent.valid_until_ms, agent.compat))
    for signer in leaf.signers:
        closed = Closed.NO if signer.closed is None else Closed(signer.closed)
        ledger.nonces.restore(signer.address, NonceSet(number, signer.nonces, closed))
    ledger.settings.restore(number, _settings(leaf))


def _settings(leaf: AccountLeaf) -> AccountSettings:
    return AccountSettings(
        signers=tuple([signer.address for signer in leaf.signers]),
        agents=tuple([agent.address for agent in leaf.agents]),
        builders=leaf.settings.builders,
        referrer=leaf.settings.referrer,
        cancels_fired=leaf.settings.cancels_fired,
        volume_days=leaf.settings.volume_days,
        is_builder=leaf.settings.is_builder,
    )


def _load_orders(ex: Exchange, leaves: Sequence[tuple[bytes, bytes]]) -> None:
    ex.rows.reserve_orders(len(leaves))
    for slot, (key, leaf) in enumerate(leaves):
        row = np.zeros(1, ORDER)[0]
        unpack_row(row, ORDER_COLUMNS, leaf[:-8])
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


def _load_market(ex: Exchange, market: int, data: bytes) -> None:
    leaf = decode(MarketLeaf, data)
    row, tiers = np.zeros(1, MARKET)[0], np.zeros(len(leaf.terms.tiers), TIER)
    unpack_row(row, MARKET_COLUMNS, leaf.row)
    unpack_row(row, TERMS_COLUMNS, leaf.terms.row)
    memory = MarketMemory(*leaf.memory)
    row["below"], row["above"] = distance_of(memory, int(row["mark"]), int(row["max_leverage"]))
    for tier, columns in zip(tiers, leaf.terms.tiers, strict=True):
        unpack_row(tier, TIER_COLUMNS, columns)
    assert ex.rows.load_market(row, tiers) == market, "markets have the first numbers"
    ex.ledger.listings.restore(market, Listing(leaf.terms.name, leaf.terms.impact_notional))
    ex.ledger.memory.restore(market, memory)
    for report in leaf.reports:
        ex.ledger.reports.restore((market, report.reporter), Reported(report.time_ms, report.px))


def _load_globals(ex: Exchange, data: bytes) -> None:
    leaf = decode(GlobalsLeaf, data)
    unpack_row(ex.rows.globals[0], GLOBAL_COLUMNS, leaf.row)
    spent = tuple([(quota.market, (quota.spent, quota.since_ms)) for quota in leaf.fund_spent])
    cursors = Cursors(leaf.seq, leaf.time_ms, spent, leaf.fee_day, leaf.fee_account, leaf.collect_account)
    ex.ledger.cursors.restore("all", cursors)
