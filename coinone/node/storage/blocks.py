"""Blocks on disk: read what was committed with each, and the head."""

from collections.abc import Iterator
from dataclasses import dataclass

from coinone.base.primitives.records import decode, encode, record
from coinone.base.primitives.types import U64, Hash32
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.state.database import Table

_HEAD_KEY = b"head"


@record
@dataclass(frozen=True, slots=True)
class StoredHead:
    """The newest block on disk, and the newest batch in it or before it."""

    number: U64
    hash: Hash32
    last_seq: U64


def head_of(snapshot: Snapshot) -> StoredHead | None:
    row = snapshot.get(Table.META, _HEAD_KEY)
    return None if row is None else decode(StoredHead, row)


def head_row(head: StoredHead) -> dict[bytes, bytes | None]:
    return {_HEAD_KEY: encode(head)}


class BlockReader:
    """Read blocks, batches and receipts from any thread."""

    def __init__(self, store: Snapshot) -> None:
        self._store = store

    def head(self) -> StoredHead | None:
        return head_of(self._store)

    def block(self, number: int) -> bytes | None:
        return self._store.get(NodeTable.BLOCK, u64(number))

    def number_of(self, block_hash: Hash32) -> int | None:
        row = self._store.get(NodeTable.BLOCK_NUMBER, block_hash)
        return None if row is None else int.from_bytes(row, "big")

    def receipts(self, number: int) -> bytes | None:
        return self._store.get(NodeTable.RECEIPTS, u64(number))

    def transaction(self, tx_hash: Hash32) -> bytes | None:
        return self._store.get(NodeTable.TX, tx_hash)

    def batch(self, seq: int) -> bytes | None:
        return self._store.get(NodeTable.BATCH, u64(seq))

    def batches_from(self, seq: int) -> Iterator[tuple[int, bytes]]:
        for key, row in self._store.range(NodeTable.BATCH, u64(seq), u64(2**64 - 1)):
            yield int.from_bytes(key, "big"), row
