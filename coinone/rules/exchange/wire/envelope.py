"""Transactions of type 0x70 (L1 action), 0x71 (user-signed action) and 0x72 (oracle prices), as bytes.

    0x70 || rlp([msgpack, nonce, vault or "", expiresAfter or "", source, r, s, v])
    0x71 || rlp([type name, [signed field values in order], signatureChainId, r, s, v])
    0x72 || rlp([time in ms, [[market, price] ...], r, s, v])

Each has one encoding: any changed or added byte is refused or is another transaction.
"""

from itertools import pairwise

from coinone.base.forms.exchange import L1_TYPE, ORACLE_TYPE, USER_TYPE
from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.parameters import ACTION_BYTES_MAX
from coinone.base.primitives.records import Tagged
from coinone.rules.exchange.wire.types import ActionEnvelope, L1Envelope, OracleEnvelope, UserEnvelope

_ACTIONS: Tagged[ActionEnvelope] = Tagged({L1_TYPE: L1Envelope, USER_TYPE: UserEnvelope})
_ORACLE: Tagged[OracleEnvelope] = Tagged({ORACLE_TYPE: OracleEnvelope})


def decode_envelope(raw: bytes) -> ActionEnvelope:
    """Decode the action transaction in `raw`. Raises DecodeError or LimitExceeded."""
    _check_size(raw)
    return _ACTIONS.decode(raw)


def encode_envelope(envelope: ActionEnvelope) -> bytes:
    return _ACTIONS.encode(envelope)


def decode_oracle(raw: bytes) -> OracleEnvelope:
    """Decode the oracle transaction in `raw`; markets must strictly rise. Raises DecodeError or LimitExceeded."""
    _check_size(raw)
    envelope = _ORACLE.decode(raw)
    if not envelope.prices:
        raise DecodeError("oracle: no prices")
    if any(left[0] >= right[0] for left, right in pairwise(envelope.prices)):
        raise DecodeError("oracle: markets must rise")
    return envelope


def encode_oracle(envelope: OracleEnvelope) -> bytes:
    return _ORACLE.encode(envelope)


def _check_size(raw: bytes) -> None:
    if len(raw) > ACTION_BYTES_MAX:
        raise LimitExceeded("action too large", have=len(raw), most=ACTION_BYTES_MAX)
