"""Records: the results of an Ethereum transaction or a system call in its batch.

The place in a block (index, cumulative gas) is known only when a block includes the batch; so receipts are made from
records then (placed.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.records import decode, decode_field, encode, record
from coinone.base.primitives.types import U8, U64, U256, Address, Hash32, Trailing
from coinone.rules.ledger.log import Log

_LOGS = 10  # place of the logs in an encoded record
_FIELDS = (11, 12)  # with `post_state`, or without


@record
@dataclass(frozen=True)
class TransactionRecord:
    raw: bytes
    hash: Hash32
    type: U8
    sender: Address
    to: Address | None
    is_system: bool
    succeeded: bool
    gas_used: U64
    gas_price: U256  # effective
    contract_address: Address | None
    logs: tuple[Log, ...]
    post_state: Annotated[Hash32 | None, Trailing()] = None
    """The state root, which Ethereum's receipts before Byzantium had instead of a status."""

    @cached_property
    def encoded(self) -> bytes:
        """The encoding for the digest of its batch, and for the disk."""
        return encode(self)


def encode_records(records: Iterable[TransactionRecord]) -> bytes:
    """Encode all records of a block for the disk."""
    return rlp.encode([record.encoded for record in records])


def decode_records(data: bytes) -> tuple[TransactionRecord, ...]:
    """Decode records from the local disk. Raises DecodeError."""
    return tuple([decode(TransactionRecord, part) for part in split_records(data)])


def split_records(data: bytes) -> list[bytes]:
    """Split records into their encodings. Raises DecodeError."""
    return [rlp.decode_bytes(item) for item in rlp.decode_list(rlp.decode(data))]


class StoredRecord:
    """A record on the local disk whose fields are decoded on demand: it may have tens of thousands of logs.

    Its accessors raise DecodeError.
    """

    __slots__ = ("_parts",)

    def __init__(self, data: bytes) -> None:
        self._parts = list(rlp.parts(data))
        if len(self._parts) not in _FIELDS:
            raise DecodeError("record: wrong number of fields", have=len(self._parts))

    @property
    def raw(self) -> bytes:
        found: bytes = decode_field(TransactionRecord, self._parts, "raw")
        return found

    @property
    def hash(self) -> Hash32:
        found: Hash32 = decode_field(TransactionRecord, self._parts, "hash")
        return found

    @property
    def is_system(self) -> bool:
        found: bool = decode_field(TransactionRecord, self._parts, "is_system")
        return found

    @property
    def gas_used(self) -> int:
        found: int = decode_field(TransactionRecord, self._parts, "gas_used")
        return found

    @property
    def gas_price(self) -> int:
        found: int = decode_field(TransactionRecord, self._parts, "gas_price")
        return found

    def without_logs(self) -> TransactionRecord:
        parts = [*self._parts[:_LOGS], rlp.encode([]), *self._parts[_LOGS + 1 :]]
        return decode(TransactionRecord, rlp.encode_joined(parts))

    def logs(self) -> Iterator[Log]:
        """Decode the logs one by one, on demand."""
        return (decode(Log, row) for row in self.encoded_logs())

    def encoded_logs(self) -> Iterator[bytes]:
        return rlp.parts(self._parts[_LOGS])


def evm_results(records: Sequence[TransactionRecord]) -> Hash32:
    """The digest of an EVM segment, on which members of the federation vote."""
    return keccak256(b"coinone-evm" + rlp.encode([keccak256(record.encoded) for record in records]))
