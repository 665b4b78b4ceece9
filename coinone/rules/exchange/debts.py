"""Debts, settled in the instant they arise: nobody is below zero after a batch's marks are set.

A move of the marks may take more from an account than it has. What it lacks is its debt: never more than the move
itself took, never a price that somebody was paid. It is credited at once, out of what the same move brought others,
market by market, so that a hedge in another market hides nobody:

  1. the insurance fund, at most a 20th of what the market's winners won, and at most an eighth of itself a market
     and a quarter in all, which come back over 8 and 4 hours;
  2. the winners of that market, in proportion to what they won, nobody below their maintenance margin;
  3. whoever else came out of the move richer, nobody below their maintenance margin;
  4. the fund, whatever it has; then the same as 3 down to what the move found: a move's gains are its losses, so
     this is always enough.

At each step the largest winners pay: one for every `LEVY_LEAST` that is due, `LEVIED_AT_ONCE` at most, and the next
only if these cannot. That bounds the work whatever the debt, and nobody escapes by spreading what they won over a few
hundred accounts. The debtor is *locked*: its orders go, its positions are closed at the mark or better
(liquidation.py), and what that brings is the fund's.
Where the rule comes from, and by hand: docs/protocol/margin-and-liquidation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinone.base.primitives.integers import div_down, div_up, muldiv_down, muldiv_up
from coinone.base.primitives.limits import LEVIED_AT_ONCE, LEVY_LEAST
from coinone.base.primitives.types import ZERO_ADDRESS
from coinone.rules.exchange.batch import NO_HASH, Batch
from coinone.rules.exchange.credits import add_cash
from coinone.rules.exchange.events import LedgerUpdate, LiquidationEvent
from coinone.rules.exchange.locks import lock
from coinone.rules.exchange.rows import Rows

FUND_OF_WON = 20  # the fund pays at most this part of what a market's winners won
FUND_OF_MARKET = 8  # of itself, for one market
FUND_OF_ALL = 4  # and for all
MARKET_LEAK_MS = 8 * 3_600_000  # in so long the whole fund's worth of a market's quota comes back
ALL_LEAK_MS = 4 * 3_600_000


def settle_debts(batch: Batch) -> None:
    """Credit whoever the new marks (`batch.mark_changes`) left below zero, lock them, and charge who won."""
    changes = {market: change for market, change in sorted(batch.mark_changes.items()) if change}
    debtors = _below_zero(batch.rows, changes)
    if not debtors:
        return
    due = dict.fromkeys(changes, 0)
    for slot in debtors:
        for market, part in _split(batch.rows, slot, changes).items():
            due[market] += part
        _forgive(batch, slot)
    winners = _Winners(batch, changes, debtors)
    rest = 0
    for market, owed in due.items():
        owed -= _fund_pays(batch, market, owed, winners.gain_of(market))
        rest += owed - winners.pay(owed, winners.gains[market], keep_margin=True)
    rest -= winners.pay(rest, winners.net, keep_margin=True)
    rest -= _spend(batch, rest)
    rest -= winners.pay(rest, winners.net, keep_margin=False)
    assert rest == 0, "a move's gains are its losses"


def _below_zero(rows: Rows, changes: dict[int, int]) -> list[int]:
    """Holders of the markets that moved who owe now, by account number."""
    slots = rows.holders_in(changes)
    worth = rows.accounts["cash"][slots] + rows.accounts["position_value"][slots]
    owing = dict.fromkeys(slots[worth < 0].tolist())
    return sorted(owing, key=lambda slot: int(rows.accounts[slot]["number"]))


def _split(rows: Rows, slot: int, changes: dict[int, int]) -> dict[int, int]:
    """A debt by market, in proportion to what each took; what rounding leaves goes to the first that took more."""
    lost = {
        market: max(0, -int(rows.positions[slot, market]["size"]) * change)
        for market, change in changes.items()
    }
    debt, whole = _debt(rows, slot), sum(lost.values())
    assert 0 < debt <= whole, "a debt is at most what the move took"
    parts = {market: muldiv_down(debt, loss, whole) for market, loss in lost.items()}
    rest = debt - sum(parts.values())
    for market, loss in lost.items():
        more = min(rest, loss - parts[market])
        parts[market] += more
        rest -= more
    return parts


def _debt(rows: Rows, slot: int) -> int:
    row = rows.accounts[slot]
    return -(int(row["cash"]) + int(row["position_value"]))


def _forgive(batch: Batch, slot: int) -> None:
    debt = _debt(batch.rows, slot)
    batch.move_cash(slot, debt)
    lock(batch.rows, slot)
    address = batch.rows.address_of(slot)
    batch.events.append(LiquidationEvent(*batch.here, address, "debt", -1, 0, 0, debt))


def _fund_pays(batch: Batch, market: int, owed: int, won: int) -> int:
    """The fund's part of what is owed in a market whose winners won `won`."""
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


def spent_of(batch: Batch, market: int, fund: int) -> tuple[int, int]:
    """What still counts as spent: of the market's quota and of the whole's (kept under -1)."""
    quotas = dict(batch.ledger.cursor.fund_spent)
    left = []
    for name, leak_ms in ((market, MARKET_LEAK_MS), (-1, ALL_LEAK_MS)):
        amount, since = quotas.get(name, (0, batch.now))
        left.append(max(0, amount - muldiv_down(fund, batch.now - since, leak_ms)))
    return left[0], left[1]


def _spend(batch: Batch, amount: int) -> int:
    """Take up to `amount` from the fund."""
    paid = min(amount, int(batch.rows.globals["insurance"][0]))
    if paid > 0:
        batch.move_global("insurance", -paid)
    return max(paid, 0)


@dataclass
class _Winners:
    """Who came out of the move richer, by account number, with what each won by market and in all."""

    batch: Batch
    changes: dict[int, int]
    debtors: list[int]

    def __post_init__(self) -> None:
        rows = self.batch.rows
        slots = np.setdiff1d(rows.holders_in(self.changes), np.array(self.debtors))
        slots = slots[np.argsort(rows.accounts["number"][slots])]
        self.slots: list[int] = slots.tolist()
        moved = [rows.positions["size"][slots, market] * change for market, change in self.changes.items()]
        self.gains = {
            market: np.maximum(part, 0).tolist() for market, part in zip(self.changes, moved, strict=True)
        }
        self.net: list[int] = np.maximum(np.sum(moved, axis=0), 0).tolist()
        accounts = rows.accounts
        worth = accounts["cash"][slots] + accounts["position_value"][slots]
        self._room: list[int] = np.maximum(worth - accounts["maintenance_margin"][slots], 0).tolist()

    def gain_of(self, market: int) -> int:
        return sum(self.gains[market])

    def pay(self, due: int, gains: list[int], *, keep_margin: bool) -> int:
        """Charge up to `due` in proportion to `gains`, the largest first; returns what was paid."""
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


def _levy(batch: Batch, paid: dict[int, int]) -> None:
    """Take from each account what it pays, and tell it."""
    add_cash(batch.ex, list(paid), [-part for part in paid.values()], batch.now)
    for slot, part in paid.items():
        address = batch.rows.address_of(slot)
        batch.events.append(LedgerUpdate(*batch.here, address, "levy", -part, ZERO_ADDRESS, NO_HASH))
