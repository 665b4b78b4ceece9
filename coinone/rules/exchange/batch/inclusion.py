"""Which actions a batch may include, and what that costs them (D5).

All conditions are checked on the *parent state*, the one before the batch, so that the leader that makes a batch and
the nodes that check it know the answer before anything runs: is the signer an account or a living agent, is the nonce
fresh, is the expiry in the future, are there credits and room? Each action is judged in addition to the others of its
account; the order makes no difference.

An included action uses up its nonce and its credits, whatever its outcome. So an action that has been in a batch never
runs later. A batch that includes an excluded action is invalid (rules/chain/apply.py): its leader could have known.
Only forced transactions, which no leader chose, may fail here: they are skipped, and use up nothing.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from coinone.base.primitives.errors import InvalidAction, InvalidInput
from coinone.base.primitives.parameters import (
    NONCE_FUTURE_MS,
    NONCE_PAST_MS,
    NONCES_PER_SIGNER,
    SIGNERS_PER_ACCOUNT,
)
from coinone.base.primitives.types import Address
from coinone.rules.exchange.accounts.credits import Budget, charge_all
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.ledger import Closed, Ledger, NonceSet
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.exchange.wire.types import VerifiedAction


class Judge:
    """Checks actions for one batch of time `now` (ms) after the state of `ex`, which it does not change."""

    def __init__(self, ex: Exchange, now: int) -> None:
        self._ex = ex
        self._now = now
        self._budgets: dict[int, Budget] = {}  # by slot
        self._nonces: dict[Address, dict[int, int]] = {}  # signer -> nonce -> slot of the account
        self._leaving: dict[Address, int] = {}

    def admit(self, action: VerifiedAction, waiting: int = 0) -> int:
        """Admit `action` and return the slot of its account; later actions are judged in addition.

        `waiting` are credits that other actions of the account need first. Raises InvalidAction if no batch of this
        time may include it, LimitExceeded if only this batch has no more room for the account.
        """
        slot = self.account_of(action)
        self._check_nonce(action)
        if action.expires_after is not None and self._now > action.expires_after:
            raise InvalidAction("Action expired", expiresAfter=action.expires_after, now=self._now)
        if action.action.type.ends_agency:  # free, and once per agency
            self._leaving[action.signer] = slot
        else:
            budget = self._budget(slot)
            budget.check(action.action, action.size, waiting)
            budget.take(action.action, action.size)
        self._nonces.setdefault(action.signer, {})[action.nonce] = slot
        return slot

    def burn(self, action: VerifiedAction) -> None:
        """Use up nonce and credits of an excluded action in a batch."""
        try:
            slot = self.account_of(action)
            self._check_nonce(action)
        except InvalidAction:
            return
        self._budget(slot).take(action.action, action.size)
        self._nonces.setdefault(action.signer, {})[action.nonce] = slot

    def write(self) -> None:
        """Write the used nonces and credits to the state."""
        charge_all(self._ex, self._budgets.values(), self._now)
        slots = [next(iter(nonces.values())) for nonces in self._nonces.values()]
        numbers = self._ex.rows.accounts["number"][slots].tolist()
        for number, (signer, nonces) in zip(numbers, self._nonces.items(), strict=True):
            use_nonces(self._ex.ledger, number, signer, sorted(nonces), self._now)

    def _budget(self, slot: int) -> Budget:
        budget = self._budgets.get(slot)
        if budget is None:
            budget = self._budgets[slot] = Budget(self._ex, slot, self._now)
        return budget

    def account_of(self, action: VerifiedAction) -> int:
        """The slot of the account that an action is for. Raises InvalidAction.

        A user-signed action is for its signer alone: agents trade and do nothing else. Leaving an agency needs no
        account: the action is kept in the master's leaf.
        """
        ex, signer = self._ex, action.signer
        if action.action.type.ends_agency:
            agent = ex.ledger.agents.get(signer)
            if agent is None or signer in self._leaving:
                raise InvalidAction(f"0x{signer.hex()} is nobody's agent.")
            return ex.rows.slot_by_number[agent.account]
        slot = ex.rows.slot_of(signer) if action.user_signed else account_of_signer(ex, signer, self._now)
        if slot is None:
            raise InvalidAction(f"User or API Wallet 0x{signer.hex()} does not exist.")
        if action.foreign and not action.user_signed and not ex.config.accept_foreign_l1:
            agent = ex.ledger.agents.get(signer)
            if agent is None or not agent.compat:
                raise InvalidAction("this signing domain is accepted from agents approved as compat only")
        return slot

    def _check_nonce(self, action: VerifiedAction) -> None:
        nonce, now = action.nonce, self._now
        if not now - NONCE_PAST_MS < nonce < now + NONCE_FUTURE_MS:
            raise InvalidAction(
                "Invalid nonce: outside the window around the batch's time", nonce=nonce, now=now
            )
        if is_spent(self._ex.ledger, action.signer, nonce) or nonce in self._nonces.get(action.signer, ()):
            raise InvalidAction("Invalid nonce: duplicate nonce", nonce=nonce)


@dataclass(frozen=True, slots=True)
class Included:
    """The result of inclusion, before anything runs: the items, and for every other index the reason."""

    items: tuple[Item, ...]
    refused: dict[int, str]
    judge: Judge


def include(ex: Exchange, actions: Sequence[VerifiedAction], now: int, forced: int = 0) -> Included:
    """Judge the actions of a batch, the first `forced` of which are forced; writes nothing."""
    items, refused, judge = [], {}, Judge(ex, now)
    addresses: dict[int, Address] = {}  # by slot
    for index in sorted(range(len(actions)), key=lambda i: judging_key(actions[i])):
        action = actions[index]
        try:
            slot = judge.admit(action)
        except InvalidInput as error:
            refused[index] = str(error)
            if index >= forced:
                judge.burn(action)
            continue
        if slot not in addresses:
            addresses[slot] = ex.rows.address_of(slot)
        items.append(_item(index, action, slot, addresses[slot]))
    return Included(tuple(items), refused, judge)


def account_of_signer(ex: Exchange, signer: Address, now: int) -> int | None:
    """The slot that `signer` may trade for: its own account's, or its master's while its agency lives."""
    own = ex.rows.slot_of(signer)
    if own is not None:
        return own
    agent = ex.ledger.living_agent(signer, now)
    return None if agent is None else ex.rows.slot_by_number[agent.account]


def is_spent(ledger: Ledger, signer: Address, nonce: int) -> bool:
    """Whether `nonce` was used by `signer`, or is below all stored nonces of a full set."""
    known = ledger.nonces.get(signer)
    if known is None:
        return False
    place = bisect_left(known.values, nonce)
    if place < len(known.values) and known.values[place] == nonce:
        return True
    return place == 0 and (known.closed is not Closed.NO or len(known.values) >= NONCES_PER_SIGNER)


def use_nonces(ledger: Ledger, number: int, signer: Address, nonces: Sequence[int], now: int) -> None:
    """Mark fresh nonces, in rising order, as used by `signer`."""
    known = ledger.nonces.get(signer)
    if known is not None and known.account != number:
        # A key of another account now: only the new account's leaf keeps the nonces it uses from here on.
        _forget_signer(ledger, known.account, signer)
    if known is None or known.account != number:
        _remember_signer(ledger, number, signer, now)
    values = tuple(nonces)
    if known is not None:
        above = known.values[-1] < nonces[0]
        values = (*known.values, *nonces) if above else tuple(sorted((*known.values, *nonces)))
    closed = Closed.ENDED if known is not None and known.closed else Closed.NO
    ledger.nonces.put(signer, NonceSet(number, values[-NONCES_PER_SIGNER:], closed))


def living_signers(ledger: Ledger, number: int, now: int) -> tuple[Address, ...]:
    """The keys whose nonces the leaf of account `number` must keep: its agents', and those within the window."""
    settings, kept = ledger.settings_of(number), []
    for signer in settings.signers:
        used = ledger.nonces.get(signer)
        assert used is not None, "a listed signer has nonces"
        if signer in settings.agents or used.could_pass(now):
            kept.append(signer)
    return tuple(kept)


def _remember_signer(ledger: Ledger, number: int, signer: Address, now: int) -> None:
    """Add a signer to the account's list, dropping those whose nonces have left the window.

    A nonce set outlives its agent until no nonce in it could pass the window again.
    """
    settings, kept = ledger.settings_of(number), living_signers(ledger, number, now)
    for other in settings.signers:
        if other not in kept:
            ledger.nonces.drop(other)
    assert len(kept) < SIGNERS_PER_ACCOUNT, "approving an agent leaves it room (actions/agents.py)"
    ledger.settings.put(number, replace(settings, signers=(*kept, signer)))


def _forget_signer(ledger: Ledger, number: int, signer: Address) -> None:
    settings = ledger.settings_of(number)
    ledger.nonces.drop(signer)
    kept = tuple(other for other in settings.signers if other != signer)
    ledger.settings.put(number, replace(settings, signers=kept))


def _item(index: int, action: VerifiedAction, slot: int, address: Address) -> Item:
    leaves = action.action.type.ends_agency
    return Item(
        index=index,
        action=action.action,
        account=slot,
        address=action.signer if leaves else address,
        nonce=action.nonce,
        signer=action.signer,
        digest=action.digest,
        tx_hash=action.tx_hash,
        signed=action,
    )


def judging_key(action: VerifiedAction) -> tuple[int, Address, bytes]:
    """The order in which a batch's actions are judged: forced ones, some of which may not fit, among all others."""
    return (action.nonce, action.signer, action.digest)
