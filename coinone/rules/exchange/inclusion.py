"""Which actions a batch may hold: nobody gets work for nothing (architecture D5).

An action is included if its signer is an account or a living agent, its nonce is fresh, it has not expired, and
the account has credits and room left. What is excluded changes nothing, not even a nonce. All this is judged on
the state after segment 2, counting each account's items by (nonce, signer, digest), before anything is executed.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from coinone.base.primitives.errors import InvalidAction
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.limits import (
    ACCOUNT_ACTIONS_PER_BATCH,
    ACCOUNT_BYTES_PER_BATCH,
    CANCEL_CREDITS_EXTRA,
    CREDIT_REFILL_MS,
    NONCE_FUTURE_MS,
    NONCE_PAST_MS,
    NONCES_PER_SIGNER,
    SIGNERS_PER_ACCOUNT,
)
from coinone.base.primitives.types import Address
from coinone.rules.exchange.ledger import Ledger, NonceSet
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.segments import Item
from coinone.rules.exchange.state import Exchange
from coinone.rules.exchange.wire.types import Action, Form, LeaveAgency, Operations, VerifiedAction

_QUOTE = 1_000_000


def include(ex: Exchange, actions: Sequence[VerifiedAction], now: int) -> tuple[list[Item], dict[int, str]]:
    """The included actions as items, and for every other index the reason."""
    items: list[Item] = []
    refused: dict[int, str] = {}
    budgets: dict[int, Budget] = {}
    leaving: dict[Address, None] = {}
    for index in sorted(range(len(actions)), key=lambda i: _key(actions[i])):
        action = actions[index]
        try:
            slot = _account_of(ex, action, now)
            budget = budgets.get(slot) or budgets.setdefault(slot, Budget(ex, slot, now))
            _check_expiry(action, now)
            leaves = isinstance(action.action, LeaveAgency)  # free, once per agency
            if leaves and action.signer in leaving:
                raise InvalidAction(f"0x{action.signer.hex()} is nobody's agent.")
            if not leaves:
                budget.check(action.action, action.size)
            use_nonce(ex.ledger, budget.number, action.signer, action.nonce, now)
        except InvalidAction as error:
            refused[index] = str(error)
            continue
        if leaves:
            leaving[action.signer] = None
        else:
            budget.take(action.action, action.size)
        items.append(
            Item(
                index=index,
                action=action.action,
                account=slot,
                address=action.signer if leaves else budget.address,
                nonce=action.nonce,
                signer=action.signer,
                digest=action.digest,
                tx_hash=action.tx_hash,
                signed=action,
            )
        )
    for budget in budgets.values():
        budget.charge()
    return items, refused


class Budget:
    """What one account may still send in a batch: credits, which are counted per order, actions and bytes."""

    def __init__(self, ex: Exchange, slot: int, now: int) -> None:
        row = ex.rows.accounts[slot]
        self.number = int(row["number"])
        self.address = ex.rows.address_of(slot)
        self._ex = ex
        self._slot = slot
        given = allowance(ex.rows, slot, ex.config.action_credits, now)
        self._most = {"credits_used": given, "cancels_used": _cancels_given(given)}
        self._before = {name: int(row[name]) for name in self._most}
        self._used = dict(self._before)
        self._actions = self._size = 0

    def check(self, action: Action, size: int = 0) -> None:
        """Raises InvalidAction if `action`, a transaction of `size` bytes, is more than is left."""
        if self._actions >= ACCOUNT_ACTIONS_PER_BATCH or self._size + size > ACCOUNT_BYTES_PER_BATCH:
            raise InvalidAction("Too many actions of one account in a batch")
        name, wanted = _column(action), cost(action)
        used, most = self._used[name], self._most[name]
        if used + wanted > most:
            raise InvalidAction("Too many cumulative requests sent", used=used, allowed=most, wanted=wanted)

    def take(self, action: Action, size: int = 0) -> None:
        self._used[_column(action)] += cost(action)
        self._actions += 1
        self._size += size

    def charge(self) -> None:
        """Write down what was taken."""
        if self._used != self._before:
            self._ex.rows.journal.account(self._slot)
            for name, used in self._used.items():
                self._ex.rows.accounts[name][self._slot] = used


def account_of_signer(ex: Exchange, signer: Address, now: int) -> int | None:
    """The slot that `signer` may trade for: its own account's, or its master's while its agency lives."""
    own = ex.rows.slot_of(signer)
    if own is not None:
        return own
    agent = ex.ledger.living_agent(signer, now)
    return None if agent is None else ex.rows.slot_by_number[agent.account]


def allowance(rows: Rows, slot: int, credits: int, now: int) -> int:
    """Credits an account has ever been given: a grant, one per quote unit traded, and a slow refill."""
    row = rows.accounts[slot]
    traded = div_down(int(row["taker_volume"]) + int(row["maker_volume"]), _QUOTE)
    return credits + traded + div_down(max(0, now - int(row["created_ms"])), CREDIT_REFILL_MS)


def cost(action: Action) -> int:
    """Credits are counted per order."""
    return action.count if isinstance(action, Operations) else 1


def is_spent(ledger: Ledger, signer: Address, nonce: int) -> bool:
    """Whether `nonce` was used by `signer`, or lies below all that are remembered of a full set."""
    known = ledger.nonces.get(signer)
    if known is None:
        return False
    full = len(known.values) >= NONCES_PER_SIGNER
    return nonce in known.values or (full and nonce < known.values[0])


def use_nonce(ledger: Ledger, number: int, signer: Address, nonce: int, now: int) -> None:
    """Mark `nonce` used by `signer`. Raises InvalidAction if it lies outside the window or was used."""
    if not now - NONCE_PAST_MS < nonce < now + NONCE_FUTURE_MS:
        raise InvalidAction("Invalid nonce: outside the window around the batch's time", nonce=nonce, now=now)
    known = ledger.nonces.get(signer)
    values = known.values if known is not None else ()
    full = len(values) >= NONCES_PER_SIGNER
    if full and nonce <= values[0]:
        raise InvalidAction(
            "Invalid nonce: below the smallest of the stored", nonce=nonce, smallest=values[0]
        )
    place = bisect_left(values, nonce)
    if place < len(values) and values[place] == nonce:
        raise InvalidAction("Invalid nonce: duplicate nonce", nonce=nonce)
    if known is None:
        _remember_signer(ledger, number, signer, now)
    grown = (*values[:place], nonce, *values[place:])
    holder = (
        number if known is None else known.account
    )  # a key that changed hands stays in the leaf it began in
    ledger.nonces.put(signer, NonceSet(holder, grown[1:] if full else grown))


def _remember_signer(ledger: Ledger, number: int, signer: Address, now: int) -> None:
    """A nonce set outlives its agent until no nonce in it could pass the window again."""
    settings, kept = ledger.settings_of(number), living_signers(ledger, number, now)
    for other in settings.signers:
        if other not in kept:
            ledger.nonces.drop(other)
    assert len(kept) < SIGNERS_PER_ACCOUNT, "approving an agent leaves it room (agents.py)"
    ledger.settings.put(number, replace(settings, signers=(*kept, signer)))


def living_signers(ledger: Ledger, number: int, now: int) -> tuple[Address, ...]:
    """The keys whose nonces the leaf of account `number` must keep: its agents', and those within the window."""
    settings, kept = ledger.settings_of(number), []
    for signer in settings.signers:
        used = ledger.nonces.get(signer)
        assert used is not None, "a remembered signer has nonces"
        if signer in settings.agents or used.values[-1] > now - NONCE_PAST_MS:
            kept.append(signer)
    return tuple(kept)


def _account_of(ex: Exchange, action: VerifiedAction, now: int) -> int:
    """The acting account. A user-signed action speaks for its signer alone: agents trade, nothing else. Who leaves an
    agency needs none: the action is kept in the master's leaf."""
    if isinstance(action.action, LeaveAgency):
        agent = ex.ledger.agents.get(action.signer)
        if agent is None:
            raise InvalidAction(f"0x{action.signer.hex()} is nobody's agent.")
        return ex.rows.slot_by_number[agent.account]
    slot = ex.rows.slot_of(action.signer) if action.user_signed else account_of_signer(ex, action.signer, now)
    if slot is None:
        raise InvalidAction(f"User or API Wallet 0x{action.signer.hex()} does not exist.")
    if action.foreign and not action.user_signed and not ex.config.accept_foreign_l1:
        agent = ex.ledger.agents.get(action.signer)
        if agent is None or not agent.compat:
            raise InvalidAction("this signing domain is accepted from agents approved as compat only")
    return slot


def _column(action: Action) -> str:
    """Where the credits of an action are counted."""
    is_cancel = isinstance(action, Operations) and action.form is Form.CANCELS
    return "cancels_used" if is_cancel else "credits_used"


def _cancels_given(given: int) -> int:
    return min(given + CANCEL_CREDITS_EXTRA, 2 * given)


def _check_expiry(action: VerifiedAction, now: int) -> None:
    if action.expires_after is not None and now > action.expires_after:
        raise InvalidAction("Action expired", expiresAfter=action.expires_after, now=now)


def _key(action: VerifiedAction) -> tuple[int, Address, bytes]:
    return (action.nonce, action.signer, action.digest)
