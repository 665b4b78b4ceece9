"""Exchange transactions as bytes: encodings, signatures, and the form of an action.

Bytes: envelope, msgpack. Signatures: domain, oracle. Values: types, trades, action (the form of a row of the
table of actions), segments. Decoding: fields, contract, operations, fast_decode. The actions themselves are above
state, in exchange/actions.
"""

from coinone.rules.exchange.wire.envelope import (
    decode_envelope,
    decode_oracle,
    encode_envelope,
    encode_oracle,
)
from coinone.rules.exchange.wire.msgpack import pack, unpack
from coinone.rules.exchange.wire.oracle import verify_oracle
from coinone.rules.exchange.wire.types import (
    ActionEnvelope,
    DomainRules,
    L1Envelope,
    OracleEnvelope,
    OracleReport,
    UserEnvelope,
    VerifiedAction,
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
    "pack",
    "unpack",
    "verify_oracle",
]
