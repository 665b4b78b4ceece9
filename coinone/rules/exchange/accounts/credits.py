"""Action credits: how many orders an account may still send (D5).

They come from a grant, from exchange fees (volume alone would be free between two accounts of one owner at a fee rate
of zero), with age, and with equity that stays.

A credit pays for placing an order and for removing it. So a cancel costs nothing; but one whose target is not there
removed nothing, and costs one credit, as an order does. Only such misses may lead into debt, which age pays off; from
`CREDIT_DEBT_MAX` on only cancels all of whose targets rest, each named once, are accepted. The state before the batch
decides: where several of its cancels name the same order, those that run later miss, and are charged.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from coinone.base.primitives.errors import InvalidAction, LimitExceeded
from coinone.base.primitives.jit import from_dtype, njit, types
from coinone.base.primitives.parameters import (
    ACCOUNT_ACTIONS_PER_BATCH,
    ACCOUNT_BYTES_PER_BATCH,
    CREDIT_DEBT_MAX,
    CREDIT_EQUITY,
    CREDIT_GRANT,
    CREDIT_PRICE,
    CREDIT_REFILL_MAX,
    CREDIT_REFILL_MS,
    VOLUME_MAX,
)
from coinone.rules.exchange.rows.arrays import CORE, NUMBERS, attach, i64, inlined
from coinone.rules.exchange.rows.journal import save_account
from coinone.rules.exchange.rows.tables import ACCOUNT, FILL, Array
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.wire.action import Action

_ACCOUNTS = types.Array(from_dtype(ACCOUNT), 1, "C")  # type: ignore[no-untyped-call]
_FILLS = types.Array(from_dtype(FILL), 1, "C")  # type: ignore[no-untyped-call]


def allowance(ex: Exchange, slot: int, now: int) -> int:
    """Credits given to an account so far: by the grant, by exchange fees paid, by age, by equity."""
    given, _ = _standing(ex.rows.accounts, slot, now, *_genesis(ex))
    return int(given)


def add_cash(ex: Exchange, slots: list[int], amounts: list[int], now: int) -> None:
    """Add to cash, possibly negative amounts, and settle credits before and after.

    Equity must be there at both ends of a time, so that one coin does not bring credits to many accounts.
    """
    ex.rows.journal.reserve(len(slots))
    columns = np.array(slots, np.int64), np.array(amounts, np.int64)
    _add_cash(ex.rows.core(), *columns, now, *_genesis(ex))


def note_fees(rows: Rows, fills: Array) -> None:
    """Count the exchange fees of a segment's fills towards credits; a rebate counts as zero."""
    _note_fees(rows.accounts, fills)


def _genesis(ex: Exchange) -> tuple[int, int]:
    """How many accounts the network began with, and the grant of each."""
    return len(ex.config.balances), ex.config.action_credits


@inlined
def _settled(row: Any, genesis: int, grant: int) -> int:
    """All credits except those of age and of the time since the last settlement."""
    granted = grant if row.number <= genesis else CREDIT_GRANT
    return i64(granted + row.fees_paid // CREDIT_PRICE + row.refilled)


@inlined
def _of_age(row: Any, now: int) -> int:
    return i64(max(0, now - row.created_ms) // CREDIT_REFILL_MS)


@inlined
def _refill(row: Any, now: int, genesis: int, grant: int) -> int:
    """What equity has brought since the last settlement: one credit a second, while few are left."""
    if row.looked_ms <= 0 or row.cash + row.position_value < CREDIT_EQUITY:
        return i64(0)
    left = _settled(row, genesis, grant) + _of_age(row, now) - row.credits_used
    return i64(max(0, min((now - row.looked_ms) // 1000, CREDIT_REFILL_MAX - left)))


@inlined
def _settle(row: Any, now: int, genesis: int, grant: int) -> None:
    """Record what equity has brought until now, and whether it continues to bring credits."""
    row.refilled += _refill(row, now, genesis, grant)
    if row.cash + row.position_value < CREDIT_EQUITY:
        row.looked_ms = -now
    elif row.looked_ms <= 0:
        row.looked_ms = now
    else:  # fractions of a second carry over
        row.looked_ms += (now - row.looked_ms) // 1000 * 1000


@njit(
    types.UniTuple(types.int64, 2)(_ACCOUNTS, types.int64, types.int64, types.int64, types.int64),  # type: ignore[no-untyped-call]
    error_model="numpy",
    _nrt=False,
)
def _standing(accounts: Any, slot: int, now: int, genesis: int, grant: int) -> tuple[int, int]:
    """Return (credits ever given, credits used)."""
    row = accounts[slot]
    given = _settled(row, genesis, grant) + _refill(row, now, genesis, grant) + _of_age(row, now)
    return i64(given), i64(row.credits_used)


_MANY = types.void(CORE, NUMBERS, NUMBERS, types.int64, types.int64, types.int64)


@njit(_MANY, error_model="numpy", _nrt=False)
def _charge_all(words: Any, slots: Any, taken: Any, now: int, genesis: int, grant: int) -> None:
    core = attach(words)
    for n in range(len(slots)):
        row = core.accounts[slots[n]]
        save_account(core, slots[n])
        _settle(row, now, genesis, grant)
        row.credits_used += taken[n]


@njit(_MANY, error_model="numpy", _nrt=False)
def _add_cash(words: Any, slots: Any, amounts: Any, now: int, genesis: int, grant: int) -> None:
    core = attach(words)
    for n in range(len(slots)):
        row = core.accounts[slots[n]]
        save_account(core, slots[n])
        _settle(row, now, genesis, grant)
        row.cash += amounts[n]
        _settle(row, now, genesis, grant)


@inlined
def _add_fee(row: Any, fee: int) -> None:
    row.fees_paid = min(row.fees_paid + max(fee, 0), VOLUME_MAX)


@njit(types.void(_ACCOUNTS, _FILLS), error_model="numpy", _nrt=False)
def _note_fees(accounts: Any, fills: Any) -> None:
    for n in range(len(fills)):
        fill = fills[n]
        if fill.liquidation == 0:
            _add_fee(accounts[fill.taker], fill.taker_fee)
        _add_fee(accounts[fill.maker], fill.maker_fee)


class Budget:
    """What one account may still send in a batch: credits, actions, bytes."""

    def __init__(self, ex: Exchange, slot: int, now: int) -> None:
        self._ex = ex
        self.slot = slot
        self._given, self._before = _standing(ex.rows.accounts, slot, now, *_genesis(ex))
        self._used = self._before
        self._actions = self._size = 0

    @property
    def taken(self) -> int:
        """Credits taken from this budget."""
        return self._used - self._before

    def check(self, action: Action, size: int = 0, waiting: int = 0) -> None:
        """Check that `action` fits the budget. Raises InvalidAction if credits are missing, LimitExceeded if only this
        batch is full.

        `size` is the transaction's in bytes; `waiting`, credits that other actions of the account will take first.
        """
        wanted = action.cost + waiting
        if wanted and self._used + wanted > self._given:
            raise InvalidAction(
                "Too many cumulative requests sent", used=self._used, allowed=self._given, wanted=wanted
            )
        if self._before >= self._given + CREDIT_DEBT_MAX and not self._all_rest(action):
            raise InvalidAction(
                "Too many cancels of orders that are not there", debt=self._before - self._given
            )
        if self._actions >= ACCOUNT_ACTIONS_PER_BATCH or self._size + size > ACCOUNT_BYTES_PER_BATCH:
            raise LimitExceeded("Too many actions of one account in a batch", most=ACCOUNT_ACTIONS_PER_BATCH)

    def take(self, action: Action, size: int = 0) -> None:
        self._used += action.cost
        self._actions += 1
        self._size += size

    def _all_rest(self, action: Action) -> bool:
        rests = action.type.rests
        assert rests is not None, "other actions of an account in credit debt have been refused"
        return rests(self._ex, self.slot, action.says)


def charge_all(ex: Exchange, budgets: Collection[Budget], now: int) -> None:
    """Settle each account, and write what was taken of its budget: once for each execution of the batch."""
    ex.rows.journal.reserve(len(budgets))
    slots = np.array([budget.slot for budget in budgets], np.int64)
    taken = np.array([budget.taken for budget in budgets], np.int64)
    _charge_all(ex.rows.core(), slots, taken, now, *_genesis(ex))


def charge(rows: Rows, slot: int, credits: int) -> None:
    """Count `credits` as used."""
    rows.journal.account(slot)
    rows.accounts["credits_used"][slot] += credits
