"""Action credits: what an account may send, counted per order (architecture D5).

A credit pays for one order's place and for its removal. So a cancel costs nothing; but one whose target is not there
was nobody's removal, and costs a credit of the order kind. Such misses alone may lead into debt, which age pays
off; from `CREDIT_DEBT_MAX` on only cancels are taken all of whose targets rest.
"""

from coinone.base.primitives.errors import InvalidAction, LimitExceeded
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.limits import (
    ACCOUNT_ACTIONS_PER_BATCH,
    ACCOUNT_BYTES_PER_BATCH,
    CREDIT_DEBT_MAX,
    CREDIT_REFILL_MS,
)
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.state import Exchange
from coinone.rules.exchange.tables import OpKind
from coinone.rules.exchange.wire.operations import rows_of
from coinone.rules.exchange.wire.types import Action, Form, Operations

_QUOTE = 1_000_000


def allowance(rows: Rows, slot: int, credits: int, now: int) -> int:
    """Credits an account has ever been given: a grant, one per quote unit traded, and a slow refill."""
    row = rows.accounts[slot]
    traded = div_down(int(row["taker_volume"]) + int(row["maker_volume"]), _QUOTE)
    return credits + traded + div_down(max(0, now - int(row["created_ms"])), CREDIT_REFILL_MS)


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
        self._given = allowance(ex.rows, slot, ex.config.action_credits, now)
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
