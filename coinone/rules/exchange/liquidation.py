"""Liquidation: closing what an account can no longer carry, before it owes what it does not have.

An account whose equity is below its maintenance margin has all its orders cancelled and an IOC order sent to the
book for each position, reduce-only, limited at the position's *bankruptcy price*: the price at which its share of
the equity is used up, so that no fill can leave a debt. A position above 100,000 quote is closed by a fifth
first and the rest 30 s later, as long as the equity is above two thirds of the maintenance margin.

If the equity is negative already, a quarter of the insurance fund may be spent in one batch on fills beyond
the bankruptcy price. What is still open after that with negative equity is deleveraged (adl.py) in the same batch,
so that at its end nobody is below zero and holds a position. The fund itself never goes below zero.

Bankruptcy price of position i (after dYdX's liquidations): mark - side * E * MM_i / MM / size, rounded in favour of
the insurance fund; E is the account's equity, MM its maintenance margin.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coinone.base.primitives.integers import div_down, div_up
from coinone.base.primitives.limits import LIQUIDATION_COOLDOWN_MS, LIQUIDATIONS_PER_BATCH
from coinone.rules.exchange.actions.ops import OpList
from coinone.rules.exchange.adl import Deleveraging
from coinone.rules.exchange.batch import NO_HASH, Batch
from coinone.rules.exchange.events import LiquidationEvent
from coinone.rules.exchange.margin import equity
from coinone.rules.exchange.rows import NOBODY, Rows
from coinone.rules.exchange.segments import Item
from coinone.rules.exchange.status import Status
from coinone.rules.exchange.tables import FEE_SCALE, Array, MarketStatus, OpKind, Side, Tif
from coinone.rules.exchange.wire.types import Noop

PARTIAL_NOTIONAL = 100_000_000_000  # micro-quote: larger positions are closed in two steps
PARTIAL_SHARE = 5  # the first step is a fifth
LIQUIDATION_FEE = 20_000  # 0.2 % in 1 / FEE_SCALE, to the insurance fund
INSURANCE_SHARE = 4  # a quarter of the fund may be spent per batch


@dataclass
class Liquidations:
    """The accounts chosen in segment 1, carried to segments 3 and 6 of the same batch."""

    batch: Batch
    chosen: list[int] = field(default_factory=list)  # slots
    budgets: dict[int, int] = field(default_factory=dict)  # what insurance may add, by slot

    def item(self, slot: int) -> Item:
        """The system's item for an account: ranked first among its own."""
        address = self.batch.rows.address_of(slot)
        return Item(-1, Noop(), slot, address, 0, address, NO_HASH, NO_HASH, before=-2)


def choose(batch: Batch) -> Liquidations:
    """Who is liquidated in this batch: the bankrupt first and worst first, then the rest from the cursor on."""
    rows = batch.rows
    found = [slot for slot in _short(rows, "maintenance_margin") if not _cooling_down(batch, slot)]
    bankrupt = sorted(
        (slot for slot in found if equity(rows, slot) < 0),
        key=lambda slot: (equity(rows, slot), batch.ex.number(slot)),
    )
    cursor = batch.ledger.cursor.liquidation_cursor
    others = sorted(
        (slot for slot in found if equity(rows, slot) >= 0),
        key=lambda slot: (batch.ex.number(slot) <= cursor, batch.ex.number(slot)),
    )
    chosen = (bankrupt + others)[:LIQUIDATIONS_PER_BATCH]
    last = [batch.ex.number(slot) for slot in chosen if equity(rows, slot) >= 0]
    if last and last[-1] != cursor:
        batch.set_cursor(liquidation_cursor=last[-1])
    return Liquidations(batch, chosen, _budgets(rows, bankrupt[:LIQUIDATIONS_PER_BATCH]))


def add_cancels(batch: Batch, slot: int, item: Item, ops: OpList, reason: Status) -> None:
    """Cancel every order of an account."""
    for order in batch.rows.book.slots_of(batch.rows, slot):
        row = batch.rows.orders[order]
        ops.add_one(
            item,
            kind=int(OpKind.CANCEL),
            market=int(row["market"]),
            oid=int(row["oid"]),
            reason=int(reason),
        )


def add_orders(work: Liquidations, slot: int, item: Item, ops: OpList) -> None:
    """An IOC for each position of the account, limited at its bankruptcy price."""
    batch, rows = work.batch, work.batch.rows
    partial = False
    for market in _closable(rows, slot):
        size = int(rows.positions[slot, market]["size"])
        part = _part(batch, slot, market)
        partial = partial or part < abs(size)
        price = limit_price(rows, slot, market, work.budgets.get(slot, 0))
        batch.events.append(
            LiquidationEvent(
                *batch.here,
                account=item.address,
                kind="order",
                market=market,
                size=part if size > 0 else -part,
                px=price,
                amount=equity(rows, slot),
            )
        )
        ops.add_one(
            item,
            kind=int(OpKind.PLACE),
            market=market,
            side=int(Side.SELL if size > 0 else Side.BUY),
            px=price,
            sz=part,
            tif=int(Tif.IOC),
            reduce_only=1,
            liquidation=1,
            liquidation_fee=LIQUIDATION_FEE,
        )
    if partial:
        rows.journal.account(slot)
        rows.accounts[slot]["liquidated_ms"] = batch.now


def settle(work: Liquidations) -> None:
    """After the orders: deleverage who is below zero, then let insurance pay what is left over.

    That includes who was not chosen at the batch's start and fell below zero by a trade and its fees since."""
    batch = work.batch
    ranking = Deleveraging(batch)
    below = underwater(batch.rows)
    fallen = [slot for slot in below if slot not in work.chosen]
    batch.liquidations_wait = len(fallen) > LIQUIDATIONS_PER_BATCH
    for slot in [slot for slot in work.chosen if slot in below] + fallen[:LIQUIDATIONS_PER_BATCH]:
        for market in _closable(batch.rows, slot):
            price = bankruptcy_price(batch.rows, slot, market, equity(batch.rows, slot))
            ranking.close(slot, market, price)
    owing = [slot for slot in _broke(batch) if _cover(batch, slot) > 0]
    unpaid = tuple(sorted(batch.ex.number(slot) for slot in owing))
    if unpaid != batch.ledger.cursor.bad_debt:
        batch.set_cursor(bad_debt=unpaid)


def _cover(batch: Batch, slot: int) -> int:
    """Pay a closed account's debt from the insurance fund; returns what the fund lacks, which stays on record."""
    debt = -int(batch.rows.accounts[slot]["cash"])
    paid = min(debt, int(batch.rows.globals["insurance"][0]))
    if paid > 0:
        batch.move_global("insurance", -paid)
        batch.move_cash(slot, paid)
        _tell(batch, slot, "insurance", paid)
    if paid < debt and batch.ex.number(slot) not in batch.ledger.cursor.bad_debt:
        _tell(batch, slot, "bad_debt", debt - paid)
    return debt - paid


def bankruptcy_price(rows: Rows, slot: int, market: int, worth: int) -> int:
    """Where closing the position uses up its share of `worth`; a seller's price rounds up, a buyer's down."""
    held, mark = rows.positions[slot, market], int(rows.markets[market]["mark"])
    size, weight = int(held["size"]), int(held["maintenance_margin"])
    total = int(rows.accounts[slot]["maintenance_margin"])
    if size > 0:
        price = mark - div_down(worth * weight, total * size)
    else:
        price = mark + div_down(worth * weight, total * -size)
    return max(1, min(price, int(rows.markets[market]["max_px"])))


def limit_price(rows: Rows, slot: int, market: int, budget: int) -> int:
    """The bankruptcy price with the liquidation fee paid out of it."""
    price = bankruptcy_price(rows, slot, market, equity(rows, slot) + budget)
    if int(rows.positions[slot, market]["size"]) > 0:
        price = div_up(price * FEE_SCALE, FEE_SCALE - LIQUIDATION_FEE)
    else:
        price = div_down(price * FEE_SCALE, FEE_SCALE + LIQUIDATION_FEE)
    return max(1, min(price, int(rows.markets[market]["max_px"])))


def _budgets(rows: Rows, bankrupt: list[int]) -> dict[int, int]:
    """Share out what insurance may spend in this batch, worst account first."""
    left = div_down(int(rows.globals["insurance"][0]), INSURANCE_SHARE)
    budgets = {}
    for slot in bankrupt:
        budgets[slot] = min(left, int(rows.accounts[slot]["maintenance_margin"]) - equity(rows, slot))
        left -= budgets[slot]
    return budgets


def _part(batch: Batch, slot: int, market: int) -> int:
    """How much of the position is closed now: a fifth of a large one, unless that step was just made."""
    size = abs(int(batch.rows.positions[slot, market]["size"]))
    large = size * int(batch.rows.markets[market]["mark"]) > PARTIAL_NOTIONAL
    first = batch.now - int(batch.rows.accounts[slot]["liquidated_ms"]) >= 2 * LIQUIDATION_COOLDOWN_MS
    return div_up(size, PARTIAL_SHARE) if large and first and _orderly(batch.rows, slot) else size


def _orderly(rows: Rows, slot: int) -> bool:
    """Is the equity still at least two thirds of the maintenance margin?"""
    return 3 * equity(rows, slot) >= 2 * int(rows.accounts[slot]["maintenance_margin"])


def _cooling_down(batch: Batch, slot: int) -> bool:
    since = batch.now - int(batch.rows.accounts[slot]["liquidated_ms"])
    return since < LIQUIDATION_COOLDOWN_MS and _orderly(batch.rows, slot)


def underwater(rows: Rows) -> list[int]:
    """Who is below zero and holds a position that may be closed: in a market with a fresh oracle."""
    return sorted(_short(rows), key=lambda slot: (equity(rows, slot), int(rows.accounts[slot]["number"])))


def _short(rows: Rows, required: str | None = None) -> list[int]:
    """Slots, ascending, with a position in a fresh market and less equity than that column says, or than nothing."""
    found = [NOBODY]
    for market in _fresh(rows).nonzero()[0].tolist():
        slots = rows.holders_of(market)
        accounts = rows.accounts
        least = accounts[required][slots] if required else 0
        short = accounts["cash"][slots] + accounts["position_value"][slots] < least
        found.append(slots[short & (rows.positions["size"][slots, market] != 0)])
    short_of: list[int] = np.unique(np.concatenate(found)).tolist()
    return short_of


def _broke(batch: Batch) -> list[int]:
    """Who owes and holds nothing: a fee or an order's rounding may have taken the last of an equity.

    Nobody else can owe than whose row this batch touched, and who was on record already."""
    rows = batch.rows
    known = [rows.slot_by_number[number] for number in batch.ledger.cursor.bad_debt]
    slots = sorted({*rows.journal.saved_accounts(), *known})
    return [slot for slot in slots if rows.accounts[slot]["cash"] < 0 and not _has_position(rows, slot)]


def _closable(rows: Rows, slot: int) -> list[int]:
    """The account's markets with a fresh oracle; in a stale one its position stands at the last mark."""
    held = rows.positions["size"][slot, : rows.market_count] != 0
    markets: list[int] = (held & _fresh(rows)).nonzero()[0].tolist()
    return markets


def _fresh(rows: Rows) -> Array:
    fresh: Array = rows.markets["status"][: rows.market_count] <= MarketStatus.AGED
    return fresh


def _has_position(rows: Rows, slot: int) -> bool:
    return bool((rows.positions["size"][slot] != 0).any())


def _tell(batch: Batch, slot: int, kind: str, amount: int) -> None:
    address = batch.rows.address_of(slot)
    batch.events.append(LiquidationEvent(*batch.here, address, kind, -1, 0, 0, amount))
