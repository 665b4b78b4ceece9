"""Read JSON-RPC parameters: strictly, with geth's messages where clients show them."""

from dataclasses import dataclass
from typing import Any

from coinone.base.forms.ethereum import AccessList, Authorization
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.types import ZERO_ADDRESS, Hash32
from coinone.interfaces.api.ethereum.json.errors import SERVER_ERROR, RpcError, invalid_params
from coinone.interfaces.api.ethereum.json.hexes import (
    read_address,
    read_bytes,
    read_hash,
    read_number,
    read_quantity,
)
from coinone.interfaces.api.limits import CALL_GAS_MAX
from coinone.rules.chain.ethereum.trial_fees import CallRequest

LATEST = "latest"
PENDING = "pending"
NEWEST = frozenset({LATEST, "safe", "finalized"})  # tags of the newest block
_TAGS = NEWEST | {PENDING, "earliest"}
_ENTRIES_MAX = 1000  # of an access list, or of a list of authorizations


@dataclass(frozen=True, slots=True)
class BlockId:
    """A block by tag, number or hash: exactly one is set."""

    tag: str | None = None
    number: int | None = None
    hash: Hash32 | None = None


def block_id(value: Any) -> BlockId:
    """Read a block parameter; absent means latest. EIP-1898's object form is accepted, too."""
    if value is None:
        return BlockId(tag=LATEST)
    if isinstance(value, dict):
        return _block_object(value)
    if isinstance(value, str) and value in _TAGS:
        return BlockId(tag=value)
    if isinstance(value, str) and len(value) == 66:
        return BlockId(hash=read_hash(value))
    return BlockId(number=read_number(value))


def required_block(value: Any) -> BlockId:
    """Read a block parameter that has no default in geth: null is refused."""
    if value is None:
        raise invalid_params("missing value for required argument: a block's number, hash or tag")
    return block_id(value)


def _block_object(value: dict[str, Any]) -> BlockId:
    by_hash, by_number = value.get("blockHash"), value.get("blockNumber")
    if by_hash is not None and by_number is not None:
        raise invalid_params("cannot specify both BlockHash and BlockNumber, choose one or the other")
    if by_hash is None and by_number is None:
        raise invalid_params("invalid arguments; neither block nor hash specified")
    if by_hash is not None:
        return BlockId(hash=read_hash(by_hash))
    return block_id(by_number)


def storage_slot(value: Any) -> int:
    """Read a storage position: up to 32 bytes of hex, with or without 0x and leading zeros, as in geth."""
    if not isinstance(value, str):
        raise invalid_params("storage key must be hex")
    digits = value[2:] if value[:2] in ("0x", "0X") else value
    if len(digits) > 64:
        raise invalid_params(f'storage key too long (want at most 32 bytes): "{value[:80]}"')
    try:
        return int.from_bytes(read_bytes("0x" + digits.rjust(64, "0"), 32), "big")
    except DecodeError as error:
        raise invalid_params("storage key is not hex") from error


def storage_key_shown(value: str, slot: int) -> str:
    """A key in the answer of eth_getProof that `storage_slot` read as `slot`: unchanged if it had 32 bytes, a
    shorter one as a quantity."""
    digits = value[2:] if value[:2] in ("0x", "0X") else value
    return f"0x{slot:064x}" if len(digits) > 62 else hex(slot)


def call_request(value: Any, chain_id: int) -> CallRequest:
    """Read a transaction object; without a gas limit, it gets the maximum. Unknown fields are ignored, as in geth:
    libraries add some from time to time. Raises RpcError, DecodeError."""
    if not isinstance(value, dict):
        raise invalid_params("transaction must be an object")
    _check_chain(value, chain_id)
    _optional(value, "nonce", U64_MAX)  # has no effect here, but must be well formed
    gas = _optional(value, "gas", U64_MAX)
    fee_cap, tip_cap = fees(value)
    return CallRequest(
        caller=ZERO_ADDRESS if value.get("from") is None else read_address(value["from"]),
        to=None if value.get("to") is None else read_address(value["to"]),
        data=call_data(value),
        value=_optional(value, "value") or 0,
        gas=CALL_GAS_MAX if gas is None else min(gas, CALL_GAS_MAX),
        fee_cap=fee_cap or 0,
        tip_cap=tip_cap or 0,
        access_list=_access_list(value.get("accessList")),
        authorizations=_authorizations(value.get("authorizationList")),
        blob_hashes=tuple(read_hash(name) for name in _list(value.get("blobVersionedHashes"))),
        blob_fee_cap=_optional(value, "maxFeePerBlobGas") or 0,
    )


def call_data(value: dict[str, Any]) -> bytes:
    """The data of a transaction object: `input`, or `data` as older clients call it."""
    data, given = value.get("data"), value.get("input")
    if data is not None and given is not None and read_bytes(data) != read_bytes(given):
        raise invalid_params(
            'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data'
        )
    found = data if given is None else given
    return b"" if found is None else read_bytes(found)


def fees(value: dict[str, Any]) -> tuple[int | None, int | None]:
    """The maximum price of a unit of gas and the maximum tip, in wei; both equal a plain gas price."""
    price = _optional(value, "gasPrice")
    cap, tip = _optional(value, "maxFeePerGas"), _optional(value, "maxPriorityFeePerGas")
    if price is not None and (cap is not None or tip is not None):
        raise RpcError(SERVER_ERROR, "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    return (cap, tip) if price is None else (price, price)


def _check_chain(value: dict[str, Any], chain_id: int) -> None:
    named = _optional(value, "chainId")
    if named is not None and named != chain_id:
        raise RpcError(SERVER_ERROR, f"chainId does not match node's (have={named}, want={chain_id})")


def _access_list(value: Any) -> AccessList:
    return tuple(
        (
            read_address(_field(entry, "address")),
            tuple(int.from_bytes(read_hash(key), "big") for key in _list(entry.get("storageKeys"))),
        )
        for entry in _list(value)
    )


def _authorizations(value: Any) -> tuple[Authorization, ...] | None:
    """Read authorizations; None if no list is given: an empty one is a different transaction, which may be invalid."""
    if value is None:
        return None
    return tuple(
        Authorization(
            chain_id=read_quantity(_field(entry, "chainId")),
            address=read_address(_field(entry, "address")),
            nonce=read_quantity(_field(entry, "nonce"), U64_MAX),
            v=read_quantity(entry.get("yParity", entry.get("v")), 255),
            r=read_quantity(_field(entry, "r")),
            s=read_quantity(_field(entry, "s")),
        )
        for entry in _list(value)
    )


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _ENTRIES_MAX:
        raise invalid_params(f"a list of at most {_ENTRIES_MAX} entries expected")
    return value


def _field(entry: Any, name: str) -> Any:
    if not isinstance(entry, dict):
        raise invalid_params("an entry must be an object")
    return entry.get(name)


def _optional(value: dict[str, Any], name: str, most: int = 2**256 - 1) -> int | None:
    given = value.get(name)
    return None if given is None else read_quantity(given, most)


def object_of(value: Any, what: str) -> dict[str, Any]:
    """Read an object; null is an empty one. Raises RpcError that names `what`."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_params(f"{what} must be an object")
    return value


def boolean(value: Any) -> bool:
    """Read a boolean; null is false, as in geth."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise invalid_params("true or false expected")
    return value


def small_integer(value: Any, most: int) -> int:
    """Read a count that clients send as a quantity or as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value <= most:
            return value
    elif isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        if int(value) <= most:
            return int(value)
    else:
        return read_quantity(value, most)
    raise RpcError(-32602, f"number too large (most {most})")
