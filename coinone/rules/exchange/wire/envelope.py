"""Transactions of type 0x70 (L1 action), 0x71 (user-signed action) and 0x72 (oracle prices), as bytes.

    0x70 || rlp([msgpack, nonce, vault or "", expiresAfter or "", source, r, s, v])
    0x71 || rlp([type name, [signed field values in order], signatureChainId, r, s, v])
    0x72 || rlp([time in ms, [[market, price] ...], r, s, v])

One spelling each: any changed or added byte is refused or is another transaction.
"""

from itertools import pairwise

from coinone.base.forms.exchange import L1_TYPE, ORACLE_TYPE, USER_TYPE
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.parameters import ACTION_BYTES_MAX, ORACLE_PRICES_MAX
from coinone.rules.exchange.wire.types import ActionEnvelope, L1Envelope, OracleEnvelope, UserEnvelope


def decode_envelope(raw: bytes) -> ActionEnvelope:
    """The action transaction in `raw`. Raises DecodeError or LimitExceeded."""
    if raw[:1] == bytes((L1_TYPE,)):
        return _decode_l1(_fields(raw, 8))
    if raw[:1] == bytes((USER_TYPE,)):
        return _decode_user(_fields(raw, 6))
    raise DecodeError("not an exchange action")


def encode_envelope(envelope: ActionEnvelope) -> bytes:
    signature: list[rlp.Encodable] = [envelope.r, envelope.s, envelope.v]
    if isinstance(envelope, UserEnvelope):
        head: list[rlp.Encodable] = [
            envelope.type_name.encode(),
            list(envelope.values),
            envelope.signature_chain_id,
        ]
        return bytes((USER_TYPE,)) + rlp.encode(head + signature)
    expires = b"" if envelope.expires_after is None else envelope.expires_after.to_bytes(8, "big")
    head = [envelope.action, envelope.nonce, envelope.vault or b"", expires, envelope.source.encode()]
    return bytes((L1_TYPE,)) + rlp.encode(head + signature)


def decode_oracle(raw: bytes) -> OracleEnvelope:
    """The oracle transaction in `raw`: markets strictly rising, prices positive. Raises DecodeError."""
    if raw[:1] != bytes((ORACLE_TYPE,)):
        raise DecodeError("not an oracle transaction")
    time_ms, prices, r, s, v = _fields(raw, 5)
    pairs = rlp.decode_list(prices)
    if not 0 < len(pairs) <= ORACLE_PRICES_MAX:
        raise DecodeError("oracle: number of prices", have=len(pairs), most=ORACLE_PRICES_MAX)
    decoded = tuple([_price(pair) for pair in pairs])
    if any(left[0] >= right[0] for left, right in pairwise(decoded)):
        raise DecodeError("oracle: markets must rise")
    return OracleEnvelope(rlp.decode_int(time_ms, 8), decoded, *_signature(r, s, v))


def encode_oracle(envelope: OracleEnvelope) -> bytes:
    pairs = [list(pair) for pair in envelope.prices]
    return bytes((ORACLE_TYPE,)) + rlp.encode([envelope.time_ms, pairs, envelope.r, envelope.s, envelope.v])


def _fields(raw: bytes, count: int) -> list[rlp.Item]:
    if len(raw) > ACTION_BYTES_MAX:
        raise LimitExceeded("action too large", have=len(raw), most=ACTION_BYTES_MAX)
    return rlp.decode_list(rlp.decode(raw[1:]), count)


def _decode_l1(fields: list[rlp.Item]) -> L1Envelope:
    action, nonce, vault, expires, source, r, s, v = fields
    return L1Envelope(
        action=rlp.decode_bytes(action),
        nonce=rlp.decode_int(nonce, 8),
        vault=rlp.decode_bytes(vault, 20) if vault != b"" else None,
        # Eight bytes as they are hashed: an absent expiry and an expiry of 0 are different digests.
        expires_after=int.from_bytes(rlp.decode_bytes(expires, 8), "big") if expires != b"" else None,
        source=_text(source),
        **_signature_fields(r, s, v),
    )


def _decode_user(fields: list[rlp.Item]) -> UserEnvelope:
    name, values, chain_id, r, s, v = fields
    return UserEnvelope(
        type_name=_text(name),
        values=tuple([rlp.decode_bytes(value) for value in rlp.decode_list(values)]),
        signature_chain_id=rlp.decode_int(chain_id, 8),
        **_signature_fields(r, s, v),
    )


def _price(pair: rlp.Item) -> tuple[int, int]:
    market, price = rlp.decode_list(pair, 2)
    value = rlp.decode_int(price, 8)
    if not 0 < value < 2**63:
        raise DecodeError("oracle: price out of range")
    return rlp.decode_int(market, 4), value


def _signature(r: rlp.Item, s: rlp.Item, v: rlp.Item) -> tuple[int, int, int]:
    return rlp.decode_int(r, 32), rlp.decode_int(s, 32), rlp.decode_int(v, 1)


def _signature_fields(r: rlp.Item, s: rlp.Item, v: rlp.Item) -> dict[str, int]:
    return dict(zip("rsv", _signature(r, s, v), strict=True))


def _text(raw: rlp.Item) -> str:
    text = rlp.decode_bytes(raw)
    if len(text) > 64:
        raise DecodeError("name too long", have=len(text))
    try:
        return text.decode("ascii")
    except UnicodeDecodeError as error:
        raise DecodeError("name is not ASCII") from error
