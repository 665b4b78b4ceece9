"""What peers say to each other. A payload is one byte of kind and an RLP list.

Batches and blocks travel in their final encoding (`CertifiedBatch.encode`, `Block.encode`): what is relayed,
logged and hashed are the same bytes.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import TypeAlias

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.protocols.relay.limits import GOODBYE_TEXT_MAX, MESSAGE_ITEMS_MAX, RANGE_ITEMS_MAX

PROTOCOL_VERSION = 2  # of these messages; a peer that says another in its hello is let go


@dataclass(frozen=True, slots=True)
class Hello:
    """First message of both sides: whether they are on one chain, and how far each is.

    The genesis goes along whole (it is small): a node that joins a network for the first time takes it from the
    peer its operator named.
    """

    version: int
    chain_id: int
    genesis: bytes
    seq: int
    number: int


@dataclass(frozen=True, slots=True)
class BatchPush:
    raw: bytes


@dataclass(frozen=True, slots=True)
class BlockPush:
    raw: bytes


@dataclass(frozen=True, slots=True)
class GetBatches:
    """Certified batches from `first` on, `count` at most."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class GetBlocks:
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Batches:
    """Answer to GetBatches: as many as fit a frame; none means that the peer does not have `first`."""

    first: int
    items: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    first: int
    items: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? Also says how far this node is: a push may have been lost, and a quiet chain makes no
    other."""

    seq: int
    number: int


@dataclass(frozen=True, slots=True)
class Pong:
    seq: int
    number: int


@dataclass(frozen=True, slots=True)
class Goodbye:
    reason: str


Message: TypeAlias = (
    Hello | BatchPush | BlockPush | GetBatches | GetBlocks | Batches | Blocks | Ping | Pong | Goodbye
)
Range: TypeAlias = GetBatches | GetBlocks
Items: TypeAlias = BatchPush | BlockPush | Batches | Blocks

_KINDS: tuple[type[Message], ...] = (
    Hello, BatchPush, BlockPush, GetBatches, GetBlocks, Batches, Blocks, Ping, Pong, Goodbye,
)  # fmt: skip


def encode_message(message: Message) -> bytes:
    """The payload of a frame."""
    fields = [value.encode() if isinstance(value, str) else value for value in astuple(message)]
    return bytes((_KINDS.index(type(message)),)) + rlp.encode(fields)


def decode_message(payload: bytes) -> Message:
    """Raises DecodeError, or LimitExceeded."""
    if not payload or payload[0] >= len(_KINDS):
        raise DecodeError("unknown kind of message", have=payload[:1])
    kind = _KINDS[payload[0]]
    rlp.check_items(payload[1:], MESSAGE_ITEMS_MAX)
    fields = rlp.decode_list(rlp.decode(payload[1:]), len(kind.__slots__))
    return _READERS[kind](fields)


def _hello(fields: list[rlp.Item]) -> Hello:
    version, chain_id = rlp.decode_int(fields[0], 2), rlp.decode_int(fields[1], 8)
    genesis = rlp.decode_bytes(fields[2])
    return Hello(version, chain_id, genesis, rlp.decode_int(fields[3], 8), rlp.decode_int(fields[4], 8))


def _range(fields: list[rlp.Item]) -> tuple[int, int]:
    first, count = rlp.decode_int(fields[0], 8), rlp.decode_int(fields[1], 4)
    if not 0 < count <= RANGE_ITEMS_MAX:
        raise DecodeError("range out of bounds", have=count, most=RANGE_ITEMS_MAX)
    return first, count


def _items(fields: list[rlp.Item]) -> tuple[int, tuple[bytes, ...]]:
    items = rlp.decode_list(fields[1])
    if len(items) > RANGE_ITEMS_MAX:
        raise DecodeError("answer out of bounds", have=len(items), most=RANGE_ITEMS_MAX)
    return rlp.decode_int(fields[0], 8), tuple(rlp.decode_bytes(item) for item in items)


def _text(fields: list[rlp.Item]) -> str:
    """A stranger's words: cut, and only printable ASCII survives."""
    data = rlp.decode_bytes(fields[0])[:GOODBYE_TEXT_MAX]
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in data)


_READERS: dict[type[Message], Callable[[list[rlp.Item]], Message]] = {
    Hello: _hello,
    BatchPush: lambda fields: BatchPush(rlp.decode_bytes(fields[0])),
    BlockPush: lambda fields: BlockPush(rlp.decode_bytes(fields[0])),
    GetBatches: lambda fields: GetBatches(*_range(fields)),
    GetBlocks: lambda fields: GetBlocks(*_range(fields)),
    Batches: lambda fields: Batches(*_items(fields)),
    Blocks: lambda fields: Blocks(*_items(fields)),
    Ping: lambda fields: Ping(*(rlp.decode_int(item, 8) for item in fields)),
    Pong: lambda fields: Pong(*(rlp.decode_int(item, 8) for item in fields)),
    Goodbye: lambda fields: Goodbye(_text(fields)),
}
