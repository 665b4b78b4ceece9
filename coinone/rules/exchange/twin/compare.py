"""Convert rows to the twin and both to a comparable form, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from coinone.rules.exchange.rows.arrays import LEVELS_MAX, SIDE_MAX
from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED, OP, OpKind, Side
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.twin.book import Op, Position, TwinAccount, TwinMarket, TwinOrder
from coinone.rules.exchange.twin.run import Twin
from coinone.rules.exchange.twin.terms import sums

_MARKET_FIELDS = tuple(TwinMarket.__dataclass_fields__.keys() - {"bounds", "tiers", "sides"})
_POSITION_FIELDS = {  # names in the twin and in the rows, without the terms of sums
    name: {"bids": "bid_size", "asks": "ask_size"}.get(name, name)
    for name in Position.__dataclass_fields__
    if name not in ("initial_margin", "maintenance_margin", "reducing")
}


def ops_of(rows: Any) -> list[Op]:
    """The operations of an OP array as the twin's objects."""
    return [Op(*row) for row in rows.tolist()]


def twin_of(rows: Rows) -> Twin:
    """A twin in the same state as the rows."""
    accounts = [_account(rows, slot) for slot in range(rows.account_count)]
    twin = Twin([_market(rows, index) for index in range(rows.market_count)], accounts)
    twin.levels_max, twin.side_max = rows.counters[[LEVELS_MAX, SIDE_MAX]].tolist()
    whole = rows.globals[0]
    twin.next_oid, twin.next_tid = int(whole["next_oid"]), int(whole["next_tid"])
    twin.fees, twin.insurance = int(whole["fees"]), int(whole["insurance"])
    for row in sorted(rows.orders[rows.orders["oid"] != 0], key=lambda row: int(row["oid"])):
        twin.restore(int(row["oid"]), _op(row), int(row["orig_sz"]), int(row["sz"]), int(row["time_ms"]))
    return twin


def _market(rows: Rows, index: int) -> TwinMarket:
    row = rows.markets[index]
    fields: dict[str, Any] = {name: int(row[name]) for name in _MARKET_FIELDS}
    tiers = rows.tiers[index, : int(row["tier_count"])]
    pairs = [(int(tier["max_leverage"]), int(tier["deduction"])) for tier in tiers]
    market = TwinMarket(**fields, bounds=tiers["lower"].tolist(), tiers=pairs)
    market.order_count = 0  # counted again as the orders are restored
    return market


def _account(rows: Rows, slot: int) -> TwinAccount:
    row = rows.accounts[slot]
    positions = [
        Position(**{str(name): int(held[column]) for name, column in _POSITION_FIELDS.items()})  # type: ignore[arg-type]
        for held in rows.positions[slot, : rows.market_count]
    ]
    for position in positions:
        position.bids = position.asks = 0
    account = TwinAccount(int(row["cash"]), int(row["taker_rate"]), int(row["maker_rate"]), positions)
    account.locked = bool(row["flags"] & ACCOUNT_LOCKED)
    account.taker_volume, account.maker_volume = int(row["taker_volume"]), int(row["maker_volume"])
    return account


def _op(row: np.void) -> Op:
    """The operation that placed a resting order, as far as its row shows it."""
    fields = dict.fromkeys(OP.names or (), 0)
    shared = set(fields) & set(row.dtype.names or ()) - {"oid"}
    fields.update({name: int(row[name]) for name in shared}, kind=int(OpKind.PLACE))
    return Op(**fields)


def state_of_rows(rows: Rows) -> dict[str, Any]:
    """All that the kernel may change, without slots and layouts, including the running sums."""
    accounts = []
    for slot in range(rows.account_count):
        row = rows.accounts[slot]
        names = ("cash", "order_count", "taker_volume", "maker_volume")
        sums = (
            int(row["position_value"]),
            int(row["initial_margin"]),
            int(row["maintenance_margin"]),
        )
        held = [
            tuple(int(p[name]) for name in _POSITION_FIELDS.values())
            for p in rows.positions[slot, : rows.market_count]
        ]
        accounts.append((*(int(row[name]) for name in names), *sums, held))
    traded = ("open_interest", "last_px", "last_ms", "volume", "base_volume", "order_count", "unbooked")
    markets = [tuple(int(row[name]) for name in traded) for row in rows.markets[: rows.market_count]]
    queues = [
        [_seen(rows.orders[slot]) for slot in rows.book.queue(market, side)]
        for market in range(rows.market_count)
        for side in Side
    ]
    whole = [int(rows.globals[0][name]) for name in ("next_oid", "next_tid", "fees", "insurance")]
    return {
        "accounts": accounts,
        "markets": markets,
        "books": queues,
        "whole": whole,
    }


def state_of_twin(twin: Twin) -> dict[str, Any]:
    """The same state from the twin, with sums computed from scratch."""
    accounts = [
        (
            a.cash,
            a.order_count,
            a.taker_volume,
            a.maker_volume,
            *sums(twin.markets, a),
            [tuple(getattr(p, name) for name in _POSITION_FIELDS) for p in a.positions],
        )
        for a in twin.accounts
    ]
    markets = [
        (m.open_interest, m.last_px, m.last_ms, m.volume, m.base_volume, m.order_count, m.unbooked)
        for m in twin.markets
    ]
    books = []
    for market in twin.markets:
        for side in Side:
            ladder = market.sides[side]
            best_first = reversed(ladder.keys)
            books.append(_orders([order for key in best_first for order in ladder.queues[key].values()]))
    whole = [twin.next_oid, twin.next_tid, twin.fees, twin.insurance]
    return {"accounts": accounts, "markets": markets, "books": books, "whole": whole}


def _seen(row: np.void) -> tuple[int, ...]:
    """The fields of an order that both sides have."""
    names = ("oid", "px", "sz", "orig_sz", "account", "tif", "reduce_only", "time_ms", "cloid_lo")
    return tuple(int(row[name]) for name in names)


def _orders(queue: list[TwinOrder]) -> list[tuple[int, ...]]:
    return [
        (o.oid, o.op.px, o.left, o.size, o.op.account, o.op.tif, o.op.reduce_only, o.time_ms, o.op.cloid_lo)
        for o in queue
    ]
