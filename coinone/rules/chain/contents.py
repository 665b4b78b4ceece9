"""Transactions with reserved places in a batch, and the limits of all others."""

from collections.abc import Iterable

from coinone.base.primitives.errors import InvalidBatch
from coinone.rules.chain.batch_limits import BatchLimits
from coinone.rules.chain.transactions import Verified
from coinone.rules.exchange.wire.types import OracleReport, VerifiedAction


def is_urgent(verified: Verified) -> bool:
    """Whether a place is reserved for the transaction, so that it is limited last."""
    if isinstance(verified, VerifiedAction):
        return verified.action.is_cancel
    return isinstance(verified, OracleReport)


def check_ordinary(limits: BatchLimits, contents: Iterable[tuple[bytes, Verified]]) -> None:
    """Raise InvalidBatch if there is too much other than cancels and prices."""
    sizes = [len(raw) for raw, verified in contents if not is_urgent(verified)]
    if sum(sizes) > limits.ordinary_bytes:
        raise InvalidBatch("too many bytes but for cancels", most=limits.ordinary_bytes, have=sum(sizes))
    if len(sizes) > limits.ordinary_transactions:
        raise InvalidBatch(
            "too many transactions but for cancels", most=limits.ordinary_transactions, have=len(sizes)
        )
