"""Letting empty accounts go, so that what nobody uses costs nobody anything.

An account without position, order and agent, with less than one quote unit, that neither acted nor was credited for
four days: what cash it has waits in `unclaimed`, its leaf and row go, its number is never used again. A nonce lives
three days, one ahead and two past, so nothing that was ever signed for it can be sent again. Whoever returns pays for
opening again. Its agencies, whose time is over, end as by `leaveAgency`: what waits for such a key opens its account.

*Every table that must be empty*: the account's row (cash, orders); its positions (size, reserved orders); of the
ledger `agents` (none living), `nonces` (none within its window), `schedule` (none). `settings` must not say that
others approved it as their builder: resting orders name their builder's row. `unclaimed` and `reports` are not by
account, `memory` is by market; a locked account (closing/debts.py) is kept. A new table by account is
listed here, and in `collectable`.

A cursor goes round all accounts, at most 64 of them a batch; rows of accounts that are gone are used again.
"""

import numpy as np

from coinone.base.primitives.parameters import COLLECTION_AGE_MS, OPENING_FEE
from coinone.base.primitives.types import ZERO_ADDRESS, Address
from coinone.rules.exchange.accounts.locks import is_locked
from coinone.rules.exchange.actions.agents import end_agency
from coinone.rules.exchange.actions.opening import tell
from coinone.rules.exchange.batch.execution import NO_HASH, Execution
from coinone.rules.exchange.rows.arrays import EPOCH


def collect(batch: Execution) -> None:
    """Look at the next accounts by number, and let the empty ones go. The last step of a batch."""
    rows, reached = batch.rows, batch.ledger.cursor.collect_account
    numbers = rows.numbers.after(reached) or rows.numbers.after(0)
    slots = np.array([rows.slot_by_number[number] for number in numbers], np.int64)
    looked, cash, orders = (rows.accounts[name][slots] for name in ("looked_ms", "cash", "order_count"))
    quiet = np.abs(looked) + COLLECTION_AGE_MS <= batch.now
    maybe = quiet & (cash >= 0) & (cash < OPENING_FEE) & (orders == 0)
    chosen = [
        (int(slots[place]), numbers[place])
        for place in np.flatnonzero(maybe).tolist()
        if collectable(batch, int(slots[place]), numbers[place])
    ]
    for _, number in chosen:
        _end_agencies(batch, number)
    for slot, number in chosen:
        _let_go(batch, slot, number)
    batch.set_cursor(collect_account=numbers[-1] if numbers else 0)


def collectable(batch: Execution, slot: int, number: int) -> bool:
    """Whether nothing but a quiet row is left of the account."""
    rows, ledger = batch.rows, batch.ledger
    held = rows.positions[slot]
    settings = ledger.settings_of(number)
    return (
        int(rows.accounts["epoch"][slot]) != int(rows.counters[EPOCH])  # this batch has not touched it
        and not np.any(held["size"] | held["bid_size"] | held["ask_size"])
        and all(ledger.living_agent(agent, batch.now) is None for agent in settings.agents)
        and not _fresh_nonces(batch, settings.signers)
        and number not in ledger.schedule
        and not settings.is_builder
        and not is_locked(rows, slot)
    )


def _fresh_nonces(batch: Execution, signers: tuple[Address, ...]) -> bool:
    """Whether any of them used a nonce that could still pass the window."""
    used = [batch.ledger.nonces.get(signer) for signer in signers]
    return any(nonces is not None and nonces.could_pass(batch.now) for nonces in used)


def _end_agencies(batch: Execution, number: int) -> None:
    """What waits for an address that was an agent opens its account now: unlisted, it could not leave any more. Before
    any row is free: one let go and used again in the same batch could not be taken back (state/undo.py)."""
    for agent in batch.ledger.settings_of(number).agents:
        end_agency(batch, agent)


def _let_go(batch: Execution, slot: int, number: int) -> None:
    rows, ledger = batch.rows, batch.ledger
    address, cash = rows.address_of(slot), int(rows.accounts["cash"][slot])
    for signer in ledger.settings_of(number).signers:
        ledger.nonces.drop(signer)
    ledger.settings.drop(number)
    if cash:
        batch.move_cash(slot, -cash)
        batch.move_global("unclaimed", cash)
        ledger.unclaimed.put(address, (ledger.unclaimed.get(address) or 0) + cash)
        tell(batch, address, "collected", -cash, ZERO_ADDRESS, NO_HASH)
    rows.drop_account(slot)
