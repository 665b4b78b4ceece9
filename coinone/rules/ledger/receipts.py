"""Receipts: the result of a transaction to which the block commits, and the filter over its logs."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import lru_cache

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.ethereum import LEGACY
from coinone.base.primitives import rlp
from coinone.base.primitives.records import encode
from coinone.base.primitives.types import Hash32
from coinone.rules.ledger.header import BLOOM_SIZE
from coinone.rules.ledger.log import Log
from coinone.rules.limits import BLOOM_ENTRIES_REMEMBERED
from coinone.rules.state.steps import finished

LOGS_PER_STEP = (
    256  # of a receipt, encoded between two yields: some 10 ms if all have four topics of their own
)
_BLOOM_BITS = 8 * BLOOM_SIZE


@dataclass(frozen=True, slots=True)
class Receipt:
    type: int
    success: bool
    cumulative_gas_used: int
    logs: tuple[Log, ...]
    post_state: Hash32 | None = None  # before Byzantium, in place of the status


def encode_receipt(receipt: Receipt) -> bytes:
    """Encode a receipt as hashed in the receipts trie."""
    return finished(receipt_steps(receipt))[0]


def receipt_steps(receipt: Receipt) -> Generator[None, None, tuple[bytes, int]]:
    """Encode a receipt, with the bits of its filter, in short steps: a transaction may have tens of thousands of
    logs."""
    logs: list[bytes] = []
    bits = 0
    for start in range(0, len(receipt.logs), LOGS_PER_STEP):
        if start:
            yield
        part = receipt.logs[start : start + LOGS_PER_STEP]
        logs += [encode(log) for log in part]
        bits |= _bits_of(part)
    outcome = int(receipt.success) if receipt.post_state is None else receipt.post_state
    head = (outcome, receipt.cumulative_gas_used, _as_bytes(bits))
    body = rlp.encode_joined([*map(rlp.encode, head), rlp.encode_joined(logs)])
    return (body if receipt.type == LEGACY else bytes((receipt.type,)) + body), bits


def logs_hash(logs: Iterable[Log]) -> Hash32:
    return keccak256(rlp.encode_joined(map(encode, logs)))


def bloom(logs: Iterable[Log]) -> bytes:
    """The bloom filter, 2,048 bits that show which addresses and topics surely do not occur in the logs."""
    return _as_bytes(_bits_of(logs))


def _as_bytes(bits: int) -> bytes:
    return bits.to_bytes(BLOOM_SIZE, "big")


def _bits_of(logs: Iterable[Log]) -> int:
    bits = 0
    for log in logs:
        for entry in (log.address, *log.topics):
            bits |= _bloom_bits(entry)
    return bits


@lru_cache(BLOOM_ENTRIES_REMEMBERED)
def _bloom_bits(entry: bytes) -> int:
    """Three bits, each given by the low 11 bits of one of the first three pairs of hash bytes."""
    digest = keccak256(entry)
    positions = [int.from_bytes(digest[start : start + 2], "big") % _BLOOM_BITS for start in (0, 2, 4)]
    return (1 << positions[0]) | (1 << positions[1]) | (1 << positions[2])
