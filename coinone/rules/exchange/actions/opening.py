"""How an address becomes an account: by credits, for a price, and no key's while it is somebody's agent.

A first credit of `OPENING_MINIMUM` opens an account, and `OPENING_FEE` of it goes to the insurance fund for ever: a
coin that walks from key to key, to leave an account with fresh credits at each, is used up. A smaller credit waits in
`unclaimed` until enough has gathered; below `CREDIT_MINIMUM` none is taken, or the rows there would be for nothing.

An address with a living agency is *reserved*: its credits wait, however large, so that no gift changes whom its key
acts for. The agency ends by its master, at its time, or by the address itself (agents.py); then what waits opens the
account. A contract has no key and cannot sign to leave: it is not reserved, and the opening of its account ends the
agency. An account that lets a contract's code run as its own (EIP-7702) has its key still, so it is no contract here:
else a stranger could end its agency, by having that code deposit.

Credits to an account that is locked (debts.py) wait as well: what its closing brings is the insurance fund's, what
others send is not.
"""

from coinone.base.primitives.parameters import CREDIT_MINIMUM, OPENING_FEE, OPENING_MINIMUM
from coinone.base.primitives.types import ZERO_ADDRESS, Address, Hash32
from coinone.rules.exchange.accounts.locks import is_locked
from coinone.rules.exchange.batch.execution import NO_HASH, Execution
from coinone.rules.exchange.events.events import LedgerUpdate


def credit(
    batch: Execution, address: Address, amount: int, kind: str, counterparty: Address, tx_hash: Hash32
) -> None:
    """Add `amount` to an account's cash, or to what waits for an address that has none."""
    slot = batch.rows.slot_of(address)
    locked = slot is not None and is_locked(batch.rows, slot)
    if slot is None and amount < CREDIT_MINIMUM:  # a deposit; sends so small are refused (transfers.py)
        batch.move_global("insurance", amount)
        tell(batch, address, "dust", amount, counterparty, tx_hash)
        return
    if slot is None or locked:
        waiting = (batch.ledger.unclaimed.get(address) or 0) + amount
        if locked or not _may_open(batch, address, waiting):
            batch.ledger.unclaimed.put(address, waiting)
            batch.move_global("unclaimed", amount)
            tell(batch, address, "unclaimed", amount, counterparty, tx_hash)
            return
        tell(batch, address, kind, amount, counterparty, tx_hash)
        _open(batch, address, amount)
        return
    batch.move_cash(slot, amount)
    tell(batch, address, kind, amount, counterparty, tx_hash)


def open_waiting(batch: Execution, address: Address) -> None:
    """Open the account of an address that nobody's agency holds back any more, if enough waits for it."""
    waiting = batch.ledger.unclaimed.get(address) or 0
    if batch.rows.slot_of(address) is None and _may_open(batch, address, waiting):
        _open(batch, address, 0)


def claim_waiting(batch: Execution, slot: int) -> None:
    """Give an account what waited for it."""
    address = batch.rows.address_of(slot)
    waiting = batch.ledger.unclaimed.get(address) or 0
    if waiting:
        batch.ledger.unclaimed.drop(address)
        batch.move_global("unclaimed", -waiting)
        batch.move_cash(slot, waiting)
        tell(batch, address, "claimed", waiting, ZERO_ADDRESS, NO_HASH)


def tell(
    batch: Execution, address: Address, kind: str, amount: int, counterparty: Address, tx_hash: Hash32
) -> None:
    """Note a balance change that is no trade (events.LedgerUpdate)."""
    batch.events.append(LedgerUpdate(*batch.here, address, kind, amount, counterparty, tx_hash))


def _may_open(batch: Execution, address: Address, amount: int) -> bool:
    if amount < OPENING_MINIMUM:
        return False
    return batch.ledger.living_agent(address, batch.now) is None or batch.ctx.is_contract(address)


def _open(batch: Execution, address: Address, arriving: int) -> None:
    """Open the account with what waited and what arrives. An agency that ran out, or that a contract was given, leaves
    its master's list."""
    slot = batch.open_account(address)
    batch.ledger.forget_agent(address)
    claim_waiting(batch, slot)
    batch.move_cash(slot, arriving - OPENING_FEE)
    batch.move_global("insurance", OPENING_FEE)
    tell(batch, address, "opening", -OPENING_FEE, ZERO_ADDRESS, NO_HASH)
