"""Blocks, transactions and receipts on disk: the encoding of the chain's values in the node's tables.

They are written with each block, atomically with the state. Reading is safe from any thread.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, StorageError
from coinone.base.primitives.records import decode, encode
from coinone.base.primitives.types import Hash32
from coinone.node.storage.blocks import BlockReader
from coinone.node.storage.storage import BlockCommit
from coinone.rules.chain.sealing import SealedBlock
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.placed import PlacedRecord, place_rows
from coinone.rules.ledger.records import (
    StoredRecord,
    TransactionRecord,
    decode_records,
    encode_records,
    split_records,
)
from coinone.rules.state.steps import Steps, each
from coinone.rules.vm import Log

D = TypeVar("D")
T = TypeVar("T")
B = TypeVar("B", covariant=True)  # a chain's blocks
H = TypeVar("H", covariant=True)  # and their headers
_ETHEREUM, _ACTION = 0, 1
LOGS_PER_STEP = 64  # decoded between two yields: 1 ms
_COUNTED_PER_STEP = 1024  # counted between two yields


@dataclass(frozen=True, slots=True)
class EthereumPlace:
    """The place of an Ethereum transaction or system call: block number and index."""

    number: int
    index: int


@dataclass(frozen=True, slots=True)
class ActionPlace:
    """The place of an exchange action: batch and index among its actions."""

    seq: int
    index: int


def commit_of(block: Block, sealed: SealedBlock, batches: Mapping[int, bytes]) -> BlockCommit:
    """The commit of a block; `batches` are its encoded certified batches by seq."""
    transactions = {
        row.record.hash: rlp.encode([_ETHEREUM, block.number, row.index]) for row in sealed.placed.rows
    }
    for result in sealed.results:
        for index, tx_hash in enumerate(result.action_hashes):
            transactions[tx_hash] = rlp.encode([_ACTION, result.batch.seq, index])
    return BlockCommit(
        number=block.number,
        hash=block.hash,
        last_seq=block.header.batch_seq,
        block=encode(block),
        receipts=encode_records(row.record for row in sealed.placed.rows),
        changes=sealed.changes,
        batches=batches,
        transactions=transactions,
    )


class BlockArchive(ABC, Generic[B, H]):
    """Decoded reads of a chain's blocks on disk, from any thread."""

    def __init__(self, blocks: BlockReader) -> None:
        self._blocks = blocks

    @abstractmethod
    def block(self, number: int) -> B | None: ...

    @abstractmethod
    def header(self, number: int) -> H | None: ...

    @abstractmethod
    def place_of(self, tx_hash: Hash32) -> EthereumPlace | ActionPlace | None: ...

    def number_of(self, block_hash: Hash32) -> int | None:
        return self._blocks.number_of(block_hash)

    def headers(self, first: int, last: int) -> Iterator[H]:
        """The headers from `first` to `last`, as far as they exist."""
        for number in range(first, last + 1):
            header = self.header(number)
            if header is None:
                return
            yield header

    def records_size(self, number: int) -> int:
        """The size in bytes of what `records` decodes."""
        return len(self._blocks.receipts(number) or b"")

    def records(self, number: int) -> tuple[PlacedRecord, ...]:
        """The Ethereum transactions and system calls of a block, with their places."""
        data = self._blocks.receipts(number)
        return () if data is None else place_rows(own(decode_records, data))

    def encoded_records(self, number: int) -> list[bytes]:
        """The records of a block, still encoded."""
        data = self._blocks.receipts(number)
        return [] if data is None else own(split_records, data)

    def record_steps(self, number: int) -> Steps[tuple[PlacedRecord, ...]]:
        """`records` in short steps."""
        return place_rows((yield from each(self.stored(number), _record_steps)))

    def placed_steps(self, number: int, index: int) -> Steps[PlacedRecord]:
        """One record with its place, in short steps; logs of earlier records are only counted."""
        gas = logs = 0
        for place, stored in enumerate(self.stored(number)):
            if place == index:
                record = yield from _record_steps(stored)
                return PlacedRecord(record, index, gas + record.gas_used, logs)
            gas += stored.gas_used
            logs += yield from _count_steps(stored)
        raise AssertionError("a placed transaction is in its block")

    def stored(self, number: int) -> Iterator[StoredRecord]:
        """The records of a block one by one, decoded lazily."""
        return (own(StoredRecord, data) for data in self.encoded_records(number))


class Archive(BlockArchive[Block, Header]):
    """The blocks and batches of a Coinone chain."""

    def block(self, number: int) -> Block | None:
        data = self._blocks.block(number)
        return None if data is None else own(partial(decode, Block), data)

    def header(self, number: int) -> Header | None:
        block = self.block(number)
        return None if block is None else block.header

    def forced(self, number: int) -> tuple[bytes, ...]:
        """The transactions that block `number` forces into the next batch."""
        block = self.block(number)
        return () if block is None else block.forced

    def place_of(self, tx_hash: Hash32) -> EthereumPlace | ActionPlace | None:
        data = self._blocks.transaction(tx_hash)
        if data is None:
            return None
        kind, where, index = (rlp.decode_int(item) for item in rlp.decode_list(rlp.decode(data), 3))
        return EthereumPlace(where, index) if kind == _ETHEREUM else ActionPlace(where, index)

    def batch(self, seq: int) -> CertifiedBatch | None:
        """A batch that is in a block; later ones are in the log."""
        data = self._blocks.batch(seq)
        return None if data is None else own(partial(decode, CertifiedBatch), data)


def _count_steps(stored: StoredRecord) -> Steps[int]:
    count = 0
    for count, _ in enumerate(stored.encoded_logs(), 1):
        if count % _COUNTED_PER_STEP == 0:
            yield
    yield
    return count


def _record_steps(stored: StoredRecord) -> Steps[TransactionRecord]:
    """Decode a record, which may have tens of thousands of logs."""
    bare = own(StoredRecord.without_logs, stored)
    logs: list[Log] = []
    for log in stored.logs():
        logs.append(log)
        if len(logs) % LOGS_PER_STEP == 0:
            yield
    return replace(bare, logs=tuple(logs))


def own(decode: Callable[[D], T], data: D) -> T:
    """Decode what this node wrote. Raises StorageError if that fails: the disk is damaged."""
    try:
        return decode(data)
    except DecodeError as error:
        raise StorageError(f"damaged record on disk: {error}") from error
