"""The filter object of eth_getLogs, eth_newFilter and the logs subscription, read as geth does."""

from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.api.ethereum.json.errors import SERVER_ERROR, RpcError, invalid_params
from coinone.interfaces.api.ethereum.json.hexes import read_address, read_hash
from coinone.interfaces.api.ethereum.json.params import PENDING, BlockId, block_id

_TOPICS_MAX = 4
_ADDRESSES_MAX = 1000
_ALTERNATIVES_MAX = 1000


@dataclass(frozen=True, slots=True)
class LogFilter:
    """The criteria of eth_getLogs. An empty set of addresses, or of a topic, matches all."""

    start: BlockId
    end: BlockId
    block_hash: Hash32 | None
    addresses: frozenset[Address]
    topics: tuple[frozenset[Hash32], ...]

    @property
    def size(self) -> int:
        """The number of addresses and topics."""
        return len(self.addresses) + sum(map(len, self.topics))

    @property
    def entries(self) -> int:
        """The size that a subscription counts as: at least one."""
        return max(self.size, 1)

    def covers(self, number: int) -> bool:
        """Whether a new block is within the bounds; tags are no bounds."""
        if self.block_hash is not None:  # a block that exists already
            return False
        first, last = self.start.number, self.end.number
        return (first is None or first <= number) and (last is None or number <= last)

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
    start, end = block_id(value.get("fromBlock")), block_id(value.get("toBlock"))
    if PENDING in (start.tag, end.tag):
        raise RpcError(SERVER_ERROR, "pending logs are not supported")
    if start.hash is not None or end.hash is not None:
        raise invalid_params("fromBlock and toBlock are numbers or tags: blockHash takes a hash")
    return LogFilter(
        start=start,
        end=end,
        block_hash=None if block_hash is None else read_hash(block_hash),
        addresses=_addresses(value.get("address")),
        topics=_topics(value.get("topics")),
    )


def _addresses(value: Any) -> frozenset[Address]:
    if value is None:
        return frozenset()
    items = value if isinstance(value, list) else [value]
    if len(items) > _ADDRESSES_MAX:
        raise invalid_params(f"too many addresses (most {_ADDRESSES_MAX})")
    return frozenset(read_address(item) for item in items)


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
    return frozenset(read_hash(item) for item in items)
