"""Block headers: Ethereum's fields, so that its clients parse them, with Coinone's fields behind one of them.

`extra_data` is the hash of this extension: the last batch included, the root of the exchange, and the list of forced
transactions. So a block's hash is what an Ethereum client computes from the fields it knows, and still commits to
everything (D8). Fields of rules that this chain does not have (blobs, withdrawals, beacon roots) contain their constant
empty values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.records import encoded_fields, record
from coinone.base.primitives.types import U64, ZERO_HASH, Address, Hash32, Size, Unwritten

BLOOM_SIZE = 256
EMPTY_OMMERS: Hash32 = keccak256(rlp.encode([]))
EMPTY_TRIE: Hash32 = keccak256(rlp.encode(b""))
EMPTY_REQUESTS: Hash32 = bytes.fromhex(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)  # EIP-7685


def forced_root(transactions: Sequence[bytes]) -> Hash32:
    """The root of the block's list of forced transactions in a header."""
    return keccak256(rlp.encode(list(transactions)))


NO_FORCED: Hash32 = forced_root(())


EXTENSION = ("batch_seq", "batch_hash", "exchange_root", "forced_root")


@record
@dataclass(frozen=True)
class Header:
    """A block header. Only varying fields are written; the rest is constant or computed."""

    parent_hash: Hash32
    number: U64
    timestamp: U64
    coinbase: Address
    gas_limit: U64
    gas_used: U64
    base_fee: U64
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    bloom: Annotated[bytes, Size(BLOOM_SIZE, BLOOM_SIZE)]
    prev_randao: Hash32
    # Coinone's extension
    batch_seq: U64
    batch_hash: Hash32
    exchange_root: Hash32
    forced_root: Hash32 = NO_FORCED

    ommers_hash: Annotated[Hash32, Unwritten()] = EMPTY_OMMERS
    difficulty: Annotated[int, Unwritten()] = 0

    @cached_property
    def extra_data(self) -> Hash32:
        return keccak256(rlp.encode_joined(encoded_fields(self, *EXTENSION)))

    @cached_property
    def hash(self) -> Hash32:
        return keccak256(rlp.encode(self.ethereum_fields()))

    def ethereum_fields(self) -> list[rlp.Encodable]:
        """The header of Ethereum at Prague and Osaka, in its order."""
        return [
            self.parent_hash, self.ommers_hash, self.coinbase, self.state_root, self.transactions_root,
            self.receipts_root, self.bloom, self.difficulty, self.number, self.gas_limit, self.gas_used,
            self.timestamp, self.extra_data, self.prev_randao, bytes(8), self.base_fee,
            EMPTY_TRIE, 0, 0, ZERO_HASH, EMPTY_REQUESTS,
        ]  # fmt: skip
