"""From signed bytes to typed actions: the border where everything foreign is checked."""

from coinone.rules.exchange.wire.domain import own_source
from coinone.rules.exchange.wire.envelope import (
    L1_TYPE,
    ORACLE_TYPE,
    USER_TYPE,
    decode_envelope,
    decode_oracle,
    encode_envelope,
    encode_oracle,
)
from coinone.rules.exchange.wire.msgpack import pack, unpack
from coinone.rules.exchange.wire.relay import envelopes_from_json
from coinone.rules.exchange.wire.signing import l1_digest, user_digest
from coinone.rules.exchange.wire.types import (
    ActionEnvelope,
    DomainRules,
    L1Envelope,
    OracleEnvelope,
    OracleReport,
    UserEnvelope,
    VerifiedAction,
)
from coinone.rules.exchange.wire.verify import (
    oracle_digest,
    verify_action,
    verify_oracle,
    verify_raw,
)

__all__ = [
    "L1_TYPE",
    "ORACLE_TYPE",
    "USER_TYPE",
    "ActionEnvelope",
    "DomainRules",
    "L1Envelope",
    "OracleEnvelope",
    "OracleReport",
    "UserEnvelope",
    "VerifiedAction",
    "decode_envelope",
    "decode_oracle",
    "encode_envelope",
    "encode_oracle",
    "envelopes_from_json",
    "l1_digest",
    "oracle_digest",
    "own_source",
    "pack",
    "unpack",
    "user_digest",
    "verify_action",
    "verify_oracle",
    "verify_raw",
]
