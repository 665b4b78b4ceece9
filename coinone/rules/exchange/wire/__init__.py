"""From signed bytes to typed actions: the border where everything foreign is checked."""

from coinone.rules.exchange.wire.envelope import (
    decode_envelope,
    decode_oracle,
    encode_envelope,
    encode_oracle,
)
from coinone.rules.exchange.wire.msgpack import pack, unpack
from coinone.rules.exchange.wire.relay import envelopes_from_json
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
    verify_action,
    verify_oracle,
    verify_raw,
)

__all__ = [
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
    "pack",
    "unpack",
    "verify_action",
    "verify_oracle",
    "verify_raw",
]
