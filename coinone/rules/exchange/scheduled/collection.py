"""Collection of empty accounts, so that unused ones cost nothing.

An account without position, order and agent, with less than one quote unit, that neither acted nor was credited for
four days is removed: its cash waits in `unclaimed`, its leaf and row are deleted, its number is never used again. A
nonce lives three days, one ahead and two past, so nothing that was ever signed for it can be replayed. An owner who
returns pays for opening again. The account's agencies, which have expired, end as by `leaveAgency`: credits
that wait for such a key open its account.

*Every table that must be empty*: the account's row (cash, orders); its positions (size, reserved orders); of the ledger
`agents` (none living), `nonces` (none within its window), `schedule` (none). `settings` must not show that others
approved it as their builder: resting orders name their builder's row. `unclaimed` and `reports` are not by account,
`memory` is by market; a locked account (closing/debts.py) is kept. A new table by account says itself what it keeps
(`LoggedDict.keeps`).

A cursor visits all accounts in turn, at most 64 of them a batch; rows of removed accounts are reused.
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
    """Check the next accounts by number, and remove the empty ones. The last step of a batch."""
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
    """Whether only a quiet row is left of the account."""
    rows, ledger = batch.rows, batch.ledger
    held = rows.positions[slot]
    settings = ledger.settings_of(number)
    return (
        int(rows.accounts["epoch"][slot]) != int(rows.counters[EPOCH])  # not touched by this batch
        and not np.any(held["size"] | held["bid_size"] | held["ask_size"])
        and all(ledger.living_agent(agent, batch.now) is None for agent in settings.agents)
        and not _fresh_nonces(batch, settings.signers)
        and not any(table.keeps(number) for table in ledger.tables.values())
        and not settings.is_builder
        and not is_locked(rows, slot)
    )


def _fresh_nonces(batch: Execution, signers: tuple[Address, ...]) -> bool:
    """Whether any of them used a nonce that could still pass the window."""
    used = [batch.ledger.nonces.get(signer) for signer in signers]
    return any(nonces is not None and nonces.could_pass(batch.now) for nonces in used)


def _end_agencies(batch: Execution, number: int) -> None:
    """End the account's agencies; credits that wait for such a key open its account, as it could not leave later.

    Before any row is free: one that is freed and reused in the same batch could not be undone (state/undo.py).
    """
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
