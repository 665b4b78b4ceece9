"""Blocks on disk: read what was committed with each, and the head."""

from collections.abc import Iterator
from dataclasses import dataclass

from coinone.base.primitives import rlp
from coinone.base.primitives.types import Hash32
from coinone.node.storage.store import Snapshot
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.state.database import Table

_HEAD_KEY = b"head"


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block on disk, and the newest batch in it or before it."""

    number: int
    hash: Hash32
    last_seq: int


def head_of(snapshot: Snapshot) -> Head | None:
    row = snapshot.get(Table.META, _HEAD_KEY)
    if row is None:
        return None
    number, block_hash, last_seq = rlp.decode_list(rlp.decode(row), 3)
    return Head(rlp.decode_int(number), rlp.decode_bytes(block_hash, 32), rlp.decode_int(last_seq))


def head_row(head: Head) -> dict[bytes, bytes | None]:
    return {_HEAD_KEY: rlp.encode([head.number, head.hash, head.last_seq])}


class Blocks:
    """Read blocks, batches and receipts from any thread."""

    def __init__(self, store: Snapshot) -> None:
        self._store = store

    def head(self) -> Head | None:
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
