"""Stateless verification: bytes and signature in, a typed action with its signer out.

Nothing here looks at state, so a pool of processes can do it beside the executor. The identity of an action
is its signed digest and signer, never the signature.
"""

from coinone.base.crypto.secp256k1 import recover
from coinone.base.forms.exchange import L1_TYPE, USER_TYPE, l1_digest, transaction_hash, user_digest
from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives.errors import NotSupported
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


class LastRead:
    """What an action's bytes said, for the next transaction if it holds the same bytes."""

    def __init__(self) -> None:
        self._data = b""
        self._found: Action | None = None

    def read(self, data: bytes) -> Action:
        """The action in `data` and in nothing else. Raises InvalidInput."""
        if self._found is None or data != self._data:
            self._found = decode_action(data)
            self._data = data
        return self._found


def verify_raw(raw: bytes, rules: DomainRules, last: LastRead | None = None) -> VerifiedAction:
    """The verified action of a 0x70 or 0x71 transaction. Raises InvalidInput. Who gives the same `last` for several
    that differ in their source only has the action in them read once."""
    return verify_action(decode_envelope(raw), rules, len(raw), last)


def verify_action(
    tx: ActionEnvelope, rules: DomainRules, size: int = 0, last: LastRead | None = None
) -> VerifiedAction:
    """Check domain, form and signature; raises InvalidInput. `size` is that of the encoded transaction."""
    size = size or len(encode_envelope(tx))
    if isinstance(tx, L1Envelope):
        return _verify_l1(tx, rules, size, last or LastRead())
    return _verify_user(tx, rules, size)


def _verify_l1(tx: L1Envelope, rules: DomainRules, size: int, last: LastRead) -> VerifiedAction:
    foreign = l1_is_foreign(tx.source, rules)
    if tx.vault is not None:
        raise NotSupported("vaults and sub-accounts are not supported")
    action = last.read(tx.action)
    digest = l1_digest(tx.action, tx.nonce, tx.vault, tx.expires_after, tx.source)
    signer = recover(digest, tx.r, tx.s, tx.v)
    return VerifiedAction(
        action=action,
        foreign=foreign,
        signer=signer,
        vault=None,
        nonce=tx.nonce,
        expires_after=tx.expires_after,
        digest=digest,
        tx_hash=transaction_hash(L1_TYPE, digest, signer),
        size=size,
    )


def _verify_user(tx: UserEnvelope, rules: DomainRules, size: int) -> VerifiedAction:
    signed = user_signed(tx.type_name)
    fields = signed.decode(tx.values)
    foreign = user_is_foreign(str(fields["hyperliquidChain"]), tx.signature_chain_id, rules)
    action = decode_user(tx.type_name, fields)
    digest = user_digest(signed, fields, tx.signature_chain_id)
    signer = recover(digest, tx.r, tx.s, tx.v)
    return VerifiedAction(
        action=action,
        foreign=foreign,
        signer=signer,
        vault=None,
        nonce=int(fields[signed.moment]),
        expires_after=None,
        digest=digest,
        tx_hash=transaction_hash(USER_TYPE, digest, signer),
        size=size,
    )
