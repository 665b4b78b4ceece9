"""Batches and blocks that wait until they follow the head, signed by the federation and bounded in number and bytes.

Items that this node has, or that are too far ahead to be kept, are not decoded: their seq or number is read alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from coinone.base.primitives.errors import LimitExceeded
from coinone.base.primitives.records import decode
from coinone.protocols.relay import limits
from coinone.protocols.relay.carried import count_items, number_of, seq_of
from coinone.protocols.relay.effects import Head
from coinone.protocols.relay.peer import Peer
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block

CheckSigned: TypeAlias = Callable[[CertifiedBatch | Block], None]
"""Raises InvalidInput unless the federation signed it."""

_Item = TypeVar("_Item", CertifiedBatch, Block)


@dataclass(frozen=True, slots=True)
class Kept(Generic[_Item]):
    """An item that does not follow the head yet, and its sender."""

    peer: int
    item: _Item
    size: int


class ItemsAhead:
    """With `takes` unset nothing is kept."""

    def __init__(self, check_signed: CheckSigned, takes: bool) -> None:
        self._check_signed = check_signed
        self._takes = takes
        self.batches: dict[int, Kept[CertifiedBatch]] = {}  # by seq, beyond the head
        self.blocks: dict[int, Kept[Block]] = {}  # by number

    def keep_batches(self, peer: int, state: Peer, items: Sequence[bytes], head: Head) -> None:
        """Keep batches that may follow the head later. Others are not decoded. Raises InvalidInput."""
        left = limits.CARRIED_ITEMS_MAX
        for raw in items:
            seq = seq_of(raw)
            state.head = Head(max(state.head.seq, seq), state.head.number)
            if seq not in self.batches and self._is_kept(state, seq - head.seq, len(raw)):
                left -= count_items(raw, left)
                certified = decode(CertifiedBatch, raw)
                self._check_signed(certified)
                self.batches[seq] = Kept(peer, certified, len(raw))

    def keep_blocks(self, peer: int, state: Peer, items: Sequence[bytes], head: Head) -> None:
        left = limits.CARRIED_ITEMS_MAX
        for raw in items:
            number = number_of(raw)
            state.head = Head(state.head.seq, max(state.head.number, number))
            if number not in self.blocks and self._is_kept(state, number - head.number, len(raw)):
                left -= count_items(raw, left)
                block = decode(Block, raw)
                self._check_signed(block)
                self.blocks[number] = Kept(peer, block, len(raw))

    def take_next(self, head: Head) -> Kept[CertifiedBatch] | Kept[Block] | None:
        """Remove and return the item that follows the head: a block whose batches are applied, or the next batch if
        its base block is known."""
        block = self.blocks.get(head.number + 1)
        if block is not None and block.item.header.batch_seq <= head.seq:
            return self.blocks.pop(head.number + 1)
        batch = self.batches.get(head.seq + 1)
        if batch is not None and batch.item.batch.base_number <= head.number:
            return self.batches.pop(head.seq + 1)
        return None

    def discard(self, peer: int) -> None:
        """Forget what a peer sent."""
        self.batches = {seq: kept for seq, kept in self.batches.items() if kept.peer != peer}
        self.blocks = {number: kept for number, kept in self.blocks.items() if kept.peer != peer}

    def _is_kept(self, state: Peer, ahead: int, size: int) -> bool:
        """Whether an item is kept; the next one always is, or a full store could never empty. Raises LimitExceeded for
        too many that this node has already."""
        state.useless += ahead <= 0
        if state.useless > limits.USELESS_ITEMS_MAX:
            raise LimitExceeded("sent too many old batches and blocks", most=limits.USELESS_ITEMS_MAX)
        if not self._takes:
            return False
        return ahead == 1 or (1 < ahead <= limits.AHEAD_ITEMS_MAX and self._has_room(size))

    def _has_room(self, size: int) -> bool:
        batches = sum(one.size for one in self.batches.values())
        blocks = sum(one.size for one in self.blocks.values())
        return batches + blocks + size <= limits.AHEAD_BYTES_MAX
