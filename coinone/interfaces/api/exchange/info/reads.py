"""Read exchange rows for the interface, as copies.

Every function runs on the executor (`Node.query`) between batches: it reads the arrays, returns plain integers, and
keeps no references.
"""

import numpy as np

from coinone.base.primitives.types import Address
from coinone.interfaces.api.exchange.json.accounts import AccountView, AgentView, MarginTerms, PositionView
from coinone.interfaces.api.exchange.json.markets import Level
from coinone.rules.exchange.accounts.credits import allowance
from coinone.rules.exchange.accounts.equity import position_margins
from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.engine import Exchange
from coinone.rules.exchange.events.orders import OpenOrder
from coinone.rules.exchange.rows.tables import Side
from coinone.rules.exchange.trading import open_orders

NO_ACCOUNT = AccountView(False, 0, 0, 0, 0, 0, (), (), 0, 0, 0, 0, 0)


def account_view(ex: Exchange, address: Address, time_ms: int, orders: bool = True) -> AccountView:
    """The account of `address`, or NO_ACCOUNT. Finding the orders is one pass over the order table."""
    rows = ex.rows
    slot = rows.slot_of(address)
    if slot is None:
        return NO_ACCOUNT
    row = rows.accounts[slot]
    cash = int(row["cash"])
    return AccountView(
        exists=True,
        cash=cash,
        equity=cash + int(row["position_value"]),
        initial_margin=int(row["initial_margin"]),
        maintenance_margin=int(row["maintenance_margin"]),
        withdrawable=withdrawable(rows, slot),
        positions=positions_of(ex, slot),
        orders=open_orders.shown(ex, slot) if orders else (),
        volume=int(row["taker_volume"]) + int(row["maker_volume"]),
        actions_used=int(row["credits_used"]),
        actions_allowed=allowance(ex, slot, time_ms),
        taker_rate=int(row["taker_rate"]),
        maker_rate=int(row["maker_rate"]),
        agent=next((agent for agent in agents_of(ex, address, time_ms) if not agent.name), None),
    )


def positions_of(ex: Exchange, slot: int) -> tuple[PositionView, ...]:
    markets = np.flatnonzero(ex.rows.positions[slot]["size"]).tolist()
    margins = position_margins(ex.rows, slot, markets)
    return tuple(_position(ex, slot, market, margin) for market, margin in zip(markets, margins, strict=True))


def _position(ex: Exchange, slot: int, market: int, margin_used: int) -> PositionView:
    held, row = ex.rows.positions[slot, market], ex.rows.markets[market]
    size, mark, most = int(held["size"]), int(row["mark"]), int(row["max_leverage"])
    tiers = ex.rows.tiers[market, : int(row["tier_count"])]
    place = int(np.searchsorted(tiers["lower"], abs(size) * mark, side="right")) - 1
    return PositionView(
        market=market,
        size=size,
        entry_notional=abs(int(held["entry_notional"])),
        mark=mark,
        leverage=int(held["leverage"]) or int(row["first_leverage"]),
        max_leverage=most,
        tier_leverage=int(tiers[place]["max_leverage"]),
        margin_used=margin_used,
        funding_all=int(held["funding_all"]),
        funding_open=int(held["funding_open"]),
        funding_change=int(held["funding_change"]),
    )


def find_order(ex: Exchange, address: Address, oid: int | None, cloid: int | None) -> OpenOrder | None:
    """A resting order of `address`, by number or by client id."""
    slot = ex.rows.slot_of(address)
    return None if slot is None else open_orders.find(ex, slot, oid, cloid)


def levels(ex: Exchange, market: int) -> tuple[list[Level], list[Level]]:
    """All levels of a market: bids, asks, best first."""
    book = ex.rows.book
    return book.side_levels(market, Side.BUY), book.side_levels(market, Side.SELL)


def margin_terms(ex: Exchange, address: Address, market: int) -> MarginTerms:
    """The terms that a new order of `address` would have."""
    row, slot = ex.rows.markets[market], ex.rows.slot_of(address)
    chosen = 0 if slot is None else int(ex.rows.positions[slot, market]["leverage"])
    return MarginTerms(chosen or int(row["first_leverage"]), int(row["below"]), int(row["above"]))


def agents_of(ex: Exchange, address: Address, time_ms: int) -> tuple[AgentView, ...]:
    """The active agents of an account."""
    slot = ex.rows.slot_of(address)
    if slot is None:
        return ()
    views = []
    for key in ex.ledger.settings_of(ex.number(slot)).agents:
        agent = ex.ledger.living_agent(key, time_ms)
        if agent is not None:
            views.append(AgentView(key, agent.name, agent.valid_until_ms))
    return tuple(views)


def role_of(ex: Exchange, address: Address, time_ms: int) -> tuple[str, Address | None]:
    """("user" | "agent" | "missing", the agent's master). An expired agent is missing."""
    if ex.rows.slot_of(address) is not None:
        return "user", None
    agent = ex.ledger.living_agent(address, time_ms)
    if agent is None:
        return "missing", None
    return "agent", ex.rows.address_of(ex.rows.slot_by_number[agent.account])


def builders_of(ex: Exchange, address: Address) -> tuple[Address, ...]:
    """The builders that an account allows to charge builder fees."""
    slot = ex.rows.slot_of(address)
    if slot is None:
        return ()
    return tuple(builder for builder, _ in ex.ledger.settings_of(ex.number(slot)).builders)


def referral_code_of(ex: Exchange, address: Address) -> str:
    """The code that an account named with setReferrer; "" for none."""
    slot = ex.rows.slot_of(address)
    return "" if slot is None else ex.ledger.settings_of(ex.number(slot)).referrer


def builder_fee_of(ex: Exchange, address: Address, builder: Address) -> int:
    """The maximum fee approved for `builder`, in tenths of a basis point."""
    slot = ex.rows.slot_of(address)
    if slot is None:
        return 0
    return dict(ex.ledger.settings_of(ex.number(slot)).builders).get(builder, 0)
