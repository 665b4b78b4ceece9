"""Receipts: what a transaction did, as the block commits to it, and the filter over its logs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.limits import BLOOM_ENTRIES_REMEMBERED
from coinone.base.primitives.types import Hash32
from coinone.rules.chain.ethereum.transaction import LEGACY
from coinone.rules.vm import Log

BLOOM_SIZE = 256
_BLOOM_BITS = 8 * BLOOM_SIZE


@dataclass(frozen=True, slots=True)
class Receipt:
    type: int
    success: bool
    cumulative_gas_used: int
    logs: tuple[Log, ...]
    post_state: Hash32 | None = None  # before Byzantium, in place of the status


def encode_receipt(receipt: Receipt) -> bytes:
    """The form whose hash is in the receipts trie."""
    logs = [encode_log(log) for log in receipt.logs]
    outcome = int(receipt.success) if receipt.post_state is None else receipt.post_state
    body = rlp.encode([outcome, receipt.cumulative_gas_used, bloom(receipt.logs), logs])
    return body if receipt.type == LEGACY else bytes((receipt.type,)) + body


def encode_log(log: Log) -> list[rlp.Encodable]:
    return [log.address, list(log.topics), log.data]


def logs_hash(logs: Iterable[Log]) -> Hash32:
    return keccak256(rlp.encode([encode_log(log) for log in logs]))


def bloom(logs: Iterable[Log]) -> bytes:
    """2,048 bits that tell which addresses and topics surely do not occur in the logs."""
    bits = 0
    for log in logs:
        for entry in (log.address, *log.topics):
            bits |= _bloom_bits(entry)
    return bits.to_bytes(BLOOM_SIZE, "big")


@lru_cache(BLOOM_ENTRIES_REMEMBERED)
def _bloom_bits(entry: bytes) -> int:
    """Three bits, each named by the low 11 bits of one of the first three pairs of hash bytes."""
    digest = keccak256(entry)
    positions = [int.from_bytes(digest[start : start + 2], "big") % _BLOOM_BITS for start in (0, 2, 4)]
    return (1 << positions[0]) | (1 << positions[1]) | (1 << positions[2])
