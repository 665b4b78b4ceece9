"""What exactly is signed: Hyperliquid's two schemes over EIP-712, with room for our own domain and `LeaveAgency`.

L1 actions sign a "phantom agent": keccak of the msgpack bytes, nonce, vault and expiry, wrapped with a
source string. User-signed actions sign their fields under a fixed list per type. Nothing in either names
our chain unless the source or `hyperliquidChain` does, which is why domain.py decides whom to believe.
(https://eips.ethereum.org/EIPS/eip-712; hyperliquid-python-sdk, utils/signing.py)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, NotSupported
from coinone.base.primitives.parameters import USER_TEXT_MAX
from coinone.base.primitives.types import Address, Hash32

_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_EXCHANGE_CHAIN_ID = 1337  # of the phantom agent's domain, whatever the network


@dataclass(frozen=True, slots=True)
class SignedType:
    """A user-signed action: its name, its signed fields in order, and how JSON calls it."""

    name: str
    json_type: str
    fields: tuple[tuple[str, str], ...]  # (name, EIP-712 type)

    @property
    def type_hash(self) -> Hash32:
        inner = ",".join(f"{kind} {name}" for name, kind in self.fields)
        return keccak256(f"HyperliquidTransaction:{self.name}({inner})".encode())


def _signed(name: str, json_type: str, fields: str) -> SignedType:
    pairs = [field.split(" ") for field in ["string hyperliquidChain", *fields.split(",")]]
    return SignedType(name, json_type, tuple((label, kind) for kind, label in pairs))


SIGNED_TYPES: dict[str, SignedType] = {
    signed.name: signed
    for signed in (
        _signed("UsdSend", "usdSend", "string destination,string amount,uint64 time"),
        _signed("SpotSend", "spotSend", "string destination,string token,string amount,uint64 time"),
        _signed(
            "SendAsset",
            "sendAsset",
            "string destination,string sourceDex,string destinationDex,string token,string amount,"
            "string fromSubAccount,uint64 nonce",
        ),
        _signed("UsdClassTransfer", "usdClassTransfer", "string amount,bool toPerp,uint64 nonce"),
        _signed("ApproveAgent", "approveAgent", "address agentAddress,string agentName,uint64 nonce"),
        _signed("LeaveAgency", "leaveAgency", "uint64 nonce"),
        _signed("ApproveBuilderFee", "approveBuilderFee", "string maxFeeRate,address builder,uint64 nonce"),
    )
}
SIGNED_BY_JSON: dict[str, SignedType] = {signed.json_type: signed for signed in SIGNED_TYPES.values()}
_TYPE_HASHES: dict[str, Hash32] = {name: signed.type_hash for name, signed in SIGNED_TYPES.items()}


def signed_type(name: str) -> SignedType:
    found = SIGNED_TYPES.get(name)
    if found is None:
        raise NotSupported("user-signed action type not supported", type=name)
    return found


def l1_digest(
    action: bytes, nonce: int, vault: Address | None, expires_after: int | None, source: str
) -> Hash32:
    """The digest that a wallet signs for the msgpack bytes `action`."""
    tail = b"\x00" if vault is None else b"\x01" + vault
    if expires_after is not None:
        tail += b"\x00" + expires_after.to_bytes(8, "big")
    connection_id = keccak256(action + nonce.to_bytes(8, "big") + tail)
    agent = keccak256(_AGENT_TYPE_HASH + keccak256(source.encode()) + connection_id)
    return keccak256(b"\x19\x01" + _EXCHANGE_DOMAIN + agent)


def user_digest(type_name: str, values: Sequence[bytes], signature_chain_id: int) -> Hash32:
    """The digest of a user-signed action from its canonical field values."""
    fields = signed_type(type_name).fields
    if len(values) != len(fields):
        raise DecodeError("wrong number of signed fields", want=len(fields), have=len(values))
    words = [_word(kind, value) for (_, kind), value in zip(fields, values, strict=True)]
    struct = keccak256(_TYPE_HASHES[type_name] + b"".join(words))
    return keccak256(b"\x19\x01" + _user_domain(signature_chain_id) + struct)


def decode_value(kind: str, raw: bytes) -> str | int | bool | bytes:
    """A field's value from its canonical bytes; one spelling per value. Raises DecodeError."""
    if kind == "string":
        return _decode_text(raw)
    if kind == "address":
        return rlp.decode_bytes(raw, 20)
    number = rlp.decode_int(raw, 8)
    if kind == "uint64":
        return number
    if number > 1:
        raise DecodeError("signed field: not a bool")
    return number == 1


def encode_value(kind: str, value: str | int | bool | bytes) -> bytes:
    """The canonical bytes of a field's value."""
    if kind == "string":
        assert isinstance(value, str)
        return value.encode()
    if kind == "address":
        assert isinstance(value, bytes)
        return value
    assert isinstance(value, int)
    return rlp.encode_int(int(value))


def _decode_text(raw: bytes) -> str:
    if len(raw) > USER_TEXT_MAX:
        raise DecodeError("signed text too long", most=USER_TEXT_MAX)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("signed text is not UTF-8") from error


def _word(kind: str, raw: bytes) -> bytes:
    decode_value(kind, raw)
    return keccak256(raw) if kind == "string" else raw.rjust(32, b"\x00")


def _domain(name: bytes, chain_id: int) -> Hash32:
    words = keccak256(name) + keccak256(b"1") + chain_id.to_bytes(32, "big") + bytes(32)
    return keccak256(keccak256(_DOMAIN_TYPE) + words)


@lru_cache(maxsize=64)  # bounded: an attacker may sign under any chain id
def _user_domain(chain_id: int) -> Hash32:
    return _domain(b"HyperliquidSignTransaction", chain_id)


_AGENT_TYPE_HASH = keccak256(b"Agent(string source,bytes32 connectionId)")
_EXCHANGE_DOMAIN = _domain(b"Exchange", _EXCHANGE_CHAIN_ID)
