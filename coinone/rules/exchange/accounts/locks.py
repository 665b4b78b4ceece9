"""Locked accounts: those whose debt others paid (debts.py), until they hold nothing any more (liquidation.py).

Meanwhile such an account may cancel, but places no order and sends nothing, and what is sent to it waits. The kernel
and its twin read the flag in rows of their own.
"""

from __future__ import annotations

from coinone.rules.exchange.rows.tables import ACCOUNT_LOCKED, Array
from coinone.rules.exchange.state.rows import Rows


def is_locked(rows: Rows, slot: int) -> bool:
    return int(rows.accounts[slot]["flags"]) & ACCOUNT_LOCKED != 0


def locked_among(rows: Rows, slots: Array) -> Array:
    """Whether each of the slots is locked."""
    locked: Array = (rows.accounts["flags"][slots] & ACCOUNT_LOCKED) != 0
    return locked


def lock(rows: Rows, slots: Array) -> None:
    """Lock accounts. The caller has journalled them and names each once."""
    rows.accounts["flags"][slots] |= ACCOUNT_LOCKED


def unlock(rows: Rows, slot: int) -> None:
    """Unlock an account. The caller has journalled it."""
    rows.accounts[slot]["flags"] &= ~ACCOUNT_LOCKED
