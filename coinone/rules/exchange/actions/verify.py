"""Stateless verification: from bytes and signature to a typed action with its signer.

Nothing here reads state. Recovering the signer is the most expensive step and needs four numbers only, so a worker
process may do it between `read_raw` and `verified`. The identity of an action is its signed digest and signer, never
the signature.
"""

from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.crypto.secp256k1 import recover
from coinone.base.forms.exchange import L1_TYPE, USER_TYPE, l1_digest, transaction_hash, user_digest
from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives.errors import NotSupported
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.actions.decode import decode_action, decode_user
from coinone.rules.exchange.wire.action import Action
from coinone.rules.exchange.wire.domain import l1_is_foreign, user_is_foreign
from coinone.rules.exchange.wire.envelope import decode_envelope, encode_envelope
from coinone.rules.exchange.wire.types import (
    ActionEnvelope,
    DomainRules,
    L1Envelope,
    UserEnvelope,
    VerifiedAction,
)

SignatureOf: TypeAlias = tuple[Hash32, int, int, int]  # digest, r, s, v


class LastRead:
    """Cache of the last decoded action, for a next transaction with the same bytes."""

    def __init__(self) -> None:
        self._data = b""
        self._found: Action | None = None

    def read(self, data: bytes) -> Action:
        """Decode the action in `data`, which must contain nothing else. Raises InvalidInput."""
        if self._found is None or data != self._data:
            self._found = decode_action(data)
            self._data = data
        return self._found


@dataclass(slots=True, eq=False)
class SignedAction:
    """An action of valid domain and form. Its signer is recovered on first use, unless a worker process did it
    before."""

    raw: bytes  # the transaction
    form: int  # its first byte
    action: Action
    foreign: bool
    nonce: int
    expires_after: int | None
    signature: SignatureOf
    _sender: Address | None = None

    @property
    def sender(self) -> Address:
        """The address that signed. Raises InvalidSignature."""
        if self._sender is None:
            self._sender = recover(*self.signature)
        return self._sender

    def know_sender(self, address: Address) -> None:
        """Set the sender, recovered from `signature` by a worker process."""
        self._sender = address

    def verified(self) -> VerifiedAction:
        """The action with its signer. Raises InvalidSignature."""
        signer, digest = self.sender, self.signature[0]
        return VerifiedAction(
            action=self.action,
            foreign=self.foreign,
            signer=signer,
            vault=None,
            nonce=self.nonce,
            expires_after=self.expires_after,
            digest=digest,
            tx_hash=transaction_hash(self.form, digest, signer),
            size=len(self.raw),
        )


def verify_raw(raw: bytes, rules: DomainRules, last: LastRead | None = None) -> VerifiedAction:
    """Verify the action of a 0x70 or 0x71 transaction. Raises InvalidInput."""
    return read_raw(raw, rules, last).verified()


def verify_action(tx: ActionEnvelope, rules: DomainRules) -> VerifiedAction:
    """Check domain, form and signature; raises InvalidInput."""
    return _read(tx, rules, encode_envelope(tx), None).verified()


def read_raw(raw: bytes, rules: DomainRules, last: LastRead | None = None) -> SignedAction:
    """Decode the action of a 0x70 or 0x71 transaction without recovering its signer. Raises InvalidInput.

    With the same `last` for several that differ in their source only, the action in them is decoded once.
    """
    return _read(decode_envelope(raw), rules, raw, last)


def _read(tx: ActionEnvelope, rules: DomainRules, raw: bytes, last: LastRead | None) -> SignedAction:
    if isinstance(tx, L1Envelope):
        return _read_l1(tx, rules, raw, last or LastRead())
    return _read_user(tx, rules, raw)


def _read_l1(tx: L1Envelope, rules: DomainRules, raw: bytes, last: LastRead) -> SignedAction:
    foreign = l1_is_foreign(tx.source, rules)
    if tx.vault is not None:
        raise NotSupported("vaults and sub-accounts are not supported")
    action = last.read(tx.action)
    digest = l1_digest(tx.action, tx.nonce, tx.vault, tx.expires_after, tx.source)
    return SignedAction(raw, L1_TYPE, action, foreign, tx.nonce, tx.expires_after, (digest, tx.r, tx.s, tx.v))


def _read_user(tx: UserEnvelope, rules: DomainRules, raw: bytes) -> SignedAction:
    signed = user_signed(tx.type_name)
    fields = signed.decode(tx.values)
    foreign = user_is_foreign(str(fields["hyperliquidChain"]), tx.signature_chain_id, rules)
    action = decode_user(tx.type_name, fields)
    digest = user_digest(signed, fields, tx.signature_chain_id)
    nonce = int(fields[signed.moment])
    return SignedAction(raw, USER_TYPE, action, foreign, nonce, None, (digest, tx.r, tx.s, tx.v))
