"""Blobs in execution: the price of their gas (EIP-4844, 7691, 7918). For Ethereum's test chains only."""

from dataclasses import dataclass

from coinone.base.forms.ethereum import BLOB, EthereumTransaction
from coinone.base.primitives.errors import InvalidTransaction
from coinone.base.primitives.integers import div_down

GAS_PER_BLOB = 1 << 17
BLOBS_PER_TRANSACTION_MAX = 6  # EIP-7594, from Osaka on
_VERSION = 1
_RESERVE_GAS = 1 << 13  # EIP-7918: a blob costs at least as much as this much execution gas


@dataclass(frozen=True, slots=True)
class BlobSchedule:
    """Target and maximum of blobs per block, and how fast their price changes."""

    target: int
    most: int
    update_fraction: int
    reserve: bool = False


def blob_gas(tx: EthereumTransaction) -> int:
    return GAS_PER_BLOB * len(tx.blob_hashes)


def check_blobs(tx: EthereumTransaction, schedule: BlobSchedule) -> None:
    """Raise InvalidTransaction unless the blob hashes may be in a block."""
    if tx.type != BLOB:
        return
    most = min(schedule.most, BLOBS_PER_TRANSACTION_MAX) if schedule.reserve else schedule.most
    if not 0 < len(tx.blob_hashes) <= most:
        raise InvalidTransaction("number of blobs", most=most, have=len(tx.blob_hashes))
    if any(blob[0] != _VERSION for blob in tx.blob_hashes):
        raise InvalidTransaction("blob hash of an unknown version")


def blob_base_fee(excess: int, schedule: BlobSchedule) -> int:
    """The blob base fee: e to the power of excess / update_fraction, by the Taylor series that the EIP prescribes."""
    total, term, n = 0, schedule.update_fraction, 1
    while term > 0:
        total += term
        term = div_down(term * excess, schedule.update_fraction * n)
        n += 1
    return div_down(total, schedule.update_fraction)


def next_excess(excess: int, used: int, base_fee: int, schedule: BlobSchedule) -> int:
    """The excess after a block with `excess`, `used` blob gas and `base_fee`."""
    target = schedule.target * GAS_PER_BLOB
    if excess + used < target:
        return 0
    if schedule.reserve and _RESERVE_GAS * base_fee > GAS_PER_BLOB * blob_base_fee(excess, schedule):
        return excess + div_down(used * (schedule.most - schedule.target), schedule.most)
    return excess + used - target
