"""Opening of accounts: by credits, for a fee, and not for a key while it is another account's agent.

A first credit of `OPENING_MINIMUM` opens an account, and `OPENING_FEE` of it goes to the insurance fund permanently: a
coin that moves from key to key, to leave an account with fresh action credits at each, is used up. A smaller credit
waits in `unclaimed` until enough has accumulated; below `CREDIT_MINIMUM` none is accepted, or the rows there would cost
nothing.

An address with a living agency is *reserved*: its credits wait, whatever their amount, so that no gift changes for whom
its key acts. The agency is ended by its master, by expiry, or by the address itself (agents.py); then the waiting
credits open the account. A contract has no key and cannot sign to leave: it is not reserved, and the opening of its
account ends the agency. An account that delegates to a contract's code (EIP-7702) still has its key, so it is not a
contract here: otherwise a stranger could end its agency by having that code deposit.

Credits to a locked account (debts.py) wait as well: the proceeds of its closing are the insurance fund's, what others
send is not.
"""

from coinone.base.primitives.parameters import CREDIT_MINIMUM, OPENING_FEE, OPENING_MINIMUM
from coinone.base.primitives.types import ZERO_ADDRESS, Address, Hash32
from coinone.rules.exchange.accounts.locks import is_locked
from coinone.rules.exchange.batch.execution import NO_HASH, Execution
from coinone.rules.exchange.events.events import LedgerUpdate


def credit(
    batch: Execution, address: Address, amount: int, kind: str, counterparty: Address, tx_hash: Hash32
) -> None:
    """Add `amount` to an account's cash, or to the unclaimed credits of an address without an account."""
    slot = batch.rows.slot_of(address)
    locked = slot is not None and is_locked(batch.rows, slot)
    if slot is None and amount < CREDIT_MINIMUM:  # a deposit; sends this small are refused (transfers.py)
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
    """Open the account of an address that is not reserved any more, if enough credits wait for it."""
    waiting = batch.ledger.unclaimed.get(address) or 0
    if batch.rows.slot_of(address) is None and _may_open(batch, address, waiting):
        _open(batch, address, 0)


def claim_waiting(batch: Execution, slot: int) -> None:
    """Pay out an account's unclaimed credits."""
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
    """Record a balance change that is not a trade (events.LedgerUpdate)."""
    batch.events.append(LedgerUpdate(*batch.here, address, kind, amount, counterparty, tx_hash))


def _may_open(batch: Execution, address: Address, amount: int) -> bool:
    if amount < OPENING_MINIMUM:
        return False
    return batch.ledger.living_agent(address, batch.now) is None or batch.ctx.is_contract(address)


def _open(batch: Execution, address: Address, arriving: int) -> None:
    """Open the account with waiting and arriving credits; remove the agency, expired or a contract's, from its master's
    list."""
    slot = batch.open_account(address)
    batch.ledger.forget_agent(address)
    claim_waiting(batch, slot)
    batch.move_cash(slot, arriving - OPENING_FEE)
    batch.move_global("insurance", OPENING_FEE)
    tell(batch, address, "opening", -OPENING_FEE, ZERO_ADDRESS, NO_HASH)
