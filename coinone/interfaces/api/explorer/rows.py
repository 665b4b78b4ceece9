"""A transaction as the explorer shows it: its signer, its content, and its error."""

from typing import Any

from coinone.base.forms.user_signed import user_signed
from coinone.rules.chain.transactions import verify_transaction
from coinone.rules.exchange.wire import unpack
from coinone.rules.exchange.wire.envelope import decode_envelope
from coinone.rules.exchange.wire.types import DomainRules, L1Envelope, OracleReport, VerifiedAction
from coinone.rules.ledger.batch import Batch

Json = dict[str, Any]


def transaction_row(raw: bytes, batch: Batch, rules: DomainRules) -> Json:
    """The row of a transaction in its batch; recovers one signature."""
    verified = verify_transaction(raw, rules)
    if isinstance(verified, VerifiedAction):
        signer, tx_hash, action = verified.signer, verified.tx_hash, _signed(raw, verified)
    elif isinstance(verified, OracleReport):
        prices = [list(pair) for pair in verified.prices]
        signer, tx_hash, action = verified.reporter, verified.tx_hash, {"type": "oracle", "prices": prices}
    else:
        to = None if verified.to is None else "0x" + verified.to.hex()
        signer, tx_hash, action = verified.sender, verified.hash, {"type": "ethereum", "to": to}
    row = {
        "time": batch.time_ms,
        "block": batch.seq,
        "error": None,
        "user": "0x" + signer.hex(),
        "hash": "0x" + tx_hash.hex(),
        "action": action,
    }
    return row | ({"nonce": verified.nonce} if isinstance(verified, VerifiedAction) else {})


def _signed(raw: bytes, verified: VerifiedAction) -> Any:
    """An action as its signer wrote it."""
    envelope = decode_envelope(raw)
    if isinstance(envelope, L1Envelope):
        return unpack(envelope.action)
    fields = user_signed(envelope.type_name).decode(envelope.values)
    return {"type": verified.action.type.name} | {name: _shown(value) for name, value in fields.items()}


def _shown(value: str | int | bool | bytes) -> str | int | bool:
    return "0x" + value.hex() if isinstance(value, bytes) else value
