"""Field lists of user-signed actions: what moves funds or grants power is signed field by field, for a wallet to show.

The lists are Hyperliquid's (hyperliquid-python-sdk, utils/signing.py) and our `leaveAgency`; the order of the fields
is part of the hash. In a transaction each value has one canonical spelling as bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.forms.eip712 import StructType
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, NotSupported
from coinone.base.primitives.parameters import USER_TEXT_MAX

Value: TypeAlias = str | int | bool | bytes


@dataclass(frozen=True, slots=True)
class UserSigned:
    """A user-signed action: its name in transactions and in JSON, and what is signed."""

    name: str
    json_type: str
    struct: StructType

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """(EIP-712 type, name), in the order in which they are hashed."""
        return self.struct.fields

    @property
    def moment(self) -> str:
        """The field that holds the nonce."""
        return self.fields[-1][1]

    def encode(self, values: Mapping[str, Value]) -> tuple[bytes, ...]:
        """The canonical bytes of each field."""
        return tuple([encode_value(kind, values[name]) for kind, name in self.fields])

    def decode(self, values: Sequence[bytes]) -> dict[str, Value]:
        """Raises DecodeError."""
        if len(values) != len(self.fields):
            raise DecodeError("wrong number of signed fields", want=len(self.fields), have=len(values))
        pairs = zip(self.fields, values, strict=True)
        return {name: decode_value(kind, raw) for (kind, name), raw in pairs}


def _form(name: str, json_type: str, *fields: str) -> UserSigned:
    pairs = [field.split(" ") for field in ("string hyperliquidChain", *fields)]
    struct = StructType(f"HyperliquidTransaction:{name}", tuple((kind, label) for kind, label in pairs))
    return UserSigned(name, json_type, struct)


USER_SIGNED = (
    _form("UsdSend", "usdSend", "string destination", "string amount", "uint64 time"),
    _form("SpotSend", "spotSend", "string destination", "string token", "string amount", "uint64 time"),
    _form(
        "SendAsset", "sendAsset", "string destination", "string sourceDex", "string destinationDex", "string token",
        "string amount", "string fromSubAccount", "uint64 nonce",
    ),
    _form("UsdClassTransfer", "usdClassTransfer", "string amount", "bool toPerp", "uint64 nonce"),
    _form("ApproveAgent", "approveAgent", "address agentAddress", "string agentName", "uint64 nonce"),
    _form("LeaveAgency", "leaveAgency", "uint64 nonce"),
    _form("ApproveBuilderFee", "approveBuilderFee", "string maxFeeRate", "address builder", "uint64 nonce"),
)  # fmt: skip
BY_NAME: dict[str, UserSigned] = {form.name: form for form in USER_SIGNED}
BY_JSON: dict[str, UserSigned] = {form.json_type: form for form in USER_SIGNED}


def user_signed(name: str) -> UserSigned:
    """Raises NotSupported."""
    found = BY_NAME.get(name)
    if found is None:
        raise NotSupported("user-signed action type not supported", type=name)
    return found


def decode_value(kind: str, raw: bytes) -> Value:
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


def encode_value(kind: str, value: Value) -> bytes:
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
