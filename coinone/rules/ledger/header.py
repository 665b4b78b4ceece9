"""Block headers: Ethereum's fields, so that its clients parse them, and ours behind one of these.

`extra_data` is the hash of our extension: the last batch included, the root of the exchange, and the list of
forced transactions. So a block's hash is what an Ethereum client computes from the fields it knows, and still
commits to everything (D8). Fields of rules that this chain has not (blobs, withdrawals, beacon roots) hold
their constant empty values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.types import ZERO_HASH, Address, Hash32

EMPTY_OMMERS: Hash32 = keccak256(rlp.encode([]))
EMPTY_TRIE: Hash32 = keccak256(rlp.encode(b""))
EMPTY_REQUESTS: Hash32 = bytes.fromhex(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)  # EIP-7685


def forced_root(transactions: Sequence[bytes]) -> Hash32:
    """What a header says of the block's list of forced transactions."""
    return keccak256(rlp.encode(list(transactions)))


NO_FORCED: Hash32 = forced_root(())


@dataclass(frozen=True)
class Header:
    parent_hash: Hash32
    number: int
    timestamp: int
    coinbase: Address
    gas_limit: int
    gas_used: int
    base_fee: int
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    bloom: bytes
    prev_randao: Hash32
    # Our extension
    batch_seq: int
    batch_hash: Hash32
    exchange_root: Hash32
    forced_root: Hash32 = NO_FORCED

    ommers_hash: Hash32 = EMPTY_OMMERS
    difficulty: int = 0

    @cached_property
    def extra_data(self) -> Hash32:
        return keccak256(rlp.encode(self._extension()))

    @cached_property
    def hash(self) -> Hash32:
        return keccak256(rlp.encode(self.ethereum_fields()))

    def _extension(self) -> list[rlp.Encodable]:
        return [self.batch_seq, self.batch_hash, self.exchange_root, self.forced_root]

    def ethereum_fields(self) -> list[rlp.Encodable]:
        """The header of Ethereum at Prague and Osaka, in its order."""
        return [
            self.parent_hash, self.ommers_hash, self.coinbase, self.state_root, self.transactions_root,
            self.receipts_root, self.bloom, self.difficulty, self.number, self.gas_limit, self.gas_used,
            self.timestamp, self.extra_data, self.prev_randao, bytes(8), self.base_fee,
            EMPTY_TRIE, 0, 0, ZERO_HASH, EMPTY_REQUESTS,
        ]  # fmt: skip

    def encode(self) -> bytes:
        """Only what varies; the rest is constant or computed."""
        return rlp.encode([
            self.parent_hash, self.number, self.timestamp, self.coinbase, self.gas_limit, self.gas_used,
            self.base_fee, self.state_root, self.transactions_root, self.receipts_root, self.bloom,
            self.prev_randao, *self._extension(),
        ])  # fmt: skip


def decode_header(data: bytes) -> Header:
    """Raises DecodeError."""
    fields = rlp.decode_list(rlp.decode(data), 16)
    number = [rlp.decode_int(field, 8) for field in (*fields[1:3], *fields[4:7], fields[12])]
    return Header(
        parent_hash=rlp.decode_bytes(fields[0], 32),
        number=number[0],
        timestamp=number[1],
        coinbase=rlp.decode_bytes(fields[3], 20),
        gas_limit=number[2],
        gas_used=number[3],
        base_fee=number[4],
        state_root=rlp.decode_bytes(fields[7], 32),
        transactions_root=rlp.decode_bytes(fields[8], 32),
        receipts_root=rlp.decode_bytes(fields[9], 32),
        bloom=rlp.decode_bytes(fields[10], 256),
        prev_randao=rlp.decode_bytes(fields[11], 32),
        batch_seq=number[5],
        batch_hash=rlp.decode_bytes(fields[13], 32),
        exchange_root=rlp.decode_bytes(fields[14], 32),
        forced_root=rlp.decode_bytes(fields[15], 32),
    )
