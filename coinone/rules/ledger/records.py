"""What came of an Ethereum transaction or a system call, as its batch left it.

Its place in a block (index, cumulative gas) is known only when a block includes the batch; so receipts are
made from records then (placed.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.ledger.log import Log

_LOGS = 10  # place of the logs in an encoded record


@dataclass(frozen=True)
class TransactionRecord:
    raw: bytes
    hash: Hash32
    type: int
    sender: Address
    to: Address | None
    is_system: bool
    succeeded: bool
    gas_used: int
    gas_price: int  # effective
    contract_address: Address | None
    logs: tuple[Log, ...]
    post_state: Hash32 | None = None  # Ethereum's receipts before Byzantium had it in place of a status

    @cached_property
    def encoded(self) -> bytes:
        """For the digest of its batch, and for the disk."""
        return rlp.encode([
            self.raw, self.hash, self.type, self.sender, self.to or b"", int(self.is_system),
            int(self.succeeded), self.gas_used, self.gas_price, self.contract_address or b"",
            [[log.address, list(log.topics), log.data] for log in self.logs],
            *(() if self.post_state is None else (self.post_state,)),
        ])  # fmt: skip


def decode_record(data: bytes) -> TransactionRecord:
    """From our own disk. Raises DecodeError."""
    fields = rlp.decode_list(rlp.decode(data))
    if len(fields) not in (11, 12):
        raise DecodeError("record: wrong number of fields", have=len(fields))
    raw, tx_hash, sender, to, created = (rlp.decode_bytes(fields[place]) for place in (0, 1, 3, 4, 9))
    kind, system, succeeded, gas_used, gas_price = (
        rlp.decode_int(fields[place]) for place in (2, 5, 6, 7, 8)
    )
    return TransactionRecord(
        raw, tx_hash, kind, sender, to or None, bool(system), bool(succeeded), gas_used, gas_price, created or None,
        tuple(decode_log(row) for row in rlp.decode_list(fields[_LOGS])),
        rlp.decode_bytes(fields[11], 32) if len(fields) == 12 else None,
    )  # fmt: skip


def encode_records(records: Iterable[TransactionRecord]) -> bytes:
    """All of a block, for the disk."""
    return rlp.encode([record.encoded for record in records])


def decode_records(data: bytes) -> tuple[TransactionRecord, ...]:
    """From our own disk. Raises DecodeError."""
    return tuple(map(decode_record, split_records(data)))


def split_records(data: bytes) -> list[bytes]:
    """The same, each as it is encoded. Raises DecodeError."""
    return [rlp.decode_bytes(item) for item in rlp.decode_list(rlp.decode(data))]


class StoredRecord:
    """A record on our own disk, of which only what is asked for is decoded: it may have tens of thousands of logs. What
    reads it raises DecodeError."""

    __slots__ = ("_parts",)

    def __init__(self, data: bytes) -> None:
        self._parts = list(rlp.parts(data))
        if len(self._parts) not in (11, 12):
            raise DecodeError("record: wrong number of fields", have=len(self._parts))

    @property
    def raw(self) -> bytes:
        return rlp.decode_bytes(rlp.decode(self._parts[0]))

    @property
    def hash(self) -> Hash32:
        return rlp.decode_bytes(rlp.decode(self._parts[1]))

    @property
    def is_system(self) -> bool:
        return bool(rlp.decode_int(rlp.decode(self._parts[5])))

    @property
    def gas_used(self) -> int:
        return rlp.decode_int(rlp.decode(self._parts[7]))

    @property
    def gas_price(self) -> int:
        return rlp.decode_int(rlp.decode(self._parts[8]))

    def without_logs(self) -> TransactionRecord:
        parts = [*self._parts[:_LOGS], rlp.encode([]), *self._parts[_LOGS + 1 :]]
        return decode_record(rlp.encode_joined(parts))

    def logs(self) -> Iterator[Log]:
        """One after the other, as they are asked for."""
        return (decode_log(rlp.decode(row)) for row in self.encoded_logs())

    def encoded_logs(self) -> Iterator[bytes]:
        return rlp.parts(self._parts[_LOGS])


def evm_results(records: Sequence[TransactionRecord]) -> Hash32:
    """The digest of an EVM segment that members of the federation vote on."""
    return keccak256(b"coinone-evm" + rlp.encode([keccak256(record.encoded) for record in records]))


def decode_log(row: rlp.Item) -> Log:
    """Address, topics, data, as receipts hold them. Raises DecodeError."""
    address, topics, data = rlp.decode_list(row, 3)
    return Log(
        rlp.decode_bytes(address, 20),
        tuple(rlp.decode_bytes(topic, 32) for topic in rlp.decode_list(topics)),
        rlp.decode_bytes(data),
    )
