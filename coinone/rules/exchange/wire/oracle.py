"""Oracle transactions: recover the reporter that signed the prices."""

from coinone.base.crypto.secp256k1 import recover
from coinone.base.forms.exchange import ORACLE_TYPE, oracle_digest, transaction_hash
from coinone.rules.exchange.wire.types import OracleEnvelope, OracleReport


def verify_oracle(tx: OracleEnvelope, chain_id: int) -> OracleReport:
    """Recover the reporter; prices/oracle.py checks that genesis lists it. Raises InvalidSignature."""
    digest = oracle_digest(chain_id, tx.time_ms, tx.prices)
    reporter = recover(digest, tx.r, tx.s, tx.v)
    return OracleReport(reporter, tx.time_ms, tx.prices, transaction_hash(ORACLE_TYPE, digest, reporter))
