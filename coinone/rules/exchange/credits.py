"""Action credits: what an account may send, counted per order (architecture D5).

They come from a grant, from exchange fees (volume alone would be free between two accounts of one owner at a rate of
nothing), with age, and with equity that stays.

A credit pays for one order's place and for its removal. So a cancel costs nothing; but one whose target is not there
was nobody's removal, and costs a credit of the order kind. Such misses alone may lead into debt, which age pays
off; from `CREDIT_DEBT_MAX` on only cancels are taken all of whose targets rest.
"""

import numpy as np

from coinone.base.primitives.errors import InvalidAction, LimitExceeded
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.limits import (
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
from coinone.rules.exchange.margin import equity
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.state import Exchange
from coinone.rules.exchange.tables import Array, OpKind
from coinone.rules.exchange.wire.operations import rows_of
from coinone.rules.exchange.wire.types import Action, Form, Operations


def allowance(ex: Exchange, slot: int, now: int) -> int:
    """Credits an account has ever been given, by now: the grant, by exchange fees paid, by age, by equity."""
    row = ex.rows.accounts[slot]
    return (
        _settled(ex, slot)
        + _refill(ex, slot, now)
        + div_down(max(0, now - int(row["created_ms"])), CREDIT_REFILL_MS)
    )


def settle(ex: Exchange, slot: int, now: int) -> None:
    """Note what equity has brought until now, and whether it goes on bringing. Called when the account acts, and before
    and after it is credited: the equity must stand at both ends of a time, so that one coin does not bring credits to
    many accounts."""
    rows = ex.rows
    row, given = rows.accounts[slot], _refill(ex, slot, now)
    rows.journal.account(slot)
    funded = equity(rows, slot) >= CREDIT_EQUITY
    row["refilled"] += given
    if not funded:
        row["looked_ms"] = -now
    elif row["looked_ms"] <= 0:
        row["looked_ms"] = now
    else:  # parts of a second go on counting
        row["looked_ms"] += (now - int(row["looked_ms"])) // 1000 * 1000


def note_fees(rows: Rows, fills: Array) -> None:
    """Count the exchange fees of a segment's fills towards credits; a rebate counts as nothing."""
    for side in ("taker", "maker"):
        counted = fills if side == "maker" else fills[fills["liquidation"] == 0]
        paid = np.maximum(counted[f"{side}_fee"], 0)
        np.add.at(rows.accounts["fees_paid"], counted[side], paid)
        rows.accounts["fees_paid"][counted[side]] = np.minimum(
            rows.accounts["fees_paid"][counted[side]], VOLUME_MAX
        )


def _settled(ex: Exchange, slot: int) -> int:
    """All credits but those of age and of the time since the last look."""
    row = ex.rows.accounts[slot]
    of_genesis = int(row["number"]) <= len(ex.config.balances)
    grant = ex.config.action_credits if of_genesis else CREDIT_GRANT
    return grant + div_down(int(row["fees_paid"]), CREDIT_PRICE) + int(row["refilled"])


def _refill(ex: Exchange, slot: int, now: int) -> int:
    """What equity has brought since the last look: one a second, while few credits are left."""
    row = ex.rows.accounts[slot]
    if row["looked_ms"] <= 0 or equity(ex.rows, slot) < CREDIT_EQUITY:
        return 0
    age = div_down(max(0, now - int(row["created_ms"])), CREDIT_REFILL_MS)
    left = _settled(ex, slot) + age - int(row["credits_used"])
    return max(0, min(div_down(now - int(row["looked_ms"]), 1000), CREDIT_REFILL_MAX - left))


def is_cancel(action: Action) -> bool:
    """Whether it does nothing but cancel orders."""
    return isinstance(action, Operations) and action.form is Form.CANCELS


def cost(action: Action) -> int:
    """Credits that are charged before it runs."""
    if not isinstance(action, Operations):
        return 1
    return 0 if action.form is Form.CANCELS else action.count


class Budget:
    """What one account may still send in a batch: credits, actions, bytes."""

    def __init__(self, ex: Exchange, slot: int, now: int) -> None:
        self._ex = ex
        self._slot = slot
        self._before = self._used = int(ex.rows.accounts["credits_used"][slot])
        self._now = now
        self._given = allowance(ex, slot, now)
        self._actions = self._size = 0

    def check(self, action: Action, size: int = 0, waiting: int = 0) -> None:
        """`size` is the transaction's in bytes; `waiting`, credits that others of the account will take first. Raises
        InvalidAction where credits are missing, LimitExceeded where only this batch has no more room."""
        wanted = cost(action) + waiting
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
        self._used += cost(action)
        self._actions += 1
        self._size += size

    def charge(self) -> None:
        """Write down what was taken, once for each time the batch runs."""
        settle(self._ex, self._slot, self._now)
        if self._used != self._before:
            charge(self._ex.rows, self._slot, self._used - self._before)

    def _all_rest(self, action: Action) -> bool:
        """Looked up by order id alone: to look for client ids costs more than the cancels of a debtor deserve."""
        assert isinstance(action, Operations), "a debtor's other actions have been refused"
        rows = self._ex.rows
        for row in rows_of(action):
            found = rows.book.find(rows, int(row["oid"])) if row["kind"] == OpKind.CANCEL else None
            if found is None or int(rows.orders["account"][found]) != self._slot:
                return False
        return True


def charge(rows: Rows, slot: int, credits: int) -> None:
    """Count `credits` as used."""
    rows.journal.account(slot)
    rows.accounts["credits_used"][slot] += credits
