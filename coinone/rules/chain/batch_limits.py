"""Limits of a batch (D1).

The network gives each batch a number of bytes, transactions and gas. When blocks fall behind, batches wait to be
included, and followers must keep them all; so from a certain number of waiting batches on, the limits shrink linearly
to zero.

An account that leaves the market must wait neither for others' orders nor for miners. So a quarter of a batch's places
and bytes is reserved for cancels and oracle prices, and they are limited last: their part shrinks only when everything
else is at zero.

*Example.* Limits are full up to 512 waiting batches and zero at 2,048. A batch of 4,000 transactions then holds at most
3,000 that are neither cancels nor prices. With 1,280 waiting it may hold 3,000 * (2,048 - 1,280) / (2,048 - 512) =
1,500 of those. With 2,048 waiting it may hold 4,000 cancels and nothing else, with 2,816 still 2,000, with 3,584 none.
"""

from dataclasses import dataclass

from coinone.base.primitives.errors import InvalidBatch
from coinone.base.primitives.integers import div_down
from coinone.rules.chain.network import Cadence
from coinone.rules.ledger.header import Header


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of a batch: for all transactions, and for those other than cancels and oracle reports."""

    bytes: int
    transactions: int
    ordinary_bytes: int
    ordinary_transactions: int
    gas: int


def limits_of(cadence: Cadence, seq: int, base: Header) -> BatchLimits:
    """The limits of batch `seq` over the block `base`."""
    waiting, span = seq - base.batch_seq, cadence.unincluded_max - cadence.unincluded_full
    ordinary = min(max(cadence.unincluded_max - waiting, 0), span)
    urgent = min(max(cadence.unincluded_max + span - waiting, 0), span)
    return BatchLimits(
        bytes=div_down(cadence.bytes_max * urgent, span),
        transactions=div_down(cadence.actions_max * urgent, span),
        ordinary_bytes=div_down(3 * cadence.bytes_max * ordinary, 4 * span),
        ordinary_transactions=div_down(3 * cadence.actions_max * ordinary, 4 * span),
        gas=div_down(cadence.gas_limit(seq) * ordinary, span),
    )


def check_size(limits: BatchLimits, transactions: tuple[bytes, ...]) -> None:
    """Check sizes before any transaction is decoded. Raises InvalidBatch."""
    size = sum(map(len, transactions))
    if size > limits.bytes:
        raise InvalidBatch("too many bytes", most=limits.bytes, have=size)
    if len(transactions) > limits.transactions:
        raise InvalidBatch("too many transactions", most=limits.transactions, have=len(transactions))
