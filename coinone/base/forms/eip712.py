"""EIP-712: hashing of typed data that a wallet can show to a person before signing.

Only flat structs (no nested types, no arrays): that is all that exchange actions use.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.types import ZERO_ADDRESS, Address, Hash32

Value: TypeAlias = int | bool | str | bytes


class StructType:
    """A struct's name and its fields as (type, name), in the order in which they are hashed."""

    def __init__(self, name: str, fields: tuple[tuple[str, str], ...]) -> None:
        for kind, _ in fields:
            assert _is_flat(kind), f"{kind} is not a flat type"
        self.name = name
        self.fields = fields

    def encode_type(self) -> str:
        return f"{self.name}({','.join(f'{kind} {name}' for kind, name in self.fields)})"

    @cached_property
    def type_hash(self) -> Hash32:
        return keccak256(self.encode_type().encode())

    def hash(self, values: Mapping[str, Value]) -> Hash32:
        """hashStruct. Raises InvalidInput on a value that does not fit its type."""
        return self.hash_words(*[_word(kind, name, values[name]) for kind, name in self.fields])

    def hash_words(self, *words: bytes) -> Hash32:
        """hashStruct of fields that are already encoded as 32 bytes each."""
        return keccak256(self.type_hash + b"".join(words))


def domain_separator(
    name: str, version: str, chain_id: int, verifying_contract: Address = ZERO_ADDRESS
) -> Hash32:
    return _DOMAIN.hash(
        {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifying_contract}
    )


def signing_digest(separator: Hash32, struct_hash: Hash32) -> Hash32:
    """The digest that the key signs: domain separator and struct hash."""
    return keccak256(b"\x19\x01" + separator + struct_hash)


def _is_flat(kind: str) -> bool:
    if kind in ("address", "bool", "string", "bytes"):
        return True
    for prefix, unit, most in (("uint", 8, 256), ("int", 8, 256), ("bytes", 1, 32)):
        size = kind.removeprefix(prefix)
        if size != kind and size.isdecimal():
            return 0 < int(size) <= most and int(size) % unit == 0
    return False


def _word(kind: str, name: str, value: Value) -> bytes:
    """One field as 32 bytes (encodeData)."""
    word = _encode(kind, value)
    if word is None:
        raise InvalidInput("typed data: a value does not fit its type", field=name, type=kind)
    return word


def _encode(kind: str, value: Value) -> bytes | None:
    if kind == "string":
        return keccak256(value.encode()) if isinstance(value, str) else None
    if kind == "bool":
        return int(value).to_bytes(32, "big") if isinstance(value, bool) else None
    if kind.startswith(("uint", "int")):
        return _integer(kind, value)
    if not isinstance(value, bytes):
        return None
    if kind == "bytes":
        return keccak256(value)
    if kind == "address":
        return value.rjust(32, b"\x00") if len(value) == 20 else None
    return value.ljust(32, b"\x00") if len(value) == int(kind.removeprefix("bytes")) else None


def _integer(kind: str, value: Value) -> bytes | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    signed = kind.startswith("int")
    bits = int(kind.removeprefix("int" if signed else "uint"))
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    return value.to_bytes(32, "big", signed=signed) if low <= value < high else None


_DOMAIN = StructType(
    "EIP712Domain",
    (("string", "name"), ("string", "version"), ("uint256", "chainId"), ("address", "verifyingContract")),
)
