"""Readers of JSON-RPC parameters: strict, with the messages of geth where clients show them."""

from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.parse import parse_address, parse_bytes, parse_hash, parse_quantity
from coinone.base.primitives.types import ZERO_ADDRESS, Address, Hash32
from coinone.interfaces.api.ethereum.errors import RpcError, invalid_params
from coinone.interfaces.api.limits import CALL_GAS_MAX
from coinone.rules.chain.ethereum.call import CallRequest
from coinone.rules.chain.ethereum.transaction import AccessList, Authorization

LATEST = "latest"
PENDING = "pending"
NEWEST = frozenset({LATEST, "safe", "finalized"})  # tags of the newest block
_TAGS = NEWEST | {PENDING, "earliest"}
_TOPICS_MAX = 4
_ADDRESSES_MAX = 1000
_ALTERNATIVES_MAX = 1000
_ENTRIES_MAX = 1000  # of an access list, or of a list of authorizations
_U64_MAX = 2**64 - 1


@dataclass(frozen=True, slots=True)
class BlockId:
    """A block by tag, number or hash: exactly one is set."""

    tag: str | None = None
    number: int | None = None
    hash: Hash32 | None = None


def block_id(value: Any) -> BlockId:
    """A block parameter; absent means latest. EIP-1898's object form is read too."""
    if value is None:
        return BlockId(tag=LATEST)
    if isinstance(value, dict):
        return _block_object(value)
    if isinstance(value, str) and value in _TAGS:
        return BlockId(tag=value)
    if isinstance(value, str) and len(value) == 66:
        return BlockId(hash=parse_hash(value))
    return BlockId(number=parse_quantity(value, _U64_MAX))


def _block_object(value: dict[str, Any]) -> BlockId:
    by_hash, by_number = value.get("blockHash"), value.get("blockNumber")
    if (by_hash is None) == (by_number is None):
        raise invalid_params("cannot specify both BlockHash and BlockNumber, choose one or the other")
    if by_hash is not None:
        return BlockId(hash=parse_hash(by_hash))
    return block_id(by_number)


def storage_slot(value: Any) -> int:
    """A storage position: a quantity, or up to 32 bytes of hex as many clients send it."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise invalid_params("storage key must be hex with 0x")
    digits = value[2:]
    if len(digits) > 64:
        raise invalid_params(f'storage key too long (want at most 32 bytes): "{value[:80]}"')
    try:
        return int.from_bytes(parse_bytes("0x" + digits.rjust(64, "0"), 32), "big")
    except DecodeError as error:
        raise invalid_params("storage key is not hex") from error


_CALL_FIELDS = frozenset(
    {
        "from", "to", "data", "input", "value", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas",
        "nonce", "type", "chainId", "accessList", "authorizationList",
    }
)  # fmt: skip


def call_request(value: Any) -> CallRequest:
    """Read a transaction object; without a gas limit, it has as much as allowed. Raises RpcError, DecodeError."""
    if not isinstance(value, dict):
        raise invalid_params("transaction must be an object")
    for name in value:
        if name not in _CALL_FIELDS:
            raise invalid_params(f"unknown field {name[:32]}")
    data, given = value.get("data"), value.get("input")
    if data is not None and given is not None and data != given:
        raise invalid_params(
            'both "data" and "input" are set and not equal. Please use "input" to pass call data'
        )
    gas, price = _optional(value, "gas"), _optional(value, "gasPrice")
    most = _optional(value, "maxFeePerGas")
    if price is not None and most is not None:
        raise invalid_params("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    for name in ("maxPriorityFeePerGas", "nonce"):  # they change nothing here, but must be well formed
        _optional(value, name, _U64_MAX if name == "nonce" else 2**256 - 1)
    return CallRequest(
        caller=ZERO_ADDRESS if value.get("from") is None else parse_address(value["from"]),
        to=None if value.get("to") in (None, "", "0x") else parse_address(value["to"]),
        data=parse_bytes(given if given is not None else data) if (given or data) is not None else b"",
        value=_optional(value, "value") or 0,
        gas=min(gas or CALL_GAS_MAX, CALL_GAS_MAX),
        gas_price=(price if price is not None else most) or 0,
        access_list=_access_list(value.get("accessList")),
        authorizations=_authorizations(value.get("authorizationList")),
    )


def _access_list(value: Any) -> AccessList:
    return tuple(
        (
            parse_address(_field(entry, "address")),
            tuple(int.from_bytes(parse_hash(key), "big") for key in _list(entry.get("storageKeys"))),
        )
        for entry in _list(value)
    )


def _authorizations(value: Any) -> tuple[Authorization, ...]:
    return tuple(
        Authorization(
            chain_id=parse_quantity(_field(entry, "chainId")),
            address=parse_address(_field(entry, "address")),
            nonce=parse_quantity(_field(entry, "nonce"), _U64_MAX),
            v=parse_quantity(entry.get("yParity", entry.get("v")), 255),
            r=parse_quantity(_field(entry, "r")),
            s=parse_quantity(_field(entry, "s")),
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
    return None if given is None else parse_quantity(given, most)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What eth_getLogs asks for. An empty set of addresses, or of a topic, matches all."""

    start: BlockId
    end: BlockId
    block_hash: Hash32 | None
    addresses: frozenset[Address]
    topics: tuple[frozenset[Hash32], ...]

    def matches(self, address: Address, topics: tuple[Hash32, ...]) -> bool:
        if self.addresses and address not in self.addresses:
            return False
        if len(self.topics) > len(topics):
            return False
        return all(not wanted or topic in wanted for wanted, topic in zip(self.topics, topics, strict=False))


def log_filter(value: Any) -> LogFilter:
    """Read a filter object. Raises RpcError, DecodeError."""
    if not isinstance(value, dict):
        raise invalid_params("filter must be an object")
    block_hash = value.get("blockHash")
    if block_hash is not None and (value.get("fromBlock") is not None or value.get("toBlock") is not None):
        raise invalid_params(
            "invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other"
        )
    return LogFilter(
        start=block_id(value.get("fromBlock")),
        end=block_id(value.get("toBlock")),
        block_hash=None if block_hash is None else parse_hash(block_hash),
        addresses=_addresses(value.get("address")),
        topics=_topics(value.get("topics")),
    )


def _addresses(value: Any) -> frozenset[Address]:
    if value is None:
        return frozenset()
    items = value if isinstance(value, list) else [value]
    if len(items) > _ADDRESSES_MAX:
        raise invalid_params(f"too many addresses (most {_ADDRESSES_MAX})")
    return frozenset(parse_address(item) for item in items)


def _topics(value: Any) -> tuple[frozenset[Hash32], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _TOPICS_MAX:
        raise invalid_params("exceed max topics")
    return tuple(_topic(item) for item in value)


def _topic(value: Any) -> frozenset[Hash32]:
    if value is None:
        return frozenset()
    items = value if isinstance(value, list) else [value]
    if len(items) > _ALTERNATIVES_MAX:
        raise invalid_params(f"too many alternatives of a topic (most {_ALTERNATIVES_MAX})")
    if any(item is None for item in items):
        return frozenset()  # null among the alternatives matches anything
    return frozenset(parse_hash(item) for item in items)


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid_params("true or false expected")
    return value


def small_integer(value: Any, most: int) -> int:
    """A count that clients send as a quantity or as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value <= most:
            return value
    elif isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        if int(value) <= most:
            return int(value)
    else:
        return parse_quantity(value, most)
    raise RpcError(-32602, f"number too large (most {most})")
