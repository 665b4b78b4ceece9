"""The messages between peers. A payload is one byte of kind and a record.

Batches and blocks are sent in their final encoding: the bytes relayed, logged and hashed are the same.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from coinone.base.primitives import rlp
from coinone.base.primitives.codecs import Codec
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.records import Tagged, decode_field, record
from coinone.base.primitives.types import U16, U64, Between, Count, Signature65, Size
from coinone.protocols.relay.limits import (
    GOODBYE_TEXT_MAX,
    MEMBER_MESSAGE_BYTES_MAX,
    MESSAGE_ITEMS_MAX,
    RANGE_ITEMS_MAX,
)

PROTOCOL_VERSION = 7
"""Of the secure channel, these messages and the rules. Nodes whose rules differ may share a genesis, and would part at
a later batch or block: a peer with another version is refused at its preamble, and again at its hello."""


RangeCount: TypeAlias = Annotated[int, Between(1, RANGE_ITEMS_MAX)]
RawItems: TypeAlias = Annotated[tuple[bytes, ...], Count(RANGE_ITEMS_MAX)]


def _encode_text(text: str) -> bytes:
    return rlp.encode(text.encode())


def _decode_text(item: rlp.Item) -> str:
    """Decode text from a peer: truncated, and reduced to printable ASCII."""
    data = rlp.decode_bytes(item)[:GOODBYE_TEXT_MAX]
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in data)


@record
@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of both sides: chain, genesis, and head.

    The genesis is sent whole, since it is small: a node that joins a network for the first time takes it from the peer
    its operator named.
    """

    version: U16
    chain_id: U64
    genesis: bytes
    seq: U64
    number: U64


@record
@dataclass(frozen=True, slots=True)
class BatchPush:
    raw: bytes


@record
@dataclass(frozen=True, slots=True)
class BlockPush:
    raw: bytes


@record
@dataclass(frozen=True, slots=True)
class GetBatches:
    """A request for certified batches from `first` on, at most `count`."""

    first: U64
    count: RangeCount


@record
@dataclass(frozen=True, slots=True)
class GetBlocks:
    first: U64
    count: RangeCount


@record
@dataclass(frozen=True, slots=True)
class Batches:
    """The answer to GetBatches: as many as fit in a frame; none if the peer does not have `first`."""

    first: U64
    items: RawItems


@record
@dataclass(frozen=True, slots=True)
class Blocks:
    first: U64
    items: RawItems


@record
@dataclass(frozen=True, slots=True)
class Ping:
    """A liveness check that also reports this node's head: a push may have been lost, and a quiet chain sends no
    other."""

    seq: U64
    number: U64


@record
@dataclass(frozen=True, slots=True)
class Pong:
    seq: U64
    number: U64


@record
@dataclass(frozen=True, slots=True)
class Goodbye:
    reason: Annotated[str, Codec(_encode_text, _decode_text)]


@record
@dataclass(frozen=True, slots=True)
class Attestation:
    """A proof that the sender is this member of the federation, valid for this connection only (attestation.py)."""

    member: U16
    signature: Signature65


@record
@dataclass(frozen=True, slots=True)
class MemberMessage:
    """What one member says to another (protocols/member), not decoded here."""

    payload: Annotated[bytes, Size(1, MEMBER_MESSAGE_BYTES_MAX)]


Message: TypeAlias = (
    Hello
    | BatchPush
    | BlockPush
    | GetBatches
    | GetBlocks
    | Batches
    | Blocks
    | Ping
    | Pong
    | Goodbye
    | Attestation
    | MemberMessage
)
Range: TypeAlias = GetBatches | GetBlocks
Items: TypeAlias = BatchPush | BlockPush | Batches | Blocks

_KINDS = (
    Hello,
    BatchPush,
    BlockPush,
    GetBatches,
    GetBlocks,
    Batches,
    Blocks,
    Ping,
    Pong,
    Goodbye,
    Attestation,
    MemberMessage,
)
_HELLO = bytes((_KINDS.index(Hello),))
_MESSAGES: Tagged[Message] = Tagged(dict(enumerate(_KINDS)))


def encode_message(message: Message) -> bytes:
    """The payload of a frame."""
    return _MESSAGES.encode(message)


def decode_message(payload: bytes) -> Message:
    """Decode a payload. Raises DecodeError or LimitExceeded."""
    rlp.check_items(payload[1:], MESSAGE_ITEMS_MAX)
    if payload[:1] == _HELLO:
        _check_version(payload[1:])
    return _MESSAGES.decode(payload)


def _check_version(hello: bytes) -> None:
    """Refuse another version before the other fields are decoded, since its hello may have others. Raises
    DecodeError."""
    fields = list(rlp.parts(hello))
    if fields and (version := decode_field(Hello, fields, "version")) != PROTOCOL_VERSION:
        raise DecodeError("has other rules or messages", want=PROTOCOL_VERSION, have=version)
