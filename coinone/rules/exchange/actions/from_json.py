"""Convert bodies of POST /exchange to transactions.

JSON does not contain the phantom-agent source that a client signed, so an L1 action yields one candidate for each
source the network knows; the right one is the one whose signer exists. Packing the parsed JSON again in its own key
order gives the signed bytes of every known client; a null was not signed and is left out. A relay can refuse an action
here, never forge one.
"""

import re
from typing import Any

import msgspec

from coinone.base.forms.domains import FOREIGN_SOURCES, own_source
from coinone.base.forms.user_signed import BY_JSON, UserSigned, encode_value
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.parse import parse_address
from coinone.rules.exchange.actions.decode import check_items, known
from coinone.rules.exchange.wire.fast_decode import decode_operations
from coinone.rules.exchange.wire.msgpack import pack
from coinone.rules.exchange.wire.types import ActionEnvelope, DomainRules, L1Envelope, UserEnvelope

_SCALAR = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
_CHAIN_ID = re.compile(r"0x[0-9a-fA-F]{1,16}", re.ASCII)
_BODY = ("action", "nonce", "signature", "vaultAddress", "expiresAfter", "isFrontend")


def envelopes_from_json(body: object, rules: DomainRules) -> list[ActionEnvelope]:
    """The candidates for a request body, the likeliest first. Raises DecodeError."""
    request = _object(body, "body")
    for name in request:
        if name not in _BODY:
            raise DecodeError("unknown field", name=name)
    action = _object(request.get("action"), "action")
    nonce = _u64(request.get("nonce"), "nonce")
    r, s, v = _signature(_object(request.get("signature"), "signature"))
    signed = BY_JSON.get(str(action.get("type")))
    if signed is not None:
        _refuse_unsigned(request)
        return [_user_envelope(signed, action, nonce, r, s, v)]
    known(action.get("type"))
    check_items(action)
    vault, expires = request.get("vaultAddress"), request.get("expiresAfter")
    packed = packed_quickly(action) or pack(action)
    return [
        L1Envelope(
            action=packed,
            nonce=nonce,
            vault=None if vault is None else parse_address(vault),
            expires_after=None if expires is None else _u64(expires, "expiresAfter"),
            source=source,
            r=r,
            s=s,
            v=v,
        )
        for source in (own_source(rules.chain_id), *FOREIGN_SOURCES)
    ]


_pack_quickly = msgspec.msgpack.Encoder().encode


def packed_quickly(action: object) -> bytes | None:
    """Pack a common action like `pack`; None for any other.

    The library is forty times as fast but accepts other types and encodings; if the fast decoder accepts its bytes,
    they are in the canonical encoding.
    """
    try:
        packed = _pack_quickly(action)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if decode_operations(packed) is None else packed


def _refuse_unsigned(request: dict[str, Any]) -> None:
    """Refuse fields that would change the meaning of a user-signed action but are not part of what is signed."""
    for name in ("vaultAddress", "expiresAfter"):
        if request.get(name) is not None:
            raise DecodeError(
                f"{name} is not signed with an action of this kind, so it cannot count: leave it out"
            )


def _user_envelope(
    signed: UserSigned, action: dict[str, Any], nonce: int, r: int, s: int, v: int
) -> UserEnvelope:
    given = {name: value for name, value in action.items() if value is not None}
    if (
        signed.name == "ApproveAgent"
    ):  # the SDK signs an unnamed agent as agentName "" and then deletes the key
        given.setdefault("agentName", "")
    expected = {"type", "signatureChainId"}.union(name for _, name in signed.fields)
    if len(given) != len(expected) or any(name not in expected for name in given):
        raise DecodeError("signed fields are not those of the type", type=signed.json_type)
    values = tuple([_value(kind, given[name]) for kind, name in signed.fields])
    if nonce != given[signed.moment]:
        raise DecodeError("nonce differs from the signed one")
    chain_id = given["signatureChainId"]
    if not isinstance(chain_id, str) or not _CHAIN_ID.fullmatch(chain_id):
        raise DecodeError("signatureChainId must be hex")
    return UserEnvelope(signed.name, values, int(chain_id, 16), r, s, v)


def _value(kind: str, value: object) -> bytes:
    if kind == "address":
        return parse_address(value)
    if kind == "uint64":
        return encode_value(kind, _u64(value, "integer"))
    if type(value) is not {"string": str, "bool": bool}[kind]:
        raise DecodeError("signed field has the wrong type", want=kind)
    assert isinstance(value, (str, bool))
    return encode_value(kind, value)


def _signature(fields: dict[str, Any]) -> tuple[int, int, int]:
    if len(fields) != 3:
        raise DecodeError("signature must be r, s, v")
    v = fields.get("v")
    if type(v) is not int or v not in (27, 28):
        raise DecodeError("signature: v is neither 27 nor 28")
    return _scalar(fields.get("r")), _scalar(fields.get("s")), v


def _scalar(text: object) -> int:
    if not isinstance(text, str) or not _SCALAR.fullmatch(text):
        raise DecodeError("signature: r and s are hex of at most 32 bytes")
    return int(text, 16)


def _u64(value: object, name: str) -> int:
    if type(value) is not int or not 0 <= value <= U64_MAX:
        raise DecodeError("unsigned 64-bit integer expected", name=name)
    return value


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DecodeError("object expected", name=name)
    return value
