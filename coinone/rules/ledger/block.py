"""Blocks: a header over a contiguous run of certified batches (D1).

A block holds no transactions of its own. Its body lists the batches after its parent's last one; they are stored once,
in the batch log.
"""

from dataclasses import dataclass
from typing import Annotated

from coinone.base.primitives.records import record
from coinone.base.primitives.types import Hash32, Wrapped
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.seal import Seal


@record
@dataclass(frozen=True)
class Block:
    header: Annotated[Header, Wrapped()]
    batch_hashes: tuple[Hash32, ...]
    seal: Seal
    forced: tuple[bytes, ...] = ()  # transactions that the next batch must carry (chain/forced.py)

    @property
    def number(self) -> int:
        return self.header.number

    @property
    def hash(self) -> Hash32:
        return self.header.hash

    @property
    def first_seq(self) -> int:
        """The number of its first batch, if it has any."""
        return self.header.batch_seq - len(self.batch_hashes) + 1
