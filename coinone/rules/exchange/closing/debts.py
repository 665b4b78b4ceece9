"""Debts, settled in the batch in which they arise: no account is below zero after a batch's marks are set.

A move of the marks may take more from an account than it has. The shortfall is its debt: never more than the move
itself took, and never a price that another account was paid. It is credited immediately, out of the gains of the same
move, market by market, so that a hedge in another market exempts no winner:

  1. the insurance fund, at most a 20th of what the market's winners won, and at most an eighth of itself per market
     and a quarter in all; these quotas recover over 8 and 4 hours;
  2. the winners of that market, in proportion to what they won, none below its maintenance margin;
  3. all other accounts that gained by the move, none below its maintenance margin;
  4. the whole of the fund; then as in 3, down to the equity before the move: a move's gains are its losses, so
     this is always enough.

At each step the largest winners pay: one for every `LEVY_LEAST` that is due, at most `LEVIED_AT_ONCE`, and the next
ones only if these cannot pay it all. That bounds the work whatever the debt, and no account escapes by spreading its
gains over a few hundred accounts. The debtor is *locked*: its orders are cancelled, its positions are closed at the
mark or better (liquidation.py), and the proceeds are the fund's.

The derivation of the rule, and examples: docs/protocol/margin-and-liquidation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coinone.base.primitives.fixed128 import muldiv_down_jit
from coinone.base.primitives.integers import div_down, div_up, muldiv_down, muldiv_up
from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.parameters import LEVIED_AT_ONCE, LEVY_LEAST
from coinone.base.primitives.types import ZERO_ADDRESS
from coinone.rules.exchange.accounts.credits import add_cash
from coinone.rules.exchange.accounts.locks import lock
from coinone.rules.exchange.batch.execution import NO_HASH, Execution
from coinone.rules.exchange.events.events import LedgerUpdate, LiquidationEvent
from coinone.rules.exchange.margin.fill_check import worth
from coinone.rules.exchange.rows.arrays import CORE, NUMBERS, attach, i64, inlined
from coinone.rules.exchange.rows.tables import Array
from coinone.rules.exchange.state.rows import Rows

FUND_OF_WON = 20  # the fund pays at most this part of what a market's winners won
FUND_OF_MARKET = 8  # of the fund, for one market
FUND_OF_ALL = 4  # and for all markets
MARKET_LEAK_MS = 8 * 3_600_000  # time in which a market's quota recovers by the size of the whole fund
ALL_LEAK_MS = 4 * 3_600_000


def settle_debts(batch: Execution) -> None:
    """Credit and lock the accounts that the new marks (`batch.mark_changes`) left below zero; charge the winners."""
    changes = {market: change for market, change in sorted(batch.mark_changes.items()) if change}
    debtors = _below_zero(batch.rows, changes)
    if not len(debtors):
        return
    due = _by_market(batch.rows, debtors, changes)
    _forgive(batch, debtors)
    winners = _Winners(batch, changes, debtors)
    rest = 0
    for market, owed in due.items():
        owed -= _fund_pays(batch, market, owed, winners.gain_of(market))
        rest += owed - winners.pay(owed, winners.gains[market], keep_margin=True)
    rest -= winners.pay(rest, winners.net, keep_margin=True)
    rest -= _spend(batch, rest)
    rest -= winners.pay(rest, winners.net, keep_margin=False)
    assert rest == 0, "a move's gains are its losses"


def _below_zero(rows: Rows, changes: dict[int, int]) -> Array:
    """Holders in the markets that moved whose equity is below zero, by account number."""
    slots = rows.holders_in(changes)
    equities = rows.accounts["cash"][slots] + rows.accounts["position_value"][slots]
    owing = np.unique(slots[equities < 0])
    by_number: Array = owing[np.argsort(rows.accounts["number"][owing])]
    return by_number


def _by_market(rows: Rows, debtors: Array, changes: dict[int, int]) -> dict[int, int]:
    """Sum the debts of all debtors by market."""
    due = np.zeros(len(changes), np.int64)
    moved = np.array(list(changes), np.int64), np.array(list(changes.values()), np.int64)
    assert _split(rows.core(), debtors, *moved, due), "a debt is at most what the move took"
    return dict(zip(changes, due.tolist(), strict=True))


@inlined
def _lost(core: Any, account: int, market: int, change: int) -> int:
    """The loss that a change of the mark caused the account's position."""
    return i64(max(0, -core.positions[account, market].size * change))


@njit(types.boolean(CORE, *[NUMBERS] * 4), error_model="numpy", _nrt=False)
def _split(words: Any, debtors: Any, markets: Any, changes: Any, due: Any) -> bool:
    """Add each debt to `due`, by market in proportion to the losses; the rounding remainder goes to the first that lost
    more."""
    core = attach(words)
    for account in debtors:
        debt = -worth(core, account)
        whole = i64(0)
        for n in range(len(markets)):
            whole += _lost(core, account, markets[n], changes[n])
        if debt <= 0 or debt > whole:
            return False
        rest = debt
        for n in range(len(markets)):
            rest -= muldiv_down_jit(debt, _lost(core, account, markets[n], changes[n]), whole)
        for n in range(len(markets)):
            lost = _lost(core, account, markets[n], changes[n])
            part = muldiv_down_jit(debt, lost, whole)
            more = min(rest, lost - part)
            rest -= more
            due[n] += part + more
    return True


def _forgive(batch: Execution, debtors: Array) -> None:
    """Credit each debtor what it owes, and lock it."""
    rows = batch.rows
    debts = -(rows.accounts["cash"][debtors] + rows.accounts["position_value"][debtors])
    slots, amounts = debtors.tolist(), debts.tolist()
    add_cash(batch.ex, slots, amounts, batch.now)
    lock(rows, debtors)
    for slot, debt in zip(slots, amounts, strict=True):
        address = rows.address_of(slot)
        batch.events.append(LiquidationEvent(*batch.here, address, "debt", -1, 0, 0, debt))
        batch.events.append(LedgerUpdate(*batch.here, address, "covered", debt, ZERO_ADDRESS, NO_HASH))


def _fund_pays(batch: Execution, market: int, owed: int, won: int) -> int:
    """Pay the fund's part of what is owed in a market whose winners won `won`; return it."""
    fund = int(batch.rows.globals["insurance"][0])
    spent, everywhere = spent_of(batch, market, fund)
    most = min(
        div_down(won, FUND_OF_WON),
        div_down(fund, FUND_OF_MARKET) - spent,
        div_down(fund, FUND_OF_ALL) - everywhere,
    )
    paid = _spend(batch, max(0, min(owed, most)))
    if paid:
        quotas = dict(batch.ledger.cursor.fund_spent)
        quotas[market], quotas[-1] = (spent + paid, batch.now), (everywhere + paid, batch.now)
        batch.set_cursor(fund_spent=tuple(sorted(quotas.items())))
    return paid


def spent_of(batch: Execution, market: int, fund: int) -> tuple[int, int]:
    """The amounts that still count as spent: of the market's quota and of the total quota (stored under -1)."""
    quotas = dict(batch.ledger.cursor.fund_spent)
    left = []
    for name, leak_ms in ((market, MARKET_LEAK_MS), (-1, ALL_LEAK_MS)):
        amount, since = quotas.get(name, (0, batch.now))
        left.append(max(0, amount - muldiv_down(fund, batch.now - since, leak_ms)))
    return left[0], left[1]


def _spend(batch: Execution, amount: int) -> int:
    """Take up to `amount` from the fund; return what was taken."""
    paid = min(amount, int(batch.rows.globals["insurance"][0]))
    if paid > 0:
        batch.move_global("insurance", -paid)
    return max(paid, 0)


@dataclass
class _Winners:
    """The accounts that gained by the move, by account number, with their gains by market and in all."""

    batch: Execution
    changes: dict[int, int]
    debtors: Array

    def __post_init__(self) -> None:
        rows = self.batch.rows
        slots = np.setdiff1d(rows.holders_in(self.changes), self.debtors)
        slots = slots[np.argsort(rows.accounts["number"][slots])]
        self.slots: list[int] = slots.tolist()
        moved = [rows.positions["size"][slots, market] * change for market, change in self.changes.items()]
        self.gains = {
            market: np.maximum(part, 0).tolist() for market, part in zip(self.changes, moved, strict=True)
        }
        self.net: list[int] = np.maximum(np.sum(moved, axis=0), 0).tolist()
        accounts = rows.accounts
        equities = accounts["cash"][slots] + accounts["position_value"][slots]
        self._room: list[int] = np.maximum(equities - accounts["maintenance_margin"][slots], 0).tolist()

    def gain_of(self, market: int) -> int:
        return sum(self.gains[market])

    def pay(self, due: int, gains: list[int], *, keep_margin: bool) -> int:
        """Charge up to `due` in proportion to `gains`, the largest first; return what was paid."""
        if due == 0:
            return 0
        most = [min(pair) for pair in zip(gains, self._room, strict=True)] if keep_margin else gains
        largest: list[int] = np.argsort(-np.array(most, np.int64), kind="stable").tolist()
        first, paid = min(LEVIED_AT_ONCE, div_up(due, LEVY_LEAST)), 0
        for start in (0, *range(first, len(largest), LEVIED_AT_ONCE)):
            if paid == due:
                break
            paid += self._charge(
                due - paid, most, largest[start : start + (LEVIED_AT_ONCE if start else first)]
            )
        return paid

    def _charge(self, due: int, most: list[int], places: list[int]) -> int:
        whole = sum(most[place] for place in places)
        wanted = left = min(due, whole)
        paid: dict[int, int] = {}  # by slot
        for place in places:
            if left == 0:
                break
            part = min(muldiv_up(most[place], wanted, whole), left)
            left -= part
            self.net[place] = max(0, self.net[place] - part)
            self._room[place] = max(0, self._room[place] - part)
            paid[self.slots[place]] = part
        _levy(self.batch, paid)
        return wanted


def _levy(batch: Execution, paid: dict[int, int]) -> None:
    """Take from each account what it pays, and emit an event for it."""
    add_cash(batch.ex, list(paid), [-part for part in paid.values()], batch.now)
    for slot, part in paid.items():
        address = batch.rows.address_of(slot)
        batch.events.append(LedgerUpdate(*batch.here, address, "levy", -part, ZERO_ADDRESS, NO_HASH))
