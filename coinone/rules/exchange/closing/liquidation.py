"""Liquidation: closing what an account can no longer carry, while its own equity still pays for it.

An account below its maintenance margin has its orders cancelled and reduce-only IOC orders sent, the accounts with the
largest shortfall first. The limit price is away from the mark by at most the position's share of the account's equity,
so that no fill leaves the rest less covered than before; as long as two thirds of the margin are left, half a
maintenance margin is the limit, and a large position is closed by a fifth first. Below a third, what the book does not
take is closed against ranked holders of the other side, who are paid the margin that is left (adl.py).

A *locked* account, whose debt others paid (debts.py), trades at the mark or better, and is closed at the mark in the
same batch. The proceeds belong to the fund. A market without a fresh oracle price is skipped: the account's other
positions are closed, and a locked one waits for the price to come back.

Share per lot: equity * MM_i / MM / size, rounded down; equity is the account's, MM its maintenance margin, MM_i the
position's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coinone.base.primitives.integers import div_down, div_up, muldiv_down
from coinone.base.primitives.parameters import (
    CANCELLED_WHOLE_PER_BATCH,
    DELEVERAGED_PER_BATCH,
    LIQUIDATION_COOLDOWN_MS,
    LIQUIDATION_TURNS_BY_NEED,
    LIQUIDATION_TURNS_PER_BATCH,
    LIQUIDATIONS_PER_TURN,
    LOCKED_CLOSED_PER_BATCH,
)
from coinone.base.primitives.types import ZERO_ADDRESS
from coinone.rules.exchange.accounts.equity import equity
from coinone.rules.exchange.accounts.locks import is_locked, locked_among, unlock
from coinone.rules.exchange.actions.opening import claim_waiting, tell
from coinone.rules.exchange.batch.execution import NO_HASH, Execution
from coinone.rules.exchange.closing.adl import Deleveraging
from coinone.rules.exchange.closing.served import PARTIAL_NOTIONAL, PARTIAL_SHARE, by_lot, served
from coinone.rules.exchange.events.events import LiquidationEvent
from coinone.rules.exchange.prices.oracle import is_fresh
from coinone.rules.exchange.rows.arrays import SAVED_ACCOUNTS
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import LIMIT_WHOLE, Array, OpKind, Side, Tif
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.trading.ops import OpList
from coinone.rules.exchange.trading.segment import Trading
from coinone.rules.exchange.wire.segments import Item, system_item

LIQUIDATION_FEE = 20_000  # 0.2 % in 1 / FEE_SCALE, to the insurance fund


@dataclass
class Liquidations:
    """The accounts chosen when segment 6 begins."""

    batch: Execution
    chosen: dict[int, None] = field(default_factory=dict)  # slots: locked ones, then by shortfall
    fifths: set[tuple[int, int]] = field(default_factory=set)  # (slot, market) of partial orders

    def item(self, slot: int) -> Item:
        """The system's item for an account, ranked first among the account's own."""
        return system_item(slot, self.batch.rows.address_of(slot))


def serve(work: Liquidations) -> None:
    """Send the orders of the locked accounts, then, in turns, of the others for which something rests in the book.

    Nothing leaves the book before these orders: the accounts' cancels, post-only orders and modifies have run. But what
    an order was to meet may have been its owner's or another liquidated account's, and gone with them, or its owner
    could not bear the fill, or it was very small: after each turn the book is read again, for the accounts that have
    not been served. Later turns are drawn by lot: otherwise a crowd with larger shortfalls, which quotes to itself,
    would take all places of each batch.
    """
    rows = work.batch.rows
    slots = holders(rows)
    locked = _by_need(rows, np.unique(slots[locked_among(rows, slots)]))[:LOCKED_CLOSED_PER_BATCH]
    waiting = np.array(endangered(rows, slots), np.int64)
    if not locked and not len(waiting):
        return
    cancels = CANCELLED_WHOLE_PER_BATCH
    for number in range(LIQUIDATION_TURNS_PER_BATCH):
        if number == LIQUIDATION_TURNS_BY_NEED:
            waiting = waiting[by_lot(rows.accounts["number"][waiting], work.batch.ctx.seed)]
        chosen = served(rows, waiting, work.batch.now, LIQUIDATIONS_PER_TURN)
        turn = chosen if number else locked + chosen
        cancels -= _cancel(work, turn, cancels)
        _close(work, turn)
        if not chosen:
            return
        waiting = waiting[_short(rows, waiting) & ~np.isin(waiting, chosen)]


def _cancel(work: Liquidations, turn: list[int], most: int) -> int:
    """Cancel all orders of each account, up to and including the one that reaches `most`; return how many.

    No account's closing waits for cancels, its own or another's: an order of an account below its margin meets only
    what its owner can bear, and an order in the way of its owner's is passed (self-trade prevention).
    """
    cancels, gone = Trading(work.batch), 0
    for slot in turn:
        if gone >= most:
            break
        own = cancels.open_cancels(slot)
        gone += len(own)
        cancels.sweep(work.item(slot), Status.LIQUIDATED_CANCELED, own)
    cancels.run()
    return gone


def _close(work: Liquidations, turn: list[int]) -> None:
    """Send the orders that close the accounts' positions, in the given order."""
    orders = Trading(work.batch)
    events = [event for slot in turn for event in add_orders(work, slot, work.item(slot), orders.ops)]
    results = orders.run().results
    told = zip(events, results["status"].tolist(), results["filled_sz"].tolist(), strict=True)
    fifths: dict[int, bool] = {}  # by slot: whether all of its partial orders were filled
    for place, (event, status, filled) in enumerate(told):
        if status == Status.SOLVENT:
            continue
        work.batch.events.append(event)
        slot = orders.ops.owner(place).account
        if (slot, event.market) in work.fifths:
            fifths[slot] = fifths.get(slot, True) and filled == abs(event.size)
    accounts, now = work.batch.rows.accounts, work.batch.now
    for slot, whole in fifths.items():
        rested = now - int(accounts[slot]["liquidated_ms"]) >= 2 * LIQUIDATION_COOLDOWN_MS
        if whole and rested:  # a stranger's bid for one lot starts no cooldown
            work.batch.rows.journal.account(slot)
            accounts[slot]["liquidated_ms"] = now
    work.chosen.update(dict.fromkeys(turn))


def holders(rows: Rows) -> Array:
    """Slots of all accounts with a position or an open order, repeated for each market in which they have one."""
    return rows.holders_in(range(rows.market_count))


def endangered(rows: Rows, slots: Array, *, spent: bool = False) -> list[int]:
    """Accounts below maintenance margin (or a third of it: `spent`), not locked, with a position that may be closed
    now.

    The largest shortfall first, then by account number.
    """
    slots = slots[_short(rows, slots, spent=spent)]
    if not len(slots):
        return []
    slots = np.unique(slots)
    slots = slots[_closable(rows, slots) & ~locked_among(rows, slots)]
    accounts = rows.accounts
    over = _worth(rows, slots) - accounts["maintenance_margin"][slots]
    found: list[int] = slots[np.lexsort((accounts["number"][slots], over))].tolist()
    return found


def _short(rows: Rows, slots: Array, *, spent: bool = False) -> Array:
    """Whether each account is below maintenance margin (or a third of it: `spent`)."""
    required = rows.accounts["maintenance_margin"][slots]
    found: Array = _worth(rows, slots) < ((required + 2) // 3 if spent else required)
    return found


def _worth(rows: Rows, slots: Array) -> Array:
    worth: Array = rows.accounts["cash"][slots] + rows.accounts["position_value"][slots]
    return worth


def _closable(rows: Rows, slots: Array) -> Array:
    """Whether each account holds a position in a market with a fresh price."""
    fresh = np.array([market for market in range(rows.market_count) if is_fresh(rows, market)], np.int64)
    held: Array = (rows.positions["size"][np.ix_(slots, fresh)] != 0).any(axis=1)
    return held


def add_orders(work: Liquidations, slot: int, item: Item, ops: OpList) -> list[LiquidationEvent]:
    """Add an IOC order for each position of the account in a market with a fresh price; return their events.

    The largest margin comes first. The kernel skips an order once the account has its maintenance margin again, through
    earlier orders or incoming money.
    """
    batch, rows, events = work.batch, work.batch.rows, []
    for market in _largest_first(batch, slot):
        size = int(rows.positions[slot, market]["size"])
        part = part_of(batch, slot, market)
        if part < abs(size):
            work.fifths.add((slot, market))
        price = limit_price(rows, slot, market)
        events.append(
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
    return events


def settle(work: Liquidations) -> None:
    """Close at the mark, after the orders, what the locked accounts hold; deleverage accounts below a third of the
    margin.

    Then release the locked accounts that hold nothing any more.
    """
    batch, rows = work.batch, work.batch.rows
    ranking = Deleveraging(batch)
    locked = [slot for slot in work.chosen if is_locked(rows, slot)]
    for slot in locked:
        for market in _open_positions(batch, slot):
            ranking.close(slot, market, int(rows.markets[market]["mark"]))
    for slot in _spent_accounts(batch):
        # Another account's close may have just paid it, or made it smaller.
        if not _spent(rows, slot):
            continue
        for market in _open_positions(batch, slot):
            ranking.close(slot, market, _away(rows, slot, market, share_per_lot(rows, slot, market)))
    _trim(work, ranking)
    for slot in _freed(rows):
        _release(batch, slot)


def _trim(work: Liquidations, ranking: Deleveraging) -> None:
    """Trim reduce-only orders to what the closes left of their positions."""
    trading = Trading(work.batch)
    for slot, market in ranking.overreduced():
        trading.ops.add_one(work.item(slot), kind=int(OpKind.TRIM), market=market)
    trading.run()


def share_per_lot(rows: Rows, slot: int, market: int) -> int:
    """How far from the mark the position may be closed at the cost of its own share of the equity, rounded down."""
    held, account = rows.positions[slot, market], rows.accounts[slot]
    needed, whole = int(held["maintenance_margin"]), int(account["maintenance_margin"])
    return div_down(muldiv_down(equity(rows, slot), needed, whole), abs(int(held["size"]))) if whole else 0


def limit_price(rows: Rows, slot: int, market: int) -> int:
    """The limit price of a liquidation order.

    The mark for a locked account; else away from it by the share of the equity, at most half a margin while
    two thirds of the margin are left, scaled by the market's limit share (oracle.py). An account below a third of the
    margin gets the unscaled distance: what the book does not take is closed at the whole share in this same batch.
    """
    row, held = rows.markets[market], rows.positions[slot, market]
    if is_locked(rows, slot):
        return int(row["mark"])
    distance = share_per_lot(rows, slot, market)
    if _orderly(rows, slot):
        distance = min(distance, div_down(int(held["maintenance_margin"]), 2 * abs(int(held["size"]))))
    if not _spent(rows, slot):
        distance = muldiv_down(distance, int(row["limit_share"]), LIMIT_WHOLE)
    return _away(rows, slot, market, distance)


def _away(rows: Rows, slot: int, market: int, distance: int) -> int:
    """The price `distance` from the mark to the holder's disadvantage, within the market's price range."""
    row = rows.markets[market]
    price = int(row["mark"]) + (-distance if int(rows.positions[slot, market]["size"]) > 0 else distance)
    return max(1, min(price, int(row["max_px"])))


def _open_positions(batch: Execution, slot: int) -> list[int]:
    """Markets in which the account holds a position that may be closed now."""
    markets: list[int] = batch.rows.positions["size"][slot, : batch.rows.market_count].nonzero()[0].tolist()
    return [market for market in markets if is_fresh(batch.rows, market)]


def _largest_first(batch: Execution, slot: int) -> list[int]:
    """`_open_positions`, the largest maintenance margin first: closing it helps most."""
    margins = batch.rows.positions["maintenance_margin"][slot]
    return sorted(_open_positions(batch, slot), key=lambda market: (-int(margins[market]), market))


def part_of(batch: Execution, slot: int, market: int) -> int:
    """How much of the position is closed now: a fifth of a large one, while two thirds of the margin are left."""
    size = abs(int(batch.rows.positions[slot, market]["size"]))
    large = size * int(batch.rows.markets[market]["mark"]) > PARTIAL_NOTIONAL
    calm = _orderly(batch.rows, slot) and not is_locked(batch.rows, slot)
    return div_up(size, PARTIAL_SHARE) if large and calm else size


def _orderly(rows: Rows, slot: int) -> bool:
    """Whether the equity is still at least two thirds of the maintenance margin."""
    return 3 * equity(rows, slot) >= 2 * int(rows.accounts[slot]["maintenance_margin"])


def _spent(rows: Rows, slot: int) -> bool:
    """Whether less than a third of the maintenance margin is left."""
    return 3 * equity(rows, slot) < int(rows.accounts[slot]["maintenance_margin"])


def _spent_accounts(batch: Execution) -> list[int]:
    """Accounts with less than a third of their margin left, the largest shortfall first; a bounded number per batch."""
    return endangered(batch.rows, holders(batch.rows), spent=True)[:DELEVERAGED_PER_BATCH]


def _freed(rows: Rows) -> list[int]:
    """Locked accounts that hold nothing since this batch, by account number.

    They include accounts that were not chosen, whose last position was closed by an order in the book or by another
    account's close. No later batch would examine them again.
    """
    journal = rows.journal
    slots = journal.keys["account"][: journal.counters[SAVED_ACCOUNTS]]
    slots = slots[locked_among(rows, slots) & (rows.accounts["order_count"][slots] == 0)]
    slots = slots[(rows.positions["size"][slots] == 0).all(axis=1)]
    found: list[int] = slots[np.argsort(rows.accounts["number"][slots])].tolist()
    return found


def _release(batch: Execution, slot: int) -> None:
    """Unlock a locked account that holds nothing; the proceeds of its closing are the fund's."""
    rows = batch.rows
    brought = int(rows.accounts[slot]["cash"])
    assert brought >= 0, "a locked account trades at the mark or better"
    batch.move_cash(slot, -brought)
    batch.move_global("insurance", brought)
    unlock(rows, slot)
    if brought:
        tell(batch, rows.address_of(slot), "proceeds", -brought, ZERO_ADDRESS, NO_HASH)
    claim_waiting(batch, slot)


def _by_need(rows: Rows, slots: Array) -> list[int]:
    """Accounts by priority: those that hold what may be closed now, the largest maintenance margin, the account
    number."""
    if not len(slots):
        return []
    accounts = rows.accounts
    margins = -accounts["maintenance_margin"][slots]
    order = np.lexsort((accounts["number"][slots], margins, ~_closable(rows, slots)))
    found: list[int] = slots[order].tolist()
    return found
