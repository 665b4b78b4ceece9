"""Blocks: a header over a contiguous run of certified batches (D1).

A block holds no transactions of its own. Its body names the batches after its parent's last one; they are
kept once, in the batch log. `seal` is the signature of the federation member that made it, until merged
mining seals blocks with hash power (D8).
"""

from dataclasses import dataclass

from coinone.base.primitives import rlp
from coinone.base.primitives.types import Hash32
from coinone.rules.ledger.header import Header, decode_header


@dataclass(frozen=True)
class Block:
    header: Header
    batch_hashes: tuple[Hash32, ...]
    seal: tuple[int, bytes]  # (member, signature of the header's hash)
    forced: tuple[bytes, ...] = ()  # transactions that the next batch must carry (chain/forced.py)

    @property
    def number(self) -> int:
        return self.header.number

    @property
    def hash(self) -> Hash32:
        return self.header.hash

    @property
    def first_seq(self) -> int:
        """Of its batches, if it has any."""
        return self.header.batch_seq - len(self.batch_hashes) + 1

    def encode(self) -> bytes:
        return rlp.encode([self.header.encode(), list(self.batch_hashes), list(self.seal), list(self.forced)])


def decode_block(data: bytes) -> Block:
    """Raises DecodeError."""
    header, hashes, seal, forced = rlp.decode_list(rlp.decode(data), 4)
    member, signature = rlp.decode_list(seal, 2)
    return Block(
        decode_header(rlp.decode_bytes(header)),
        tuple(rlp.decode_bytes(item, 32) for item in rlp.decode_list(hashes)),
        (rlp.decode_int(member, 2), rlp.decode_bytes(signature)),
        tuple(rlp.decode_bytes(item) for item in rlp.decode_list(forced)),
    )
