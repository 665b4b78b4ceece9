"""Stateless verification: bytes and signature in, a typed action with its signer out.

Nothing here looks at state, so a pool of processes can do it beside the executor. The identity of an action
is its signed digest and signer, never the signature.
"""

from coinone.base.crypto.secp256k1 import recover
from coinone.base.forms.exchange import (
    L1_TYPE,
    ORACLE_TYPE,
    USER_TYPE,
    l1_digest,
    oracle_digest,
    transaction_hash,
    user_digest,
)
from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives.errors import NotSupported
from coinone.rules.exchange.wire.decode import decode_l1, decode_user
from coinone.rules.exchange.wire.domain import l1_is_foreign, user_is_foreign
from coinone.rules.exchange.wire.envelope import decode_envelope, encode_envelope
from coinone.rules.exchange.wire.fast_decode import decode_operations
from coinone.rules.exchange.wire.msgpack import unpack
from coinone.rules.exchange.wire.operations import operations_of
from coinone.rules.exchange.wire.types import (
    Action,
    ActionEnvelope,
    DomainRules,
    L1Envelope,
    OracleEnvelope,
    OracleReport,
    Trade,
    UserEnvelope,
    VerifiedAction,
)


class LastRead:
    """What an action's bytes said, for the next transaction if it holds the same bytes."""

    def __init__(self) -> None:
        self._data = b""
        self._found: tuple[str, Action] | None = None

    def read(self, data: bytes) -> tuple[str, Action]:
        """(type name, action) of `data` and of nothing else. Raises InvalidInput."""
        if self._found is None or data != self._data:
            self._found = decode_operations(data) or _decode_fully(data)
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


def verify_oracle(tx: OracleEnvelope, chain_id: int) -> OracleReport:
    """Recover the reporter; whether it is one of genesis is for oracle.py. Raises InvalidSignature."""
    digest = oracle_digest(chain_id, tx.time_ms, tx.prices)
    reporter = recover(digest, tx.r, tx.s, tx.v)
    return OracleReport(reporter, tx.time_ms, tx.prices, transaction_hash(ORACLE_TYPE, digest, reporter))


def _verify_l1(tx: L1Envelope, rules: DomainRules, size: int, last: LastRead) -> VerifiedAction:
    foreign = l1_is_foreign(tx.source, rules)
    if tx.vault is not None:
        raise NotSupported("vaults and sub-accounts are not supported")
    kind, action = last.read(tx.action)
    digest = l1_digest(tx.action, tx.nonce, tx.vault, tx.expires_after, tx.source)
    signer = recover(digest, tx.r, tx.s, tx.v)
    return VerifiedAction(
        action=action,
        kind=kind,
        user_signed=False,
        foreign=foreign,
        signer=signer,
        vault=None,
        nonce=tx.nonce,
        expires_after=tx.expires_after,
        digest=digest,
        tx_hash=transaction_hash(L1_TYPE, digest, signer),
        size=size,
    )


def _decode_fully(data: bytes) -> tuple[str, Action]:
    kind, action = decode_l1(unpack(data))
    return kind, operations_of(action) if isinstance(action, Trade) else action


def _verify_user(tx: UserEnvelope, rules: DomainRules, size: int) -> VerifiedAction:
    signed = user_signed(tx.type_name)
    fields = signed.decode(tx.values)
    foreign = user_is_foreign(str(fields["hyperliquidChain"]), tx.signature_chain_id, rules)
    action = decode_user(tx.type_name, fields)
    digest = user_digest(signed, fields, tx.signature_chain_id)
    signer = recover(digest, tx.r, tx.s, tx.v)
    return VerifiedAction(
        action=action,
        kind=signed.json_type,
        user_signed=True,
        foreign=foreign,
        signer=signer,
        vault=None,
        nonce=int(fields[signed.moment]),
        expires_after=None,
        digest=digest,
        tx_hash=transaction_hash(USER_TYPE, digest, signer),
        size=size,
    )
